package workflows

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

const (
	// maxPending is how many bytes of undelivered operations are kept one by one.
	maxPending = 256 << 10
	// maxState is what the whole state may weigh, with room to spare under the
	// 512 KB that are promised.
	maxState = 480 << 10
	// mergedText is how much of merged notes is kept.
	mergedText = 24 << 10
	// shortText is what is left of a single text when nothing else helps.
	shortText = 4 << 10
)

// bound keeps the state small while a provider takes nothing. Above the limit
// the notes that wait for the largest request become one comment with a count;
// if that is not enough, requests that were over before they had a ticket are
// told on the ticket of the next one; and at last long texts are cut.
func (s *matchState) bound(now time.Time) {
	s.prune(now)
	if s.roughBytes() < maxPending/8 {
		return // with every character escaped it would still be small
	}
	limit := min(maxPending, maxState-s.fixedBytes())
	for _, shrink := range []func() bool{
		func() bool { return slices.ContainsFunc(s.largestFirst(), (*track).merge) },
		func() bool { return s.fold(now) },
		func() bool { return slices.ContainsFunc(s.largestFirst(), (*track).shorten) },
	} {
		for s.pendingBytes() > limit {
			if !shrink() {
				break
			}
		}
	}
}

// encodedSize is what a value weighs in the state.
func encodedSize(value any) int {
	data, err := json.Marshal(value)
	if err != nil {
		return 0 // what cannot be encoded fails where the state is encoded
	}
	return len(data)
}

// roughBytes is a cheap estimate of pendingBytes.
func (s *matchState) roughBytes() int {
	total := 0
	for _, t := range s.Tracks {
		for _, op := range t.Pending {
			total += 300 + len(op.Text)
			if op.Event != nil {
				total += 300 + len(op.Event.Resolved.Note) + len(op.Event.Resolved.InternalNote) + len(op.Event.Resolved.Fields.CustomFields)
			}
		}
	}
	return total
}

func (s *matchState) pendingBytes() int {
	total := 0
	for _, t := range s.Tracks {
		total += t.bytes()
	}
	return total
}

func (t *track) bytes() int {
	total := 0
	for _, op := range t.Pending {
		total += op.bytes()
	}
	return total
}

// fixedBytes is what the state weighs without pending operations.
func (s *matchState) fixedBytes() int {
	rest := *s
	rest.Tracks = nil
	return encodedSize(rest) + 300*len(s.Tracks)
}

// largestFirst are the tracks that have something to deliver.
func (s *matchState) largestFirst() []*track {
	tracks := slices.DeleteFunc(slices.Clone(s.Tracks), func(t *track) bool { return len(t.Pending) == 0 })
	slices.SortStableFunc(tracks, func(a, b *track) int { return b.bytes() - a.bytes() })
	return tracks
}

// merge makes one comment of all comments that are not being performed, and one
// update of all updates; what is parked stays apart. It reports whether that
// made the state smaller.
func (t *track) merge() bool {
	before := len(t.Pending)
	for _, parked := range []bool{false, true} {
		t.mergeComments(parked)
		t.mergePatches(parked)
	}
	return len(t.Pending) < before
}

// mergeable are the operations of a kind that may become one.
func (t *track) mergeable(kind string, parked bool) []*operation {
	var ops []*operation
	for _, op := range t.Pending {
		if op.Kind == kind && !op.busy && op.Unknown == nil && (op.Parked != "") == parked {
			ops = append(ops, op)
		}
	}
	return ops
}

// replace puts one operation in the place of the first of several.
func (t *track) replace(ops []*operation, with *operation) {
	t.Pending[slices.Index(t.Pending, ops[0])] = with
	t.Pending = slices.DeleteFunc(t.Pending, func(o *operation) bool { return slices.Contains(ops[1:], o) })
}

func (t *track) mergeComments(parked bool) {
	ops := t.mergeable(opComment, parked)
	if len(ops) < 2 {
		return
	}
	merged := *ops[len(ops)-1] // its identity: it has never been tried under another text
	merged.Item, merged.Since, merged.Event, merged.Tell, merged.Changes = ops[0].Item, ops[0].Since, nil, nil, event.Changes{}
	merged.Merged, merged.size = 0, 0
	var texts []string
	for _, op := range ops {
		merged.Merged += max(op.Merged, 1)
		texts = append(texts, op.text())
		if op.Event != nil && !op.Event.Replayed {
			t.mustExist()
		}
	}
	merged.Text = mergedNotes(merged.Merged, texts)
	t.replace(ops, &merged)
}

