package servicenow

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// meaning is what a filter means, in plain words: the values that a record can be
// named by, those that it is ordered by, and the kind of these.
type meaning struct {
	named func(f map[string]string) []string
	shown func(f map[string]string) []string
	kind  string // text, time, number, rank
}

func plainFields(w *world) map[string]meaning {
	people := map[string][]string{
		sim.UserMia: {"mia@acme.example", "mia.krystof", "Mia Krystof", sim.UserMia}, sim.UserBridge: {"bridge@acme.example", "bridge", "Ticket Bridge", sim.UserBridge},
	}
	column := func(name string) func(map[string]string) []string {
		return func(f map[string]string) []string { return some(f[name]) }
	}
	label := func(name string, labels map[string]string) meaning {
		return meaning{shown: func(f map[string]string) []string { return some(cmp.Or(labels[f[name]], f[name])) }, named: func(f map[string]string) []string {
			return some(f[name], labels[f[name]])
		}}
	}
	same := func(name, kind string) meaning { return meaning{column(name), column(name), kind} }
	number := func(id string) string {
		for _, r := range w.sim.Tickets("incident") {
			if r.ID == id {
				return r.Fields["number"]
			}
		}
		return ""
	}
	return map[string]meaning{
		"name": same("short_description", ""), "description": same("description", ""), "created_at": same("sys_created_on", "time"),
		"updated_at": same("sys_updated_on", "time"), "due_date": same("due_date", "time"), "u_machines": same("u_machines", "number"), "u_site": same("u_site", "any"), "u_outage": same("u_outage", "any"),
		"status":     label("state", map[string]string{"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}),
		"issue_type": label("category", map[string]string{"network": "Network", "software": "Software", "hardware": "Hardware"}),
		"id":         {func(f map[string]string) []string { return []string{f["sys_id"], f["number"]} }, column("sys_id"), "id"},
		"key":        {func(f map[string]string) []string { return []string{f["sys_id"], f["number"]} }, column("number"), "id"},
		"parent": {func(f map[string]string) []string { return some(f["parent_incident"], number(f["parent_incident"])) }, func(f map[string]string) []string {
			return some(number(f["parent_incident"]))
		}, "id"},
		"assignee": {func(f map[string]string) []string { return people[f["assigned_to"]] }, func(f map[string]string) []string {
			return people[f["assigned_to"]][:min(1, len(people[f["assigned_to"]]))]
		}, "person"},
		"priority": {column("priority"), column("priority"), "rank"},
		"completion_date": {func(f map[string]string) []string {
			if !slices.Contains([]string{"6", "7", "8"}, f["state"]) {
				return nil
			}
			return some(f["resolved_at"], f["closed_at"])[:min(1, len(some(f["resolved_at"], f["closed_at"])))]
		}, nil, "time"},
	}
}

// holds says, one operator after the other, whether a filter holds.
func (p meaning) holds(f ticket.Filter, record map[string]string) bool {
	switch f.Op {
	case ticket.NotEqual:
		return !p.holds(ticket.Filter{Op: ticket.Equal, Values: f.Values}, record)
	case ticket.NotIn:
		return !p.holds(ticket.Filter{Op: ticket.In, Values: f.Values}, record)
	case ticket.NotLike:
		return !p.holds(ticket.Filter{Op: ticket.Like, Values: f.Values}, record)
	case ticket.Equal, ticket.In:
		for _, want := range f.Values {
			have := p.named(record)
			if want == "" && len(have) == 0 {
				return true
			}
			for _, h := range have {
				if n, ok := p.compare(h, want); ok && n == 0 {
					return true
				}
			}
		}
		return false
	case ticket.Like:
		have := p.shown
		if p.kind == "person" || have == nil {
			have = p.named
		}
		for _, h := range have(record) {
			if p.kind == "time" {
				h = strings.Replace(h, " ", "T", 1) + "Z"
			}
			if p.kind == "rank" {
				h = map[string]string{"1": "1 - Critical", "2": "2 - High", "3": "3 - Moderate", "4": "4 - Low", "5": "5 - Planning"}[h]
			}
			if wild(strings.ToLower(h), strings.ToLower(f.Values[0])) && !isID(h) {
				return true
			}
		}
		return false
	}
	have := p.shown
	if have == nil {
		have = p.named
	}
	for _, h := range have(record) {
		n, ok := p.compare(h, f.Values[0])
		if ok && f.Values[0] != "" && (f.Op == ticket.Greater && n > 0 || f.Op == ticket.GreaterOrEqual && n >= 0 || f.Op == ticket.Less && n < 0 || f.Op == ticket.LessOrEqual && n <= 0) {
			return true
		}
	}
	return false
}

// wild: the text has the pattern somewhere in it, its stars anything.
func wild(text, pattern string) bool {
	head, rest, more := strings.Cut(pattern, "*")
	if !more {
		return strings.Contains(text, head)
	}
	for i := 0; i+len(head) <= len(text); i++ {
		if text[i:i+len(head)] == head && wild(text[i+len(head):], rest) {
			return true
		}
	}
	return false
}

func (p meaning) compare(have, want string) (int, bool) {
	ranks := map[string]string{"CRITICAL": "1", "URGENT": "1", "HIGH": "2", "MEDIUM": "3", "MODERATE": "3", "LOW": "4", "PLANNING": "5", "3 - MODERATE": "3"}
	x, err := strconv.ParseFloat(have, 64)
	y, err2 := strconv.ParseFloat(want, 64)
	switch p.kind {
	case "time":
		at, err := time.Parse("2006-01-02 15:04:05", have)
		if day, err2 := time.Parse("2006-01-02", want); err == nil && err2 == nil {
			return at.Truncate(24 * time.Hour).Compare(day), true
		}
		to, err2 := time.Parse(time.RFC3339, want)
		return at.Compare(to), err == nil && err2 == nil
	case "rank":
		if rank, ok := ranks[strings.ToUpper(want)]; ok {
			want = rank
		}
		return strings.Compare(want, have), true
	case "number":
		if err == nil && err2 == nil {
			return int(x - y), true
		}
	case "id":
		if strings.EqualFold(have, want) {
			return 0, true
		}
	}
	return strings.Compare(strings.ToLower(have), strings.ToLower(want)), true
}

func someFilter(r *rand.Rand, names []string, pools map[string][]string) ticket.Filter {
	f := ticket.Filter{Field: names[r.IntN(len(names))], Op: ticket.Operators()[r.IntN(len(ticket.Operators()))]}
	pool := pools[f.Field]
	f.Values = []string{pool[r.IntN(len(pool))]}
	if f.Op == ticket.In || f.Op == ticket.NotIn {
		for r.IntN(2) == 0 {
			f.Values = append(f.Values, pool[r.IntN(len(pool))])
		}
		return f
	}
	for f.Values[0] == "" && !names2(f.Op) {
		f.Values = []string{pool[r.IntN(len(pool))]}
	}
	return f
}

func names2(op ticket.Operator) bool { return op == ticket.Equal || op == ticket.NotEqual }

// Whatever the filter, and however the instance reads it, what is answered is what
// the filter says in plain words.
func TestFiltersMeanWhatTheySay(t *testing.T) {
	pools := map[string][]string{
		"name":        {"disk full", "Disk FULL", "disk", "*full", "d*k", "a^b", "50%", "", `back\slash`, "[FIRING:1] x", "=odd", "javascript:x", "münchen", "x_y", "a,b"},
		"description": {"text", "", "more text", "TEXT"}, "created_at": {"2026-03-04T12:05:00Z", "2026-03-04", "2026-03-04T12:05:00+01:00", "2026-03-05", ""},
		"updated_at": {"2026-03-04T12:10:00Z", "2026-03-04"}, "due_date": {"2026-03-10", "2026-03-10T00:00:00Z", "", "2026-04-01"}, "completion_date": {"2026-03-04T12:20:00Z", "2026-03-04", ""},
		"u_machines": {"5", "7", "5.0", "", "40", "-3"}, "u_site": {"berlin", "Berlin", "", "lon*", "b"}, "u_outage": {"true", "false", "", "TRUE"},
		"status": {"New", "new", "6", "In Progress", "Moon", "Resolved", ""}, "issue_type": {"Network", "software", "Poem", "", "x"}, "assignee": {"mia@acme.example", "Mia Krystof", "BRIDGE", "", "kry*f", sim.UserMia, "nobody"},
		"id": {"OPS0010003", strings.Repeat("f", 32), "x", ""}, "key": {"OPS0010002", "ops0010004", "OPS*3", "x"}, "parent": {"OPS0010001", "", "x"}, "priority": {"1", "HIGH", "low", "moderate", "2"},
	}
	for name, reading := range map[string]sim.Reading{
		"as documented": {}, "letters alike": {IgnoreCase: true}, "another zone": {Zone: time.FixedZone("", 9*3600), IgnoreCase: true}, "empty is null": {EmptyIsNull: true, EmptyLast: true, IgnoreCase: true},
		"a zone behind": {Zone: time.FixedZone("", -11*3600), EmptyIsNull: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *sim.Options, c *Config) { o.Reading, c.DefaultProject = reading, "u_ops_incident" })
			r := rand.New(rand.NewPCG(3, 4))
			pick := func(values ...string) string { return values[r.IntN(len(values))] }
			for n := range 24 {
				w.sim.Add("u_ops_incident", map[string]string{
					"number": fmt.Sprintf("OPS%07d", 10001+n), "short_description": pick(pools["name"]...), "description": pick(pools["description"]...), "due_date": pick("", "2026-03-10 00:00:00", "2026-03-10 12:00:00", "2026-04-01 00:00:00"),
					"u_machines": pick("", "5", "7", "40", "-3"), "u_site": pick("", "berlin", "Berlin", "london"), "u_outage": pick("", "true", "false"), "state": pick("1", "2", "6", "7"), "category": pick("", "network", "software", "x"),
					"assigned_to": pick("", sim.UserMia, sim.UserBridge), "priority": pick("", "1", "2", "3", "4"), "resolved_at": pick("", "2026-03-04 12:20:00", "2026-03-04 12:00:00"), "closed_at": pick("", "2026-03-04 12:30:00"),
					"opened_by": sim.UserBridge, "sys_updated_on": pick("2026-03-04 12:10:00", "2026-03-05 00:00:00"), "sys_class_name": "u_ops_incident",
				})
				w.clock.move(time.Minute)
			}
			records := w.sim.Tickets("u_ops_incident")
			for i, r := range records[1:9] {
				assert.NoError(t, w.sim.Put(r.ID, map[string]string{"parent_incident": records[i%2].ID}))
			}
			records = w.sim.Tickets("u_ops_incident")
			fields := plainFields(w)
			var all []string
			for field := range fields {
				all = append(all, field)
			}
			slices.Sort(all)
			for range 40 {
				q := ticket.Query{Filters: []ticket.Filter{someFilter(r, all, pools)}, Limit: 11}
				if r.IntN(3) == 0 {
					q.Filters = append(q.Filters, someFilter(r, all, pools))
				}
				want := []string{}
				for _, record := range records {
					if !slices.ContainsFunc(q.Filters, func(f ticket.Filter) bool { return !fields[f.Field].holds(f, record.Fields) }) {
						want = append(want, record.ID)
					}
				}
				got := []string{}
				for page := (ticket.Page[ticket.Ticket]{Cursor: "x"}); page.Cursor != ""; q.Cursor = page.Cursor {
					page = w.query(q)
					for _, m := range page.Items {
						got = append(got, m.ID)
					}
				}
				assert.ElementsMatch(t, want, got, "%+v", q.Filters)
			}
		})
	}
}
