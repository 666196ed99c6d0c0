package cloudfeeds

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

type token struct {
	User    string    `json:"user"`
	Expires time.Time `json:"expires"`
}

func (s *Server) identity(w *recorder, r *http.Request) {
	var body struct {
		Auth struct {
			Key struct {
				Username string `json:"username"`
				APIKey   string `json:"apiKey"`
			} `json:"RAX-KSKEY:apiKeyCredentials"`
		} `json:"auth"`
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(data, &body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Logins++
	name := body.Auth.Key.Username
	w.user = name
	if r.Method != http.MethodPost || err != nil || name == "" {
		http.Error(w, `{"badRequest":{"code":400,"message":"Invalid json request body"}}`, http.StatusBadRequest)
		return
	}
	user, known := s.users[name]
	switch {
	case len(s.users) > 0 && (!known || user.APIKey != body.Auth.Key.APIKey):
		http.Error(w, `{"unauthorized":{"code":401,"message":"Unable to authenticate user with credentials provided."}}`, http.StatusUnauthorized)
		return
	case user.MFA:
		w.Header().Set("WWW-Authenticate", `OS-MF sessionId='abc', factor='PASSCODE'`)
		http.Error(w, `{"unauthorized":{"code":401,"message":"Additional authentication credentials required"}}`, http.StatusUnauthorized)
		return
	}
	now := s.opts.Now()
	id := fmt.Sprintf("token-%s-%016x", name, s.rng.Uint64())
	expires := now.Add(s.opts.TokenLife)
	s.tokens[id] = token{name, expires}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access":{"token":{"id":%q,"expires":%q,"tenant":{"id":"123456","name":"123456"},"RAX-AUTH:authenticatedBy":["APIKEY"]},"user":{"id":"1","name":%q,"roles":[{"id":"1","name":"cloudfeeds:observer"}]},"serviceCatalog":[{"name":"cloudFeeds","type":"rax:feeds","endpoints":[{"region":"LON","tenantId":"123456","publicURL":"http://%s/123456"}]}]}}`,
		id, stamp(expires), name, r.Host)
}

// RevokeTokens makes every token issued so far invalid.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// AddToken makes a ready token valid for a user.
func (s *Server) AddToken(id, user string, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[id] = token{user, expires}
}

// authorised takes a token or, as Cloud Feeds itself does, HTTP Basic with the API key.
func (s *Server) authorised(w *recorder, r *http.Request, now time.Time) bool {
	name, ok := s.userOf(r, now)
	w.user = name
	switch {
	case !ok:
		w.Header().Set("WWW-Authenticate", "Keystone uri=https://identity.example/v2.0")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "<html>Unauthorized</html>")
		return false
	case s.users[name].NoRole:
		w.WriteHeader(http.StatusForbidden)
		return false
	}
	return true
}

func (s *Server) userOf(r *http.Request, now time.Time) (string, bool) {
	if name, key, ok := r.BasicAuth(); ok {
		user, known := s.users[name]
		return name, len(s.users) == 0 || known && user.APIKey == key
	}
	id := r.Header.Get("X-Auth-Token")
	t, known := s.tokens[id]
	if !known {
		return id, id != "" && len(s.users) == 0
	}
	return t.User, now.Before(t.Expires)
}

// withinRate counts a GET of a user within the last minute. The proxy in front
// of the feeds says by date when to come again.
func (s *Server) withinRate(w *recorder, now time.Time) bool {
	if s.opts.RatePerMinute <= 0 {
		return true
	}
	var recent []time.Time
	for _, at := range s.calls[w.user] {
		if now.Sub(at) < time.Minute {
			recent = append(recent, at)
		}
	}
	if len(recent) >= s.opts.RatePerMinute {
		s.calls[w.user] = recent
		again := recent[0].Add(time.Minute + time.Second).Truncate(time.Second)
		w.Header().Set("Retry-After", again.UTC().Format(http.TimeFormat))
		w.WriteHeader(s.opts.RateStatus)
		return false
	}
	s.calls[w.user] = append(recent, now)
	return true
}
