package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// ErrReadOnly: the integration stands in the configuration file, which is where
// it has to be changed.
var ErrReadOnly = errors.New("read only")

func (r *Registry) inFile(name string) bool {
	_, err := r.File.Integration(name)
	return err == nil
}

// changeable refuses what the API cannot change.
func (r *Registry) changeable(name string) error {
	if r.inFile(name) {
		return fmt.Errorf("integration %s is in the configuration file; change it there: %w", name, ErrReadOnly)
	}
	if r.Store == nil {
		return fmt.Errorf("integration %s: %w", name, operate.ErrNotFound)
	}
	return nil
}

// List shows all integrations, those of the file first.
func (r *Registry) List(ctx context.Context) ([]Integration, error) {
	var all []Integration
	for _, in := range r.File.Integrations {
		shown, err := inFileView(in)
		if err != nil {
			return nil, err
		}
		all = append(all, shown)
	}
	if r.Store == nil {
		return all, nil
	}
	names, err := r.Store.Names(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if r.inFile(name) {
			continue
		}
		shown, err := r.Get(ctx, name)
		if errors.Is(err, operate.ErrNotFound) {
			continue // deleted a moment ago
		}
		if err != nil {
			return nil, err
		}
		all = append(all, shown)
	}
	return all, nil
}

// Get shows an integration as it is now.
func (r *Registry) Get(ctx context.Context, name string) (Integration, error) {
	if in, err := r.File.Integration(name); err == nil {
		return inFileView(in)
	}
	if err := r.changeable(name); err != nil {
		return Integration{}, err
	}
	view, err := r.now(ctx, name)
	if err != nil {
		return Integration{}, err
	}
	return viewOf(view)
}

// now asks Temporal and remembers the answer.
func (r *Registry) now(ctx context.Context, name string) (contract.IntegrationView, error) {
	at := r.Now()
	view, err := r.Store.Get(ctx, name)
	if err == nil || errors.Is(err, operate.ErrNotFound) {
		r.cache.put(name, entry{view: view, err: err, at: at})
	}
	return view, err
}

// Create makes an integration and its first token, which is told this once.
func (r *Registry) Create(ctx context.Context, by, name string, want Wanted, expires time.Time) (Integration, string, error) {
	if err := r.changeable(name); err != nil {
		return Integration{}, "", err
	}
	spec, _, err := r.spec(name, want, nil)
	if err != nil {
		return Integration{}, "", err
	}
	token, kept, err := NewToken(name, "", expires)
	if err != nil {
		return Integration{}, "", err
	}
	if err := r.Store.Create(ctx, contract.KeepIntegrationInput{Name: name, By: by, Spec: spec, Token: &kept}); err != nil {
		return Integration{}, "", err
	}
	// Nobody has asked yet what it is like, and no worker may run who could tell.
	at := r.Now().UTC()
	kept.CreatedAt, kept.CreatedBy = at, by
	view := contract.IntegrationView{
		Name: name, Spec: spec, Version: 1, CreatedAt: at, CreatedBy: by, UpdatedAt: at, UpdatedBy: by, Tokens: []contract.IntegrationToken{kept},
	}
	r.cache.put(name, entry{view: view, at: at})
	shown, err := viewOf(view)
	return shown, token, err
}

// Replace changes all that an integration is made of. A version other than 0 is
// the one that the caller has seen.
func (r *Registry) Replace(ctx context.Context, by, name string, want Wanted, version int64) (Integration, error) {
	return r.Edit(ctx, by, name, version, func(Integration) (Wanted, error) { return want, nil })
}

// editTries is how often an edit is made anew on what somebody else changed
// meanwhile.
const editTries = 5

// Edit changes an integration by what edit makes of it. Where the caller names no
// version, edit is called again if somebody else was faster.
func (r *Registry) Edit(ctx context.Context, by, name string, version int64, edit func(Integration) (Wanted, error)) (Integration, error) {
	if err := r.changeable(name); err != nil {
		return Integration{}, err
	}
	for try := 1; ; try++ {
		view, err := r.edit(ctx, by, name, version, edit)
		if err == nil {
			return viewOf(view)
		}
		if !errors.Is(err, operate.ErrConflict) || version != 0 || try == editTries {
			return Integration{}, err
		}
	}
}

