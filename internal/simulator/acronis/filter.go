package acronis

import (
	"mime"
	"slices"
	"strings"
)

// Depths of a subscription below its tenant.
const (
	DepthCurrent = "CURRENT" // the tenant itself
	DepthDirect  = "DIRECT"  // and its children
	DepthAll     = "ALL"     // and all below
)

// AddTenant puts a tenant below a parent; "" makes it a root. Once there is a
// tenant, subscriptions see only those that they may.
func (s *Server) AddTenant(id, parent string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Tenants[id] = parent
}

// wants tells whether a subscription shows an event.
func (s *Server) wants(sub *subscription, e stored) bool {
	return slices.ContainsFunc(sub.Types, func(pattern string) bool { return matchesType(pattern, e.Type) }) &&
		s.below(e.TenantID, sub.TenantID, sub.TenantDepth) &&
		(len(sub.SubjectTypes) == 0 || slices.Contains(sub.SubjectTypes, e.SubjectType)) &&
		matchesCEL(sub.CEL, e)
}

// matchesType compares with an exact type or, where * ends it, with a beginning.
func matchesType(pattern, name string) bool {
	prefix, wild := strings.CutSuffix(pattern, "*")
	return wild && strings.HasPrefix(name, prefix) || pattern == name
}

// below tells whether a tenant is within a depth of another.
func (s *Server) below(tenant, root, depth string) bool {
	if len(s.kept.Tenants) == 0 || tenant == root {
		return true
	}
	switch depth {
	case DepthDirect:
		return s.kept.Tenants[tenant] == root
	case DepthAll:
		for range len(s.kept.Tenants) { // also ends where tenants form a ring
			if tenant = s.kept.Tenants[tenant]; tenant == root {
				return true
			}
		}
	}
	return false
}

// matchesCEL understands event.source == "x" and event.type == "x"; all else
// matches every event.
func matchesCEL(expression string, e stored) bool {
	left, right, found := strings.Cut(expression, "==")
	right = strings.TrimSpace(right)
	if !found || len(right) < 2 || right[0] != right[len(right)-1] || !strings.ContainsRune(`"'`, rune(right[0])) {
		return true
	}
	want := right[1 : len(right)-1]
	if strings.ContainsAny(want, `"'\`) {
		return true
	}
	switch strings.TrimSpace(left) {
	case "event.source":
		return e.Source == want
	case "event.type":
		return e.Type == want
	default:
		return true
	}
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// isUUID tells whether a text has the form of a UUID, in either case.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}
