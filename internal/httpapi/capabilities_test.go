package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// lister can list tickets, and comment on them.
type lister struct{}

func (*lister) QueryTickets(context.Context, ticket.Query) (ticket.Page[ticket.Ticket], error) {
	return ticket.Page[ticket.Ticket]{}, nil
}

func (*lister) CreateTicket(context.Context, ticket.New) (ticket.Ticket, error) {
	return ticket.Ticket{}, nil
}

func (*lister) RecoverTicket(context.Context, ticket.New, ticket.Attempt) (ticket.Ticket, bool, error) {
	return ticket.Ticket{}, false, nil
}

func (*lister) PatchNote(context.Context, string, string, ticket.NotePatch) (ticket.Note, error) {
	return ticket.Note{}, nil
}

func fakeProviders() []ticketing.Provider {
	return []ticketing.Provider{{
		ID: "ticketing_lister", FullName: "Lister", Vendor: "Acme", Description: "It lists.", Client: (*lister)(nil),
		RequiredFields: []string{"name", "project"}, Config: map[string]any{"type": "object"},
		Lists: map[ticketing.Operator]ticketing.List{ticketing.QueryTickets: {
			Filters: []ticketing.FilterField{
				{Name: "status", Type: "string", Operators: []ticket.Operator{ticket.Equal, ticket.NotEqual, ticket.NotIn}},
				{Name: "priority", Type: "enum", Operators: []ticket.Operator{ticket.In}},
			},
			Orders: []string{"status"},
		}},
	}, {ID: "ticketing_nothing", Client: (*struct{})(nil), Test: true}}
}

