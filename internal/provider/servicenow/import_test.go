package servicenow

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const stagingTable = "u_ticketbridge_import"

// columnsStaged are what the staging tables of these tests have.
func columnsStaged() []string { return []string{"u_correlation_id", "u_title", "description"} }

// coalescing is a staging table as it should be.
func coalescing(target string) sim.Staging {
	return sim.Staging{
		Name: stagingTable, Target: target, Coalesce: "correlation_id",
		Map: map[string]string{"u_correlation_id": "correlation_id", "u_title": "short_description", "description": "description"},
	}
}

// newImporter is a world whose tickets are made through a staging table.
func newImporter(t *testing.T, change func(*sim.Staging), more ...func(*sim.Options, *Config)) *world {
	w := newWorld(t, append(more, func(_ *sim.Options, c *Config) {
		c.Import = Import{Table: stagingTable, Fields: map[string]string{"correlation_id": "u_correlation_id", "short_description": "u_title"}}
	})...)
	table := w.config.DefaultProject
	if table == "" {
		table = w.config.Application.table
	}
	staging := coalescing(table)
	if change != nil {
		change(&staging)
	}
	w.sim.AddStaging(staging, columnsStaged()...)
	return w
}

// own are a record's columns without what tells two records apart in any case.
func own(r sim.Record) map[string]string {
	out := map[string]string{}
	for name, value := range r.Fields {
		if !strings.HasPrefix(name, "sys_") && value != "" {
			out[name] = value
		}
	}
	return out
}

func fullTicket() ticket.New {
	n := newTicket(1)
	n.Description = strings.Repeat("größer ", 700) + "end"
	n.Priority, n.Assignee, n.IssueType, n.Status = ticket.High, "mia@acme.example", "Network", "in_progress"
	n.DueDate = time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC)
	return n
}

// However little the staging table carries, the record is the one that the Table
// API would have made.
func TestATicketThroughAStagingTableIsWhole(t *testing.T) {
	everything := append(columnsStaged(), "impact", "urgency", "category", "assigned_to", "due_date", "state")
	for name, change := range map[string]func(*sim.Options, *Config){
		"incidents": func(*sim.Options, *Config) {}, "security incidents": security,
		"a table of its own": func(_ *sim.Options, c *Config) { c.DefaultProject = "u_ops_incident" },
	} {
		for _, carried := range [][]string{columnsStaged(), everything} {
			t.Run(name, func(t *testing.T) {
				direct, w := newWorld(t, change), newImporter(t, nil, change)
				staging := coalescing(w.tableOf())
				for _, column := range carried {
					if _, known := staging.Map[column]; !known {
						staging.Map[column] = column
					}
				}
				w.sim.AddStaging(staging, carried...)
				n := fullTicket()
				if name != "incidents" {
					n.IssueType = ""
				}
				want, made := direct.create(n), w.create(n)
				assert.Equal(t, own(direct.stored(want.ID)), own(w.stored(made.ID)))
				assert.Equal(t, want.Description, made.Description)
				assert.Equal(t, want.Warnings(), made.Warnings())
				assert.Equal(t, []string{want.Key, want.Status, want.Assignee}, []string{made.Key, made.Status, made.Assignee})
				assert.True(t, made.MadeBy(n.Marker.Operation))
				journal := w.sim.Journal(made.ID)
				require.Len(t, journal, 1, "the whole text, once")
				assert.Equal(t, "comments", journal[0].Element)
				assert.True(t, strings.HasPrefix(journal[0].Value, n.Description))
				assert.Zero(t, w.sim.Stats().Requests["create"])
				row := w.seen.rows()[0]
				assert.Equal(t, n.Name, row["u_title"])
				assert.Contains(t, row["description"], "größer größer")
			})
		}
	}
}

func (w *world) tableOf() string {
	if w.config.DefaultProject != "" {
		return w.config.DefaultProject
	}
	return w.config.Application.table
}

// rows are what was sent to staging tables.
func (s *seen) rows() []map[string]any {
	var out []map[string]any
	for _, r := range s.all() {
		if strings.Contains(r.path, "/import/") {
			out = append(out, r.body)
		}
	}
	return out
}

