package cloudfeeds

import (
	"encoding/json"
	"fmt"
)

type snapshot struct {
	Mode    Mode             `json:"mode"`
	NextSeq int64            `json:"next_seq"`
	Entries []stored         `json:"entries"`
	Users   map[string]User  `json:"users"`
	Tokens  map[string]token `json:"tokens"`
	Gone    map[string]bool  `json:"gone"`
	Stats   Stats            `json:"stats"`
}

// Snapshot is the server's state, faults and log aside, as JSON.
func (s *Server) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := json.Marshal(snapshot{s.opts.Mode, s.nextSeq, s.entries, s.users, s.tokens, s.gone, s.stats})
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return data, nil
}

// Restore puts a snapshot in place of the state.
func (s *Server) Restore(data []byte) error {
	var in snapshot
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Mode, s.nextSeq, s.entries, s.stats = in.Mode, in.NextSeq, in.Entries, in.Stats.clone()
	s.users, s.tokens, s.gone = orEmpty(in.Users), orEmpty(in.Tokens), orEmpty(in.Gone)
	return nil
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}
