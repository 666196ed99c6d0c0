package main

import (
	"context"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/registry"
)

// managed gives the HTTP interfaces the integrations, in their errors.
type managed struct{ registry *registry.Registry }

func (m managed) List(ctx context.Context) ([]registry.Integration, error) {
	all, err := m.registry.List(ctx)
	return all, httpError(err)
}

func (m managed) Get(ctx context.Context, name string) (registry.Integration, error) {
	in, err := m.registry.Get(ctx, name)
	return in, httpError(err)
}

func (m managed) Create(ctx context.Context, by, name string, want registry.Wanted, expires time.Time) (registry.Integration, string, error) {
	in, token, err := m.registry.Create(ctx, by, name, want, expires)
	return in, token, httpError(err)
}

func (m managed) Edit(ctx context.Context, by, name, seen string, edit func(registry.Integration) (registry.Wanted, error)) (registry.Integration, error) {
	in, err := m.registry.Edit(ctx, by, name, seen, edit)
	return in, httpError(err)
}

func (m managed) Delete(ctx context.Context, by, name, seen string, force bool) error {
	return httpError(m.registry.Delete(ctx, by, name, seen, force))
}

func (m managed) Check(ctx context.Context, name string, want *registry.Wanted) error {
	return httpError(m.registry.Check(ctx, name, want))
}

func (m managed) AddToken(ctx context.Context, by, name, label string, expires time.Time) (string, contract.IntegrationToken, error) {
	token, kept, err := m.registry.AddToken(ctx, by, name, label, expires)
	return token, kept, httpError(err)
}

func (m managed) RevokeToken(ctx context.Context, by, name, id string) error {
	return httpError(m.registry.RevokeToken(ctx, by, name, id))
}
