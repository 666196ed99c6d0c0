package acronis

import (
	"maps"
	"slices"
	"time"
)

// Stats count what the server was asked since it started, over restores.
type Stats struct {
	Polls  int `json:"polls"`
	Logins int `json:"logins"`
	// Published counts events, Events those in answers to polls.
	Published     int `json:"published"`
	Events        int `json:"events"`
	Subscriptions int `json:"subscriptions"`
	// Commits are the explicit ones.
	Commits     int `json:"commits"`
	AutoCommits int `json:"auto_commits"`
	Evictions   int `json:"evictions"`
	// NotLeader counts the polls refused with 429.
	NotLeader int            `json:"not_leader"`
	ByStatus  map[int]int    `json:"by_status"`
	ByFault   map[string]int `json:"by_fault"`
	// Delivered is how often each event was in an answer, by event id.
	Delivered map[string]int `json:"delivered"`
}

// Request is a line of the log.
type Request struct {
	At             time.Time     `json:"at"`
	Took           time.Duration `json:"took"`
	Method         string        `json:"method"`
	Path           string        `json:"path"`
	Query          string        `json:"query,omitempty"`
	Client         string        `json:"client,omitempty"`
	SubscriptionID string        `json:"subscription_id,omitempty"`
	ConsumerID     string        `json:"consumer_id,omitempty"`
	Offset         string        `json:"offset,omitempty"`
	// Status is 0 for a dropped connection, 499 for a caller who left.
	Status int `json:"status"`
}

const maxLog = 2000

func newStats() Stats {
	return Stats{ByStatus: map[int]int{}, ByFault: map[string]int{}, Delivered: map[string]int{}}
}

// note comes before the answer, so that who has the answer finds it counted.
func (s *Server) note(line Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Stats.ByStatus[line.Status]++
	s.log = append(s.log, line)
	if len(s.log) > maxLog {
		s.log = slices.Delete(s.log, 0, len(s.log)-maxLog)
	}
}

// delivering counts the events of an answer.
func (s *Server) delivering(subscription string, events []stored) {
	counts := s.kept.Delivered[subscription]
	if counts == nil {
		counts = map[string]int{}
		s.kept.Delivered[subscription] = counts
	}
	for _, e := range events {
		counts[e.ID]++
		s.kept.Stats.Delivered[e.ID]++
	}
	s.kept.Stats.Events += len(events)
}

// Delivered is how often an event was in an answer to a poll of a subscription.
func (s *Server) Delivered(subscription, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Delivered[subscription][id]
}

// Stats returns the counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Stats.clone()
}

// Log returns the last requests, at most 2,000, in the order of their answers.
func (s *Server) Log() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

func (s Stats) clone() Stats {
	s.ByStatus, s.ByFault, s.Delivered = maps.Clone(s.ByStatus), maps.Clone(s.ByFault), maps.Clone(s.Delivered)
	return s
}
