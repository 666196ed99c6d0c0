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

// crowd are n records, two a minute, whose priority, date and name are of few values.
func (w *world) crowd(n int) []string {
	w.t.Helper()
	var ids []string
	for i := range n {
		ids = append(ids, w.someone(i))
		if i%2 == 1 {
			w.clock.move(time.Minute)
		}
	}
	return ids
}

func (w *world) someone(i int) string {
	f := map[string]string{
		"number": fmt.Sprintf("INC%07d", 20000+i), "short_description": fmt.Sprintf("name %d", i%3), "priority": []string{"", "1", "3", "4"}[i%4], "state": "1",
		"due_date": []string{"", "2026-03-10 00:00:00", "2026-03-11 00:00:00"}[i%3], "opened_by": sim.UserBridge, "correlation_id": "x",
	}
	return w.sim.Add("incident", f)
}

// Records come, go and change while pages are read: none that stays as it is is
// missed or listed twice.
func TestPagesWhileRecordsChange(t *testing.T) {
	for _, by := range []string{"", "created_at", "updated_at", "id", "priority,created_at", "priority[desc]", "due_date", "status,id", "name", "name[desc],priority", "key", "assignee"} {
		for name, reading := range map[string]sim.Reading{"as documented": {}, "another zone": {Zone: time.FixedZone("", 9*3600)}, "empty ones last, uncounted": {EmptyLast: true, NoCount: true}} {
			if name != "as documented" && !slices.Contains([]string{"created_at", "due_date", "name"}, by) {
				continue
			}
			t.Run(by+" "+name, func(t *testing.T) {
				w := newWorld(t, func(o *sim.Options, _ *Config) { o.Reading = reading })
				ids := w.crowd(50)
				q := ticket.Query{Limit: 7}
				if by != "" {
					q.Orders = orders(t, strings.Split(by, ",")...)
				}
				seen, changed := map[string]int{}, map[string]bool{}
				for n := 0; ; n++ {
					require.Less(t, n, 100, "the pages have no end")
					page := w.query(q)
					assert.LessOrEqual(t, len(page.Items), 7)
					for _, item := range page.Items {
						seen[item.ID]++
					}
					if q.Cursor = page.Cursor; q.Cursor == "" {
						break
					}
					w.someone(1000 + n)
					w.someone(2000 + n)
					if gone := (n * 37) % 50; n < 8 && !changed[ids[gone]] {
						changed[ids[gone]] = true
						require.NoError(t, w.sim.Delete(ids[gone]))
					}
					if moved := (n*33 + 11) % 50; n < 8 && !changed[ids[moved]] {
						changed[ids[moved]] = true
						require.NoError(t, w.sim.Put(ids[moved], map[string]string{
							"short_description": "zz moved", "priority": "5", "sys_updated_on": "2027-01-01 00:00:00", "due_date": "", "state": "2", "assigned_to": sim.UserMia, "number": "INC0099999",
						}))
					}
				}
				require.Greater(t, len(changed), 10)
				for i, id := range ids {
					if !changed[id] {
						assert.Equal(t, 1, seen[id], "record %d", i)
					}
				}
			})
		}
	}
}

// Trap 7: the limit counts records that the account may not see.
func TestAnEmptyPageIsNotTheEnd(t *testing.T) {
	for _, by := range []string{"created_at", "name"} {
		w := newWorld(t)
		ids := w.crowd(260)
		for _, id := range ids[5:250] {
			require.NoError(t, w.sim.Hide(id, true))
		}
		assert.Len(t, w.all(ticket.Query{Orders: orders(t, by), Limit: 3}), 15, by)
		assert.Len(t, w.all(ticket.Query{Orders: orders(t, by)}), 15, by)
	}
	w := newWorld(t)
	w.crowd(3)
	w.sim.HideRows("incident")
	_, err := w.client.QueryTickets(context.Background(), ticket.Query{})
	assert.ErrorContains(t, err, "sees no record", "nothing is not answered to whom nothing is shown")
}

// One call looks at so many rows; the cursor goes on.
func TestACallIsBounded(t *testing.T) {
	w := newWorld(t)
	w.crowd(1050)
	for _, by := range []string{"created_at", "name"} {
		q := ticket.Query{Filters: []ticket.Filter{filter(t, "name[not_like]name")}, Orders: orders(t, by)}
		w.query(q)
		before := len(w.seen.all())
		page := w.query(q)
		assert.Empty(t, page.Items)
		assert.NotEmpty(t, page.Cursor, by)
		assert.LessOrEqual(t, len(w.seen.all())-before, maxWindows)
		q.Cursor = page.Cursor
		page = w.query(q)
		assert.Empty(t, page.Items)
		assert.Empty(t, page.Cursor, by)
	}
}

