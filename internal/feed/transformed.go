package feed

import (
	"context"
	"fmt"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/transform"
)

// transformed is a reader whose entries get their parameters from a jq program.
type transformed struct {
	Reader
	program *transform.Program
}

// Read leaves out what the program does; an entry that it fails on is malformed
// and stops no other.
func (t transformed) Read(ctx context.Context, step event.Step) (event.Reading, error) {
	reading, err := t.Reader.Read(ctx, step)
	if err != nil {
		return reading, err
	}
	all := reading.Entries
	reading.Entries = make([]event.Entry, 0, len(all))
	for _, entry := range all {
		if t.apply(ctx, &entry) {
			reading.Entries = append(reading.Entries, entry)
		} else {
			reading.Dropped++
		}
	}
	return reading, ctx.Err() // cut short, an entry would look as if the program had failed
}

// Entry is the entry as the program makes it now.
func (t transformed) Entry(ctx context.Context, item string) (event.Entry, error) {
	entry, err := t.Reader.Entry(ctx, item)
	if err == nil && !t.apply(ctx, &entry) {
		entry.Malformed = "the transform leaves this event out now; discard it"
	}
	return entry, err
}

// Newest are the feed's newest entries, those that the program leaves out
// without parameters.
func (t transformed) Newest(ctx context.Context, n int) ([]event.Entry, error) {
	entries, err := t.Reader.Newest(ctx, n)
	for i := range entries {
		t.apply(ctx, &entries[i])
	}
	return entries, err
}

// apply reports whether the entry is wanted.
func (t transformed) apply(ctx context.Context, entry *event.Entry) bool {
	if entry.Malformed != "" {
		return true
	}
	params, wanted, err := t.program.Params(ctx, entry.Data)
	if err == nil {
		err = known(params)
	}
	if err != nil {
		entry.Malformed = "transform: " + err.Error()
		return true
	}
	entry.Params = params
	return wanted
}

// known refuses what no rule would ever look at: most likely a slip of the pen.
func known(params event.Params) error {
	names := matching.Parameters()
	for name := range params {
		if !slices.Contains(names, name) {
			return fmt.Errorf("makes %q, which is no parameter of an event; want some of %v", name, names)
		}
	}
	return nil
}
