package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/registry"
)

// fakeIntegrations keeps one integration, acme.
type fakeIntegrations struct {
	there registry.Integration
	err   error
	calls []string
}

func (f *fakeIntegrations) note(format string, args ...any) error {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeIntegrations) List(context.Context) ([]registry.Integration, error) {
	return []registry.Integration{
		{Name: "of-file", Account: "default", ReadOnly: true, ProviderConfig: json.RawMessage(`{"type":"ticketing_jira"}`)}, f.there,
	}, f.err
}

func (f *fakeIntegrations) Get(_ context.Context, name string) (registry.Integration, error) {
	if name != f.there.Name {
		return registry.Integration{}, fmt.Errorf("integration %s: %w", name, ErrNotFound)
	}
	return f.there, nil
}

func (f *fakeIntegrations) Create(_ context.Context, by, name string, want registry.Wanted, expires time.Time) (registry.Integration, string, error) {
	f.there = registry.Integration{
		Name: name, Account: want.Account, Fullname: want.Fullname, ProviderConfig: want.ProviderConfig, Version: 1, Tag: "t1", CreatedBy: by,
		Tokens: []contract.IntegrationToken{{ID: "t1", Name: "first", CreatedBy: by, ExpiresAt: expires}},
	}
	if f.there.Account == "" {
		f.there.Account = "default"
	}
	return f.there, "tb_acme_secret", f.note("create %s", name)
}

func (f *fakeIntegrations) Edit(_ context.Context, by, name, seen string, edit func(registry.Integration) (registry.Wanted, error)) (registry.Integration, error) {
	if seen != "" && seen != f.there.Tag {
		return f.there, fmt.Errorf("too late: %w", operate.ErrConflict)
	}
	want, err := edit(f.there)
	if err != nil {
		return f.there, err
	}
	f.there.Fullname, f.there.Account, f.there.ProviderConfig = want.Fullname, want.Account, want.ProviderConfig
	f.there.Version++
	f.there.Tag = fmt.Sprint("t", f.there.Version)
	f.there.UpdatedBy = by
	return f.there, f.note("edit %s", name)
}

func (f *fakeIntegrations) Delete(_ context.Context, by, name, seen string, force bool) error {
	if seen != "" && seen != f.there.Tag {
		return operate.ErrConflict
	}
	return f.note("delete %s force=%v by %s", name, force, by)
}

func (f *fakeIntegrations) Check(_ context.Context, name string, want *registry.Wanted) error {
	return f.note("check %s new=%v", name, want != nil)
}

func (f *fakeIntegrations) AddToken(_ context.Context, _, name, label string, expires time.Time) (string, contract.IntegrationToken, error) {
	return "tb_acme_more", contract.IntegrationToken{ID: "t2", Name: label, ExpiresAt: expires}, f.note("token %s %s", name, label)
}

func (f *fakeIntegrations) RevokeToken(_ context.Context, _, name, id string) error {
	return f.note("revoke %s %s", name, id)
}

// undecided are callers while nobody can be asked.
type undecided struct{}

func (undecided) CallerByToken(context.Context, string) (Caller, bool, error) {
	return Caller{}, false, ErrUnavailable
}
