package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// overHTTP is the unified API before one integration.
func overHTTP(t *testing.T, in config.Integration) http.Handler {
	t.Helper()
	set, err := fileOnly(in)
	require.NoError(t, err)
	callers, err := httpapi.NewTokens(httpapi.Token{Token: "sixteen-letters-long", Caller: httpapi.Caller{Name: "m", Integration: in.Name}})
	require.NoError(t, err)
	return httpapi.New(httpapi.Options{
		Callers: callers, Feeds: struct{ httpapi.Feeds }{}, Parked: struct{ httpapi.Parked }{}, Writes: struct{ httpapi.TicketWrites }{},
		Ticketing: ticketing.Reads{Integration: func(ctx context.Context, name string) (ticketing.Integration, error) {
			in, err := set.Integration(ctx, name)
			return ticketing.Integration{Name: in.Name, Provider: in.Provider, Client: in.Client}, err
		}},
	})
}

// Whatever a provider refuses of a query is named as what we refuse of it ourselves:
// by the parameter, and what it says.
func TestARefusedQueryNamesItsParameter(t *testing.T) {
	type wrong struct{ list, parameter, value string }
	every := []wrong{
		{"tickets", "filter", "shoe_size[eq]43"}, {"tickets", "filter", "status[is]Done"}, {"tickets", "filter", "priority[gt]HUGE"},
		{"tickets", "filter", "due_date[gt]yesterday"}, {"tickets", "filter", "created_at[lte]a, b"},
		{"tickets", "order", "shoe_size"}, {"tickets", "order", "shoe_size[desc]"}, {"tickets", "order", "name[up]"},
		{"tickets", "cursor", "wrong"}, {"projects", "cursor", "wrong"}, {"tickets", "limit", "0"},
	}
	only := map[string][]wrong{
		config.TypeJira:          {{"tickets", "filter", "status[gt]Done"}, {"tickets", "order", "tags"}, {"tickets", "filter", "project[eq]NONE"}},
		config.TypeServiceNow:    {{"tickets", "filter", "project[eq]sys_user"}, {"tickets", "filter", "project[in]incident,sys_user"}, {"tickets", "order", "tags"}},
		config.TypeServiceNowSIR: {{"tickets", "filter", "project[eq]incident"}},
		config.TypeMock:          {{"escalation-policies", "filter", "mood[eq]bad"}, {"escalation-policies", "order", "mood"}, {"escalation-policies", "cursor", "7"}},
	}
	for _, p := range Capabilities() {
		t.Run(p.ID, func(t *testing.T) {
			api := overHTTP(t, bare(t, p.ID))
			for _, c := range append(every, only[p.ID]...) {
				// What is not to be refused stands before it.
				q := url.Values{"filter": {"name[ne]x"}, "order": {"name"}}
				q[c.parameter] = append(q[c.parameter], c.value)
				r := httptest.NewRequest(http.MethodGet, "/v1/ticketing/"+c.list+"?"+q.Encode(), nil)
				r.Header.Set("Authorization", "Bearer sixteen-letters-long")
				w := httptest.NewRecorder()
				api.ServeHTTP(w, r)
				require.Equal(t, http.StatusBadRequest, w.Code, "%v: %s", c, w.Body)
				var problem struct {
					Context struct {
						Parameter struct{ ID, Location, Value string } `json:"parameter"`
					} `json:"context"`
				}
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
				named := problem.Context.Parameter
				assert.Equal(t, []string{c.parameter, "query"}, []string{named.ID, named.Location}, "%v: %s", c, w.Body)
				assert.Equal(t, c.value, named.Value, "%v: %s", c, w.Body)
			}
		})
	}
}
