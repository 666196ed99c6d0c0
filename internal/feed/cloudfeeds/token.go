package cloudfeeds

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Values of Credential.Type.
const (
	APIKeyCredential = "rackspace_api_key"
	TokenCredential  = "token"
)

// Credential is how a feed logs in: by an API key, exchanged for a token at
// IdentityURL, or by a ready token.
type Credential struct {
	Type        string
	Username    string
	APIKey      string
	IdentityURL string
	Token       string
}

const (
	renewBefore = 30 * time.Minute
	// tokenLife is assumed where the answer names none ("Manage authentication
	// tokens": 24 hours).
	tokenLife = 24 * time.Hour
)

// TokenSource keeps one credential's token for all feeds that share it. It is
// safe for concurrent use; at most one login runs at a time.
type TokenSource struct {
	cred   Credential
	url    string
	rest   rest.Client
	now    func() time.Time
	tokens *rest.Tokens // nil for a ready token

	mu        sync.Mutex
	notBefore time.Time // when the user may ask again, over all feeds
}

// NewTokenSource checks the credential; nil client and clock mean the usual ones.
func NewTokenSource(cred Credential, client *http.Client, now func() time.Time) (*TokenSource, error) {
	if now == nil {
		now = time.Now
	}
	s := &TokenSource{cred: cred, now: now}
	switch cred.Type {
	case TokenCredential:
		if cred.Token == "" {
			return nil, &ConfigurationError{"credential.secret", "missing; want a token"}
		}
		return s, nil
	case APIKeyCredential:
	default:
		return nil, &ConfigurationError{"credential.type", fmt.Sprintf("%q is neither %q nor %q", cred.Type, APIKeyCredential, TokenCredential)}
	}
	u, err := url.Parse(cred.IdentityURL)
	switch {
	case cred.Username == "":
		return nil, &ConfigurationError{"credential.username", "missing"}
	case cred.APIKey == "":
		return nil, &ConfigurationError{"credential.secret", "missing; want the user's API key"}
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return nil, &ConfigurationError{"credential.identity_url", fmt.Sprintf("%q is not an http(s) address; want https://identity.api.rackspacecloud.com/v2.0", cred.IdentityURL)}
	}
	s.url = strings.TrimRight(cred.IdentityURL, "/") + "/tokens"
	s.rest = rest.Client{HTTP: rest.WithoutRedirects(client), Timeout: callTimeout, MaxBytes: 1 << 20, Secrets: []string{cred.APIKey}, Now: now}
	s.tokens = rest.NewTokens(s.login, renewBefore, now)
	return s, nil
}

// get is a token that is valid as far as we know.
func (s *TokenSource) get(ctx context.Context) (string, error) {
	if s.tokens == nil {
		return s.cred.Token, nil
	}
	return s.tokens.Get(ctx)
}

// hold keeps all feeds of the credential from asking: the limit is the user's,
// over all feeds ("Rate limits").
func (s *TokenSource) hold(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until.After(s.notBefore) {
		s.notBefore = until
	}
}

// held is how long the feeds of the credential have to wait yet.
func (s *TokenSource) held(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notBefore.Sub(now)
}

// renew is a token other than refused, which the feed answered 401.
func (s *TokenSource) renew(ctx context.Context, refused string) (string, error) {
	if s.tokens == nil {
		return "", &ConfigurationError{"credential.secret", "the feed refuses the token (401); it has probably expired: configure a new one, or an API key, which renews itself"}
	}
	return s.tokens.Renew(ctx, refused)
}

func (s *TokenSource) login(ctx context.Context) (rest.Token, error) {
	type apiKey struct {
		Username string `json:"username"`
		APIKey   string `json:"apiKey"`
	}
	body, err := json.Marshal(map[string]any{"auth": map[string]any{"RAX-KSKEY:apiKeyCredentials": apiKey{s.cred.Username, s.cred.APIKey}}})
	if err != nil {
		return rest.Token{}, fmt.Errorf("log in: %w", err)
	}
	resp, err := s.rest.Do(ctx, rest.Request{
		Method: http.MethodPost, URL: s.url, Body: body,
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}},
	})
	if err != nil {
		return rest.Token{}, ticket.Unanswered(ctx, "log in", err)
	}
	if err := s.refusal(resp); err != nil {
		return rest.Token{}, err
	}
	return s.issued(resp)
}

func (s *TokenSource) refusal(resp *rest.Response) error {
	switch {
	case resp.Status == http.StatusOK || resp.Status == http.StatusNonAuthoritativeInfo:
		return nil
	case resp.Status == http.StatusUnauthorized && strings.Contains(resp.Header.Get("WWW-Authenticate"), "OS-MF"):
		return &ConfigurationError{"credential.username", fmt.Sprintf("user %q has multi-factor authentication, which needs a person at every login; use a user without it", s.cred.Username)}
	case resp.Status == http.StatusUnauthorized:
		return &ConfigurationError{"credential.secret", fmt.Sprintf("the identity service refuses user %q with this API key (401); check both", s.cred.Username)}
	case temporary(resp.Status):
		return temporaryError("log in", resp)
	default:
		return &ConfigurationError{"credential.identity_url", fmt.Sprintf("POST %s answers %d; want https://identity.api.rackspacecloud.com/v2.0 and a user that may log in", s.url, resp.Status)}
	}
}

func (s *TokenSource) issued(resp *rest.Response) (rest.Token, error) {
	var answer struct {
		Access struct {
			Token struct {
				ID      string `json:"id"`
				Expires string `json:"expires"`
			} `json:"token"`
		} `json:"access"`
	}
	if err := json.Unmarshal(resp.Body, &answer); err != nil || answer.Access.Token.ID == "" {
		return rest.Token{}, &ticket.Error{Kind: ticket.Retry, Op: "log in", Status: resp.Status, Message: "the identity service's answer holds no token"}
	}
	expires, ok := parseTime(answer.Access.Token.Expires)
	if !ok {
		expires = s.now().Add(tokenLife)
	}
	return rest.Token{Value: answer.Access.Token.ID, Expires: expires}, nil
}
