package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

const (
	tokenPrefix = "tb_"
	tokenBytes  = 32
	tokenIDSize = 6
	// callerPrefix begins the names of callers that come with a token of an
	// integration; no caller of the file can have such a name.
	callerPrefix = "integration:"
)

// Bearer is who calls with a token of an integration.
type Bearer struct {
	// Name is that of the caller: integration:<name>.
	Name           string
	Integration    string
	CatalogAccount string
	Person         string
}

// NewToken makes a token, tb_<integration>_<random>, and what is kept of it.
func NewToken(integration, name string, expires time.Time) (string, contract.IntegrationToken, error) {
	random := make([]byte, tokenBytes)
	if _, err := rand.Read(random); err != nil {
		return "", contract.IntegrationToken{}, fmt.Errorf("make a token: %w", err)
	}
	token := tokenPrefix + integration + "_" + hex.EncodeToString(random)
	hash := hashOf(token)
	return token, contract.IntegrationToken{ID: hash[:2*tokenIDSize], Name: name, Hash: hash, ExpiresAt: expires}, nil
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// integrationOf is the integration that a token names.
func integrationOf(token string) (string, bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	at := strings.LastIndexByte(rest, '_')
	if !ok || at < 1 || len(rest)-at-1 != 2*tokenBytes {
		return "", false
	}
	return rest[:at], true
}

// Bearer finds who a token belongs to; false where it is not, or no longer, good.
// The error says that Temporal could not be asked, in which case nobody is let
// in by what it said before: the token may have been revoked since.
func (r *Registry) Bearer(ctx context.Context, token string) (Bearer, bool, error) {
	name, ok := integrationOf(token)
	if !ok || r.Store == nil || !contract.IsIntegrationName(name) || r.inFile(name) {
		return Bearer{}, false, nil
	}
	known, err := r.cache.get(ctx, name)
	switch {
	case errors.Is(err, operate.ErrNotFound):
		return Bearer{}, false, nil
	case err != nil:
		return Bearer{}, false, err
	}
	given, good := []byte(hashOf(token)), false
	for _, t := range known.view.Tokens {
		alive := t.ExpiresAt.IsZero() || r.Now().Before(t.ExpiresAt)
		if subtle.ConstantTimeCompare(given, []byte(t.Hash)) == 1 && alive {
			good = true
		}
	}
	if !good {
		return Bearer{}, false, nil
	}
	return Bearer{
		Name: callerPrefix + name, Integration: name, CatalogAccount: known.view.Spec.CatalogAccount, Person: known.view.Spec.Person,
	}, true, nil
}

// Caller finds a bearer again by the name that its events carry.
func (r *Registry) Caller(ctx context.Context, caller string) (Bearer, bool, error) {
	name, ok := strings.CutPrefix(caller, callerPrefix)
	if !ok {
		return Bearer{}, false, nil
	}
	found, err := r.Find(ctx, name)
	if err != nil {
		return Bearer{}, false, err
	}
	return Bearer{Name: caller, Integration: name, CatalogAccount: found.CatalogAccount, Person: found.Person}, true, nil
}
