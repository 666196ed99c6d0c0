package servicenow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// filter reads a filter as callers write it.
func filter(t testing.TB, text string) ticket.Filter {
	t.Helper()
	f, err := ticket.ParseFilter(text)
	require.NoError(t, err)
	return f
}

func orders(t testing.TB, texts ...string) (out []ticket.Order) {
	t.Helper()
	for _, text := range texts {
		o, err := ticket.ParseOrder(text)
		require.NoError(t, err)
		out = append(out, o)
	}
	return out
}

func (w *world) query(q ticket.Query) ticket.Page[ticket.Ticket] {
	w.t.Helper()
	page, err := w.client.QueryTickets(context.Background(), q)
	require.NoError(w.t, err)
	return page
}

// all reads every page, and the names in their order.
func (w *world) all(q ticket.Query) []string {
	w.t.Helper()
	names := []string{}
	for range 200 {
		page := w.query(q)
		for _, t := range page.Items {
			names = append(names, t.Name)
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return names
		}
	}
	require.Fail(w.t, "the pages have no end")
	return nil
}

// furnished is an instance with four tickets in incident, an hour apart, and two
// in a table of the tenant's own.
func furnished(t *testing.T, change ...func(*sim.Options, *Config)) (*world, map[string]ticket.Ticket) {
	w := newWorld(t, append(change, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = append(c.CustomFieldMappings,
			CustomFieldMapping{Name: "source", ProjectID: "*", ProviderFieldPath: "incident/contact_type"},
			CustomFieldMapping{Name: "machine", ProjectID: "*", ProviderFieldPath: "cmdb_ci.name"},
			CustomFieldMapping{Name: "begin", ProjectID: "u_ops_incident", ProviderFieldPath: "u_begin"},
			CustomFieldMapping{Name: "begin", ProjectID: "*", ProviderFieldPath: "opened_at"})
	})...)
	made := map[string]ticket.Ticket{}
	add := func(n ticket.New) ticket.Ticket {
		got := w.create(n)
		made[n.Name] = got
		w.clock.move(time.Hour)
		return got
	}
	first := add(ticket.New{Name: first, Priority: ticket.Planning, IssueType: "Network"})
	add(ticket.New{
		Name: full, Description: "The **disk** of db-1", Priority: ticket.Critical, Assignee: "mia@acme.example", Contact: "bridge@acme.example",
		Tags: []string{"asset:1", "rack 7"}, Parent: first.Key, DueDate: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), IssueType: "Hardware",
		CustomFields: map[string]any{"source": "phone", "cmdb_ci": "srv-001"},
	})
	add(ticket.New{Name: hot, Priority: ticket.High, Tags: []string{"asset:2"}, CustomFields: map[string]any{"source": "email"}})
	closed := add(ticket.New{Name: well, Priority: ticket.Low, Assignee: "bridge"})
	w.patch(closed.ID, ticket.Patch{Status: to("Resolved")})
	add(ticket.New{Name: ours, Project: "u_ops_incident", CustomFields: map[string]any{
		"begin": "2026-01-01T00:00:00Z", "u_machines": 5.0, "u_outage": true, "u_site": "Berlin", "u_floor": "Basement", "u_load": 1.5,
		"u_owner": "Mia Krystof", "u_cause": first.Key, "u_day": "2026-03-04", "u_watchers": []any{"mia.krystof", "bridge@acme.example"},
	}})
	add(ticket.New{Name: ours2, Project: "u_ops_incident", Status: "In Progress", CustomFields: map[string]any{"u_machines": 40.0, "u_outage": false, "u_site": "london"}})
	return w, made
}

const (
	first, full, hot, well, ours, ours2 = "first of all", `disk "full" on db-1`, "Disks running hot", "all well", "OURS ^ours", "ours, too"
)

