package jira

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// filter reads a filter as callers write it.
func filter(t testing.TB, text string) ticket.Filter {
	t.Helper()
	f, err := ticket.ParseFilter(text)
	require.NoError(t, err)
	return f
}

func (w *world) query(q ticket.Query) ticket.Page[ticket.Ticket] {
	w.t.Helper()
	page, err := w.client.QueryTickets(context.Background(), q)
	require.NoError(w.t, err)
	return page
}

// all reads every page, and the summaries in their order.
func (w *world) all(q ticket.Query) []string {
	w.t.Helper()
	names := []string{}
	for n := 0; n < 100; n++ {
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

// furnished is a site with four tickets in OPS, an hour apart, and one in DEV.
func furnished(t *testing.T, change ...func(*sim.Options, *Config)) (*world, map[string]ticket.Ticket) {
	w := newWorld(t, append(change, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = append(c.CustomFieldMappings,
			CustomFieldMapping{Name: "severity", ProjectID: "*", ProviderFieldPath: "customfield_10010"},
			CustomFieldMapping{Name: "sites", ProjectID: "*", ProviderFieldPath: "fields/customfield_10014/value"},
			CustomFieldMapping{Name: "origin", ProjectID: "OPS", ProviderFieldPath: "customfield_10011"},
			CustomFieldMapping{Name: "origin", ProjectID: "DEV", ProviderFieldPath: "customfield_10017"},
			CustomFieldMapping{Name: "level", ProjectID: "OPS", ProviderFieldPath: "customfield_10010"},
			CustomFieldMapping{Name: "level", ProjectID: "DEV", ProviderFieldPath: "customfield_10014"})
	})...)
	made := map[string]ticket.Ticket{}
	add := func(n ticket.New) ticket.Ticket {
		got := w.create(n)
		made[n.Name] = got
		w.clock.move(time.Hour)
		return got
	}
	epic := add(ticket.New{Name: "epic", IssueType: "Incident", Priority: ticket.Planning})
	add(ticket.New{
		Name: `disk "full" on db-1`, Description: "The **disk** of db-1", Priority: ticket.Critical, Assignee: "mia@acme.example",
		Tags: []string{"asset:1", "rack 7"}, Parent: epic.Key, DueDate: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC),
		CustomFields: map[string]any{"severity": "red", "sites": []any{"lon", "ber"}, "customfield_10013": 42, "origin": "nagios"},
	})
	add(ticket.New{Name: "Disks running hot", Priority: ticket.High, Tags: []string{"asset:2"}, CustomFields: map[string]any{"severity": "amber", "customfield_10013": 7}})
	closed := add(ticket.New{Name: "all well", IssueType: "Bug", Priority: ticket.Low, Assignee: "noor@acme.example"})
	require.NoError(t, w.sim.TransitionByAgent(closed.ID, "Done"))
	add(ticket.New{Name: "elsewhere", Project: "DEV", CustomFields: map[string]any{"origin": "zabbix"}})
	return w, made
}

const (
	full, hot, well, epic, other = `disk "full" on db-1`, "Disks running hot", "all well", "epic", "elsewhere"
)

