package servicenow

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// reader are the read operators of both applications.
type reader interface {
	ticketing.TicketQuerier
	ticketing.TicketGetter
	ticketing.ProjectLister
	ticketing.RemoteFieldLister
}

var _ reader = (*Client)(nil)

func TestFieldsOfQueriesAreNamed(t *testing.T) {
	named := map[string]bool{}
	for _, f := range FilterFields() {
		assert.Equal(t, ticket.Operators(), f.Operators, f.Name)
		assert.False(t, named[f.Name], "%s twice", f.Name)
		named[f.Name] = true
	}
	for _, name := range OrderFields() {
		assert.True(t, named[name], name)
	}
	assert.Contains(t, named, "parent")
	assert.NotContains(t, OrderFields(), "description")
}

// Whatever the values are, the instance reads our terms and no others.
func FuzzEncodedQuery(f *testing.F) {
	for _, seed := range []string{"x", "x^ORa=b", "^^", "^", "a^", "^NQactive=true", "javascript:gs.getUserID()", "a\nb", "ORDERBYx", "ü^NQ", "=x", "a,b", "STANCEOFtask", "100%", " x", "^OR", "EQ", "x^^^ORDERBYDESCy"} {
		f.Add(seed, seed, false)
		f.Add(seed, "plain", true)
	}
	f.Fuzz(func(t *testing.T, one, other string, anyCase bool) {
		filters := []ticket.Filter{
			{Field: "name", Op: ticket.Equal, Values: []string{one}}, {Field: "name", Op: ticket.Like, Values: []string{one + "*" + other}},
			{Field: "name", Op: ticket.In, Values: []string{one, other}}, {Field: "name", Op: ticket.NotEqual, Values: []string{one}},
		}
		asked := asking{whole: true}
		var want []sim.Term
		for _, filter := range filters {
			for _, c := range append(textClauses(filter, []string{"short_description"}, nil), textClauses(filter, []string{"caller_id.email"}, []string{"caller_id"})...) {
				before := len(asked.parts)
				asked.add([]clause{c}, reading{anyCase: anyCase})
				if len(asked.parts) == before {
					continue
				}
				for i, t := range c {
					want = append(want, sim.Term{Field: t.column, Operator: t.op, Value: t.value, Or: i > 0})
				}
			}
		}
		require.NoError(t, asked.err)
		groups, by, ok := sim.ParseQuery(strings.Join(append(slices.Clone(asked.parts), orderText([]sortKey{{column: "number", descending: true}, {column: "sys_id"}})), "^"))
		require.True(t, ok, "%q", asked.parts)
		require.Len(t, groups, 1, "%q", asked.parts)
		assert.Equal(t, want, groups[0])
		assert.Equal(t, []string{"-number", "sys_id"}, by)
		assert.NotContains(t, strings.ToLower(asked.text()), "javascript:")
	})
}

// A cursor comes from outside: whatever it is, it is refused or makes sense.
func FuzzQueryCursor(f *testing.F) {
	c := &Client{}
	for _, at := range []position{
		{Keys: []string{"2026-03-04 12:00:00", strings.Repeat("a", 32)}, Offset: 5}, {Part: 1, Keys: []string{strings.Repeat("0", 32)}},
		{Counted: true, Offset: 90, Seen: []byte("123456abcdef")}, {Counted: true, Keys: []string{"1"}}, {Offset: -1}, {Keys: []string{"x^NQ"}},
	} {
		at.Query = c.digestOf(ticket.Query{})
		f.Add(at.cursor())
	}
	f.Add("")
	f.Add("e30")
	byTime := ordering{keys: []sortKey{{column: "due_date", keyed: true, optional: true}, {column: "sys_id", keyed: true}}}
	f.Fuzz(func(t *testing.T, cursor string) {
		turn := &turn{c: c}
		at, err := turn.position(ticket.Query{Cursor: cursor})
		if err != nil {
			assert.Equal(t, ticket.Permanent, kindOf(t, err))
			return
		}
		if cursor != "" {
			again, err := turn.position(ticket.Query{Cursor: at.cursor()})
			require.NoError(t, err)
			assert.Equal(t, at, again)
		}
		if !at.fits(byTime) || at.Counted {
			return
		}
		q := query{}
		for _, c := range byTime.parts()[at.Part].behind(at.Keys) {
			q = q.either(c)
		}
		require.NoError(t, q.err, "keys cannot say more than they are")
		if after, ok := readTableCursor(cursor); ok && cursor != "" {
			assert.True(t, isName(after.name))
		}
	})
}

func FuzzTags(f *testing.F) {
	f.Add("text\n\nCreator: x\nTags: a, b")
	f.Add("Tags: ")
	f.Fuzz(func(t *testing.T, text string) {
		_, tags := takeTags(text)
		for _, tag := range tags {
			assert.NotEmpty(t, tag)
			assert.Contains(t, text, tag)
		}
		line, _ := writeTags(tags, 1<<20)
		again, read := takeTags(paragraphs("above", line))
		line2, _ := writeTags(read, 1<<20)
		assert.Equal(t, "above", again)
		assert.Equal(t, line, line2, "what was written is read")
	})
}