func TestFiltersAreExact(t *testing.T) {
	every := []string{first, full, hot, well, ours, ours2}
	without := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(every), func(n string) bool { return slices.Contains(names, n) })
	}
	w, made := furnished(t)
	key := func(name string) string { return made[name].Key }
	id := func(name string) string { return made[name].ID }
	for text, want := range map[string][]string{
		"status[eq]New": {first, full, hot, ours}, "status[eq]1": {first, full, hot, ours}, "status[ne]Resolved": without(well), "status[ne]6": without(well),
		"status[in]Resolved,in progress": {well, ours2}, "status[not_in]New,Moon": {well, ours2}, "status[eq]Moon": {}, "status[ne]Moon": every,
		"status[like]res*ed": {well}, "status[not like]e": {}, "status[gt]New": {well},
		"project[eq]u_ops_incident": {ours, ours2}, "project=incident": every, "project[eq]Operations incident": {ours, ours2},
		"project[in]incident,u_ops_incident": every, "project[ne]u_ops_incident": without(ours, ours2), "project[ne]nothing_such": every,
		"project[like]ops": {ours, ours2}, "project[not_like]operations": without(ours, ours2), "project[not_in]u_ops_incident,incident": {},
		"id[eq]" + id(full): {full}, "id[eq]" + key(full): {full}, "id[in]" + id(full) + "," + id(ours): {full, ours}, "id[ne]" + id(full): without(full),
		`id[eq]""`: {}, `id[ne]""`: every, `id[eq]"x^ORsys_idISNOTEMPTY"`: {}, "id[not_in]" + id(full) + "," + strings.Repeat("f", 32): without(full),
		"key[eq]" + key(full): {full}, "key[eq]" + strings.ToLower(key(full)): {full}, "key[lte]" + key(full): {first, full}, "key[gt]" + key(well): {ours, ours2},
		"key[like]ops*2": {ours2}, "key[in]" + key(hot) + ",INC0099999": {hot},
		"parent[eq]" + key(first): {full}, "parent[eq]" + id(first): {full}, `parent[eq]""`: without(full), `parent[ne]""`: {full}, "parent[like]inc": {full},
		"parent[ne]" + key(first): without(full),
		"priority[eq]CRITICAL":    {full}, "priority[eq]urgent": {full}, "priority[eq]1 - Critical": {full}, "priority[eq]1": {full}, "priority[ne]HIGH": without(hot),
		"priority[gte]HIGH": {full, hot}, "priority[gt]2": {full}, "priority[lt]MEDIUM": {first, well, ours, ours2}, "priority[lte]Low": {first, well, ours, ours2},
		"priority[in]LOW,1": {full, well}, "priority[like]high": {hot}, "priority[eq]P1": {}, "priority[not_in]P1,CRITICAL": without(full),
		"creator[eq]bridge@acme.example": every, "creator[eq]bridge": every, "creator[eq]Ticket Bridge": every, "creator[ne]ticket bridge": {}, "creator[like]acme": every,
		"assignee[eq]mia@acme.example": {full}, "assignee[eq]MIA.Krystof": {full}, "assignee[eq]Mia Krystof": {full}, "assignee[eq]" + sim.UserMia: {full},
		`assignee[eq]""`: without(full, well), `assignee[ne]""`: {full, well}, `assignee[in]"",mia.krystof`: without(well), "assignee[not_in]bridge": without(well),
		"assignee[like]krys": {full}, "assignee[not_like]@": without(full, well), "assignee[gt]c": {full}, "contact[eq]bridge": {full}, `contact[eq]""`: without(full),
		`name[eq]"DISK \"full\" on DB-1"`: {full}, "name[like]disk": {full, hot}, "name[like]d*full*db": {full}, "summary[ne]" + hot: without(hot),
		"name[in]" + hot + "," + well: {hot, well}, "name[eq]OURS ^ours": {ours}, "name[like]^": {ours}, "name[like]ours": {ours, ours2}, `name[in]"ours, too",x`: {ours2},
		"name[like]javascript:gs.getUserID()": {}, `name[like]"x^ORnumberISNOTEMPTY"`: {}, "name[lt]disks": {well, full}, `name[eq]""`: {}, "name[not_like]*i": {ours, ours2, well},
		"description[like]**disk**": {full}, `description[eq]""`: {first, hot, well, ours, ours2}, `description[ne]""`: {full}, "description[eq]The **disk** of db-1": {full}, "description[in]x,The **disk** of db-1": {full},
		"description[like]rack 7": {}, "description[not_like]rack 7": every, "description[lte]The **disk** of db-1": {full}, "description[ne]The **disk** of db-1\n\nTags: asset:1, rack 7": every,
		"description[not_like]db-1": without(full),
		"tags[in]asset:1,asset:2":   {full, hot}, "tags[eq]rack 7": {full}, "tags[ne]asset:1": without(full), "tags[eq]ASSET:1": {}, "tags[like]ASSET": {full, hot}, `tags[eq]""`: without(full, hot), "tags[eq]asset": {},
		"issue_type[eq]network": {first}, "issue_type[eq]Hardware": {full}, `issue_type[eq]""`: without(first, full), "issue_type[ne]Network": without(first), "issue_type[like]ware": {full}, "issue_type[eq]Poem": {},
		"created_at[gte]2026-03-04T13:00:00Z": without(first), "created_at[gt]2026-03-04T13:00:00Z": without(first, full), "created_at[lt]2026-03-04T14:00:00+01:00": {first},
		"created_at[eq]2026-03-04T13:00:00.000Z": {full}, "created_at[eq]2026-03-04T13:00:00.5Z": {}, "created_at[ne]2026-03-04T13:00:00Z": without(full), "created_at[eq]2026-03-04": every,
		"created_at[gt]2026-03-04": {}, "created_at[lte]2026-03-04T13:00:00Z": {first, full}, "created_at[like]T14": {hot}, "created_at[in]2026-03-04T12:00:00Z,2026-03-04T13:00:00Z": {first, full},
		"created_at[gte]0001-01-01": every, "updated_at[gte]2026-03-04T15:59:59Z": {well, ours, ours2}, "updated_at[not_in]2026-03-04": {},
		"due_date[eq]2026-03-10": {full}, "due_date[lt]2026-03-11": {full}, `due_date[eq]""`: without(full), `due_date[ne]""`: {full}, "due_date[ne]2026-03-10": without(full),
		"completion_date[gte]2026-03-04": {well}, "completion_date[lt]2026-03-04": {}, `completion_date[eq]""`: without(well), `completion_date[ne]""`: {well},
		"source[eq]phone": {full}, "custom_fields.source[in]phone,EMAIL": {full, hot}, "source[ne]phone": without(full), "source[like]p": {full}, `source[eq]""`: without(full, hot),
		"machine[eq]SRV-001": {full}, "machine[ne]srv-001": without(full), "cmdb_ci[eq]srv-001": {full}, "cmdb_ci[like]001": {full}, "machine[like]srv": {full},
		"begin[gte]2026-03-04T13:00:00Z": {full, hot, well}, "impact[eq]1": {full, hot}, "impact[eq]1 - High": {full, hot},
	} {
		t.Run(text, func(t *testing.T) {
			w.t = t
			got := w.all(ticket.Query{Filters: []ticket.Filter{filter(t, text)}, Orders: orders(t, "created_at")})
			assert.ElementsMatch(t, want, got)
			assert.True(t, slices.IsSortedFunc(got, func(a, b string) int { return slices.Index(every, a) - slices.Index(every, b) }), "in their order")
		})
	}
}

