package rest

import (
	"context"
	"time"
)

// renewPause is how long a token that is still good is used after a renewal failed.
const renewPause = time.Minute

// Token is what a login brought.
type Token struct {
	Value   string
	Expires time.Time
}

// Login exchanges a credential for a token.
type Login func(ctx context.Context) (Token, error)

// Tokens keeps one credential's token for all who share it, and renews it before
// it expires. It is safe for concurrent use; at most one login runs at a time.
type Tokens struct {
	login  Login
	before time.Duration
	now    func() time.Time

	turn    chan struct{} // a lock that a context can stop waiting for
	token   Token
	renewAt time.Time
}

// NewTokens renews a token this long before it expires, at the latest when half
// of its life is over; a nil clock means the usual one.
func NewTokens(login Login, before time.Duration, now func() time.Time) *Tokens {
	if now == nil {
		now = time.Now
	}
	return &Tokens{login: login, before: before, now: now, turn: make(chan struct{}, 1)}
}

// Get is a token that is valid as far as we know. While the old one is good, a
// renewal that fails is tried again later. Errors are those of the login.
func (t *Tokens) Get(ctx context.Context) (string, error) {
	if err := t.lock(ctx); err != nil {
		return "", err
	}
	defer t.unlock()
	now := t.now()
	if t.token.Value != "" && now.Before(t.renewAt) {
		return t.token.Value, nil
	}
	err := t.renew(ctx)
	if err != nil && t.token.Value != "" && now.Before(t.token.Expires) {
		t.renewAt = now.Add(renewPause)
		return t.token.Value, nil
	}
	return t.token.Value, err
}

// Renew is a token other than refused, which the server answered 401.
func (t *Tokens) Renew(ctx context.Context, refused string) (string, error) {
	if err := t.lock(ctx); err != nil {
		return "", err
	}
	defer t.unlock()
	if t.token.Value != "" && t.token.Value != refused {
		return t.token.Value, nil // somebody else was first
	}
	t.token = Token{}
	err := t.renew(ctx)
	return t.token.Value, err
}

func (t *Tokens) renew(ctx context.Context) error {
	token, err := t.login(ctx)
	if err != nil {
		return err
	}
	t.token = token
	t.renewAt = token.Expires.Add(-min(t.before, token.Expires.Sub(t.now())/2))
	return nil
}

func (t *Tokens) lock(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Tokens) unlock() { <-t.turn }