func (r *Registry) edit(ctx context.Context, by, name string, version int64, edit func(Integration) (Wanted, error)) (contract.IntegrationView, error) {
	view, err := r.now(ctx, name)
	if err != nil {
		return view, err
	}
	if version != 0 && version != view.Version {
		return view, fmt.Errorf("integration %s is at version %d by now, not %d; read it again: %w", name, view.Version, version, operate.ErrConflict)
	}
	shown, err := viewOf(view)
	if err != nil {
		return view, err
	}
	want, err := edit(shown)
	if err != nil {
		return view, err
	}
	spec, _, err := r.spec(name, want, &view.Spec)
	if err != nil {
		return view, err
	}
	return r.change(ctx, name, contract.IntegrationChange{By: by, Spec: &spec, IfVersion: view.Version})
}

// change makes a change and remembers what came of it.
func (r *Registry) change(ctx context.Context, name string, c contract.IntegrationChange) (contract.IntegrationView, error) {
	at := r.Now()
	view, err := r.Store.Change(ctx, name, c)
	switch {
	case err == nil && view.Deleted:
		r.cache.put(name, entry{err: operate.ErrNotFound, at: at})
	case err == nil:
		r.cache.put(name, entry{view: view, at: at})
	}
	return view, err
}

// Delete ends an integration. Without force it is refused while requests or
// writes of it are open.
func (r *Registry) Delete(ctx context.Context, by, name string, force bool) error {
	if err := r.changeable(name); err != nil {
		return err
	}
	if !force {
		used, err := r.Store.InUse(ctx, name)
		if err != nil {
			return err
		}
		if used > 0 {
			return fmt.Errorf("%d workflows still work for integration %s (BridgeIntegration = '%s'); settle them first, or delete it with force=true: %w",
				used, name, name, operate.ErrConflict)
		}
	}
	_, err := r.change(ctx, name, contract.IntegrationChange{By: by, Delete: true})
	return err
}

// Check verifies an integration that is there, or, with want, one that might be.
// The error says what is wrong with it.
func (r *Registry) Check(ctx context.Context, name string, want *Wanted) error {
	if want != nil {
		var before *contract.IntegrationSpec
		if !r.inFile(name) && r.Store != nil {
			if view, err := r.now(ctx, name); err == nil {
				before = &view.Spec
			}
		}
		_, in, err := r.spec(name, *want, before)
		if err != nil {
			return err
		}
		return r.Verify(ctx, in)
	}
	if _, err := r.Get(ctx, name); err != nil {
		return err
	}
	found, err := r.Find(ctx, name)
	if err != nil {
		return fmt.Errorf("%w: %w", operate.ErrInvalid, err)
	}
	return r.Verify(ctx, found.Integration)
}

// AddToken makes one more token, told this once.
func (r *Registry) AddToken(ctx context.Context, by, name, label string, expires time.Time) (string, contract.IntegrationToken, error) {
	if err := r.changeable(name); err != nil {
		return "", contract.IntegrationToken{}, err
	}
	token, kept, err := NewToken(name, label, expires)
	if err != nil {
		return "", kept, err
	}
	if _, err := r.change(ctx, name, contract.IntegrationChange{By: by, Token: &kept}); err != nil {
		return "", kept, err
	}
	kept.Hash, kept.CreatedAt, kept.CreatedBy = "", r.Now().UTC(), by
	return token, kept, nil
}

// RevokeToken ends a token: here at once, elsewhere within Fresh.
func (r *Registry) RevokeToken(ctx context.Context, by, name, id string) error {
	if err := r.changeable(name); err != nil {
		return err
	}
	_, err := r.change(ctx, name, contract.IntegrationChange{By: by, Revoke: id})
	return err
}
