package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// toy is a provider that nothing but this file knows: it makes and reads tickets,
// and no more.
type toy struct {
	url, project, code string
	tickets            map[string]ticket.New
}

func (c *toy) CreateTicket(_ context.Context, n ticket.New) (ticket.Ticket, error) {
	c.tickets["TOY-1"] = n
	return c.GetTicket(context.Background(), "TOY-1")
}

func (c *toy) RecoverTicket(context.Context, ticket.New, ticket.Attempt) (ticket.Ticket, bool, error) {
	return ticket.Ticket{}, false, nil
}

func (c *toy) GetTicket(_ context.Context, id string) (ticket.Ticket, error) {
	n, ok := c.tickets[id]
	if !ok {
		return ticket.Ticket{}, &ticket.Error{Kind: ticket.NotFound, Op: "get " + id, Message: "there is no such ticket"}
	}
	return ticket.Ticket{ID: id, Name: n.Name, Project: c.project, Unmapped: map[string]any{"site": c.url, "code": c.code}}, nil
}

type toyKeys struct {
	Region string        `yaml:"region"`
	Code   config.Secret `yaml:"integration_code"`
}

// toyBox is its registration: what the one line of all() would name.
func toyBox() registration {
	noKeys := func() *toyKeys { return &toyKeys{Region: "eu"} }
	return registration{
		kind: config.IntegrationType{
			Name: "ticketing_toy", Credentials: []string{config.CredentialToken}, Address: config.AddressOptional,
			EventsNeedProject: true, Defaults: config.Integration{URL: "https://api.toy.example", Rate: config.Rate{Concurrency: 3}},
			Own: func() any { return noKeys() },
			Keys: map[string]config.Key{
				"region":           {About: "Where the account is.", Enum: []string{"eu", "us"}, Address: true},
				"integration_code": {About: "The integration's own secret.", Required: true},
			},
			Check: func(in *config.Integration, r config.Report) {
				if in.DefaultProject == "lego" {
					r.Problem("default_project", "is somebody else's")
				}
			},
		},
		queue: "toy",
		make: func(in config.Integration) (any, error) {
			return &toy{url: in.URL, project: in.DefaultProject, code: config.Own(in, noKeys).Code.Reveal(), tickets: map[string]ticket.New{}}, nil
		},
		about: ticketing.Provider{FullName: "Toy Box", Client: (*toy)(nil), RequiredFields: []string{"name"}},
	}
}

// withToy are this version's providers and one more.
func withToy() providers { return append(all(), toyBox()) }

const toyIntegration = `integrations:
  - name: box
    type: ticketing_toy
    credential: {type: token, secret: "env:TOY_TOKEN"}
    integration_code: env:TOY_CODE
    default_project: bricks
`

func loadToy(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	t.Setenv("TOY_TOKEN", "secret-value-of-TOY_TOKEN")
	t.Setenv("TOY_CODE", "secret-value-of-TOY_CODE")
	return config.Load(write(t, text), config.Known{IntegrationTypes: withToy().types(), FeedTypes: []string{config.TypeCloudFeeds}})
}

// A provider is its package, its registration, and nothing else: the configuration
// knows its type and keys, the client is made, and the interfaces say what it can do.
func TestAProviderIsAddedByItsRegistrationAlone(t *testing.T) {
	c, err := loadToy(t, toyIntegration)
	require.NoError(t, err)
	in := c.Integrations[0]
	assert.Equal(t, "https://api.toy.example", in.URL, "the usual address")
	assert.Equal(t, config.Rate{PerSecond: 10, Concurrency: 3}, in.Rate)
	assert.ElementsMatch(t, []string{"secret-value-of-TOY_TOKEN", "secret-value-of-TOY_CODE"}, c.Secrets(), "for cutting out of texts")
	keys, err := in.Keys()
	require.NoError(t, err)
	assert.Equal(t, "env:TOY_CODE", keys["integration_code"])
	assert.Equal(t, "eu", keys["region"])

	set, err := withToy().set(c, registry.New(registry.Options{File: c}))
	require.NoError(t, err)
	assert.Equal(t, []string{"toy"}, set.Providers())
	found, err := set.Integration(t.Context(), "box")
	require.NoError(t, err)
	made, err := found.Client.(ticketing.TicketCreator).CreateTicket(t.Context(), ticket.New{Name: "Lost brick"})
	require.NoError(t, err)
	assert.Equal(t, "bricks", made.Project)
	assert.Equal(t, map[string]any{"site": "https://api.toy.example", "code": "secret-value-of-TOY_CODE"}, made.Unmapped)
}