func TestFiltersAreExact(t *testing.T) {
	w, made := furnished(t)
	key := func(name string) string { return made[name].Key }
	id := func(name string) string { return made[name].ID }
	for text, want := range map[string][]string{
		"status[eq]To Do": {epic, full, hot}, "status[ne]Done": {epic, full, hot}, `status[eq]"done"`: {well},
		"status[in]Done,In Progress": {well}, "status[not_in]To Do,Waiting": {well}, "status[like]do": {epic, full, hot, well},
		"status[not like]to*do": {well}, "status[eq]Solved": {}, "status[ne]Solved": {epic, full, hot, well},
		"project[eq]DEV": {other}, "project=ops": {epic, full, hot, well}, "project[in]OPS,DEV": {epic, full, hot, well, other},
		"project[ne]OPS": {other}, "project[ne]NOPE": {epic, full, hot, well, other}, "project[like]e": {epic, full, hot, well, other},
		"project[eq]2":      {},
		"id[eq]" + id(full): {full}, "id[eq]999": {}, "id[ne]999": {epic, full, hot, well}, "id[gt]" + id(full): {hot, well},
		"id[in]" + id(other) + "," + id(hot): {hot, other}, "id[eq]x y": {}, `id[eq]"` + `1\" OR 1=1"`: {},
		"key[eq]" + key(full): {full}, "key[eq]" + strings.ToLower(key(other)): {other}, "key[lte]OPS-2": {epic, full},
		"key[not_in]" + key(full) + ",OPS-99": {epic, hot, well}, "key[like]ops-": {epic, full, hot, well},
		"parent[eq]" + key(epic): {full}, "parent[eq]" + id(epic): {full}, "parent[ne]" + key(epic): {epic, hot, well}, `parent[eq]""`: {epic, hot, well},
		"priority[eq]CRITICAL": {full}, "priority[eq]urgent": {full}, "priority[eq]highest": {full}, "priority[ne]HIGH": {epic, full, well},
		"priority[gte]HIGH": {full, hot}, "priority[gt]HIGH": {full}, "priority[lt]MEDIUM": {epic, well}, "priority[lte]Low": {epic, well},
		"priority[in]LOW,PLANNING": {epic, well}, "priority[like]high": {full, hot}, "priority[eq]P1": {},
		"creator[eq]bridge@acme.example": {epic, full, hot, well}, "creator[eq]user": {}, "creator[ne]ticketbridge": {},
		"assignee[eq]mia@acme.example": {full}, "assignee[eq]Mia Krystof": {full}, "assignee[eq]acc-mia": {full},
		"assignee[eq]noor@acme.example": {well}, "assignee[ne]mia@acme.example": {epic, hot, well}, `assignee[eq]""`: {epic, hot},
		`assignee[in]"",acc-mia`: {epic, full, hot}, `assignee[ne]""`: {full, well}, "assignee[like]krys": {full}, "assignee[not_in]acc-mia,nobody@x.example": {epic, hot, well},
		"contact[eq]ticketbridge":     {epic, full, hot, well},
		`name[eq]disk "full" on db-1`: {full}, "name[eq]DISKS RUNNING HOT": {hot}, "summary[ne]epic": {full, hot, well}, "name[in]epic,all well": {epic, well},
		"name[like]disk": {full, hot}, "name[like]isks run": {hot}, "name[like]d*full*db": {full}, "name[not_like]disk*": {epic, well}, "name[eq]running": {},
		"name[like]disks running hot": {hot}, `name[like]\" OR project = DEV OR summary ~ \"`: {},
		"description[like]**disk**": {full}, `description[eq]""`: {epic, hot, well}, "description[not_like]db-1": {epic, hot, well},
		"tags[in]asset:1,asset:2": {full, hot}, "tags[eq]rack 7": {full}, "tags[ne]asset:1": {epic, hot, well}, "tags[eq]ASSET:1": {}, "tags[like]asset": {full, hot}, `tags[eq]""`: {epic, well},
		"tags[not_in]asset:1,x": {epic, hot, well},
		"issue_type[eq]bug":     {well}, "issue_type[ne]Bug": {epic, full, hot}, "issue_type[eq]Poem": {},
		"created_at[gte]2026-03-04T13:00:00Z": {full, hot, well}, "created_at[gt]2026-03-04T13:00:00Z": {hot, well}, "created_at[lt]2026-03-04T14:00:00+01:00": {epic},
		"created_at[eq]2026-03-04T13:00:00.000Z": {full}, "created_at[ne]2026-03-04T13:00:00Z": {epic, hot, well}, "created_at[eq]2026-03-04": {epic, full, hot, well},
		"created_at[gt]2026-03-04": {}, "created_at[lte]2026-03-04T13:00:00Z": {epic, full}, "created_at[gte]0001-01-01": {epic, full, hot, well},
		"updated_at[gte]2026-03-04T15:59:59Z": {well}, "due_date[eq]2026-03-10": {full}, "due_date[lt]2026-03-11": {full}, "due_date[gt]2026-03-10": {},
		"due_date[gte]2026-03-10T00:00:00Z": {full}, `due_date[eq]""`: {epic, hot, well}, `due_date[ne]""`: {full}, "due_date[ne]2026-03-10": {epic, hot, well},
		"completion_date[gte]2026-03-04": {well}, "completion_date[lt]2026-03-04": {},
		"severity[eq]red": {full}, "severity[ne]red": {epic, hot, well}, "severity[in]red,amber": {full, hot}, "severity[eq]purple": {}, "severity[not_in]red,amber": {epic, well},
		"customfield_10010[like]E": {full, hot}, "custom_fields.severity[eq]RED": {full}, "sites[eq]ber": {full}, "sites[ne]ber": {epic, hot, well}, "sites[in]nyc": {},
		"customfield_10013[gt]7": {full}, "customfield_10013[gte]7": {full, hot}, "customfield_10013[eq]42.0": {full}, "origin[eq]nagios": {full},
	} {
		t.Run(text, func(t *testing.T) {
			w.t = t
			f := filter(t, text)
			got := w.all(ticket.Query{Filters: []ticket.Filter{f}, Orders: []ticket.Order{{Field: "created_at"}}})
			assert.Equal(t, want, got)
		})
	}
}

