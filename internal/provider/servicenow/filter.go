package servicenow

import (
	"context"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

type understand = func(ctx context.Context, s *scope, f ticket.Filter) (condition, error)

// textField is a text of the record.
func textField(column string, have func(ticket.Ticket) string) understand {
	return func(_ context.Context, _ *scope, f ticket.Filter) (condition, error) {
		return condition{
			column: column, ask: textClauses(f, []string{column}, nil),
			fits: func(_ record, m ticket.Ticket) bool { return texts().judge(f.Op, some(have(m)), f.Values) },
		}, nil
	}
}

// descriptionField is the description without its tags. The column holds both, and
// what it holds of the description it holds line by line.
func descriptionField(_ context.Context, _ *scope, f ticket.Filter) (condition, error) {
	const column = "description"
	c := condition{column: column, fits: func(_ record, m ticket.Ticket) bool { return texts().judge(f.Op, some(m.Description), f.Values) }}
	switch {
	case f.Op == ticket.Like:
		c.ask = partClauses(strings.NewReplacer("\n", "*", "\r", "*").Replace(f.Values[0]), []string{column})
	case negative(f.Op):
		c.ask = textClauses(f, []string{column}, nil)
	case names(f.Op) && len(f.Values) == 1 && f.Values[0] == "":
		c.ask = []clause{{{column, "ISEMPTY", "", true}, {column, "LIKE", strings.TrimSpace(tagsTitle), true}}}
	case names(f.Op) && !slices.Contains(f.Values, ""):
		var either clause
		for _, v := range f.Values {
			either = append(either, term{column, "LIKE", strings.TrimSpace(longestLine(v)), false})
		}
		c.ask = []clause{either}
	}
	return c, nil
}

func longestLine(text string) string {
	longest := ""
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if len(line) > len(longest) {
			longest = line
		}
	}
	return longest
}

// idField names tickets by sys_id or number; what is no whole name is compared
// with the one of them that the field is.
func idField(column string) understand {
	return func(_ context.Context, _ *scope, f ticket.Filter) (condition, error) {
		c := condition{column: column, fits: func(r record, _ ticket.Ticket) bool {
			if names(f.Op) {
				return named().judge(f.Op, some(r.text("sys_id"), r.text("number")), f.Values)
			}
			return texts().judge(f.Op, some(r.text(column)), f.Values)
		}}
		if names(f.Op) && !negative(f.Op) {
			c.ask = []clause{refersTo("sys_id", "number", f.Values)}
		}
		return c, nil
	}
}

// named compares sys_ids, which are in small letters, and numbers, whose letters
// are usually capitals.
func named() comparing {
	return comparing{order: texts().order, same: func(have, want string) bool {
		return have == want || have == strings.ToUpper(want) || isID(have) && have == strings.ToLower(want)
	}}
}

// refersTo is a reference, or the record itself, to be one of those that are named.
func refersTo(id, number string, values []string) clause {
	var ids, numbers []string
	for _, v := range values {
		if lower := strings.ToLower(v); isID(lower) {
			ids = append(ids, lower)
			continue
		}
		if numbers = append(numbers, v); strings.ToUpper(v) != v {
			numbers = append(numbers, strings.ToUpper(v))
		}
	}
	var out clause
	if len(ids) > 0 {
		out = among(id, ids, true)
	}
	if len(numbers) > 0 {
		out = append(out, among(number, numbers, true)...)
	}
	return out
}

func parentField(_ context.Context, s *scope, f ticket.Filter) (condition, error) {
	column := s.t.c.app.parent
	number := column + ".number"
	c := condition{column: column, columns: []string{number}, fits: func(r record, _ ticket.Ticket) bool {
		if names(f.Op) {
			return named().judge(f.Op, some(r.text(column), r.text(number)), f.Values)
		}
		return texts().judge(f.Op, some(r.text(number)), f.Values)
	}}
	switch {
	case !names(f.Op):
	case len(f.Values) == 1 && f.Values[0] == "":
		c.ask = textClauses(f, []string{column}, nil)
	case !negative(f.Op) && !slices.Contains(f.Values, ""):
		c.ask = []clause{refersTo(column, number, f.Values)}
	}
	return c, nil
}

// personField names somebody by e-mail address, user name, name or sys_id.
func personField(of func(Application) string) understand {
	return func(_ context.Context, s *scope, f ticket.Filter) (condition, error) {
		column := of(s.t.c.app)
		email, user := column+".email", column+".user_name"
		c := condition{column: column, columns: []string{email, user}}
		c.fits = func(r record, _ ticket.Ticket) bool {
			switch of, _ := positive(f.Op); {
			case names(f.Op):
				return texts().judge(f.Op, some(r.text(email), r.text(user), r[column].Display, r.text(column)), f.Values)
			case of == ticket.Like:
				return texts().judge(f.Op, some(r.text(email), r.text(user), r[column].Display), f.Values)
			}
			return texts().judge(f.Op, some(person(r, column)), f.Values)
		}
		if len(f.Values) == 1 && f.Values[0] == "" && names(f.Op) {
			c.ask = textClauses(f, []string{column}, nil)
			return c, nil
		}
		if c.ask = textClauses(f, []string{email, user}, []string{column}); len(c.ask) == 1 && names(f.Op) {
			c.ask[0] = append(c.ask[0], among(column, f.Values, false)...)
		}
		return c, nil
	}
}

// choiceField is a column that people pick from a list. A word that the searched
// table has as a label or a value stands for what is stored; any other is compared
// with what is shown.
func choiceField(column string) understand {
	return func(ctx context.Context, s *scope, f ticket.Filter) (condition, error) {
		options, err := s.t.choicesOf(ctx, s.table, column)
		if err != nil {
			return condition{}, err
		}
		return chosen(f, column, options), nil
	}
}

func chosen(f ticket.Filter, column string, options []choice) condition {
	c := condition{column: column}
	if !names(f.Op) {
		c.fits = func(r record, _ ticket.Ticket) bool {
			return texts().judge(f.Op, some(shown(r[column], options)), f.Values)
		}
		return c
	}
	stored, words := resolve(f.Values, options)
	c.fits = func(r record, _ ticket.Ticket) bool {
		of, not := positive(f.Op)
		hit := texts().judge(of, some(r.text(column)), stored) || texts().judge(of, some(r[column].Display, r.text(column)), words)
		return hit != not
	}
	switch {
	case len(words) > 0 && !negative(f.Op):
	case negative(f.Op):
		c.ask = except(column, stored)
	default:
		c.ask = []clause{among(column, stored, false)}
	}
	return c
}

// resolve are the stored values that words stand for, and the words that the list
// does not have.
func resolve(given []string, options []choice) (stored, words []string) {
	for _, v := range given {
		found := v == ""
		if found {
			stored = append(stored, "")
		}
		for _, o := range options {
			if v != "" && o.Value != "" && (fold(o.Label) == fold(v) || fold(o.Value) == fold(v)) {
				found = true
				if !slices.Contains(stored, o.Value) {
					stored = append(stored, o.Value)
				}
			}
		}
		if !found {
			words = append(words, v)
		}
	}
	return stored, words
}

// shown is the English label of a value, else what the account sees.
func shown(v value, options []choice) string {
	if i := slices.IndexFunc(options, func(o choice) bool { return o.Value == v.Value }); i >= 0 && v.Value != "" {
		return options[i].Label
	}
	return v.Display
}