// Columns of a table of the tenant's own are seen where that table is asked.
func TestFiltersOfATableOfTheTenants(t *testing.T) {
	w, made := furnished(t)
	for text, want := range map[string][]string{
		"u_machines[gt]5": {ours2}, "u_machines[gte]5": {ours, ours2}, "u_machines[eq]5.0": {ours}, "u_machines[lt]5.5": {ours}, "u_machines[in]5,40": {ours, ours2}, "u_machines[ne]5": {ours2},
		"u_outage[eq]true": {ours}, "u_outage[ne]true": {ours2}, "u_outage[eq]false": {ours2}, "u_site[eq]BERLIN": {ours}, "u_site[like]lon": {ours2}, "u_site[not_in]london": {ours},
		"u_floor[eq]basement": {ours}, "u_floor[eq]b1": {ours}, "u_floor[ne]Basement": {ours2}, `u_floor[eq]""`: {ours2}, "u_load[gte]1.5": {ours}, "u_load[gt]1.5": {}, "u_load[eq]1.50": {ours},
		"u_owner[eq]mia krystof": {ours}, "u_owner[eq]" + sim.UserMia: {ours}, "u_cause[eq]" + made[first].Key: {ours}, "u_day[eq]2026-03-04": {ours}, "u_day[lt]2026-03-05": {ours},
		"begin[eq]2026-01-01": {ours}, "begin[lt]2027-01-01": {ours}, "begin[eq]2026-01-01T01:00:00+01:00": {ours}, "begin[eq]2026-01-01 00:00:00": {ours},
		"begin[like]01T00:00:00Z": {ours}, "begin[like]01 00:": {ours}, "begin[gt]2026-01-01T00:00:00Z": {}, `begin[eq]""`: {ours2}, "begin[not like]2026": {ours2}, "u_watchers[eq]Mia Krystof": {ours}, "u_watchers[eq]nobody": {}, "u_watchers[like]bridge": {ours},
	} {
		t.Run(text, func(t *testing.T) {
			w.t = t
			got := w.all(ticket.Query{Filters: []ticket.Filter{filter(t, text), filter(t, "project=u_ops_incident")}, Orders: orders(t, "created_at")})
			assert.Equal(t, want, got)
		})
	}
	_, err := w.client.QueryTickets(context.Background(), ticket.Query{Filters: []ticket.Filter{filter(t, "u_site[eq]Berlin")}})
	assert.ErrorContains(t, err, "table incident has no column u_site: name the table")
}