func TestWhatIsWrongWithAnAddedProvidersConfiguration(t *testing.T) {
	const start = "integrations:\n  - {name: box, type: ticketing_toy, credential: "
	for text, want := range map[string]string{
		start + `{type: token, secret: "env:TOY_TOKEN"}}`:                                                                                                              "integrations[0].integration_code: missing",
		start + `{type: basic, username: u, secret: "env:TOY_TOKEN"}, integration_code: "env:TOY_CODE"}`:                                                               `integrations[0].credential.type: unknown value "basic"`,
		start + `{type: token, secret: "env:TOY_TOKEN"}, integration_code: "hunter2"}`:                                                                                 "integrations[0].integration_code: a secret must not stand in the file",
		start + `{type: token, secret: "env:TOY_TOKEN"}, integration_code: "env:TOY_NO_CODE"}`:                                                                         "the environment variable TOY_NO_CODE is not set",
		start + `{type: token, secret: "env:TOY_TOKEN"}, integration_code: "env:TOY_CODE", region: mars}`:                                                              `integrations[0].region: unknown value "mars"; known are eu, us`,
		start + `{type: token, secret: "env:TOY_TOKEN"}, integration_code: "env:TOY_CODE", regoin: eu}`:                                                                `integrations[0].regoin: unknown key; did you mean "region"?`,
		start + `{type: token, secret: "env:TOY_TOKEN"}, integration_code: "env:TOY_CODE", internal_role: x}`:                                                          "integrations[0].internal_role: only a ticketing_jira has this key",
		start + `{type: token, secret: "env:TOY_TOKEN"}, integration_code: "env:TOY_CODE", default_project: lego}`:                                                     "integrations[0].default_project: is somebody else's",
		start + `{type: token, secret: "env:TOY_TOKEN", requests_per_minute: 3}, integration_code: "env:TOY_CODE"}`:                                                    "credential.requests_per_minute: is of feeds only",
		start + `{type: token, secret: "env:TOY_TOKEN"}, integration_code: "env:TOY_CODE", url: "ftp://toy.example"}`:                                                  "integrations[0].url: want an address",
		"integrations:\n  - {name: box, type: ticketing_toi}\n":                                                                                                        `integrations[0].type: unknown value "ticketing_toi"; did you mean "ticketing_toy"?`,
		toyIntegration + "callers:\n  - {name: m, token: \"env:TOY_TOKEN\", integration: box}\n":                                                                       "",
		start + "{type: token, secret: \"env:TOY_TOKEN\"}, integration_code: \"env:TOY_CODE\"}\ncallers:\n  - {name: m, token: \"env:TOY_TOKEN\", integration: box}\n": "integrations[0].default_project: missing; events have no project",
	} {
		_, err := loadToy(t, text)
		if want == "" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestTheInterfacesSayWhatAnAddedProviderCanDo(t *testing.T) {
	c, err := loadToy(t, toyIntegration)
	require.NoError(t, err)
	set, err := withToy().set(c, registry.New(registry.Options{File: c}))
	require.NoError(t, err)
	callers, err := httpapi.NewTokens(httpapi.Token{Token: "sixteen-letters-long", Caller: httpapi.Caller{Name: "m", Integration: "box"}})
	require.NoError(t, err)
	api := httpapi.New(httpapi.Options{
		Callers: callers, Feeds: struct{ httpapi.Feeds }{}, Parked: struct{ httpapi.Parked }{}, Writes: struct{ httpapi.TicketWrites }{},
		Providers: withToy().capabilities(),
		Ticketing: ticketing.Reads{Integration: func(ctx context.Context, name string) (ticketing.Integration, error) {
			in, err := set.Integration(ctx, name)
			return ticketing.Integration{Name: in.Name, Provider: in.Provider, Client: in.Client}, err
		}},
	})
	call := func(method, path, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer sixteen-letters-long")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	status, text := call(http.MethodGet, "/v1/capabilities/providers/ticketing_toy?expand=operations&expand=provider_config", "")
	require.Equal(t, http.StatusOK, status, text)
	var answer struct {
		Result struct {
			Operations []struct {
				Name      string `json:"name"`
				Supported bool   `json:"supported"`
			} `json:"operations"`
			Config struct {
				Required   []string       `json:"required"`
				Properties map[string]any `json:"properties"`
			} `json:"provider_config"`
		} `json:"result"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &answer))
	var can []string
	for _, op := range answer.Result.Operations {
		if op.Supported {
			can = append(can, op.Name)
		}
	}
	assert.ElementsMatch(t, []string{"create_ticket", "get_ticket"}, can)
	assert.Len(t, answer.Result.Operations, len(ticketing.Operators()))
	assert.Equal(t, []string{"name", "type", "credential", "integration_code"}, answer.Result.Config.Required)
	assert.Contains(t, answer.Result.Config.Properties, "region")
	assert.NotContains(t, answer.Result.Config.Properties, "internal_role")

	status, text = call(http.MethodGet, "/v1/ticketing/tickets", "")
	assert.Equal(t, http.StatusNotImplemented, status, text)
	assert.Contains(t, text, "toy cannot do this (integration box)")
	status, text = call(http.MethodGet, "/v1/ticketing/tickets/TOY-9", "")
	assert.Equal(t, http.StatusNotFound, status, text)
	status, text = call(http.MethodPost, "/v1/ticketing/tickets/TOY-1/comments", `{"content": "x"}`)
	assert.Equal(t, http.StatusNotImplemented, status, text)
}
