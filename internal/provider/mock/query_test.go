package mock

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// newLibrary has three tickets, a minute apart.
func newLibrary(t testing.TB) (*Client, *clock) {
	c, clock := newWorld(t, mapped())
	c.must(t, ticket.New{
		Name: "Ant", Summary: "small", Description: "It has\nsix legs", Priority: ticket.Urgent, Status: "Open", Assignee: "mia", Contact: "jo",
		Creator: "bot", DueDate: startOfTime().Add(12 * time.Hour), Project: "OPS", IssueType: "Bug", Tags: []string{"red", "Blue"},
		CustomFields: map[string]any{"site": "Lisbon", "count": 5, "list": []any{"x", 7}, "flag": true, "large": 9007199254740993}, Marker: marked("ant"),
	})
	clock.advance(time.Minute)
	c.must(t, ticket.New{
		Name: "bee", Priority: ticket.Medium, Status: "Done", Project: "HELP", Tags: []string{"blue"},
		CustomFields: map[string]any{"site": "Porto", "count": "10", "object": map[string]any{"a": 1}}, Marker: marked("bee"),
	})
	clock.advance(time.Minute)
	c.must(t, ticket.New{Name: "Cat", Description: "100% fur", Project: "help desk", Marker: marked("cat")})
	return c, clock
}

func TestFilters(t *testing.T) {
	c, _ := newLibrary(t)
	ant := ticket.OperationHash("ant")
	for filter, want := range map[string][]string{
		"name[eq]ANT": {"Ant"}, "name[ne]ant": {"bee", "Cat"}, "name[gt]ant": {"bee", "Cat"}, "name[gte]ant": {"Ant", "bee", "Cat"},
		"name[lt]bee": {"Ant"}, "name[lte]bee": {"Ant", "bee"}, "name[in]ant,CAT": {"Ant", "Cat"}, "name[not in]ant,CAT": {"bee"},
		"name[like]A": {"Ant", "Cat"}, "name[like]a*t": {"Ant", "Cat"}, "name[like]*": {"Ant", "bee", "Cat"}, "name[not_like]a*t": {"bee"},
		"name[like]a*t*t": {},
		"id[eq]" + ant:    {"Ant"}, "key[like]ops-": {"Ant"},
		"summary[eq]small": {"Ant"}, "summary[eq]Cat": {"Cat"}, // it is the name where there is none
		"description[like]has*legs": {"Ant"}, "description[like]100%": {"Cat"}, `description[eq]""`: {"bee"}, `description[ne]""`: {"Ant", "Cat"},
		"creator[eq]bot": {"Ant"}, "assignee[eq]mia": {"Ant"}, "assignee[ne]mia": {"bee", "Cat"}, "assignee[lt]z": {"Ant"}, "contact[in]jo,al": {"Ant"},
		"project=ops": {"Ant"}, `project[in]"help desk",none`: {"Cat"}, "issue_type[eq]bug": {"Ant"}, "parent[eq]": {"Ant", "bee", "Cat"}, "parent[like]x": {},
		"status[eq]Done": {"bee"}, `status[ne]"Done"`: {"Ant", "Cat"},
		"priority[eq]medium": {"bee"}, "priority[gt]MEDIUM": {"Ant"}, "priority[gte]MEDIUM": {"Ant", "bee"}, "priority[lte]CRITICAL": {"bee"}, "priority[lt]CRITICAL": {"bee"},
		"priority[ne]URGENT": {"bee", "Cat"}, "priority[in]URGENT,LOW": {"Ant"}, `priority[eq]""`: {"Cat"}, "priority[like]urg": {"Ant"}, `priority[in]"",LOW`: {"Cat"},
		"tags[eq]blue": {"Ant", "bee"}, "tags[ne]red": {"bee", "Cat"}, "tags[in]red,green": {"Ant"}, "tags[not_in]red,green": {"bee", "Cat"},
		"tags[like]bl": {"Ant", "bee"}, "tags[not like]bl": {"Cat"}, `tags[eq]""`: {"Cat"}, "tags[gt]blue": {"Ant"},
		"created_at[gt]2026-03-04T12:00:00Z": {"bee", "Cat"}, "created_at[gte]2026-03-04T14:00:00+02:00": {"Ant", "bee", "Cat"},
		"created_at[eq]2026-03-04T12:01:00Z": {"bee"}, "created_at[eq]2026-03-04": {"Ant", "bee", "Cat"}, "created_at[gt]2026-03-04": {}, "created_at[lte]2026-03-04": {"Ant", "bee", "Cat"},
		"created_at[lt]2026-03-04": {}, "created_at[in]2026-03-03,2026-03-04T12:02:00Z": {"Cat"}, "created_at[like]12:01": {"bee"},
		"updated_at[lt]2026-03-04T12:01:00Z": {"Ant"}, "due_date[gt]2026-03-04": {"Ant"}, "due_date[lt]2099-01-01": {"Ant"}, `due_date[eq]""`: {"bee", "Cat"}, "due_date[ne]2026-03-05": {"bee", "Cat"},
		"completion_date[eq]2026-03-04": {"bee"}, `completion_date[ne]""`: {"bee"},
		"site[eq]lisbon": {"Ant"}, "custom_fields.site[like]o": {"Ant", "bee"}, "custom_fields/site[ne]Porto": {"Ant", "Cat"}, "custom_fields.ops.site[eq]Lisbon": {"Ant"},
		"custom_fields.count[gt]9": {"bee"}, "custom_fields.count[eq]5.0": {"Ant"}, "custom_fields.count[lt]x": {"Ant", "bee"}, "custom_fields.count[in]10,11": {"bee"},
		"custom_fields.list[eq]7": {"Ant"}, "custom_fields.list[not_in]x,y": {"bee", "Cat"}, "custom_fields.flag[eq]TRUE": {"Ant"},
		"priority[eq]soon": {}, "priority[ne]soon": {"Ant", "bee", "Cat"}, `priority[not_in]soon,""`: {"Ant", "bee"}, // Cat has none
		"custom_fields.large[eq]9007199254740992": {}, "custom_fields.large[eq]9007199254740993": {"Ant"}, "custom_fields.large[gt]9007199254740992": {"Ant"},
		`custom_fields.object[like]{"a":1}`: {"bee"}, "custom_fields.none[eq]": {"Ant", "bee", "Cat"}, "custom_fields.none[gte]": {},
	} {
		f, err := ticket.ParseFilter(filter)
		require.NoError(t, err, filter)
		page, err := c.QueryTickets(t.Context(), ticket.Query{Filters: []ticket.Filter{f}})
		require.NoError(t, err, filter)
		assert.Equal(t, want, names(page.Items), filter)
	}
	both := []ticket.Filter{{Field: "tags", Op: ticket.Equal, Values: []string{"blue"}}, {Field: "status", Op: ticket.NotEqual, Values: []string{"done"}}}
	assert.Equal(t, []string{"Ant"}, names(c.list(t.Context(), t, ticket.Query{Filters: both})))
}