func capabilities[T any](t *testing.T, e *env, path string) T {
	t.Helper()
	w := e.call("GET", "/v1/capabilities"+path, "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	return result[T](t, w.Body.Bytes())
}

func TestCapabilitiesSayWhatAProviderCanDo(t *testing.T) {
	e := newEnv(t)
	all := capabilities[[]providerCapabilities](t, e, "/providers")
	require.Len(t, all, 2)
	assert.Equal(t, all, capabilities[[]providerCapabilities](t, e, ""), "the shorter path is the same")
	assert.Equal(t, all[0], capabilities[providerCapabilities](t, e, "/providers/ticketing_lister"))
	p := all[0]
	assert.Equal(t, "lister", p.Name)
	assert.Equal(t, "ticketing", p.ConnectorID)
	assert.Equal(t, "ticketing", p.Connector)
	assert.Nil(t, p.ProviderConfig, "only where it is asked for")
	assert.Equal(t, []string{"prod", "test"}, p.Release.Environments)
	assert.Equal(t, []string{"test"}, all[1].Release.Environments)
	require.Len(t, p.Operations, 19)
	supported := map[string]bool{"ticketing_query_tickets": true, "ticketing_create_ticket": true, "ticketing_patch_note": true}
	for _, op := range p.Operations {
		assert.Equal(t, supported[op.ID], op.Supported, op.ID)
		assert.True(t, strings.HasPrefix(op.RequestPath, "/v1/ticketing/"), op.RequestPath)
		assert.NotNil(t, e.doc.Paths.Find(op.RequestPath).GetOperation(op.RequestMethod), op.ID)
	}
	for _, op := range all[1].Operations {
		assert.False(t, op.Supported, op.ID)
	}
}

func TestCapabilitiesOfOperations(t *testing.T) {
	e := newEnv(t)
	byName := map[string]providerOperation{}
	for _, op := range capabilities[providerCapabilities](t, e, "/providers/ticketing_lister").Operations {
		byName[op.Name] = op
	}
	query := byName["query_tickets"]
	assert.Equal(t, []providerFilter{
		{Name: "status", Type: "string", Operators: []string{"eq", "neq", "not in"}},
		{Name: "priority", Type: "enum", Operators: []string{"in"}, Values: []string{"URGENT", "CRITICAL", "HIGH", "MEDIUM", "MODERATE", "LOW", "PLANNING"}},
	}, query.Filters)
	for _, f := range query.Filters {
		for _, op := range f.Operators {
			_, err := ticket.ParseFilter(f.Name + "[" + op + "]HIGH")
			assert.NoError(t, err, "filters take the operators as they are spelt here")
		}
	}
	assert.Equal(t, []providerOrder{{Name: "status", Directions: []string{"asc", "desc"}}}, query.Orders)
	assert.Contains(t, query.SupportedResponseFields, "created_at")
	assert.Nil(t, query.RequestBody)

	create := byName["create_ticket"]
	assert.Equal(t, []string{"name", "project"}, create.RequiredFields)
	assert.Contains(t, create.SupportedResponseFields, "custom_fields")
	assert.Equal(t, map[string]any{"$ref": "#/components/schemas/CreateTicketRequest"}, create.RequestBody.Schema)
	assert.Empty(t, byName["create_comment"].RequiredFields, "it is not supported")
	assert.Empty(t, byName["patch_note"].RequiredFields)
}

func TestCapabilitiesInFull(t *testing.T) {
	e := newEnv(t)
	p := capabilities[providerCapabilities](t, e, "/providers/ticketing_lister?expand=connector&expand=operations&expand=request_body,provider_config")
	assert.Equal(t, map[string]any{"type": "object"}, p.ProviderConfig)
	connector, ok := p.Connector.(map[string]any)
	require.True(t, ok)
	assert.Equal(t, []any{"ticketing_lister", "ticketing_nothing"}, connector["provider_ids"])
	bodies := 0
	for _, op := range p.Operations {
		if op.RequestBody == nil {
			continue
		}
		bodies++
		data, err := json.Marshal(op.RequestBody.Schema)
		require.NoError(t, err)
		assert.NotContains(t, string(data), "$ref", op.ID)
		assert.Contains(t, string(data), `"properties":`, op.ID)
	}
	assert.Equal(t, 2, bodies, "create_ticket and patch_note")

	connectors := capabilities[[]connectorCapabilities](t, e, "/connectors")
	require.Len(t, connectors, 1)
	assert.Equal(t, "ticketing", connectors[0].ID)
	assert.Equal(t, []string{"ticketing_lister", "ticketing_nothing"}, connectors[0].ProviderIDs)
	assert.Nil(t, connectors[0].Providers)
	assert.Len(t, capabilities[[]connectorCapabilities](t, e, "/connectors?expand=providers")[0].Providers, 2)
}

func TestCapabilitiesThatAreNotThere(t *testing.T) {
	e := newEnv(t)
	for path, c := range map[string]struct {
		status int
		says   string
	}{
		"/providers/ticketing_abacus":   {404, `no provider \"ticketing_abacus\"; it has ticketing_lister, ticketing_nothing`},
		"/providers?expand=nothing":     {400, "none of connector, operations, request_body, provider_config"},
		"/connectors?expand=operations": {400, "none of providers"},
		"/abacus":                       {404, ""},
	} {
		w := e.call("GET", "/v1/capabilities"+path, "")
		assert.Equal(t, c.status, w.Code, path)
		assert.Contains(t, w.Body.String(), c.says, path)
		assert.Contains(t, w.Body.String(), `"occurred_at"`, "%s: a problem", path)
	}
	none := newEnv(t, func(o *Options) { o.Providers = nil })
	assert.Equal(t, http.StatusNotFound, none.call("GET", "/v1/capabilities", "").Code)
}

// What is not supported is answered before anything is asked of the provider, or
// begun in Temporal, and whatever the body is.
func TestAnUnsupportedOperatorIsNotImplemented(t *testing.T) {
	for _, c := range []struct {
		op           ticketing.Operator
		method, path string
	}{
		{ticketing.GetTicket, "GET", "tickets/1"},
		{ticketing.CreateNote, "POST", "tickets/1/notes"},
		{ticketing.PatchTicket, "PATCH", "tickets/1"},
		{ticketing.DeleteAttachment, "DELETE", "attachments/1/2"},
		{ticketing.ListOnCall, "GET", "escalation-policies/1/on-call"},
	} {
		e := newEnv(t)
		e.ticketing.lacks = c.op
		w := e.call(c.method, "/v1/ticketing/"+c.path, "")
		assert.Equal(t, http.StatusNotImplemented, w.Code, c.op)
		assert.Contains(t, w.Body.String(), "jira-ops cannot do this")
		assert.Empty(t, e.ticketing.id, "the provider is not asked")
		assert.Empty(t, e.writes.asked.Operator, "nothing is begun")
	}
}

// Every operator has a route, which alone asks for it.
func TestEveryOperatorIsServed(t *testing.T) {
	a := &api{Options: Options{Ticketing: &fakeTicketing{}, Writes: &fakeWrites{}}}
	routes := append(a.ticketingRoutes(), a.ticketWriteRoutes()...)
	assert.Len(t, operatorRoutes(routes), 19)
	for _, rt := range routes {
		assert.True(t, rt.operator != "" || strings.HasSuffix(rt.path, "operations/{operation}"), rt.path)
	}
}

func TestTheTicketingAPIAlone(t *testing.T) {
	e := newEnv(t)
	e.handler = NewTicketing(Options{Callers: e.options.Callers, Ticketing: e.ticketing, Writes: e.writes, Logger: e.options.Logger})
	assert.Equal(t, http.StatusOK, e.call("GET", "/v1/ticketing/tickets/1", "").Code)
	assert.Equal(t, http.StatusServiceUnavailable, e.call("POST", "/v1/ticketing/tickets", `{"name":"x"}`).Code)
	assert.Equal(t, http.StatusNotFound, e.call("GET", "/v1/feeds", "").Code)
}
