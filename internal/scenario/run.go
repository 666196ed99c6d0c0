// Package scenario runs events through the matching rules without Temporal and
// without a provider, and compares the outcome with what a file expects.
package scenario

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// Options of a run.
type Options struct {
	// Catalog is used by files that bring no fixture of their own.
	Catalog *catalog.Catalog
	// Matching are the options of the rules.
	Matching matching.Options
}

// Results of a run.
type Results struct {
	// Events are in the order of the file.
	Events []Result
	// Differences are what the file expects and did not happen.
	Differences []Difference
	// Ignored tells members of the file that nobody reads.
	Ignored []string
}

// Result of one event.
type Result struct {
	Case      string
	Status    int
	Outcome   event.Outcome
	Request   string // label of the request, empty for none
	NoteAdded bool
	Changed   map[string]any
	// Fields are all fields of the request after the event, nil without one.
	Fields   map[string]any
	Errors   [][2]string
	Warnings []string
}

// Run reads a scenario and runs it. A file is a scenario with "cases" and
// "proposed", one case with "events", a JSON list of events, or one event a
// line. Errors name the line.
func Run(data []byte, o Options) (Results, error) {
	f, err := read(data, o.Catalog)
	if err != nil {
		return Results{}, fmt.Errorf("reading the scenario: %w", err)
	}
	var out Results
	ix := catalog.New(f.catalog)
	for _, c := range f.cases {
		if err := f.run(&out, c, ix, o.Matching); err != nil {
			return Results{}, fmt.Errorf("case %s: %w", c.name, err)
		}
	}
	out.Ignored = f.ignored
	return out, nil
}

func (f *file) run(out *Results, c scenarioCase, ix *catalog.Index, options matching.Options) error {
	me, err := f.currentUser(c.currentUser, ix)
	if err != nil {
		return err
	}
	s := &simulation{
		options: options, ix: ix, me: me,
		byKey: map[event.Key][]*record{}, byLabel: map[string]*record{},
	}
	for i, v := range c.requests {
		var g givenRequest
		if err := f.decode(v, &g); err != nil {
			return fmt.Errorf("given.requests[%d]: %w", i, err)
		}
		s.add(g.record(f.t0, ix.Account(), me))
	}
	check := &comparison{file: f, name: c.name}
	for i, e := range c.events {
		result := s.receive(e)
		result.Case = c.name
		out.Events = append(out.Events, result)
		if len(c.expect) > 0 {
			if err := check.event(i+1, c.expect[i], result); err != nil {
				return err
			}
		}
	}
	if c.after != nil {
		s.wake(c.events)
		if err := check.after(*c.after, s); err != nil {
			return err
		}
	}
	out.Differences = append(out.Differences, check.differences...)
	return nil
}

// simulation keeps requests as the MatchEvents workflows would.
type simulation struct {
	options matching.Options
	ix      *catalog.Index
	me      catalog.Person
	records []*record
	byKey   map[event.Key][]*record
	byLabel map[string]*record
	made    int
}

// record is a request with what the workflow's state does not hold: its texts.
type record struct {
	matching.Request
	label string
	keys  []event.Key
	notes []note
}

// index derives the match keys and the note hashes of a given request. Without
// a CI it hits under each of its public notes.
func (r *record) index() {
	for _, n := range r.notes {
		if !n.Internal {
			r.AddAgentNote(n.Text)
			if key := matching.EventKey(r.Fields, n.Text); !slices.Contains(r.keys, key) {
				r.keys = append(r.keys, key)
			}
		}
	}
	if len(r.keys) == 0 {
		r.keys = []event.Key{matching.EventKey(r.Fields, "")}
	}
}

// add numbers and labels a record.
func (s *simulation) add(r *record) {
	s.records = append(s.records, r)
	for _, key := range r.keys {
		s.byKey[key] = append(s.byKey[key], r)
	}
	if r.ID == 0 {
		r.ID = int64(len(s.records))
	}
	for n := len(s.records); r.label == ""; n++ {
		if label := fmt.Sprintf("r%d", n); s.byLabel[label] == nil {
			r.label = label
		}
	}
	s.byLabel[r.label] = r
}

// wake lets all requests see the time of the last event.
func (s *simulation) wake(events []timedEvent) {
	for _, r := range s.records {
		if len(events) > 0 {
			r.Wake(events[len(events)-1].at)
		}
	}
}

// receive does with one event what intake and MatchEvents do.
func (s *simulation) receive(e timedEvent) Result {
	resolved, err := s.resolve(e)
	if err != nil {
		result := Result{Status: event.Rejected.Status(), Outcome: event.Rejected, Changed: map[string]any{}}
		var invalid *matching.Invalid
		if errors.As(err, &invalid) {
			result.Errors = invalid.Errors
		}
		return result
	}
	of := s.byKey[resolved.Key]
	var requests []matching.Request
	for _, r := range of {
		r.Wake(e.at)
		requests = append(requests, r.Request)
	}
	d := s.options.Decide(requests, resolved, e.at)
	requests = matching.Apply(requests, d, resolved, e.at, 0, "")
	for i, r := range of {
		r.Request = requests[i]
	}
	var target *record
	switch {
	case d.Outcome == event.Created:
		target = &record{Request: requests[len(requests)-1], keys: []event.Key{resolved.Key}}
		s.add(target)
		s.made++
	case d.Index >= 0:
		target = of[d.Index]
	}
	return result(d, resolved, target)
}

func (s *simulation) resolve(e timedEvent) (event.Resolved, error) {
	if e.foreign != nil {
		return matching.ResolveForeign(e.feed, *e.foreign), nil
	}
	return s.options.Resolve(s.ix, matching.Caller{CurrentUser: &s.me}, e.params)
}

func result(d matching.Decision, resolved event.Resolved, target *record) Result {
	out := Result{
		Status: d.Outcome.Status(), Outcome: d.Outcome, NoteAdded: d.NoteAdded,
		Changed: d.Changed(), Errors: d.Errors, Warnings: resolved.Warnings,
	}
	if target == nil {
		return out
	}
	if d.NoteAdded {
		target.notes = append(target.notes, note{Text: resolved.Note})
	}
	if d.InternalNoteAdded {
		target.notes = append(target.notes, note{Text: resolved.InternalNote, Internal: true})
	}
	out.Request = target.label
	out.Fields = target.values()
	return out
}

// values are all fields of the request and its notes.
func (r *record) values() map[string]any {
	out := matching.FieldValues(r.Fields)
	out["notes"] = []note{}
	if len(r.notes) > 0 {
		out["notes"] = slices.Clip(r.notes) // shared: notes are only ever appended
	}
	for name, at := range map[string]time.Time{
		"created_at": r.CreatedAt, "updated_at": r.UpdatedAt, "completed_at": r.CompletedAt,
	} {
		out[name] = nil
		if !at.IsZero() {
			out[name] = at.UTC().Format(time.RFC3339Nano)
		}
	}
	return out
}