func TestOrders(t *testing.T) {
	w, _ := furnished(t)
	for text, want := range map[string][]string{
		"": {ours2, ours, well, hot, full, first}, "created_at": {first, full, hot, well, ours, ours2}, "priority[desc],created_at": {full, hot, well, first, ours, ours2},
		"priority,created_at[desc]": {ours2, ours, first, well, hot, full}, "name": {hot, ours, well, full, first, ours2}, "key": {first, full, hot, well, ours, ours2}, "key[desc]": {ours2, ours, well, hot, full, first},
		"due_date,created_at": {first, hot, well, ours, ours2, full}, "due_date[desc],created_at": {full, first, hot, well, ours, ours2}, "status[desc],created_at": {well, ours2, first, full, hot, ours},
		"assignee[desc],created_at": {well, full, first, hot, ours, ours2}, "source[desc],created_at": {full, hot, first, well, ours, ours2}, "impact,created_at": {full, hot, well, first, ours, ours2},
		"issue_type[desc],created_at,name,key,due_date,status,priority": {first, full, hot, well, ours, ours2}, "project,created_at": {first, full, hot, well, ours, ours2}, "updated_at[desc],created_at[desc]": {ours2, ours, well, hot, full, first},
	} {
		t.Run(text, func(t *testing.T) {
			w.t = t
			var by []ticket.Order
			if text != "" {
				by = orders(t, strings.Split(text, ",")...)
			}
			for _, limit := range []int{1, 2, 4, 100} {
				assert.Equal(t, want, w.all(ticket.Query{Orders: by, Limit: limit}), "%d a page", limit)
			}
		})
	}
}

