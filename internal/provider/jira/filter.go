package jira

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

type understand = func(ctx context.Context, s *scope, f ticket.Filter) (condition, error)

func negative(op ticket.Operator) bool {
	return op == ticket.NotEqual || op == ticket.NotIn || op == ticket.NotLike
}

// names: the operator compares whole values.
func names(op ticket.Operator) bool { return slices.Contains(equalOperators(), op) }

// namedField is a field whose values have a name and an id.
func namedField(field string) understand {
	return func(_ context.Context, _ *scope, f ticket.Filter) (condition, error) {
		c := condition{fits: func(i issue, _ ticket.Ticket) bool {
			v := i.value(field)
			return judge(f.Op, some(v.Name, v.ID), f.Values, strings.EqualFold, unordered)
		}}
		if names(f.Op) {
			c.jql = amongJQL(field, f.Values, negative(f.Op))
		}
		return c, nil
	}
}

// textField is a text. Jira looks for words, in their grammatical forms, so it is
// asked only for words that stand in the text by themselves whatever it is; the
// text itself is compared here. Empty field: Jira is not asked.
func textField(field string, have func(ticket.Ticket) string) understand {
	return func(_ context.Context, _ *scope, f ticket.Filter) (condition, error) {
		c := condition{fits: func(_ issue, m ticket.Ticket) bool {
			return judge(f.Op, some(have(m)), f.Values, strings.EqualFold, unordered)
		}}
		if field == "" || negative(f.Op) {
			return c, nil
		}
		var either []string
		for _, v := range f.Values {
			words := wholeWords(v, f.Op == ticket.Like)
			if len(words) == 0 {
				return c, nil
			}
			var all []string
			for _, w := range words {
				all = append(all, field+" ~ "+quoteJQL(w))
			}
			either = append(either, "("+strings.Join(all, " AND ")+")")
		}
		c.jql = "(" + strings.Join(either, " OR ") + ")"
		return c, nil
	}
}

const (
	// Words of these lengths are, but for three, neither stop words, nor operators of
	// the text search, nor cut by it.
	shortestWord, longestWord = 5, 40
	// maxWords bounds what Jira is asked for.
	maxWords = 8
)

// wholeWords are words that a text which fits surely has: plain ones between
// spaces. In a part of a text the outermost may be parts of words.
func wholeWords(text string, part bool) []string {
	var out []string
	for piece := range strings.SplitSeq(text, "*") {
		words := strings.Fields(piece)
		for i, w := range words {
			inside := i > 0 && i < len(words)-1
			if len(w) >= shortestWord && len(w) <= longestWord && (inside || !part) &&
				!strings.ContainsFunc(w, notPlain) && !isStopWord(w) && len(out) < maxWords {
				out = append(out, w)
			}
		}
		if !part && piece != text {
			return nil // a star is a star in a whole text
		}
	}
	return out
}

// isStopWord: such words are not in the index (Lucene's, for English), so that who
// asks for one finds nothing. The shorter ones are never asked for.
func isStopWord(word string) bool {
	return slices.Contains([]string{"their", "there", "these"}, strings.ToLower(word))
}

