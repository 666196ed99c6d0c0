package acronis

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Client may ask for tokens.
type Client struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
	// TenantID is where its subscriptions look unless they say otherwise.
	TenantID string `json:"tenant_id,omitempty"`
	// NoScope lets it have tokens, with which the event manager answers 403.
	NoScope bool `json:"no_scope,omitempty"`
}

type token struct {
	Client  string    `json:"client"`
	Expires time.Time `json:"expires"`
}

// AddClient adds or replaces a client.
func (s *Server) AddClient(c Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Clients[c.ID] = c
}

// RevokeTokens makes every token issued so far invalid, also for polls that wait.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.kept.Tokens)
	s.rouse()
}

// forget makes one token invalid.
func (s *Server) forget(bearer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept.Tokens, bearer)
	s.rouse()
}

func (s *Server) login(c *call) answer {
	id, secret, basic := c.BasicAuth()
	c.line.Client = id
	c.Body = http.MaxBytesReader(nil, c.Body, 1<<16)
	err := c.ParseForm()
	grant := c.PostForm.Get("grant_type")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Stats.Logins++
	client, known := s.kept.Clients[id]
	switch {
	case err != nil || grant == "":
		return oauthError(http.StatusBadRequest, "invalid_request", "want a form with grant_type")
	case !basic || id == "" || len(s.kept.Clients) > 0 && (!known || client.Secret != secret):
		a := oauthError(http.StatusUnauthorized, "invalid_client", "client authentication failed")
		a.header.Set("WWW-Authenticate", `Basic realm="idp"`)
		return a
	case grant != "client_credentials":
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "only client_credentials here")
	}
	now := s.opts.Now()
	maps.DeleteFunc(s.kept.Tokens, func(_ string, t token) bool { return !now.Before(t.Expires) })
	t := token{Client: id, Expires: now.Add(s.opts.TokenLife)}
	access := s.newToken(t)
	s.kept.Tokens[access] = t
	return inJSON(http.StatusOK, map[string]any{
		"access_token": access, "id_token": s.newToken(t), "expires_on": t.Expires.Unix(), "token_type": "bearer",
	})
}

func oauthError(status int, code, text string) answer {
	return inJSON(status, map[string]string{"error": code, "error_description": text})
}

// newToken has the form of a JWT; its first part tells our tokens from foreign ones.
func (s *Server) newToken(t token) string {
	s.kept.Made++
	payload, _ := json.Marshal(map[string]any{"sub": t.Client, "exp": t.Expires.Unix(), "jti": s.kept.Made}) // plain values always marshal
	return fmt.Sprintf("%s.%s.%016x", tokenHead(), base64.RawURLEncoding.EncodeToString(payload), s.rng.Uint64())
}

func tokenHead() string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","kid":"simulator"}`))
}

// refuse finds the caller, and answers those who may not read.
func (s *Server) refuse(c *call) (a answer, refused bool) {
	c.bearer = bearerOf(c.Request)
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.holder(c.bearer, s.opts.Now())
	c.line.Client = t.Client
	if !ok {
		return s.unauthorized(), true
	}
	c.expires, c.client = t.Expires, s.kept.Clients[t.Client]
	if c.client.NoScope {
		return failure(http.StatusForbidden, "forbidden", "the token lacks the scope of a subscriber"), true
	}
	return answer{}, false
}

// holder is whose token it is. Foreign tokens have no client and no end.
func (s *Server) holder(bearer string, now time.Time) (token, bool) {
	t, known := s.kept.Tokens[bearer]
	if !known {
		return t, bearer != "" && len(s.kept.Clients) == 0 && !strings.HasPrefix(bearer, tokenHead())
	}
	return t, now.Before(t.Expires)
}

func bearerOf(r *http.Request) string {
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(bearer)
}