func TestWhatCannotBeAskedIsRefusedWithWhatCan(t *testing.T) {
	w, _ := furnished(t)
	many := ticket.Filter{Field: "id", Op: ticket.In, Values: slices.Repeat([]string{"1"}, 101)}
	for want, q := range map[string]ticket.Query{
		"there is no such field":         {Filters: []ticket.Filter{filter(t, "colour[eq]red")}},
		"id, key, project, status":       {Filters: []ticket.Filter{filter(t, "u_colour.x[eq]red")}},
		"want RFC 3339":                  {Filters: []ticket.Filter{filter(t, "created_at[gt]yesterday")}},
		`begin: "yesterday" is no time`:  {Filters: []ticket.Filter{filter(t, "begin[lt]yesterday"), filter(t, "project=u_ops_incident")}},
		"no place in the order":          {Filters: []ticket.Filter{filter(t, "priority[gt]P1")}},
		"does not extend incident":       {Filters: []ticket.Filter{filter(t, "project[eq]sn_si_incident")}},
		"Table nothing_such does not":    {Filters: []ticket.Filter{filter(t, "project[eq]nothing_such")}},
		"want the name of a table":       {Filters: []ticket.Filter{filter(t, "project[eq]x^NQactive=true")}},
		"101 values":                     {Filters: []ticket.Filter{many}},
		"0 values":                       {Filters: []ticket.Filter{{Field: "status", Op: ticket.Equal}}},
		"there is no operator":           {Filters: []ticket.Filter{{Field: "status", Op: "near", Values: []string{"x"}}}},
		"has no column u_nothing":        {Filters: []ticket.Filter{filter(t, "u_nothing[eq]x")}},
		"order by tags":                  {Orders: orders(t, "tags")},
		"it orders by id, key":           {Orders: orders(t, "machine")},
		"want at most 7":                 {Orders: orders(t, "key", "name", "status", "priority", "project", "created_at", "updated_at", "due_date")},
		"give it back as it was":         {Cursor: "garbage"},
		"by custom fields that are colu": {Orders: orders(t, "description")},
	} {
		_, err := w.client.QueryTickets(context.Background(), q)
		assert.Equal(t, ticket.Permanent, kindOf(t, err), want)
		assert.ErrorContains(t, err, want)
	}
	w.config.DefaultProject = "sn_si_incident"
	_, err := w.newClient().QueryTickets(context.Background(), ticket.Query{})
	assert.ErrorContains(t, err, "does not extend incident")
}

func TestACursorIsOfItsQuery(t *testing.T) {
	for _, by := range []string{"created_at", "name"} {
		w, _ := furnished(t)
		q := ticket.Query{Limit: 1, Orders: orders(t, by)}
		q.Cursor = w.query(q).Cursor
		require.NotEmpty(t, q.Cursor)
		other := q
		other.Filters = []ticket.Filter{filter(t, "status=New")}
		_, err := w.client.QueryTickets(context.Background(), other)
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, "of another query")
		again := w.newClient()
		next, err := again.QueryTickets(context.Background(), q)
		require.NoError(t, err, "any process knows it")
		same, err := again.QueryTickets(context.Background(), q)
		require.NoError(t, err)
		assert.Equal(t, next, same, "again and again")
	}
}

func TestSecurityIncidentsAreListed(t *testing.T) {
	w := newWorld(t, security)
	for n := range 3 {
		w.create(newTicket(n))
		w.clock.move(time.Minute)
	}
	done := w.sim.Tickets("sn_si_incident")[1]
	w.patch(done.ID, ticket.Patch{Status: to("Closed")})
	assert.Len(t, w.all(ticket.Query{Filters: []ticket.Filter{filter(t, "status[eq]Draft")}}), 2)
	assert.Len(t, w.all(ticket.Query{Filters: []ticket.Filter{filter(t, "completion_date[gt]2026-01-01")}}), 1)
	assert.Len(t, w.all(ticket.Query{Orders: orders(t, "status", "created_at"), Limit: 1}), 3)
	_, err := w.client.QueryTickets(context.Background(), ticket.Query{Filters: []ticket.Filter{filter(t, "project[eq]incident")}})
	assert.ErrorContains(t, err, "does not extend sn_si_incident")
	assert.Equal(t, fmt.Sprint([]string{newTicket(1).Name}), fmt.Sprint(w.all(ticket.Query{Filters: []ticket.Filter{filter(t, "key[eq]"+done.Fields["number"])}})))
}
