// Package registry knows every integration: those of the configuration file, and
// those made by the integrations API, which Temporal keeps.
package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/seal"
)

// Store keeps the integrations made by the API. Its errors are those of package
// operate.
type Store interface {
	Create(ctx context.Context, in contract.KeepIntegrationInput) error
	Get(ctx context.Context, name string) (contract.IntegrationView, error)
	Change(ctx context.Context, name string, change contract.IntegrationChange) (contract.IntegrationView, error)
	List(ctx context.Context) ([]contract.IntegrationView, error)
	InUse(ctx context.Context, name string) (int64, error)
}

// Options are what a Registry needs.
type Options struct {
	File *config.Config
	// Store is nil where there is no API: then only the file counts.
	Store Store
	Keys  seal.Keys
	Known config.Known
	// SecretDir is the folder that references to files may name; empty: none may.
	SecretDir string
	// Verify asks a provider whether an integration's credential and project are good.
	Verify func(ctx context.Context, in config.Integration) error
	Now    func() time.Time
}

// Registry finds and manages integrations.
type Registry struct {
	Options
	cache *cache
}

// New makes a registry whose knowledge of the API's integrations is at most
// Fresh old.
func New(o Options) *Registry {
	if !o.File.Managed() {
		o.Store = nil
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Registry{Options: o}
	if o.Store != nil {
		r.cache = newCache(o.Store.Get, r.open, o.Now)
	}
	return r
}

// Found is an integration ready to be used.
type Found struct {
	config.Integration
	// CatalogAccount and Person are where, and as whom, events sent with its
	// tokens are matched. Those of the file have callers instead.
	CatalogAccount string
	Person         string
	// Print changes when anything changes that a client is made of.
	Print string
}

// Find finds an integration by its name; those of the file come first. What it
// tells of the others is up to Fresh old, and older while Temporal cannot be
// reached: tickets are not held up by that.
func (r *Registry) Find(ctx context.Context, name string) (Found, error) {
	in, err := r.File.Integration(name)
	if err == nil || r.Store == nil {
		return Found{Integration: in}, err
	}
	known, stale := r.cache.get(ctx, name)
	switch {
	case errors.Is(stale, operate.ErrNotFound):
		return Found{}, fmt.Errorf("%w; by the API none of that name was made: %w", err, operate.ErrNotFound)
	case known.found == nil:
		return Found{}, stale
	}
	return known.found()
}

// open reads an integration's spec with its secret.
func (r *Registry) open(view contract.IntegrationView) (Found, error) {
	name, spec := view.Name, view.Spec
	in, err := r.parse(name, spec.ProviderConfig)
	if err != nil {
		return Found{}, fmt.Errorf("integration %s: %w", name, err)
	}
	parts := []string{string(spec.ProviderConfig)}
	for _, secret := range in.Secrets() {
		parts = append(parts, secret.Reveal())
	}
	sum := sha256.New()
	// Writing to a hash cannot fail.
	_ = json.NewEncoder(sum).Encode(parts)
	return Found{
		Integration: in, CatalogAccount: spec.CatalogAccount, Person: spec.Person, Print: hex.EncodeToString(sum.Sum(nil)),
	}, nil
}

func (r *Registry) parse(name string, text []byte) (config.Integration, error) {
	if err := r.checkReferences(text); err != nil {
		return config.Integration{}, err
	}
	return config.ParseIntegration(name, text, r.Known, func(sealed string) (string, error) {
		return r.Keys.Open(contract.IntegrationID(name), sealed)
	})
}