func TestFiltersAreJoinedByAnd(t *testing.T) {
	w, _ := furnished(t)
	got := w.all(ticket.Query{Filters: []ticket.Filter{filter(t, "status[eq]To Do"), filter(t, "name[like]disk"), filter(t, "priority[ne]CRITICAL")}})
	assert.Equal(t, []string{hot}, got)
	assert.Equal(t, []string{other}, w.all(ticket.Query{Filters: []ticket.Filter{filter(t, "origin[eq]zabbix"), filter(t, "project[eq]DEV")}}), "the mapping is that of the project, whatever the order of the filters")
	assert.Equal(t, []string{other, full}, w.all(ticket.Query{Filters: []ticket.Filter{filter(t, "origin[like]*"), filter(t, "project[in]OPS,DEV")}}))
}

func TestOrders(t *testing.T) {
	w, _ := furnished(t)
	for text, want := range map[string][]string{
		"": {well, hot, full, epic}, "created_at": {epic, full, hot, well}, "priority[desc]": {full, hot, well, epic}, "name": {well, full, hot, epic},
		"key[desc]": {well, hot, full, epic}, "severity[desc],key": {full, hot, epic, well}, "issue_type,created_at[desc]": {well, epic, hot, full},
		"customfield_10013[desc],key": {hot, full, epic, well}, "origin[desc]": {full, epic, hot, well},
	} {
		t.Run(text, func(t *testing.T) {
			var orders []ticket.Order
			for part := range strings.SplitSeq(text, ",") {
				if part != "" {
					o, err := ticket.ParseOrder(part)
					require.NoError(t, err)
					orders = append(orders, o)
				}
			}
			assert.Equal(t, want, w.all(ticket.Query{Orders: orders, Limit: 1}), "page by page")
		})
	}
}

func TestWhatCannotBeAskedIsRefusedWithWhatCan(t *testing.T) {
	w, _ := furnished(t)
	o := func(fields ...string) (orders []ticket.Order) {
		for _, f := range fields {
			orders = append(orders, ticket.Order{Field: f})
		}
		return orders
	}
	many := ticket.Filter{Field: "id", Op: ticket.In, Values: slices.Repeat([]string{"1"}, 101)}
	for want, q := range map[string]ticket.Query{
		"there is no such field":    {Filters: []ticket.Filter{filter(t, "colour[eq]red")}},
		"id, key, project, status":  {Filters: []ticket.Filter{filter(t, "customfield_x[eq]red")}},
		"eq, ne, in, not_in, like":  {Filters: []ticket.Filter{filter(t, "status[gt]Done")}},
		"eq, ne, gt, gte, lt, lte":  {Filters: []ticket.Filter{filter(t, "created_at[like]2026")}},
		"want RFC 3339":             {Filters: []ticket.Filter{filter(t, "created_at[gt]yesterday")}},
		"no place in the order":     {Filters: []ticket.Filter{filter(t, "priority[gt]P1")}},
		"Project NOPE does not":     {Filters: []ticket.Filter{filter(t, "project[eq]NOPE")}},
		"101 values":                {Filters: []ticket.Filter{many}},
		"0 values":                  {Filters: []ticket.Filter{{Field: "status", Op: ticket.Equal}}},
		"order by tags":             {Orders: o("tags")},
		"it orders by key, project": {Orders: o("sites")},
		"Jira takes at most 7":      {Orders: o("key", "name", "status", "priority", "project", "created_at", "updated_at", "due_date")},
		"give it back as it was":    {Cursor: "garbage"},
	} {
		_, err := w.client.QueryTickets(context.Background(), q)
		assert.Equal(t, ticket.Permanent, kindOf(t, err), want)
		assert.ErrorContains(t, err, want)
	}
	assert.Zero(t, w.sim.Stats().Requests["search"], "nothing of it is asked of Jira")
}