// Layer 3, whatever becomes of which answer: one record, whole, with one comment.
func TestALostAnswerOfAStagingTableNeverMakesASecondRecord(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"5xx after the commit":    {Kind: sim.ErrorAfter},
		"cut after the commit":    {Kind: sim.DropAfter},
		"cut before the commit":   {Kind: sim.DropBefore},
		"committed a minute late": {Kind: sim.DropLate, Delay: 60_000},
		"result with an error":    {Kind: sim.Poisoned},
		"broken JSON":             {Kind: sim.Broken},
		"a page with 201":         {Kind: sim.HTML},
		"dropped with 202":        {Kind: sim.Queued},
		"503 before":              {Kind: sim.ErrorBefore},
		"429":                     {Kind: sim.TooMany, RetryAfter: 3},
		"hibernating":             {Kind: sim.Hibernating},
	} {
		// The row, the look after it, the comment with the whole text, the PATCH.
		for _, op := range []string{"import", "list", "comment", "patch"} {
			t.Run(op+"/"+name, func(t *testing.T) {
				w := newImporter(t, nil)
				fault.Op, fault.Times = op, 2
				w.fail(fault)
				n := fullTicket()
				made := w.deliver(n)
				w.clock.move(10 * time.Minute)
				require.Len(t, w.tickets(), 1)
				r := w.stored(made.ID)
				assert.Equal(t, []string{"ticketbridge", "network", sim.UserMia}, []string{r.Fields["correlation_display"], r.Fields["category"], r.Fields["assigned_to"]})
				assert.Len(t, []rune(r.Fields["description"]), 4000)
				assert.Len(t, w.sim.Journal(made.ID), 1)
			})
		}
	}
}

// The look of layer 1 comes before each row; a repeated create is the same record,
// and undoes nothing of what an agent did to it meanwhile.
func TestARowIsSentOnlyAfterALook(t *testing.T) {
	w := newImporter(t, nil)
	n := fullTicket()
	made := w.create(n)
	require.NoError(t, w.sim.SetByAgent(made.ID, map[string]string{"category": "database", "short_description": "better"}))
	again := w.create(n)
	assert.Equal(t, made.ID, again.ID)
	assert.Equal(t, "better", w.stored(made.ID).Fields["short_description"])
	assert.Equal(t, 1, w.sim.Stats().Requests["import"])
	found, ok, err := w.client.RecoverTicket(context.Background(), n, ticket.Attempt{})
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, made.ID, found.ID)
	assert.Equal(t, "database", w.stored(made.ID).Fields["category"])
	_, ok, err = w.client.RecoverTicket(context.Background(), newTicket(7), ticket.Attempt{})
	require.NoError(t, err)
	assert.False(t, ok)
}

// between lets something happen after a client looked and before its row arrives, or
// right after the row.
type between struct {
	http.RoundTripper
	before, after func()
}

func (b *between) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/import/") {
		return b.RoundTripper.RoundTrip(r)
	}
	if before := b.before; before != nil {
		b.before = nil
		before()
	}
	response, err := b.RoundTripper.RoundTrip(r)
	if b.after != nil {
		b.after()
	}
	return response, err
}

func (w *world) newClientBetween(before, after func()) *Client {
	c := w.newClient()
	c.rest.HTTP.Transport = &between{c.rest.HTTP.Transport, before, after}
	return c
}

// race makes a ticket with two clients, the second one between the look and the row
// of the first; it answers what each got.
func (w *world) race(n ticket.New) (first, second ticket.Ticket, firstErr, secondErr error) {
	ctx := context.Background()
	two := w.newClient()
	one := w.newClientBetween(func() { second, secondErr = two.CreateTicket(ctx, n) }, nil)
	first, firstErr = one.CreateTicket(ctx, n)
	return first, second, firstErr, secondErr
}

