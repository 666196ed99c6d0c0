package registry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
	if r.Store == nil || !contract.IsIntegrationName(name) {
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
	views, err := r.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, view := range views {
		if r.inFile(view.Name) {
			continue
		}
		shown, err := viewOf(view)
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
	if !contract.IsIntegrationName(name) {
		return Integration{}, "", &Invalid{Fields: [][2]string{{"/name", fmt.Sprintf("%q: want lower-case letters, digits, - and _, at most 63, and not the word verify", name)}}}
	}
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
	at := r.Now().UTC()
	if err := r.Store.Create(ctx, contract.KeepIntegrationInput{Name: name, By: by, At: at, Spec: spec, Token: &kept}); err != nil {
		return Integration{}, "", err
	}
	// Nobody has asked yet what it is like, and no worker may run who could tell.
	kept.CreatedAt, kept.CreatedBy = at, by
	view := contract.IntegrationView{
		Name: name, Spec: spec, Version: 1, CreatedAt: at, CreatedBy: by, UpdatedAt: at, UpdatedBy: by, Tokens: []contract.IntegrationToken{kept},
	}
	r.cache.put(name, entry{view: view, at: at})
	shown, err := viewOf(view)
	return shown, token, err
}

const (
	// editTries is how often an edit is made anew on what somebody else changed
	// meanwhile.
	editTries = 20
	// editPause is the longest wait before that.
	editPause = 100 * time.Millisecond
)

// Edit changes an integration by what edit makes of it. A seen that is not empty is
// the Tag that the caller has seen; without one, edit is called again if somebody
// else was faster.
func (r *Registry) Edit(ctx context.Context, by, name, seen string, edit func(Integration) (Wanted, error)) (Integration, error) {
	if err := r.changeable(name); err != nil {
		return Integration{}, err
	}
	for try := 1; ; try++ {
		view, err := r.edit(ctx, by, name, seen, edit)
		if err == nil {
			return viewOf(view)
		}
		if !errors.Is(err, operate.ErrConflict) || seen != "" || try == editTries {
			return Integration{}, err
		}
		select {
		case <-ctx.Done():
			return Integration{}, err
		case <-time.After(rand.N(editPause)):
		}
	}
}

func (r *Registry) edit(ctx context.Context, by, name, seen string, edit func(Integration) (Wanted, error)) (contract.IntegrationView, error) {
	view, err := r.seen(ctx, name, seen)
	if err != nil {
		return view, err
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

// seen reads an integration, and refuses where it is not the one that was seen.
func (r *Registry) seen(ctx context.Context, name, tag string) (contract.IntegrationView, error) {
	view, err := r.now(ctx, name)
	if err == nil && tag != "" && tag != tagOf(view) {
		err = fmt.Errorf("integration %s has been changed since; read it again: %w", name, operate.ErrConflict)
	}
	return view, err
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

// Delete ends an integration; seen as for Edit. Without force it is refused while
// requests or writes of it are open.
func (r *Registry) Delete(ctx context.Context, by, name, seen string, force bool) error {
	if err := r.changeable(name); err != nil {
		return err
	}
	view, err := r.seen(ctx, name, seen)
	if err != nil {
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
	change := contract.IntegrationChange{By: by, Delete: true}
	if seen != "" {
		change.IfVersion = view.Version
	}
	_, err = r.change(ctx, name, change)
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
