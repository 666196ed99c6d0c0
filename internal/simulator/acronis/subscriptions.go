package acronis

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// definition is what POST /subscriptions takes and answers.
type definition struct {
	ID                 string   `json:"subscription_id"`
	TopicID            string   `json:"topic_id"`
	Types              []string `json:"types"`
	TenantID           string   `json:"tenant_id,omitempty"`
	TenantDepth        string   `json:"tenant_depth"`
	SubjectTypes       []string `json:"subject_types,omitempty"`
	CEL                string   `json:"cel,omitempty"`
	AutoCommit         bool     `json:"auto_commit"`
	AutoCommitInterval string   `json:"auto_commit_interval,omitempty"`
	SessionTimeout     string   `json:"session_timeout"`
}

const (
	maxTypes       = 32
	maxCEL         = 4096
	commitInterval = 5 * time.Minute
)

// subscription is a definition and who reads it.
type subscription struct {
	definition
	// Acknowledged is the position from which the leader asked last.
	Acknowledged int64     `json:"acknowledged"`
	CommittedAt  time.Time `json:"committed_at"`
	Used         time.Time `json:"used"`
	Leader       string    `json:"leader,omitempty"`
	// Heard is when the leader's last poll began or ended.
	Heard time.Time `json:"heard"`
	// Quiet counts the polls without news.
	Quiet int `json:"quiet"`
	// running are the leader's polls that wait now.
	running int
}

func (d *definition) session() time.Duration {
	timeout, _ := parseDuration(d.SessionTimeout) // valid since complete
	return timeout
}

// complete checks a definition and fills in the defaults.
func (s *Server) complete(d *definition, c *call) error {
	if !isUUID(d.ID) {
		return fmt.Errorf("subscription_id: %q is no UUID", d.ID)
	}
	if s.kept.Topics[d.TopicID] == nil {
		return fmt.Errorf("topic_id: there is no topic %q", d.TopicID)
	}
	if len(d.Types) < 1 || len(d.Types) > maxTypes {
		return fmt.Errorf("types: want 1 to %d, not %d", maxTypes, len(d.Types))
	}
	for _, t := range d.Types {
		if at := strings.IndexByte(t, '*'); !strings.HasPrefix(t, "cti.") || at >= 0 && at != len(t)-1 {
			return fmt.Errorf("types: %q is neither a type nor the beginning of one with * at its end", t)
		}
	}
	if !slices.Contains([]string{DepthCurrent, DepthDirect, DepthAll}, d.TenantDepth) {
		return fmt.Errorf("tenant_depth: %q is none of %s, %s, %s", d.TenantDepth, DepthCurrent, DepthDirect, DepthAll)
	}
	if utf8.RuneCountInString(d.CEL) > maxCEL {
		return fmt.Errorf("cel: longer than %d characters", maxCEL)
	}
	d.TenantID = cmp.Or(d.TenantID, c.client.TenantID, DefaultTenant)
	return s.completeTimes(d)
}

func (s *Server) completeTimes(d *definition) error {
	if _, err := parseDuration(d.AutoCommitInterval); err != nil && d.AutoCommitInterval != "" {
		return fmt.Errorf("auto_commit_interval: %w", err)
	}
	usual := "PT30S"
	if s.opts.Dialect == Tutorial {
		usual = "PT5M"
	}
	d.SessionTimeout = cmp.Or(d.SessionTimeout, usual)
	session, err := parseDuration(d.SessionTimeout)
	if err == nil && session <= 0 {
		err = fmt.Errorf("want more than nothing")
	}
	if err != nil {
		return fmt.Errorf("session_timeout: %w", err)
	}
	if s.opts.MaxSession > 0 && session > s.opts.MaxSession {
		d.SessionTimeout = formatDuration(s.opts.MaxSession)
	}
	return nil
}

func (s *Server) subscribe(c *call) answer {
	var d definition
	if a, bad := c.decode(&d); bad {
		return a
	}
	c.line.SubscriptionID = d.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	if err := s.complete(&d, c); err != nil {
		return badRequest(err.Error())
	}
	if s.find(d.ID, now) != nil {
		return failure(http.StatusConflict, "alreadyExists", "there is a subscription "+d.ID)
	}
	t := s.kept.Topics[d.TopicID]
	t.expire(now)
	if _, known := s.kept.Committed[d.ID]; !known {
		s.kept.Committed[d.ID] = t.earliest()
	}
	s.kept.Subscriptions[d.ID] = &subscription{definition: d, Acknowledged: s.kept.Committed[d.ID], CommittedAt: now, Used: now}
	s.kept.Stats.Subscriptions++
	return inJSON(http.StatusCreated, d)
}

// find is the subscription, or nil; those unused for too long vanish first.
func (s *Server) find(id string, now time.Time) *subscription {
	for other, sub := range maps.Clone(s.kept.Subscriptions) {
		if s.opts.EvictAfter > 0 && sub.running == 0 && now.Sub(sub.Used) >= s.opts.EvictAfter {
			s.evict(other)
		}
	}
	return s.kept.Subscriptions[id]
}

// Evict makes a subscription unknown, as if it had been unused for too long. The
// offset stored for it stays, for when it is created again.
func (s *Server) Evict(subscription string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.evict(subscription)
	s.rouse()
}

func (s *Server) evict(id string) {
	sub := s.kept.Subscriptions[id]
	if sub == nil {
		return
	}
	if sub.AutoCommit {
		s.autoCommit(sub, s.opts.Now())
	}
	delete(s.kept.Subscriptions, id)
	s.kept.Stats.Evictions++
}

func (s *Server) autoCommit(sub *subscription, now time.Time) {
	s.kept.Committed[sub.ID], sub.CommittedAt = sub.Acknowledged, now
	s.kept.Stats.AutoCommits++
}

// SetCommitted stores an offset for a subscription, also for one to come.
func (s *Server) SetCommitted(subscription string, offset int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Committed[subscription] = s.position(offset)
}

// Subscriptions are the ids of those that are there, sorted.
func (s *Server) Subscriptions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.kept.Subscriptions))
}

// Committed is the offset stored for a subscription, or 0.
func (s *Server) Committed(subscription string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	position, known := s.kept.Committed[subscription]
	if !known {
		return 0
	}
	return s.offset(position)
}

func (s *Server) subscriptionOffset(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	sub := s.find(c.URL.Query().Get("subscription_id"), now)
	if sub == nil {
		return s.unknown()
	}
	sub.Used = now
	return s.storedOffset(sub)
}

func (s *Server) commit(c *call) answer {
	var in struct {
		SubscriptionID string `json:"subscription_id"`
		Offset         *int64 `json:"offset"`
	}
	if a, bad := c.decode(&in); bad {
		return a
	}
	if in.Offset == nil || *in.Offset < 0 {
		return badRequest("offset: want a number from 0 on")
	}
	c.line.SubscriptionID, c.line.Offset = in.SubscriptionID, strconv.FormatInt(*in.Offset, 10)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	sub := s.find(in.SubscriptionID, now)
	if sub == nil {
		return s.unknown()
	}
	sub.Used = now
	s.kept.Committed[sub.ID] = s.position(*in.Offset)
	s.kept.Stats.Commits++
	return s.storedOffset(sub)
}

func (s *Server) storedOffset(sub *subscription) answer {
	return inJSON(http.StatusOK, map[string]any{"subscription_id": sub.ID, "offset": s.offset(s.kept.Committed[sub.ID])})
}

func (s *Server) unknown() answer {
	return failure(s.opts.UnknownStatus, "unknownSubscription", "there is no such subscription")
}
