package jira

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// readJQL reads a text of JQL to the quote that ends it, by the language's own
// rules; rest is what stands after that.
func readJQL(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", text, false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], true
		case '\\':
			i++
			if i == len(text) {
				return "", "", false
			}
			if text[i] == 'u' {
				var r rune
				for _, digit := range text[i+1 : i+5] {
					r = r<<4 | rune(strings.IndexRune("0123456789abcdef", digit))
				}
				b.WriteRune(r)
				i += 4
				continue
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", false
}

// A value never leaves its quotes, and nothing in it is lost.
func FuzzQuoteJQL(f *testing.F) {
	for _, seed := range []string{``, `a`, `"`, `\`, `\"`, `" OR project = X OR summary ~ "`, "a\nb\x00\x7f", "\u2028\ufffe\xff", `\u0022`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := quoteJQL(text)
		value, rest, ok := readJQL(quoted)
		if !ok || rest != "" || value != strings.ToValidUTF8(text, string(utf8.RuneError)) {
			t.Fatalf("%q became %s, which reads %q and then %q", text, quoted, value, rest)
		}
		if strings.ContainsFunc(quoted, unicode.IsControl) {
			t.Fatalf("%q became %s, with signs that JQL does not take", text, quoted)
		}
		for _, jql := range []string{amongJQL("status", []string{text, "x"}, true), amongJQL("labels", []string{text}, false)} {
			if left := outside(t, jql); strings.ContainsAny(left, `"\=~`) {
				t.Fatalf("%q became %s, of which %s is outside of quotes", text, jql, left)
			}
		}
	})
}

// outside is what of a question is not in quotes.
func outside(t *testing.T, jql string) string {
	var b strings.Builder
	for jql != "" {
		before, after, found := strings.Cut(jql, `"`)
		b.WriteString(before)
		if !found {
			break
		}
		_, rest, ok := readJQL(`"` + after)
		if !ok {
			t.Fatalf("%s has a quote that does not end", jql)
		}
		jql = rest
	}
	return b.String()
}

// A question with any value in any field is one that Jira can read, and finds no
// ticket but those that fit.
func FuzzFilterValues(f *testing.F) {
	w := newWorld(f)
	_, err := w.client.CreateTicket(context.Background(), ticket.New{Name: "the only one", Tags: []string{"a"}, Priority: ticket.High})
	require.NoError(f, err)
	w.client.rest.HTTP = rest.WithoutRedirects(w.server.Client())
	for _, seed := range []string{"x", `"`, `" OR project IS NOT EMPTY OR summary ~ "`, "a*b", "the only", "\x00", "AND", "*", "2026-03-04"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, name := range []string{"status", "name", "tags", "key", "assignee", "priority", "issue_type", "parent", "description", "customfield_10010", "customfield_10011"} {
			for _, op := range []ticket.Operator{ticket.Equal, ticket.NotIn, ticket.Like} {
				page, err := w.client.QueryTickets(context.Background(), ticket.Query{Filters: []ticket.Filter{{Field: name, Op: op, Values: []string{value}}}})
				if err != nil {
					t.Fatalf("%s[%s]%q: %v", name, op, value, err)
				}
				if op == ticket.Equal && name == "name" && len(page.Items) > 0 != strings.EqualFold(value, "the only one") {
					t.Fatalf("%s[%s]%q: %d found", name, op, value, len(page.Items))
				}
			}
		}
	})
}

func FuzzPeriods(f *testing.F) {
	for _, seed := range []string{"2026-03-04", "2026-03-04T12:00:00Z", "2026-03-04T12:00:00.123456789+05:45", "0000-01-01", "9999-12-31T23:59:60Z", ""} {
		f.Add(seed)
	}
	zones := []*time.Location{nil, time.UTC, time.FixedZone("", -11*3600), time.FixedZone("", 14*3600)}
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := parsePeriod(text)
		if !ok {
			return
		}
		if !p.from.Before(p.to) {
			t.Fatalf("%q: %+v", text, p)
		}
		for _, zone := range zones {
			jql := p.timeJQL("created", ticket.Equal, zone)
			if jql == "" {
				continue
			}
			var bounds []time.Time
			read := zone
			if zone == nil {
				read = zones[3] // any
			}
			for part := range strings.SplitSeq(jql, " AND ") {
				_, quoted, _ := strings.Cut(part, "= ")
				word, _, _ := readJQL(quoted)
				at, err := time.ParseInLocation(jqlMinute, word, read)
				if err != nil {
					t.Fatalf("%q: %s: %v", text, jql, err)
				}
				bounds = append(bounds, at)
			}
			if bounds[0].After(p.from) || bounds[1].Before(p.to.Add(-time.Nanosecond)) {
				t.Fatalf("%q: %s leaves out what fits %+v", text, jql, p)
			}
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"2026-09-27T10:03:11.123+0200", "2026-09-27T10:03:11Z", "2026-09-27", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := parseTime(text)
		if !at.IsZero() && !parseTime(at.Format(time.RFC3339Nano)).Equal(at) {
			t.Fatalf("%q: %s", text, at)
		}
	})
}

// Jira is asked for no more than it must be: what it can say, it says.
func TestJiraIsAskedNarrowly(t *testing.T) {
	w, made := furnished(t, func(o *sim.Options, _ *Config) { o.Zone = time.UTC })
	turn, err := w.client.begin("x", endSearch, "")
	require.NoError(t, err)
	defer turn.end()
	for text, want := range map[string]string{
		"status[ne]Done":                      `(status NOT IN ("Done") OR status IS EMPTY)`,
		"assignee[eq]mia@acme.example":        `assignee IN ("acc-mia")`,
		"tags[in]asset:1,rack 7":              `labels IN ("asset:1", "rack_7")`,
		"parent[eq]" + made[epic].Key:         `parent IN ("` + made[epic].ID + `")`,
		"priority[eq]CRITICAL":                `priority IN ("Highest")`,
		"updated_at[gte]2026-03-04T13:00:01Z": `updated >= "2026-03-04 12:00"`,
		"created_at[lt]2026-03-04T13:00:01Z":  `created <= "2026-03-04 14:01"`,
		"due_date[eq]2026-03-10":              `duedate >= "2026-03-09" AND duedate <= "2026-03-12"`,
		"severity[in]red,green":               `cf[10010] IN ("red", "green")`,
		"level[eq]red":                        `cf[10010] IN ("red")`,
		`name[eq]Disks running hot`:           `((summary ~ "Disks" AND summary ~ "running"))`,
		`name[like]the disks running*hot`:     `((summary ~ "disks"))`,
		"project[ne]DEV":                      `NOT project IN ("DEV")`,
	} {
		s, err := turn.selection(context.Background(), ticket.Query{Filters: []ticket.Filter{filter(t, text)}}, &position{})
		require.NoError(t, err)
		narrow, _, _ := strings.Cut(s.narrow, " ORDER BY")
		assert.Equal(t, want, strings.TrimPrefix(narrow, `project IN ("OPS") AND `), text)
		assert.Equal(t, text != "project[ne]DEV", strings.Contains(s.broad, `project IN ("OPS")`), "the default project is never left")
	}
}
