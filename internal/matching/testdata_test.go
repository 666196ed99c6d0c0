package matching

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

func id(n int64) *int64 { return &n }

func text(s string) *string { return &s }

// office is a small catalog: two services, three CIs, a few people.
func office() catalog.Catalog {
	return catalog.Catalog{
		Account:     "acme",
		CurrentUser: &catalog.Person{ID: 1, Email: "robot@acme.example", Account: "acme"},
		People: []catalog.Person{
			{ID: 1, Email: "robot@acme.example", Account: "acme"},
			{ID: 2, Email: "ann@acme.example", Account: "acme", Teams: []int64{22, 21}},
			{ID: 3, Email: "bob@acme.example", Account: "acme"},
			{ID: 4, Email: "guest@branch.example", Account: "branch"},
			{ID: 5, Email: "manager@acme.example", Account: "acme", Teams: []int64{23}},
		},
		Teams: []catalog.Team{
			{ID: 20, Name: "Desk"}, {ID: 21, Name: "Linux"}, {ID: 22, Name: "Network"},
			{ID: 23, Name: "Change"}, {ID: 24, Name: "Branch Desk"},
		},
		ServiceInstances: []catalog.ServiceInstance{
			{ID: 30, Name: "Mail", FirstLineTeam: id(22), SupportTeam: id(21)},
			{ID: 31, Name: "Web", SupportTeam: id(21)},
			{ID: 32, Name: "Bare"},
		},
		CIs: []catalog.CI{
			{ID: 50, Label: "mx-1", Name: "Server", Source: text("Scan"), SourceID: text("a1"), ServiceInstances: []int64{30, 31}},
			{ID: 51, Label: "web-1", Name: "Server", Source: text("Other"), SourceID: text("a1"), ServiceInstances: []int64{31}},
			{ID: 52, Label: "lonely", Name: "Server"},
			{ID: 53, Label: "sw-9", Name: "Editor 9", Software: true, ServiceInstances: []int64{31}},
		},
		Organizations: []catalog.Organization{{ID: 70, Name: "Cable Co"}},
		FirstLineSupportAgreements: []catalog.SupportAgreement{
			{Account: "acme", ServiceDeskTeam: 20}, {Account: "branch", ServiceDeskTeam: 24},
		},
		Problems:  []catalog.Record{{ID: 80}},
		Workflows: []catalog.Record{{ID: 81, Subject: "Move racks"}},
		RequestTemplates: []catalog.Template{
			{ID: 90, WorkflowTemplate: &catalog.WorkflowTemplate{Manager: 5}},
			{ID: 91, Values: map[string]any{
				"subject": "From the template", "category": "rfc", "impact": "low", "team_id": float64(23), "status": "bogus",
			}},
		},
	}
}

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// params takes pairs of name and text.
func params(pairs ...string) event.Params {
	p := event.Params{}
	for i := 0; i < len(pairs); i += 2 {
		p[pairs[i]] = pairs[i+1]
	}
	return p
}

// alert is a complete event on mx-1.
func alert(pairs ...string) event.Params {
	p := params("subject", "Down", "source", "Probe", "ci", "mx-1")
	for name, value := range params(pairs...) {
		p[name] = value
	}
	return p
}

func resolve(t *testing.T, p event.Params) event.Resolved {
	t.Helper()
	r, err := Resolve(catalog.New(office()), Caller{}, p)
	require.NoError(t, err)
	return r
}

// desk keeps one key's requests, as MatchEvents does.
type desk struct {
	t        *testing.T
	options  Options
	requests []Request
	events   int
}

func (d *desk) receive(at time.Time, p event.Params) Decision {
	d.t.Helper()
	return d.decide(at, resolve(d.t, p))
}

func (d *desk) decide(at time.Time, r event.Resolved) Decision {
	d.t.Helper()
	decision := d.options.Decide(d.requests, r, at)
	d.events++
	d.requests = Apply(d.requests, decision, r, at, int64(d.events), "")
	return decision
}