func TestFiltersThatAreRefused(t *testing.T) {
	c, _ := newLibrary(t)
	for says, f := range map[string]ticket.Filter{
		"filter mood: there is no such field; there are assignee, completion_date, contact": {Field: "mood", Op: ticket.Equal, Values: []string{"x"}},
		"custom_fields.NAME and the names of custom_field_mappings":                         {Field: "custom_fields.", Op: ticket.Equal, Values: []string{"x"}},
		`there is no operator "is"`:           {Field: "name", Op: "is", Values: []string{"x"}},
		"eq wants one value":                  {Field: "name", Op: ticket.Equal, Values: []string{"x", "y"}},
		"not_in want one or more":             {Field: "name", Op: ticket.In},
		`priority: "soon": want one of`:       {Field: "priority", Op: ticket.LessOrEqual, Values: []string{"soon"}},
		`priority: "": want one of`:           {Field: "priority", Op: ticket.Greater, Values: []string{""}},
		`due_date: "tomorrow": want a time`:   {Field: "due_date", Op: ticket.Less, Values: []string{"tomorrow"}},
		`created_at: "2026-13-01": want a ti`: {Field: "created_at", Op: ticket.Equal, Values: []string{"2026-13-01"}},
	} {
		_, err := c.QueryTickets(t.Context(), ticket.Query{Filters: []ticket.Filter{f}})
		requireKind(t, ticket.Permanent, err, says)
	}
	_, err := c.QueryTickets(t.Context(), ticket.Query{Orders: []ticket.Order{{Field: "mood"}}})
	requireKind(t, ticket.Permanent, err, "order mood: there is no such field")
}

func TestOrders(t *testing.T) {
	c, _ := newLibrary(t)
	for _, r := range []struct {
		orders []ticket.Order
		want   []string
	}{
		{nil, []string{"Ant", "bee", "Cat"}},
		{[]ticket.Order{{Field: "created_at", Descending: true}}, []string{"Cat", "bee", "Ant"}},
		{[]ticket.Order{{Field: "name", Descending: true}}, []string{"Cat", "bee", "Ant"}},
		{[]ticket.Order{{Field: "priority"}}, []string{"Cat", "bee", "Ant"}},
		{[]ticket.Order{{Field: "priority", Descending: true}}, []string{"Ant", "bee", "Cat"}},
		{[]ticket.Order{{Field: "due_date"}}, []string{"bee", "Cat", "Ant"}},
		{[]ticket.Order{{Field: "completion_date", Descending: true}}, []string{"bee", "Ant", "Cat"}},
		{[]ticket.Order{{Field: "tags"}}, []string{"Cat", "bee", "Ant"}},
		{[]ticket.Order{{Field: "custom_fields.count"}}, []string{"Cat", "Ant", "bee"}},
		{[]ticket.Order{{Field: "site", Descending: true}}, []string{"bee", "Ant", "Cat"}},
		{[]ticket.Order{{Field: "assignee"}, {Field: "name", Descending: true}}, []string{"Cat", "bee", "Ant"}},
	} {
		assert.Equal(t, r.want, names(c.list(t.Context(), t, ticket.Query{Orders: r.orders, Limit: 2})), "%v", r.orders)
	}
}

