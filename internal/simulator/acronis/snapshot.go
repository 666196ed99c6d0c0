package acronis

import (
	"encoding/json"
	"fmt"
)

// state is all that outlives a restart: all but faults, log and waiting polls.
type state struct {
	// Made numbers what was made up, so that no id comes twice.
	Made          int64                    `json:"made"`
	Topics        map[string]*topic        `json:"topics"`
	Types         []Type                   `json:"types"`
	Subscriptions map[string]*subscription `json:"subscriptions"`
	// Committed are positions by subscription; they outlive an eviction.
	Committed map[string]int64  `json:"committed"`
	Clients   map[string]Client `json:"clients"`
	Tokens    map[string]token  `json:"tokens"`
	// Tenants are the parents, by tenant.
	Tenants   map[string]string         `json:"tenants"`
	Delivered map[string]map[string]int `json:"delivered"`
	Stats     Stats                     `json:"stats"`
}

func newState() state {
	return state{
		Topics: map[string]*topic{}, Subscriptions: map[string]*subscription{}, Committed: map[string]int64{},
		Clients: map[string]Client{}, Tokens: map[string]token{}, Tenants: map[string]string{},
		Delivered: map[string]map[string]int{}, Stats: newStats(),
	}
}

// Snapshot is the server's state, faults and log aside, as JSON.
func (s *Server) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := json.Marshal(s.kept)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return data, nil
}

// Restore puts a snapshot in place of the state. Polls that wait end.
func (s *Server) Restore(data []byte) error {
	in := newState()
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	for id, t := range in.Topics {
		if t == nil {
			return fmt.Errorf("restore: topic %q is null", id)
		}
	}
	for id, sub := range in.Subscriptions {
		if sub == nil || in.Topics[sub.TopicID] == nil {
			return fmt.Errorf("restore: subscription %q has no topic", id)
		}
	}
	in.Topics, in.Subscriptions, in.Committed = orEmpty(in.Topics), orEmpty(in.Subscriptions), orEmpty(in.Committed)
	in.Clients, in.Tokens, in.Tenants = orEmpty(in.Clients), orEmpty(in.Tokens), orEmpty(in.Tenants)
	in.Delivered, in.Stats.Delivered = orEmpty(in.Delivered), orEmpty(in.Stats.Delivered)
	in.Stats.ByStatus, in.Stats.ByFault = orEmpty(in.Stats.ByStatus), orEmpty(in.Stats.ByFault)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = in
	s.rouse()
	return nil
}

func orEmpty[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}