// Two creators of one ticket: the rows are transformed one after the other, and the
// second one finds the record of the first.
func TestTwoCreatorsThroughAStagingTable(t *testing.T) {
	w := newImporter(t, nil)
	n := newTicket(1)
	first, second, err, other := w.race(n)
	require.NoError(t, err)
	require.NoError(t, other)
	assert.Equal(t, 2, w.sim.Stats().Requests["import"], "both sent their row")
	assert.Equal(t, first.ID, second.ID)
	assert.Len(t, w.tickets(), 1)
}

// Without coalesce the same makes two records. That is seen at once, told with what
// to do, and no more is made until it was done.
func TestAStagingTableThatDoesNotCoalesceIsRefused(t *testing.T) {
	w := newImporter(t, func(s *sim.Staging) { s.Coalesce = "" })
	n := newTicket(1)
	one := w.newClientBetween(func() {
		_, err := w.newClient().CreateTicket(context.Background(), n)
		assert.NoError(t, err, "its record is the only one as yet")
	}, nil)
	w.client = one
	_, err := one.CreateTicket(context.Background(), n)
	require.Equal(t, ticket.Permanent, kindOf(t, err), "%v", err)
	assert.ErrorContains(t, err, "more than one record of this ticket (INC0010001, INC0010002)")
	assert.ErrorContains(t, err, "map u_correlation_id to correlation_id with coalesce switched on")
	require.Len(t, w.tickets(), 2)

	_, err = one.CreateTicket(context.Background(), newTicket(2))
	assert.Equal(t, ticket.Credentials, kindOf(t, err), "it heals when the map is mended")
	assert.ErrorContains(t, err, "coalesce")
	assert.Positive(t, retryAfter(t, err))
	assert.Len(t, w.tickets(), 2)

	w.sim.AddStaging(coalescing("incident"), columnsStaged()...)
	kept, err := one.CreateTicket(context.Background(), n)
	require.NoError(t, err)
	assert.Equal(t, "INC0010001", kept.Key, "the older one; nothing is deleted")
	assert.Equal(t, []string{"INC0010002"}, kept.Unmapped["duplicates"])
	w.clock.move(markless)
	w.create(newTicket(2))
	w.create(newTicket(3))
	assert.Len(t, w.tickets(), 4)
}

// Nor is it trusted where the other record comes later, or where it cannot be seen
// whether there is one: that is looked at again, after the settling time.
func TestARowIsProvedBeforeItIsTrusted(t *testing.T) {
	w := newImporter(t, nil)
	n := newTicket(1)
	late := func() {
		w.sim.Add("incident", map[string]string{"number": "INC0099999", "short_description": "x", "state": "1", "correlation_id": correlationOf(n.Marker)})
	}
	_, err := w.newClientBetween(nil, late).CreateTicket(context.Background(), n)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "INC0010001, INC0099999")

	down := func() { w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "list"}) }
	_, err = w.newClientBetween(nil, down).CreateTicket(context.Background(), newTicket(2))
	assert.Equal(t, ticket.OutcomeUnknown, kindOf(t, err), "%v", err)
	w.fail()
	found, ok, err := w.client.RecoverTicket(context.Background(), newTicket(2), ticket.Attempt{})
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, "ticketbridge", w.stored(found.ID).Fields["correlation_display"])
	assert.Len(t, w.tickets(), 3)
}

// Layer 4 behind it: an index on correlation_id makes up for a map without coalesce.
func TestAnIndexMakesUpForAMissingCoalesce(t *testing.T) {
	w := newImporter(t, func(s *sim.Staging) { s.Coalesce = "" }, func(o *sim.Options, _ *Config) { o.UniqueCorrelation = true })
	first, second, err, other := w.race(newTicket(1))
	require.NoError(t, err)
	require.NoError(t, other)
	assert.Equal(t, first.ID, second.ID)
	assert.Len(t, w.tickets(), 1)
}

