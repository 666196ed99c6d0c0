package jira

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// forwardAbsent keys in a row, all absent, end the walk forward.
	forwardAbsent = 200
	// backwardOld keys in a row, none of an issue created since the cutoff, end
	// the walk backward in any case. Jira moves at most 1,000 issues at once.
	backwardOld = 1000
	// newestPage is how many of the newest indexed issues give the start.
	newestPage = 50
)

// RecoverTicket looks once for an issue whose create had no answer, by reads of
// keys and never by the index alone: the index gives the newest key that it
// knows, from which the keys are read forward until 200 in a row are absent, and
// backward until an issue is older than the operation (its first scheduling,
// less 5 minutes for clocks that differ). Nothing has to be remembered from
// before a crash. An issue is ours when its property holds the operation,
// under whatever key it answers now.
//
// Callers look no sooner than Settling after the connection ended, again a
// minute later, then with FindTicket; only then they create again. Of several
// issues the one with the lowest id is answered, the others are named in
// Unmapped["duplicates"].
//
// "Not found" relies on reads by key being consistent. What it cannot see: an
// issue that was deleted, or hidden from our user, and a new key more than 200
// absent keys above the newest indexed one.
func (c *Client) RecoverTicket(ctx context.Context, n ticket.New, a ticket.Attempt) (ticket.Ticket, bool, error) {
	name := c.projectOf(n)
	t, err := c.begin("look for a lost issue in "+name, endBulk, "")
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	defer t.end()
	switch {
	case n.Marker.Operation == "":
		return ticket.Ticket{}, false, t.permanent("the ticket bears no operation to find it by")
	case name == "":
		return ticket.Ticket{}, false, t.permanent("no project: give one, or default_project of integration %s", c.config.Name)
	case a.FirstScheduledAt.IsZero():
		return ticket.Ticket{}, false, t.permanent("the attempt has no time")
	}
	if err := t.present(ctx); err != nil {
		return ticket.Ticket{}, false, err
	}
	in, err := t.projectNow(ctx, name)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	s := &scan{t: t, project: in.Key, operation: n.Marker.Operation, cutoff: a.FirstScheduledAt.Add(-lookBack), hits: map[string]issue{}}
	if err := s.walk(ctx); err != nil {
		return ticket.Ticket{}, false, err
	}
	return s.result(ctx)
}

// scan is one walk over a project's keys.
type scan struct {
	t         *turn
	project   string
	operation string
	cutoff    time.Time
	hits      map[string]issue // by id
}

func (s *scan) walk(ctx context.Context) error {
	start, err := s.newestIndexed(ctx)
	if err != nil {
		return err
	}
	if err := s.forward(ctx, start+1); err != nil {
		return err
	}
	return s.backward(ctx, start)
}

// newestIndexed is the highest number among the newest issues that the index
// knows; 0 where it knows none.
func (s *scan) newestIndexed(ctx context.Context) (int, error) {
	issues, err := s.t.search(ctx, "project = "+quoteJQL(s.project)+" ORDER BY created DESC", newestPage)
	highest := 0
	for _, i := range issues {
		highest = max(highest, s.number(i.Key))
	}
	return highest, err
}

// number is what follows the project in a key; 0 for other projects' keys.
func (s *scan) number(key string) int {
	digits, ok := strings.CutPrefix(key, s.project+"-")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

func (s *scan) forward(ctx context.Context, from int) error {
	for absent := 0; absent < forwardAbsent; from += bulkSize {
		found, err := s.read(ctx, from, from+bulkSize-1)
		if err != nil {
			return err
		}
		last := s.last(found, from+bulkSize-1)
		if last == 0 {
			absent += bulkSize
			continue
		}
		absent = from + bulkSize - 1 - last
	}
	return nil
}

// last is the highest number in the part that is not absent. An issue that
// answers under another key was asked for by one of the part's: which one is
// not said, so it may be the last.
func (s *scan) last(found []issue, end int) int {
	highest := 0
	for _, i := range found {
		n := s.number(i.Key)
		if n == 0 || n > end {
			return end
		}
		highest = max(highest, n)
	}
	return highest
}

// backward ends at an issue that was neither created nor changed since the
// cutoff: its key is older than the operation, and so is every lower one. An
// old issue that was moved here since bears a new key, and a new change.
// Absent keys do not end the walk.
func (s *scan) backward(ctx context.Context, from int) error {
	for old := 0; from >= 1 && old < backwardOld; from -= bulkSize {
		found, err := s.read(ctx, max(1, from-bulkSize+1), from)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(found, s.older) {
			return nil
		}
		if slices.ContainsFunc(found, s.sinceCutoff) {
			old = 0
			continue
		}
		old += bulkSize
	}
	return nil
}

func (s *scan) older(i issue) bool {
	created, updated := i.time("created"), i.time("updated")
	return s.number(i.Key) != 0 && !created.IsZero() && created.Before(s.cutoff) && updated.Before(s.cutoff)
}

func (s *scan) sinceCutoff(i issue) bool { return !i.time("created").Before(s.cutoff) }

// read reads the keys of one part and notes the hits.
func (s *scan) read(ctx context.Context, from, to int) ([]issue, error) {
	keys := make([]string, 0, bulkSize)
	for n := from; n <= to; n++ {
		keys = append(keys, s.project+"-"+strconv.Itoa(n))
	}
	found, err := s.t.bulk(ctx, keys, []string{"created", "updated", "labels", "project"})
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		if stampFrom(i.Properties).Operation == s.operation {
			s.hits[i.ID] = i
		}
	}
	return found, nil
}

func (s *scan) result(ctx context.Context) (ticket.Ticket, bool, error) {
	if len(s.hits) == 0 {
		return ticket.Ticket{}, false, nil
	}
	ids := make([]string, 0, len(s.hits))
	for id := range s.hits {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	out, err := s.t.ticket(ctx, ids[0])
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	var others []string
	for _, id := range ids[1:] {
		others = append(others, s.hits[id].Key)
	}
	if len(others) > 0 {
		out.Unmapped["duplicates"] = others
	}
	return out, true, nil
}