// Whole questions are asked in small windows, and nothing is asked twice.
func TestTheInstanceIsAskedForWhatFits(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.Reading.IgnoreCase = true })
	w.crowd(50)
	for text, want := range map[string]string{
		"status[ne]Resolved": "state!=6^ORstateISEMPTY", "priority[gte]HIGH": "priority<=2", "name[like]name*1": "short_descriptionLIKEname^short_descriptionLIKE1",
		"created_at[gte]2026-03-04T12:30:00Z": "sys_created_on>=2026-03-04 12:30:00", "assignee[eq]mia.krystof": "assigned_to.email=mia.krystof^ORassigned_to.user_name=mia.krystof^ORassigned_toLIKEmia.krystof^ORassigned_to=mia.krystof",
		`due_date[eq]""`: "due_dateISEMPTY", "status[in]New,Closed": "stateIN1,7", "name[eq]a^b": "short_description=a^^b", "project[in]incident,u_ops_incident": "",
	} {
		q := ticket.Query{Filters: []ticket.Filter{filter(t, text)}, Limit: 2}
		w.query(q)
		got := w.seen.last("GET").query["sysparm_query"][0]
		got, _, _ = strings.Cut(got, "ORDERBY")
		assert.Equal(t, want, strings.TrimSuffix(got, "^"), text)
		if want != "" {
			assert.Equal(t, []string{"20"}, w.seen.last("GET").query["sysparm_limit"])
		}
	}
	for _, text := range []string{`name[eq]"javascript:gs.getUserID()"`, "name[eq]münchen", `name[like]"a\b"`, `name[eq]"=x"`} {
		w.query(ticket.Query{Filters: []ticket.Filter{filter(t, text)}})
		assert.Equal(t, []string{"ORDERBYDESCsys_created_on^ORDERBYsys_id"}, w.seen.last("GET").query["sysparm_query"], text)
	}
}

// Trap 4: what the instance ignores is noticed.
func TestWhatIsIgnoredIsNoticed(t *testing.T) {
	w, _ := furnished(t)
	own := filter(t, "project=u_ops_incident")
	site := filter(t, "u_site[eq]Berlin")
	assert.Len(t, w.all(ticket.Query{Filters: []ticket.Filter{own, site}}), 1)
	w.sim.RemoveColumn("u_ops_incident", "u_site")
	for name, q := range map[string]ticket.Query{"a filter": {Filters: []ticket.Filter{own, site}}, "an order": {Filters: []ticket.Filter{own}, Orders: orders(t, "u_site")}} {
		_, err := w.client.QueryTickets(context.Background(), q)
		require.Error(t, err, name)
		assert.Equal(t, ticket.Permanent, kindOf(t, err), name)
		assert.ErrorContains(t, err, "may not read u_site", name)
	}
	assert.Equal(t, []string{hot, full, first}, w.all(ticket.Query{Filters: []ticket.Filter{filter(t, "key[like]INC"), filter(t, "status=New")}}))
	w.sim.RemoveColumn("task", "due_date")
	_, err := w.client.QueryTickets(context.Background(), ticket.Query{Orders: orders(t, "due_date")})
	assert.ErrorContains(t, err, "may not read due_date")
}

// Without choices, dictionary and list of tables filters mean the same.
func TestFiltersOfAnAccountThatMayReadLittle(t *testing.T) {
	for name, blind := range map[string]func(*sim.Simulator, string){"refused": (*sim.Simulator).Deny, "answered with nothing": (*sim.Simulator).HideRows} {
		w, made := furnished(t)
		for _, table := range []string{"sys_dictionary", "sys_choice", "sys_db_object", "sys_user"} {
			blind(w.sim, table)
		}
		w.client = w.newClient()
		for text, want := range map[string][]string{
			"status[eq]Resolved": {well}, "status[eq]6": {well}, "status[ne]new": {ours2, well}, "priority[gt]HIGH": {full}, "issue_type[eq]network": {first},
			"source[eq]phone": {full}, "project[eq]u_ops_incident": {ours2, ours}, "key[eq]" + made[hot].Key: {hot}, "tags[eq]asset:1": {full},
		} {
			assert.Equal(t, want, w.all(ticket.Query{Filters: []ticket.Filter{filter(t, text)}, Limit: 2}), "%s: %s", name, text)
		}
	}
}

func TestFaultsOfAQuery(t *testing.T) {
	w, _ := furnished(t)
	q := ticket.Query{Filters: []ticket.Filter{filter(t, "created_at[gt]2026-01-01"), filter(t, "status=New")}}
	for kind, faults := range map[ticket.Kind][]sim.Fault{
		ticket.Retry:       {{Kind: sim.DropBefore}, {Kind: sim.HTML}, {Kind: sim.ErrorBefore, Op: "list"}, {Kind: sim.Poisoned, Op: "list"}, {Kind: sim.Queued}, {Kind: sim.Hibernating}},
		ticket.RateLimited: {{Kind: sim.TooMany, RetryAfter: 9}, {Kind: sim.TooMany, RetryAfter: 9, Op: "list"}},
		ticket.Credentials: {{Kind: sim.ErrorBefore, Status: 401}, {Kind: sim.ErrorBefore, Status: 403, Op: "list"}},
	} {
		for _, fault := range faults {
			w.fail(fault)
			_, err := w.newClient().QueryTickets(context.Background(), q)
			assert.Equal(t, kind, kindOf(t, err), "%+v: %v", fault, err)
		}
	}
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Times: 2}, sim.Fault{Kind: sim.DropAfter, Op: "list", Times: 1})
	w.client = w.newClient()
	assert.Equal(t, []string{ours, hot, full, first}, w.all(q), "a little trouble is got over")
}

// A page that is cut short by trouble is answered, with the place to go on.
func TestTroubleInTheMiddleKeepsWhatWasRead(t *testing.T) {
	w := newWorld(t)
	w.crowd(250)
	w.query(ticket.Query{})
	var got []string
	q := ticket.Query{Limit: 1000}
	w.client.sleep = func(context.Context, time.Duration) bool { return false }
	for range 100 {
		w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "list", Probability: 0.5})
		page, err := w.client.QueryTickets(context.Background(), q)
		if err != nil {
			continue
		}
		for _, item := range page.Items {
			got = append(got, item.ID)
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	assert.Len(t, got, 250)
	slices.Sort(got)
	assert.Len(t, slices.Compact(got), 250)
}