// What does not hold our correlation_id could not be found again: it is no ticket.
func TestARecordWithoutOurMarkIsNoTicket(t *testing.T) {
	for name, change := range map[string]func(*sim.Staging){
		"not mapped": func(s *sim.Staging) { delete(s.Map, "u_correlation_id"); s.Coalesce = "short_description" },
		"too narrow": func(s *sim.Staging) {
			s.Columns = []sim.Column{{Name: "u_correlation_id", Label: "x", Type: "string", MaxLength: 40}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newImporter(t, nil)
			staging := coalescing("incident")
			change(&staging)
			columns := columnsStaged()
			w.sim.AddStaging(staging, columns[len(staging.Columns):]...)
			_, err := w.client.CreateTicket(context.Background(), newTicket(1))
			require.Equal(t, ticket.Permanent, kindOf(t, err), "%v", err)
			assert.ErrorContains(t, err, "answered INC0010001, which does not hold our correlation_id")
			assert.ErrorContains(t, err, "both columns must hold 100 characters")
			for range 3 {
				_, err = w.client.CreateTicket(context.Background(), newTicket(2))
				assert.Equal(t, ticket.Credentials, kindOf(t, err))
			}
			assert.Len(t, w.tickets(), 1, "no more of that kind")
			w.sim.AddStaging(coalescing("incident"), columns...)
			w.clock.move(markless)
			w.create(newTicket(2))
			assert.Len(t, w.tickets(), 2)
		})
	}
	w := newImporter(t, nil)
	w.create(newTicket(1))
	w.sim.Restrict("task", "correlation_id", false, true)
	w.clock.move(time.Hour)
	_, err := w.newClient().CreateTicket(context.Background(), newTicket(2))
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.Len(t, w.tickets(), 1, "an account that could prove nothing sends nothing")
}

// A record that is there keeps its ticket, whatever the last PATCH says; a right is
// waited for.
func TestWhatTheTableRefusesAfterTheRow(t *testing.T) {
	w := newImporter(t, nil)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "patch", Status: 403, Message: "Data Policy Exception: Caller is mandatory"})
	made := w.create(newTicket(1))
	assert.Contains(t, strings.Join(made.Warnings(), "\n"), "Caller is mandatory")

	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "patch", Status: 403, Message: "User Not Authorized"})
	n := fullTicket()
	n.Marker = newTicket(2).Marker
	_, err := w.client.CreateTicket(context.Background(), n)
	require.Equal(t, ticket.OutcomeUnknown, kindOf(t, err), "there is a record")
	_, _, err = w.client.RecoverTicket(context.Background(), n, ticket.Attempt{})
	assert.Equal(t, ticket.Credentials, kindOf(t, err))
	assert.ErrorContains(t, err, "give it a role that may")
	w.fail()
	found, ok, err := w.client.RecoverTicket(context.Background(), n, ticket.Attempt{})
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, "network", w.stored(found.ID).Fields["category"])
	assert.Len(t, w.sim.Journal(found.ID), 1)
	assert.Len(t, w.tickets(), 2)
}

func TestWhatAStagingTableCannotMake(t *testing.T) {
	w := newImporter(t, nil)
	n := newTicket(1)
	n.Project = "u_ops_incident"
	_, err := w.client.CreateTicket(context.Background(), n)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "makes them in incident only")
	n = newTicket(1)
	n.Marker.Operation = ""
	_, err = w.client.CreateTicket(context.Background(), n)
	assert.ErrorContains(t, err, "nothing to coalesce on")
	w.config.Import.Table = "u_nothing"
	_, err = w.newClient().CreateTicket(context.Background(), newTicket(1))
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "Table u_nothing does not exist, or is closed to web services (import_table of integration snow-ops)")
	w.sim.Deny(stagingTable)
	_, err = w.client.CreateTicket(context.Background(), newTicket(1))
	assert.Equal(t, ticket.Credentials, kindOf(t, err))
	assert.Empty(t, w.tickets())

	// A map with another target: the ticket is where it was made, and that is told.
	w = newImporter(t, func(s *sim.Staging) { s.Target = "incident" }, func(_ *sim.Options, c *Config) { c.DefaultProject = "u_ops_incident" })
	made := w.create(newTicket(1))
	assert.Equal(t, "incident", made.Project)
	assert.True(t, slices.ContainsFunc(made.Warnings(), func(s string) bool { return strings.HasPrefix(s, "project: ") }))
}
