package registry

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/seal"
)

// store keeps integrations in memory. The workflow has tests of its own.
type store struct {
	mu    sync.Mutex
	views map[string]contract.IntegrationView
	// down: nobody answers.
	down  bool
	used  int64
	asked int
	// before runs ahead of a change, once.
	before func()
}

func (s *store) Create(_ context.Context, in contract.KeepIntegrationInput) error {
	if err := in.Validate(contract.IntegrationID(in.Name)); err != nil {
		return fmt.Errorf("%w: %w", operate.ErrInvalid, err)
	}
	if _, ok := s.views[in.Name]; ok {
		return operate.ErrConflict
	}
	s.views[in.Name] = contract.IntegrationView{Name: in.Name, Spec: in.Spec, Version: 1, CreatedAt: in.At, CreatedBy: in.By, Tokens: []contract.IntegrationToken{*in.Token}}
	return nil
}

func (s *store) Get(_ context.Context, name string) (contract.IntegrationView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	view, ok := s.views[name]
	switch {
	case s.down:
		return contract.IntegrationView{}, operate.ErrUnavailable
	case !ok:
		return view, operate.ErrNotFound
	}
	return view, nil
}

func (s *store) Change(_ context.Context, name string, c contract.IntegrationChange) (contract.IntegrationView, error) {
	if err := c.Validate(); err != nil {
		return contract.IntegrationView{}, fmt.Errorf("%w: %w", operate.ErrInvalid, err)
	}
	if do := s.before; do != nil {
		s.before = nil
		do()
	}
	view := s.views[name]
	if c.IfVersion != 0 && c.IfVersion != view.Version {
		return view, operate.ErrConflict
	}
	switch {
	case c.Spec != nil:
		view.Spec = *c.Spec
		view.Version++
	case c.Token != nil:
		view.Tokens = append(slices.Clone(view.Tokens), *c.Token)
	case c.Revoke != "":
		view.Tokens = slices.DeleteFunc(slices.Clone(view.Tokens), func(t contract.IntegrationToken) bool { return t.ID == c.Revoke })
	case c.Delete:
		view.Deleted = true
		delete(s.views, name)
		return view, nil
	}
	s.views[name] = view
	return view, nil
}

func (s *store) List(context.Context) ([]contract.IntegrationView, error) {
	var all []contract.IntegrationView
	for _, name := range slices.Sorted(maps.Keys(s.views)) {
		all = append(all, s.views[name].Brief())
	}
	return all, nil
}

func (s *store) InUse(context.Context, string) (int64, error) { return s.used, nil }

// world is a registry with a store, a clock and a provider that can be asked.
type world struct {
	*Registry
	store    *store
	now      time.Time
	verified []config.Integration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	keys, err := seal.NewKeys(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	require.NoError(t, err)
	w := &world{store: &store{views: map[string]contract.IntegrationView{}}, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	w.Registry = New(Options{
		File: &config.Config{
			Integrations: []config.Integration{{
				Name: "of-file", Type: config.TypeJira, URL: "https://file.example", Settling: config.Duration(time.Minute),
				CustomFieldMappings: []config.CustomFieldMapping{{Name: "due", ProjectID: "*", ProviderFieldPath: "duedate"}},
				Credential:          config.Credential{Type: "basic", Username: "u", Secret: config.NewSecret("hunter2")},
			}},
			Callers: []config.Caller{{Name: "boss", Admin: true}},
		},
		Store: w.store, Keys: keys, Known: config.Known{IntegrationTypes: []config.IntegrationType{
			{Name: config.TypeJira, Credentials: []string{config.CredentialBasic, config.CredentialBearer}},
			{Name: config.TypeMock, Address: config.AddressNone},
			typeOfCodes(typeWithCode, false), typeOfCodes(typeOfCode, true),
		}},
		Verify: func(_ context.Context, in config.Integration) error {
			w.verified = append(w.verified, in)
			return nil
		},
		Now: func() time.Time { return w.now },
	})
	return w
}

// These types have two secrets, one of them among their own keys: it can be left out,
// or not.
const (
	typeWithCode = "ticketing_code"
	typeOfCode   = "ticketing_needs_code"
)

type codeKeys struct {
	Code   config.Secret     `yaml:"integration_code,omitempty"`
	Region string            `yaml:"region"`
	Sites  map[string]string `yaml:"sites"`
	Label  string            `yaml:"label"`
}

func typeOfCodes(name string, required bool) config.IntegrationType {
	return config.IntegrationType{
		Name: name, Credentials: []string{config.CredentialBasic}, Own: func() any { return &codeKeys{} },
		Keys: map[string]config.Key{"integration_code": {Required: required}, "region": {Address: true}, "sites": {Address: true}},
	}
}

// other is another process with the same store.
func (w *world) other() *Registry { return New(w.Options) }

const jiraConfig = `{"type":"ticketing_jira","url":"https://acme.example","default_project":"OPS","credential":{"type":"basic","username":"u","secret":"%s"}}`

func wantJira(secret string) Wanted {
	return Wanted{Fullname: "Acme", CatalogAccount: "harbour", ProviderConfig: fmt.Appendf(nil, jiraConfig, secret)}
}

func (w *world) create(t *testing.T, name, secret string) string {
	t.Helper()
	_, token, err := w.Create(t.Context(), "ann", name, wantJira(secret), time.Time{})
	require.NoError(t, err)
	return token
}