// mustExist lets the ticket be created after all where it was only to be found
// again: new events, merged, cannot be decided anew.
func (t *track) mustExist() {
	if create := t.create(); create != nil {
		create.OnlyAdopt = false
	}
}

func (t *track) mergePatches(parked bool) {
	ops := t.mergeable(opPatch, parked)
	if len(ops) < 2 {
		return
	}
	merged := *ops[0]
	merged.Event, merged.size = nil, 0
	for _, op := range ops[1:] {
		merged.Changes = laterOf(merged.Changes, op.Changes)
		if op.Set != nil {
			merged.Set = op.Set
		}
	}
	t.replace(ops, &merged)
}

// laterOf is both changes, one after the other.
func laterOf(first, then event.Changes) event.Changes {
	return event.Changes{
		Subject:             later(first.Subject, then.Subject),
		Status:              later(first.Status, then.Status),
		CompletionReason:    later(first.CompletionReason, then.CompletionReason),
		Team:                later(first.Team, then.Team),
		Member:              later(first.Member, then.Member),
		DesiredCompletionAt: later(first.DesiredCompletionAt, then.DesiredCompletionAt),
		WaitingUntil:        later(first.WaitingUntil, then.WaitingUntil),
		DowntimeStartAt:     later(first.DowntimeStartAt, then.DowntimeStartAt),
		DowntimeEndAt:       later(first.DowntimeEndAt, then.DowntimeEndAt),
	}
}

func later[T any](first, then *T) *T {
	if then != nil {
		return then
	}
	return first
}

// mergedNotes names the count and keeps the newest notes.
func mergedNotes(count int, texts []string) string {
	head := fmt.Sprintf("%d notes came while this ticket could not be updated. The newest:", count)
	var tail []string
	size := 0
	for i := len(texts) - 1; i >= 0; i-- {
		if size += len(texts[i]); size > mergedText && len(tail) > 0 {
			break
		}
		tail = append(tail, rest.Truncate(texts[i], mergedText))
	}
	slices.Reverse(tail)
	return head + "\n\n" + strings.Join(tail, "\n\n")
}

// fold tells the oldest request that was over before it had a ticket on the
// ticket of the next one. It reports whether there was such a request.
func (s *matchState) fold(now time.Time) bool {
	for i, t := range s.Tracks {
		create := t.create()
		if s.Requests[i].Open(now) || create == nil || create.busy || create.Unknown != nil {
			continue
		}
		for _, next := range s.Tracks[i+1:] {
			if next.lost() {
				continue
			}
			next.takeOver(&s.Requests[i], t)
			return true
		}
	}
	return false
}

// takeOver adds a comment about a request that gets no ticket of its own.
func (t *track) takeOver(r *matching.Request, from *track) {
	count := 0
	for _, op := range from.Pending {
		if op.Kind == opComment || op.Kind == opCreate {
			count += max(op.Merged, 1)
		}
	}
	comment := *from.create()
	comment.Kind, comment.Event, comment.Parked, comment.Set, comment.size = opComment, nil, "", nil, 0
	comment.Adopt, comment.OnlyAdopt, comment.Tell = false, false, nil
	comment.Text = rest.Truncate(fmt.Sprintf("Request %d, %q, of %s was over before its ticket could be made; it had %d notes. The first: %s",
		r.ID, r.Fields.Subject, timeText(r.CreatedAt), count, from.create().Text), shortText)
	from.Pending = nil
	t.mustExist()
	at := 0
	if create := t.create(); create != nil {
		at = slices.Index(t.Pending, create) + 1
	}
	t.Pending = slices.Insert(t.Pending, at, &comment)
	t.mergeComments(false)
}

// shorten cuts the longest text, and says so in it.
func (t *track) shorten() bool {
	var longest *operation
	for _, op := range t.Pending {
		if !op.busy && len(op.Text) > shortText && (longest == nil || len(op.Text) > len(longest.Text)) {
			longest = op
		}
	}
	if longest == nil {
		return false
	}
	const mark = "\n\n[cut here: too much was waiting for this provider]"
	longest.Text, longest.size = rest.Truncate(longest.Text, shortText-len(mark))+mark, 0
	if longest.Event != nil {
		longest.Event.Resolved.Note, longest.Event.Resolved.InternalNote = "", ""
	}
	return true
}