// Whatever happens to the tickets meanwhile, the pages of a list show each that
// is selected throughout once, and none twice.
func TestPagesAreStableWhileTicketsChange(t *testing.T) {
	c, clock := newWorld(t, Config{})
	var made []ticket.Ticket
	for n := range 10 {
		clock.advance(time.Minute)
		made = append(made, c.must(t, ticket.New{Name: fmt.Sprintf("t%d", n)}))
	}
	touch := func(n int, p ticket.Patch) {
		clock.advance(time.Minute)
		_, err := c.PatchTicket(t.Context(), made[n].ID, p)
		require.NoError(t, err)
	}
	q := ticket.Query{
		Limit: 3, Orders: []ticket.Order{{Field: "updated_at", Descending: true}},
		Filters: []ticket.Filter{{Field: "status", Op: ticket.Equal, Values: []string{"Open"}}},
	}
	first, err := c.QueryTickets(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, []string{"t9", "t8", "t7"}, names(first.Items))
	touch(0, ticket.Patch{Name: ptr("t0 changed")}) // would now come first
	touch(8, ticket.Patch{Name: ptr("t8 changed")}) // was shown
	touch(5, ticket.Patch{Status: ptr("Done")})     // is selected no more
	c.must(t, ticket.New{Name: "new"})
	q.Cursor = first.Cursor
	second, err := c.QueryTickets(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, []string{"t6", "t4", "t3"}, names(second.Items))
	again, err := c.QueryTickets(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, second, again, "a page can be asked for again")
	q.Cursor = second.Cursor
	third, err := c.QueryTickets(t.Context(), q)
	require.NoError(t, err)
	assert.Equal(t, []string{"t2", "t1", "t0 changed"}, names(third.Items))
	assert.Empty(t, third.Cursor, "there is no empty page at the end")
}

func TestCursorsBelongToTheirList(t *testing.T) {
	c, clock := newLibrary(t)
	q := ticket.Query{Limit: 1}
	first, err := c.QueryTickets(t.Context(), q)
	require.NoError(t, err)
	for _, wrong := range []string{"x", "1.1", "1.1.x", "1.-1." + first.Cursor[4:], first.Cursor + "x", "2" + first.Cursor[1:]} {
		_, err = c.QueryTickets(t.Context(), ticket.Query{Cursor: wrong})
		requireKind(t, ticket.Permanent, err, "cursor: not one of this list")
	}
	_, err = c.QueryTickets(t.Context(), ticket.Query{Cursor: first.Cursor, Orders: []ticket.Order{{Field: "name"}}})
	requireKind(t, ticket.Permanent, err, "cursor: not one of this list")
	for range MaxLists - 1 {
		_, err = c.QueryTickets(t.Context(), q)
		require.NoError(t, err)
	}
	second, err := c.QueryTickets(t.Context(), ticket.Query{Limit: 1, Cursor: first.Cursor})
	require.NoError(t, err)
	assert.Equal(t, []string{"bee"}, names(second.Items))
	_, err = c.QueryTickets(t.Context(), q)
	require.NoError(t, err)
	_, err = c.QueryTickets(t.Context(), ticket.Query{Limit: 1, Cursor: first.Cursor})
	requireKind(t, ticket.Permanent, err, "100 others were begun since")
	last, err := c.QueryTickets(t.Context(), q)
	require.NoError(t, err)
	clock.advance(ListLife)
	_, err = c.QueryTickets(t.Context(), ticket.Query{Limit: 1, Cursor: last.Cursor})
	requireKind(t, ticket.Permanent, err, "begun more than 15m0s ago")
	assert.Zero(t, c.memory.lists.Len())
}

func TestPageSizes(t *testing.T) {
	c, _ := newWorld(t, Config{})
	for n := range MaxPage + 1 {
		c.must(t, ticket.New{Name: fmt.Sprint(n)})
	}
	for limit, want := range map[int]int{0: DefaultPage, -1: DefaultPage, 7: 7, MaxPage + 1: MaxPage} {
		page, err := c.QueryTickets(t.Context(), ticket.Query{Limit: limit})
		require.NoError(t, err)
		assert.Len(t, page.Items, want)
	}
}
