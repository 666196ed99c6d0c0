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
		if err := t.apply(ctx, &entry); err != nil {
			return event.Reading{}, err
		}
		if entry.Dropped {
			reading.Dropped++
			continue
		}
		reading.Entries = append(reading.Entries, entry)
	}
	return reading, nil
}

// Entry is the entry as the program makes it now.
func (t transformed) Entry(ctx context.Context, item string) (event.Entry, error) {
	entry, err := t.Reader.Entry(ctx, item)
	if err != nil {
		return entry, err
	}
	if err := t.apply(ctx, &entry); err != nil {
		return event.Entry{}, err
	}
	if entry.Dropped {
		entry.Malformed = "the transform leaves this event out now; discard it"
	}
	return entry, nil
}

// Newest are the feed's newest entries, those that the program leaves out marked
// as dropped.
func (t transformed) Newest(ctx context.Context, n int) ([]event.Entry, error) {
	entries, err := t.Reader.Newest(ctx, n)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if err := t.apply(ctx, &entries[i]); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// apply gives an entry its parameters, or says that it is malformed or dropped.
// Its error is that of the context: a program that was cut short did not fail.
func (t transformed) apply(ctx context.Context, entry *event.Entry) error {
	if entry.Malformed != "" {
		return nil
	}
	params, wanted, err := t.program.Params(ctx, entry.Data)
	if err == nil {
		err = known(params)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		entry.Malformed = "transform: " + err.Error()
		return nil
	}
	entry.Params, entry.Dropped = params, !wanted
	return nil
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
