package servicenow

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// tokenSpare is how long before its end a token is no longer used.
const tokenSpare = 30 * time.Second

// tokens keeps the access token of an OAuth client.
type tokens struct {
	url  string
	form url.Values
	now  func() time.Time
	// gate holds the one token while nobody uses it, so that one asks for all.
	gate chan token
}

type token struct {
	value string
	until time.Time
}

func newTokens(address string, credential Credential, now func() time.Time) *tokens {
	k := &tokens{url: address, now: now, gate: make(chan token, 1), form: url.Values{
		"grant_type": {"client_credentials"}, "client_id": {credential.ClientID}, "client_secret": {credential.Secret},
	}}
	k.gate <- token{}
	return k
}

// authorise puts the credential into the turn's calls.
func (t *turn) authorise(ctx context.Context) error {
	if t.c.tokens == nil || t.token != "" {
		return nil
	}
	k := t.c.tokens
	var held token
	select {
	case held = <-k.gate:
	case <-ctx.Done():
		return &ticket.Error{Kind: ticket.Retry, Op: t.op, Message: "no access token in time", Err: ctx.Err()}
	}
	defer func() { k.gate <- held }()
	if held.value == "" || !k.now().Add(tokenSpare).Before(held.until) {
		fresh, err := t.fetchToken(ctx)
		if err != nil {
			return err
		}
		held = fresh
	}
	t.useToken(held.value)
	return nil
}

func (t *turn) useToken(value string) {
	t.token = value
	t.rest.Secrets = append(t.rest.Secrets[:len(t.rest.Secrets):len(t.rest.Secrets)], value)
	t.header = t.c.header.Clone()
	t.header.Set("Authorization", "Bearer "+value)
}

// dropToken forgets the token with which a call was refused, unless somebody has
// got another one meanwhile.
func (t *turn) dropToken(ctx context.Context) bool {
	if t.token == "" {
		return false
	}
	select {
	case held := <-t.c.tokens.gate:
		if held.value == t.token {
			held = token{}
		}
		t.c.tokens.gate <- held
	case <-ctx.Done():
		return false
	}
	t.token = ""
	return true
}

// fetchToken asks for a token. What a token lives is never taken from the
// documents: the instance answers one that was made earlier while that is good.
func (t *turn) fetchToken(ctx context.Context) (token, error) {
	k := t.c.tokens
	response, err := t.rest.Do(ctx, rest.Request{
		Method: http.MethodPost, URL: k.url, Body: []byte(k.form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
	})
	if err != nil {
		return token{}, &ticket.Error{Kind: ticket.Retry, Op: t.op + ": get an access token", Message: t.rest.Redact(err.Error()), Err: err}
	}
	if sleeping(response) {
		return token{}, t.asleep(response)
	}
	var answer struct {
		Token   string      `json:"access_token"`
		Expires json.Number `json:"expires_in"`
	}
	refused := response.Status >= 400 && response.Status < 500 && response.Status != http.StatusTooManyRequests && response.Status != http.StatusRequestTimeout
	switch {
	case response.Status == http.StatusTooManyRequests:
		return token{}, t.limited(response)
	case refused:
		return token{}, t.failure(ticket.Credentials, response, "The OAuth client of integration "+t.c.config.Name+
			" was refused: check client_id and secret, and that the grant client_credentials is switched on in the instance. ServiceNow says: "+readComplaint(response.Body).text())
	case response.Status != http.StatusOK || json.Unmarshal(response.Body, &answer) != nil || answer.Token == "":
		return token{}, t.failure(ticket.Retry, response, "the answer holds no access token")
	}
	lives, err := answer.Expires.Float64()
	if err != nil || lives < 0 {
		lives = 0 // good for this call at least
	}
	return token{answer.Token, k.now().Add(time.Duration(min(lives, 1e6) * float64(time.Second)))}, nil
}
