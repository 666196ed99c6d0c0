package acronis

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Event is what a producer sends. Empty members are left out of the answer, or
// get a default where events always have them.
type Event struct {
	// ID is made up when empty.
	ID string `json:"id,omitempty"`
	// Topic is the tenant topic when empty; an unknown one comes into being.
	Topic string `json:"topic,omitempty"`
	// Type is that of an updated tenant when empty.
	Type string `json:"type,omitempty"`
	// Time is the producer's: now when zero.
	Time        time.Time `json:"time,omitzero"`
	Source      string    `json:"source,omitempty"`
	TenantID    string    `json:"tenant_id,omitempty"`
	Subject     string    `json:"subject,omitempty"`
	SubjectType string    `json:"subject_type,omitempty"`
	ClientID    string    `json:"client_id,omitempty"`
	DataRef     string    `json:"data_ref,omitempty"`
	// Data is any JSON; what is none is sent as a JSON string.
	Data json.RawMessage `json:"data,omitempty"`
	// Raw replaces the event's bytes in answers: to test readers.
	Raw string `json:"raw,omitempty"`
}

// DefaultTenant is the tenant of events and subscriptions that name none.
const DefaultTenant = "5d2f4a86-91c3-4d0b-8b7e-2f60c1a7e934"

// stored is an event at its place. A position is the sequence of the event that
// is read next.
type stored struct {
	Event
	Sequence int64 `json:"sequence"`
	// Previous is 0 for the topic's first event.
	Previous int64     `json:"previous,omitempty"`
	Ingested time.Time `json:"ingested"`
}

// topic is a stream: its events, oldest first, and the sequence of the next.
type topic struct {
	Topic
	Next   int64    `json:"next"`
	Events []stored `json:"events,omitempty"`
}

// Publish stores events, wakes the polls that wait, and returns the events'
// sequence numbers: within each topic one more each time.
func (s *Server) Publish(events ...Event) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	numbers := make([]int64, 0, len(events))
	for _, e := range events {
		numbers = append(numbers, s.publish(e))
	}
	s.rouse()
	return numbers
}

func (s *Server) publish(e Event) int64 {
	now := s.opts.Now()
	s.kept.Made++
	if e.ID == "" {
		e.ID = fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", s.rng.Uint32(), s.rng.Uint32()>>16, s.rng.Uint32()>>20, s.rng.Uint32()>>20, s.kept.Made)
	}
	e.Topic = cmp.Or(e.Topic, TopicTenant)
	e.Type = cmp.Or(e.Type, TypePrefix+"a.p.tenant.updated.v1.0")
	e.Source = cmp.Or(e.Source, "account-server")
	e.TenantID = cmp.Or(e.TenantID, DefaultTenant)
	if e.Time.IsZero() {
		e.Time = now
	}
	if len(e.Data) > 0 && !json.Valid(e.Data) {
		e.Data, _ = json.Marshal(string(e.Data)) // a string always marshals
	}
	t := s.kept.Topics[e.Topic]
	if t == nil {
		t = s.addTopic(Topic{ID: e.Topic, Persistency: true, ProducerConsolidation: "NONE", ArchiveConsolidation: "NONE"})
	}
	n := stored{Event: e, Sequence: t.Next, Ingested: now.UTC()}
	if t.Next > s.opts.Base+1 {
		n.Previous = t.Next - 1
	}
	t.Events = append(t.Events, n)
	t.Next++
	s.kept.Stats.Published++
	return n.Sequence
}

// Consolidate overwrites old events of a topic as an archive of the kind TTS
// does: of each type, tenant and subject only the newest stays, so that the
// sequence has holes.
func (s *Server) Consolidate(topicID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.kept.Topics[topicID]
	if t == nil {
		return
	}
	newest := map[[3]string]int64{}
	key := func(e stored) [3]string { return [3]string{e.Type, e.TenantID, e.Subject} }
	for _, e := range t.Events {
		newest[key(e)] = e.Sequence
	}
	t.Events = slices.DeleteFunc(t.Events, func(e stored) bool { return newest[key(e)] != e.Sequence })
}

// expire drops what the topic keeps no longer.
func (t *topic) expire(now time.Time) {
	keeps := t.keeps()
	if keeps == 0 {
		return
	}
	limit := now.Add(-keeps)
	kept := slices.IndexFunc(t.Events, func(e stored) bool { return !e.Ingested.Before(limit) })
	if kept < 0 {
		kept = len(t.Events)
	}
	t.Events = slices.Delete(t.Events, 0, kept)
}

// earliest is the position of the oldest event there is.
func (t *topic) earliest() int64 {
	if len(t.Events) == 0 {
		return t.Next
	}
	return t.Events[0].Sequence
}

// at is the position of the first event taken in at a time or later.
func (t *topic) at(when time.Time) int64 {
	for _, e := range t.Events {
		if !e.Ingested.Before(when) {
			return e.Sequence
		}
	}
	return t.Next
}

// read collects up to limit wanted events from a position on. It returns the
// position up to which it looked, which is never below from.
func (t *topic) read(from int64, limit int, wanted func(stored) bool) (events []stored, next int64) {
	first, _ := slices.BinarySearchFunc(t.Events, from, func(e stored, n int64) int { return cmp.Compare(e.Sequence, n) })
	for _, e := range t.Events[first:] {
		if !wanted(e) {
			continue
		}
		if len(events) == limit {
			return events, events[limit-1].Sequence + 1
		}
		events = append(events, e)
	}
	return events, max(from, t.Next)
}

const ingestForm = "2006-01-02T15:04:05.000000000Z"

// render is the event as an answer shows it; ordered ones have their place.
func (e stored) render(ordered bool) []byte {
	if e.Raw != "" {
		return []byte(e.Raw)
	}
	members := map[string]any{
		"id": e.ID, "type": e.Type, "source": e.Source, "tenant_id": e.TenantID,
		"time": e.Time.UTC(), "ingest_time": e.Ingested.Format(ingestForm),
	}
	for name, text := range map[string]string{
		"subject": e.Subject, "subject_type": e.SubjectType, "client_id": e.ClientID, "data_ref": e.DataRef,
	} {
		if text != "" {
			members[name] = text
		}
	}
	if len(e.Data) > 0 {
		members["data"] = e.Data
	}
	if ordered {
		members["sequence"] = e.Sequence
		if e.Previous != 0 {
			members["previous"] = e.Previous
		}
	}
	data, err := json.Marshal(members)
	if err != nil {
		return []byte(strconv.Quote(err.Error())) // a time beyond the year 9999
	}
	return data
}
