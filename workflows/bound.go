package workflows

import (
	"fmt"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

const (
	// maxPending is how many bytes of undelivered texts are kept one by one.
	maxPending = 256 << 10
	// mergedText is how much of merged notes is kept.
	mergedText = 24 << 10
)

// bound keeps the state small while a provider takes nothing: above maxPending,
// the notes that wait for the largest request become one comment with a count.
func (s *matchState) bound() {
	for s.pendingBytes() > maxPending {
		largest := s.largest()
		if largest == nil || !largest.merge() {
			return
		}
	}
}

func (s *matchState) pendingBytes() int {
	total := 0
	for _, t := range s.Tracks {
		total += t.bytes()
	}
	return total
}

func (s *matchState) largest() *track {
	var largest *track
	for _, t := range s.Tracks {
		if largest == nil || t.bytes() > largest.bytes() {
			largest = t
		}
	}
	return largest
}

func (t *track) bytes() int {
	total := 0
	for _, op := range t.Pending {
		total += op.bytes()
	}
	return total
}

// operationOverhead is about what an operation weighs without its texts.
const operationOverhead = 300

func (o *operation) bytes() int {
	n := operationOverhead + len(o.Text)
	if o.Event != nil && o.Event.Resolved != nil {
		n += len(o.Event.Resolved.Note) + 2*operationOverhead
	}
	return n
}

// merge makes one comment of all comments that have not been tried yet. It
// reports whether that made the state smaller.
func (t *track) merge() bool {
	var kept []*operation
	var merged *operation
	var texts []string
	count := 0
	for i, op := range t.Pending {
		if op.Kind != opComment || op.Parked != "" || op.Unknown != nil || i == 0 {
			kept = append(kept, op)
			continue
		}
		count += max(op.Merged, 1)
		texts = append(texts, op.Text)
		if merged == nil {
			merged = op
			kept = append(kept, op)
		}
	}
	if len(texts) < 2 {
		return false
	}
	merged.Merged, merged.Event, merged.Changes = count, nil, event.Changes{}
	merged.Text = mergedNotes(count, texts)
	t.Pending = kept
	return true
}

// mergedNotes names the count and keeps the newest notes.
func mergedNotes(count int, texts []string) string {
	head := fmt.Sprintf("%d notes arrived while this ticket could not be reached. The newest:", count)
	var tail []string
	size := 0
	for i := len(texts) - 1; i >= 0; i-- {
		if size += len(texts[i]); size > mergedText && len(tail) > 0 {
			break
		}
		tail = append([]string{rest.Truncate(texts[i], mergedText)}, tail...)
	}
	return head + "\n\n" + strings.Join(tail, "\n\n")
}