func TestACursorIsOfItsQuery(t *testing.T) {
	w, _ := furnished(t)
	page := w.query(ticket.Query{Limit: 1})
	require.NotEmpty(t, page.Cursor)
	_, err := w.client.QueryTickets(context.Background(), ticket.Query{Limit: 1, Cursor: page.Cursor, Filters: []ticket.Filter{filter(t, "status=Done")}})
	assert.ErrorContains(t, err, "of another query")
	again := w.newClient()
	next, err := again.QueryTickets(context.Background(), ticket.Query{Limit: 1, Cursor: page.Cursor})
	require.NoError(t, err, "any process knows it")
	assert.Equal(t, hot, next.Items[0].Name)
	same, err := again.QueryTickets(context.Background(), ticket.Query{Limit: 1, Cursor: page.Cursor})
	require.NoError(t, err)
	assert.Equal(t, next, same, "again and again")
}

// Tickets come, go and change while the pages are read: none that stays is missed
// or listed twice, whether Jira or we hold the filter.
func TestPagesWhileTicketsChange(t *testing.T) {
	for _, text := range []string{"status[eq]To Do", "name[like]number"} {
		t.Run(text, func(t *testing.T) {
			w := newWorld(t)
			var made []sim.Issue
			for n := range 30 {
				i, err := w.sim.CreateAsOther("OPS", fmt.Sprintf("number %02d", n))
				require.NoError(t, err)
				made = append(made, i)
				w.clock.move(time.Minute)
			}
			q := ticket.Query{Limit: 4, Filters: []ticket.Filter{filter(t, text)}}
			seen := map[string]int{}
			for n := 0; ; n++ {
				page := w.query(q)
				assert.LessOrEqual(t, len(page.Items), 4)
				for _, item := range page.Items {
					seen[item.Name]++
				}
				if q.Cursor = page.Cursor; q.Cursor == "" {
					break
				}
				_, err := w.sim.CreateAsOther("OPS", fmt.Sprint("new number ", n))
				require.NoError(t, err)
				w.clock.move(time.Minute)
				require.NoError(t, w.sim.Delete(made[29-2*n].ID))
				require.NoError(t, w.sim.CommentByAgent(made[28-2*n].ID, "changed"))
			}
			for n, i := range made {
				assert.LessOrEqual(t, seen[i.Summary], 1)
				if n%2 == 0 || n < 10 {
					assert.Equal(t, 1, seen[i.Summary], "%s", i.Summary)
				}
			}
		})
	}
}

// What was left for the next page is held against the filter again.
func TestWhatIsLeftOverIsReadAsItIs(t *testing.T) {
	w, made := furnished(t)
	q := ticket.Query{Limit: 1, Filters: []ticket.Filter{filter(t, "name[like]disk")}, Orders: []ticket.Order{{Field: "created_at"}}}
	page := w.query(q)
	require.Len(t, page.Items, 1)
	name := "renamed"
	_, err := w.client.PatchTicket(context.Background(), made[hot].ID, ticket.Patch{Name: &name})
	require.NoError(t, err)
	q.Cursor = page.Cursor
	page = w.query(q)
	assert.Empty(t, page.Items)
	assert.Empty(t, page.Cursor)
}

