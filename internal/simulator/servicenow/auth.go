package servicenow

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// authorised checks the credential: basic, API key, or a token that is still good.
func (s *Simulator) authorised(r *http.Request, now time.Time) bool {
	o := s.options
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		end, known := s.tokens[token]
		return known && now.Before(end)
	}
	if key := r.Header.Get("x-sn-apikey"); key != "" {
		return o.APIKey == "" || key == o.APIKey
	}
	user, secret, ok := r.BasicAuth()
	switch {
	case o.Secret != "":
		return ok && user == o.Username && secret == o.Secret
	default:
		return ok && o.APIKey == "" && o.ClientSecret == ""
	}
}

// token answers /oauth_token.do: the grants client_credentials and refresh_token.
// Secrets count in the body only.
func (s *Simulator) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	now := s.options.Now()
	s.stats.Requests[opToken]++
	fault := s.pick(opToken)
	s.mu.Unlock()
	if fault != nil && fault.before() {
		if fault.play(w, r) {
			write(w, fault.answer(now))
		}
		return
	}
	denied := func(code, text string) {
		write(w, answer{status: http.StatusUnauthorized, body: map[string]any{"error": code, "error_description": text}})
	}
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		denied("server_error", "access_denied")
		return
	}
	grant := r.PostForm.Get("grant_type")
	known := r.PostForm.Get("client_id") == s.options.ClientID && r.PostForm.Get("client_secret") == s.options.ClientSecret
	if !known || s.options.ClientID == "" || grant != "client_credentials" && grant != "refresh_token" {
		denied("invalid_client", "access_denied")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token, left := s.currentToken(now)
	write(w, answer{status: http.StatusOK, body: map[string]any{
		"access_token": token, "scope": "useraccount", "token_type": "Bearer", "expires_in": int(left.Seconds()),
	}})
}

// currentToken is the one that is still good, with the rest of its life, else a
// new one.
func (s *Simulator) currentToken(now time.Time) (string, time.Duration) {
	for token, end := range s.tokens {
		if left := end.Sub(now); left >= time.Second {
			return token, left
		}
	}
	token := fmt.Sprintf("token-%016x", s.random.Uint64())
	s.tokens[token] = now.Add(s.options.TokenLife)
	return token, s.options.TokenLife
}

// ExpireTokens makes all access tokens bad before their time.
func (s *Simulator) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}