func notPlain(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

func projectField(ctx context.Context, s *scope, f ticket.Filter) (condition, error) {
	c := condition{sure: true}
	var ids, keys []string
	for _, v := range f.Values {
		if !names(f.Op) {
			break
		}
		in, err := s.t.project(ctx, v)
		if upper := strings.ToUpper(v); err != nil && ticket.KindOf(err) == ticket.Permanent && upper != v {
			if found, again := s.t.project(ctx, upper); again == nil { // Jira's keys are in capitals
				in, err = found, nil
			}
		}
		switch {
		case err != nil && negative(f.Op) && ticket.KindOf(err) == ticket.Permanent:
			continue // where there is no such project, no ticket is in it
		case err != nil:
			return c, err
		}
		ids, keys = append(ids, in.ID), append(keys, in.Key)
		if f.Op == ticket.Equal || len(f.Values) == 1 && f.Op == ticket.In {
			s.project = in
		}
	}
	c.fits = func(i issue, _ ticket.Ticket) bool {
		v := i.value("project")
		if names(f.Op) {
			return slices.Contains(ids, v.ID) != negative(f.Op)
		}
		return judge(f.Op, some(v.Key, v.ID, v.Name), f.Values, strings.EqualFold, unordered)
	}
	if len(keys) > 0 {
		c.jql = amongJQL("project", keys, false)
	}
	if len(keys) > 0 && negative(f.Op) {
		c.jql = "NOT " + c.jql // every ticket has a project
	}
	return c, nil
}

// referenceField names a ticket by id or key, its old ones included: Jira is
// asked who they are now, for its search refuses those that are not there.
func referenceField(have func(issue) string, field string) understand {
	return func(ctx context.Context, s *scope, f ticket.Filter) (condition, error) {
		c := condition{fits: func(i issue, _ ticket.Ticket) bool {
			return judge(f.Op, some(have(i)), f.Values, strings.EqualFold, byKey)
		}}
		if !names(f.Op) {
			return c, nil
		}
		ids, err := s.issues(ctx, f.Values)
		if err != nil {
			return c, err
		}
		c.fits = func(i issue, _ ticket.Ticket) bool {
			of := some(i.ID)
			if field == "parent" {
				of = some(i.value("parent").ID)
			}
			return judge(f.Op, of, ids, exactly, unordered)
		}
		c.never = len(ids) == 0 && !negative(f.Op)
		if len(ids) > 0 {
			c.jql, c.sure = amongJQL(field, ids, negative(f.Op)), false
		}
		return c, nil
	}
}

// issues are the ids of those that are there; an empty value stays.
func (s *scope) issues(ctx context.Context, values []string) ([]string, error) {
	var asked, ids []string
	for _, v := range values {
		if v == "" {
			ids = append(ids, "")
		} else if isReference(v) {
			asked = append(asked, strings.ToUpper(v))
		}
	}
	if len(asked) == 0 {
		return ids, nil
	}
	found, err := s.t.bulk(ctx, asked, []string{"project"})
	for _, i := range found {
		ids = append(ids, i.ID)
	}
	return ids, err
}

// isReference: the text can be an id or a key; Jira need not be asked for others.
func isReference(text string) bool {
	project, _, ok := splitKey(text)
	return ok && len(text) <= 255 && !strings.ContainsFunc(strings.TrimSuffix(project, "-"), func(r rune) bool { return notPlain(r) && r != '_' })
}

func personField(field string) understand {
	return func(ctx context.Context, s *scope, f ticket.Filter) (condition, error) {
		c := condition{fits: func(i issue, _ ticket.Ticket) bool {
			v := i.value(field)
			return judge(f.Op, some(v.Email, v.DisplayName, v.AccountID), f.Values, strings.EqualFold, unordered)
		}}
		if !names(f.Op) {
			return c, nil
		}
		known, unknown := []string{}, []string{}
		for _, v := range f.Values {
			ids, err := s.t.accountsOf(ctx, v)
			if err = unlessWait(err); err != nil {
				return c, err
			}
			if known = append(known, ids...); len(ids) == 0 {
				unknown = append(unknown, v)
			}
		}
		c.fits = func(i issue, _ ticket.Ticket) bool {
			v := i.value(field)
			hit := judge(ticket.In, some(v.AccountID), known, exactly, unordered) ||
				judge(ticket.In, some(v.Email, v.DisplayName, v.AccountID), unknown, strings.EqualFold, unordered)
			return hit != negative(f.Op)
		}
		if len(unknown) == 0 {
			c.jql = amongJQL(field, known, negative(f.Op))
		}
		return c, nil
	}
}

// unlessWait: people who cannot be looked up are known by what their tickets show of
// them; the wish to wait passes.
func unlessWait(err error) error {
	if kind := ticket.KindOf(err); err != nil && (kind == ticket.RateLimited || kind == ticket.Retry) {
		return err
	}
	return nil
}

// tagField: Jira's labels may be searched by without regard of case, and ours are
// among them; so it is asked only for what must be there.
func tagField(_ context.Context, _ *scope, f ticket.Filter) (condition, error) {
	values := slices.Clone(f.Values)
	if names(f.Op) {
		for i, v := range values {
			values[i] = label(v)
		}
	}
	c := condition{fits: func(_ issue, m ticket.Ticket) bool {
		return judge(f.Op, m.Tags, values, exactly, unordered)
	}}
	if (f.Op == ticket.Equal || f.Op == ticket.In) && !slices.Contains(values, "") {
		c.jql, c.sure = amongJQL("labels", values, false), true
	}
	return c, nil
}

// priorityField goes by the model's words and by the site's own; both know an order.
func priorityField(_ context.Context, s *scope, f ticket.Filter) (condition, error) {
	client := s.t.c
	var values []string
	for _, v := range f.Values {
		if name := client.jiraPriority(ticket.Priority(strings.ToUpper(v))); names(f.Op) && name != strings.ToUpper(v) {
			v = name
		}
		values = append(values, v)
	}
	order := func(have, want string) (int, bool) {
		a, b := client.priorityRank(have), client.priorityRank(want)
		return cmp.Compare(a, b), a > 0 && b > 0
	}
	c := condition{fits: func(i issue, m ticket.Ticket) bool {
		v := i.value("priority")
		if f.Op == ticket.Like || f.Op == ticket.NotLike {
			return judge(f.Op, some(v.Name, string(m.Priority)), values, strings.EqualFold, order)
		}
		if names(f.Op) {
			return judge(f.Op, some(v.Name, v.ID), values, strings.EqualFold, order)
		}
		return judge(f.Op, some(v.Name), values, strings.EqualFold, order)
	}}
	switch {
	case names(f.Op):
		c.jql = amongJQL("priority", values, negative(f.Op))
	case f.Op == ticket.Like || f.Op == ticket.NotLike:
	case client.priorityRank(values[0]) == 0:
		return c, s.t.permanent("filter on priority: %q has no place in the order: want one of URGENT, CRITICAL, HIGH, MEDIUM, MODERATE, LOW, PLANNING, or a name of priority_map", f.Values[0])
	}
	return c, nil
}

// priorityRank is the place of a priority, the model's word or the site's; 0 for
// what has none.
func (c *Client) priorityRank(word string) int {
	if level := ticket.Priority(strings.ToUpper(word)).Level(); level > 0 {
		return level
	}
	return c.modelPriority(word).Level()
}

func timeField(field string) understand {
	return func(ctx context.Context, s *scope, f ticket.Filter) (condition, error) {
		want, ok := parsePeriod(f.Values[0])
		if f.Values[0] == "" && (f.Op == ticket.Equal || f.Op == ticket.NotEqual) {
			return condition{jql: amongJQL(field, f.Values, negative(f.Op)), sure: true, fits: func(i issue, _ ticket.Ticket) bool {
				return i.time(field).IsZero() != negative(f.Op)
			}}, nil
		}
		if !ok {
			return condition{}, s.t.permanent("filter on %s: %q is no time: want RFC 3339, such as 2026-03-04T12:00:00Z, or a day, such as 2026-03-04", f.Field, f.Values[0])
		}
		c := condition{sure: true, fits: func(i issue, _ ticket.Ticket) bool { return want.holds(f.Op, i.time(field)) }}
		if field == "duedate" {
			c.jql = want.dateJQL(field, f.Op)
			return c, nil
		}
		var zone *time.Location
		zone, err := s.t.zone(ctx, s.at)
		c.jql = want.timeJQL(field, f.Op, zone)
		return c, err
	}
}