// JQL knows minutes, in the zone of the account's profile, wherever that is.
func TestTimesInEveryZone(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Nowhere/Special"} {
		t.Run(name, func(t *testing.T) {
			zone, err := time.LoadLocation(name)
			if err != nil {
				zone = time.FixedZone(name, -11*3600)
			}
			w := newWorld(t, func(o *sim.Options, _ *Config) { o.Zone = zone })
			w.clock.at = time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC)   // the night that Berlin's clocks go back
			w.client.rest.HTTP = rest.WithoutRedirects(w.server.Client()) // others check what is sent
			for n := range 8 {
				w.clock.move(30*time.Minute + 333*time.Millisecond)
				w.create(newTicket(n))
			}
			for n, item := range w.query(ticket.Query{Orders: []ticket.Order{{Field: "created_at"}}}).Items {
				at := item.CreatedAt.Format(time.RFC3339Nano)
				for op, want := range map[string]int{"eq": 1, "gt": 7 - n, "gte": 8 - n, "lt": n, "lte": n + 1} {
					page := w.query(ticket.Query{Filters: []ticket.Filter{filter(t, "created_at["+op+"]"+at)}})
					assert.Len(t, page.Items, want, "%s %s", op, at)
				}
			}
		})
	}
}

func TestAnEmptyListIsNoAnonymousOne(t *testing.T) {
	w, _ := furnished(t)
	w.fail(sim.Fault{Kind: sim.Anonymous, Op: "search"})
	_, err := w.client.QueryTickets(context.Background(), ticket.Query{})
	assert.Equal(t, ticket.Credentials, kindOf(t, err))
}

// Jira may answer whom it does not know with empty lists, and say nothing of it.
func TestAnEmptyListIsTakenOnlyFromAJiraThatKnowsUs(t *testing.T) {
	for me, known := range map[string]bool{`{"accountId":"acc-bridge"}`: true, `{}`: false} {
		c := answering(t, func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/myself") {
				_, _ = io.WriteString(rw, me)
				return
			}
			_, _ = io.WriteString(rw, `{"issues":[],"isLast":true}`)
		})
		_, err := c.QueryTickets(t.Context(), ticket.Query{})
		assert.Equal(t, known, err == nil, "%v", err)
	}
}

func TestFaultsOfAQuery(t *testing.T) {
	w, _ := furnished(t)
	q := ticket.Query{Filters: []ticket.Filter{filter(t, "assignee[eq]mia@acme.example"), filter(t, "created_at[gt]2026-01-01")}}
	for kind, faults := range map[ticket.Kind][]sim.Fault{
		ticket.Retry:       {{Kind: sim.DropBefore}, {Kind: sim.HTML}, {Kind: sim.ErrorBefore}, {Kind: sim.ErrorBefore, Op: "search"}, {Kind: sim.DropAfter, Op: "myself"}},
		ticket.RateLimited: {{Kind: sim.TooMany, RetryAfter: 9}, {Kind: sim.TooMany, RetryAfter: 9, Op: "search"}},
		ticket.Credentials: {{Kind: sim.ErrorBefore, Status: 401, Op: "search"}, {Kind: sim.ErrorBefore, Status: 403, Op: "search"}},
		ticket.Permanent:   {{Kind: sim.ErrorBefore, Status: 410, Op: "search"}},
	} {
		for _, fault := range faults {
			w.fail(fault)
			w.client = w.newClient()
			_, err := w.client.QueryTickets(context.Background(), q)
			assert.Equal(t, kind, kindOf(t, err), "%+v: %v", fault, err)
		}
	}
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Times: 2}, sim.Fault{Kind: sim.DropAfter, Op: "search", Times: 1})
	w.client = w.newClient()
	assert.Equal(t, []string{full}, w.all(q), "a little trouble is got over")
}

// Jira's index has no stop words: who asks it for one finds nothing.
func TestTextsWithStopWordsAreFound(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Name = "Their disk: there again"
	made := w.create(n)
	for _, text := range []string{"name[eq]their disk: there again", "name[like]disk: there again", "name[like]ir disk: there ag"} {
		page, err := w.client.QueryTickets(t.Context(), ticket.Query{Filters: []ticket.Filter{filter(t, text)}})
		require.NoError(t, err)
		require.Len(t, page.Items, 1, text)
		assert.Equal(t, made.ID, page.Items[0].ID)
	}
}
