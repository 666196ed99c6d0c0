package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
)

// ofIntegration is the path of a key of an integration itself.
var ofIntegration = regexp.MustCompile(`^integrations\[\d+\]\.[^.\[]+$`)

// own gives an integration the keys that only its type has.
func (c *checker) own(part any, text func(key string) string) any {
	in, is := part.(*Integration)
	if !is {
		return nil
	}
	if t, ok := c.known.integrationType(text("type")); ok && t.Own != nil {
		in.Own = t.Own()
	}
	return in.Own
}

// faults reports what the decoder found. A key that other types of integration have
// is not unknown, but misplaced.
func (c *checker) faults(faults []strictyaml.Fault) {
	for _, fault := range faults {
		if types := c.known.withKey(fault.Unknown); len(types) > 0 && ofIntegration.MatchString(fault.Path) {
			fault.Message = fmt.Sprintf("only a %s has this key", strings.Join(types, " or "))
		}
		c.report(fault.Line, fault.Path, fault.Message)
	}
}

// checkOwn checks what only the type has: what its keys say, then what it says itself.
func (c *checker) checkOwn(path string, integration *Integration, t IntegrationType) {
	for key, value := range integration.ownFields() {
		about := t.Keys[key]
		if secret, is := value.Addr().Interface().(*Secret); is {
			c.secret(path+"."+key, secret, about.Required)
			continue
		}
		if about.Required && value.IsZero() {
			c.problem(path+"."+key, "missing")
		}
		if text := value.String(); len(about.Enum) > 0 && (about.Required || text != "") {
			c.oneOf(path+"."+key, text, about.Enum)
		}
	}
	if t.Check != nil {
		t.Check(integration, Report{c: c, path: path})
	}
}

// Report is where a type's Check says what is wrong with an integration. Keys are
// paths within it, such as "mock.seed".
type Report struct {
	c    *checker
	path string
}

// Has reports whether the configuration has the key, with a value.
func (r Report) Has(key string) bool { return r.c.doc.Has(r.at(key)) }

// Problem says what is wrong with a key. The first one of a key is enough.
func (r Report) Problem(key, format string, args ...any) { r.c.problem(r.at(key), format, args...) }

// Warn says what is allowed and still looks wrong.
func (r Report) Warn(key, format string, args ...any) { r.c.warn(r.at(key), format, args...) }

// Require reports a key that is absent or empty, and whether it is there.
func (r Report) Require(key, value string) bool { return r.c.require(r.at(key), value) }

// OneOf reports a value that is not among the allowed ones, and whether it is.
func (r Report) OneOf(key, value string, allowed []string) bool {
	return r.c.oneOf(r.at(key), value, allowed)
}

// Within reports a duration out of its bounds.
func (r Report) Within(key string, d, least, most Duration) {
	if d < least || d > most {
		r.Problem(key, "want at least %s and at most %s", least, most)
	}
}

func (r Report) at(key string) string { return r.path + "." + key }
