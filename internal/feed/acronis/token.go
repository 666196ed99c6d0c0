package acronis

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// renewBefore is what the vendor's own sample leaves of a token's life.
	renewBefore = 15 * time.Minute
	// tokenLife is assumed where the answer names none ("Authentication": 2 hours).
	tokenLife = 2 * time.Hour
	// maxTokenLife is more than any token has.
	maxTokenLife = 365 * 24 * time.Hour
)

// Credential is an API client of the data center at URL.
type Credential struct {
	URL, ClientID, Secret string
	// TokenURL is where tokens are issued; empty: where the data center does.
	TokenURL string
}

// TokenSource keeps one credential's token for all feeds that share it. It is
// safe for concurrent use.
type TokenSource struct {
	cred   Credential
	url    string
	rest   rest.Client
	now    func() time.Time
	tokens *rest.Tokens
}

// NewTokenSource checks the credential; nil client and clock mean the usual ones.
func NewTokenSource(cred Credential, client *http.Client, now func() time.Time) (*TokenSource, error) {
	if now == nil {
		now = time.Now
	}
	base, err := baseURL(cred.URL)
	switch {
	case err != nil:
		return nil, err
	case cred.ClientID == "":
		return nil, &ConfigurationError{"credential.client_id", "missing"}
	case cred.Secret == "":
		return nil, &ConfigurationError{"credential.secret", "missing; want the API client's secret"}
	}
	s := &TokenSource{cred: cred, url: cred.TokenURL, now: now}
	if s.url == "" {
		s.url = base + "/api/2/idp/token"
	}
	s.rest = rest.Client{HTTP: rest.WithoutRedirects(client), Timeout: callTimeout, MaxBytes: 1 << 20, Secrets: []string{cred.Secret}, Now: now}
	s.tokens = rest.NewTokens(s.login, renewBefore, now)
	return s, nil
}

// login asks for a token by the client's credentials ("Authentication").
func (s *TokenSource) login(ctx context.Context) (rest.Token, error) {
	const op = "log in"
	basic := base64.StdEncoding.EncodeToString([]byte(s.cred.ClientID + ":" + s.cred.Secret))
	resp, err := s.rest.Do(ctx, rest.Request{
		Method: http.MethodPost, URL: s.url,
		Body: []byte(url.Values{"grant_type": {"client_credentials"}}.Encode()),
		Header: http.Header{
			"Authorization": {"Basic " + basic}, "Accept": {"application/json"},
			"Content-Type": {"application/x-www-form-urlencoded"},
		},
	})
	switch {
	case err != nil:
		return rest.Token{}, ticket.Unanswered(ctx, op, err)
	case resp.Status == http.StatusOK || resp.Status == http.StatusCreated:
		return s.issued(resp)
	case resp.Status == http.StatusUnauthorized, resp.Status == http.StatusBadRequest, resp.Status == http.StatusForbidden:
		return rest.Token{}, &ConfigurationError{"credential", fmt.Sprintf("the data center refuses client %q with this secret (%d); check both, and that the client belongs to %s", s.cred.ClientID, resp.Status, s.cred.URL)}
	case temporary(resp.Status):
		return rest.Token{}, temporaryError(op, resp)
	default:
		return rest.Token{}, &ConfigurationError{"url", fmt.Sprintf("%s answers %d; want the data center's address, like https://eu2-cloud.acronis.com", s.url, resp.Status)}
	}
}

func (s *TokenSource) issued(resp *rest.Response) (rest.Token, error) {
	var answer struct {
		AccessToken string      `json:"access_token"`
		ExpiresOn   json.Number `json:"expires_on"`
		ExpiresIn   json.Number `json:"expires_in"`
	}
	if err := json.Unmarshal(resp.Body, &answer); err != nil || answer.AccessToken == "" {
		return rest.Token{}, &ticket.Error{Kind: ticket.Retry, Op: "log in", Status: resp.Status, Message: "the answer holds no token"}
	}
	now := s.now()
	expires := now.Add(tokenLife)
	// A token that ended before it came says that our clock is wrong.
	if at, err := answer.ExpiresOn.Int64(); err == nil && at > now.Unix() {
		expires = time.Unix(at, 0)
	} else if in, err := answer.ExpiresIn.Int64(); err == nil && in > 0 && in < int64(maxTokenLife/time.Second) {
		expires = now.Add(time.Duration(in) * time.Second)
	}
	return rest.Token{Value: answer.AccessToken, Expires: expires}, nil
}
