package cloudfeeds

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func byKey(c *Config) {
	c.Credential = Credential{Type: APIKeyCredential, Username: "alice", APIKey: "the-key", IdentityURL: "https://identity.example/v2.0/"}
}

func keyRig(t *testing.T, opts sim.Options) *rig {
	r := newRig(t, opts, byKey)
	r.server.AddUser(sim.User{Name: "alice", APIKey: "the-key"})
	return r
}

func (r *rig) fail() error {
	r.t.Helper()
	_, err := r.client.Read(r.t.Context(), event.Step{Position: r.pos})
	require.Error(r.t, err)
	require.NotContains(r.t, err.Error(), "the-key")
	require.NotContains(r.t, err.Error(), "secret-token")
	return err
}

func (r *rig) configurationError(field, text string) {
	r.t.Helper()
	var e *ConfigurationError
	require.ErrorAs(r.t, r.fail(), &e)
	require.Equal(r.t, field, e.Field)
	require.Contains(r.t, e.Message, text)
}

func TestTokenIsCachedAndRenewed(t *testing.T) {
	r := keyRig(t, sim.Options{})
	ids := r.publish(2)
	r.clock.pass(3 * time.Second)
	require.Equal(t, ids, idsOf(r.drain()))
	r.drain()
	require.Equal(t, 1, r.server.Stats().Logins)

	r.server.RevokeTokens()
	ids = r.publish(1)
	r.clock.pass(3 * time.Second)
	require.Equal(t, ids, idsOf(r.drain()), "one 401, one login, one more try")
	require.Equal(t, 2, r.server.Stats().Logins)

	r.clock.pass(23*time.Hour + 31*time.Minute)
	r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Login: true, Share: 1, Status: 500})
	r.drain()
	require.Equal(t, 1, r.server.Stats().ByStatus[500], "renewed 30 minutes early; the old one is good still")
	r.drain()
	require.Equal(t, 1, r.server.Stats().ByStatus[500], "and not tried again at once")
	r.clock.pass(30 * time.Minute)
	require.Equal(t, ticket.Retry, ticket.KindOf(r.fail()), "never used after it expired")
	r.server.SetFaults()
	r.drain()
	require.Equal(t, 1, r.server.Stats().ByStatus[401])
}

func TestLoginFailures(t *testing.T) {
	r := keyRig(t, sim.Options{})
	r.server.AddUser(sim.User{Name: "alice", APIKey: "another"})
	r.configurationError("credential.secret", "refuses user \"alice\"")
	r.server.AddUser(sim.User{Name: "alice", APIKey: "the-key", MFA: true})
	r.configurationError("credential.username", "multi-factor")
	r.server.AddUser(sim.User{Name: "alice", APIKey: "the-key", NoRole: true})
	r.configurationError("credential", "cloudfeeds:observer")
	r.server.AddUser(sim.User{Name: "alice", APIKey: "the-key"})
	r.server.SetFaults(sim.Fault{Kind: sim.FaultExpired, Next: 5})
	r.configurationError("credential", "just issued")
	r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Login: true, Next: 1, Status: 404})
	r.server.RevokeTokens()
	r.configurationError("credential.identity_url", "404")
	r.server.SetFaults(sim.Fault{Kind: sim.FaultHTML, Login: true, Next: 1})
	require.Equal(t, ticket.Retry, ticket.KindOf(r.fail()))
	r.drain()
}

func TestReadyToken(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.server.AddUser(sim.User{Name: "alice"})
	r.configurationError("credential.secret", "configure a new one")
	r.server.AddToken("secret-token", "alice", r.clock.now().Add(time.Hour))
	r.drain()
}

func TestOneLoginForAllFeedsOfACredential(t *testing.T) {
	r := keyRig(t, sim.Options{})
	tokens, err := NewTokenSource(r.cfg.Credential, r.cfg.HTTP, r.cfg.Now)
	require.NoError(t, err)
	r.cfg.Tokens = tokens
	var wg sync.WaitGroup
	for range 8 {
		client, err := New(r.cfg)
		require.NoError(t, err)
		wg.Go(func() {
			_, err := client.Read(t.Context(), event.Step{})
			require.NoError(t, err)
		})
	}
	wg.Wait()
	require.Equal(t, 1, r.server.Stats().Logins)
}

// The limit is the user's: one feed's refusal holds up the others of the
// credential, a fault of one feed does not.
func TestTheLimitHoldsForAllFeedsOfACredential(t *testing.T) {
	r := keyRig(t, sim.Options{})
	tokens, err := NewTokenSource(r.cfg.Credential, r.cfg.HTTP, r.cfg.Now)
	require.NoError(t, err)
	r.cfg.Tokens = tokens
	one, err := New(r.cfg)
	require.NoError(t, err)
	other, err := New(r.cfg)
	require.NoError(t, err)

	r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Status: 429, RetryAfter: 30, Next: 1})
	_, err = one.Read(t.Context(), event.Step{})
	require.ErrorContains(t, err, "too many requests")
	asked := r.server.Stats().Heads
	_, err = other.Read(t.Context(), event.Step{})
	var held *ticket.Error
	require.ErrorAs(t, err, &held)
	require.Equal(t, 30*time.Second, held.RetryAfter)
	require.Equal(t, asked, r.server.Stats().Heads, "it was not even asked")
	r.clock.pass(31 * time.Second)
	_, err = other.Read(t.Context(), event.Step{})
	require.NoError(t, err)

	r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Status: 503, RetryAfter: 30, Next: 1})
	_, err = one.Read(t.Context(), event.Step{})
	require.Error(t, err)
	_, err = other.Read(t.Context(), event.Step{})
	require.NoError(t, err)
}

func TestTemporaryErrors(t *testing.T) {
	r := newRig(t, sim.Options{})
	for _, c := range []struct {
		fault sim.Fault
		kind  ticket.Kind
		wait  time.Duration
	}{
		{sim.Fault{Kind: sim.FaultStatus, Status: 429, RetryAfter: 17}, ticket.RateLimited, 17 * time.Second},
		{sim.Fault{Kind: sim.FaultStatus, Status: 413, RetryAfter: 41, AsDate: true}, ticket.RateLimited, 41 * time.Second},
		{sim.Fault{Kind: sim.FaultStatus, Status: 503, RetryAfter: 90, AsDate: true}, ticket.RateLimited, 90 * time.Second},
		{sim.Fault{Kind: sim.FaultStatus, Status: 429}, ticket.RateLimited, 0},
		{sim.Fault{Kind: sim.FaultStatus, Status: 503}, ticket.Retry, 0},
		{sim.Fault{Kind: sim.FaultStatus, Status: 500}, ticket.Retry, 0},
		{sim.Fault{Kind: sim.FaultStatus, Status: 502}, ticket.Retry, 0},
		{sim.Fault{Kind: sim.FaultStatus, Status: 408}, ticket.Retry, 0},
		{sim.Fault{Kind: sim.FaultDrop}, ticket.Retry, 0},
		{sim.Fault{Kind: sim.FaultHTML}, ticket.Retry, 0},
	} {
		c.fault.Next = 1
		r.server.SetFaults(c.fault)
		var e *ticket.Error
		require.ErrorAs(t, r.fail(), &e, "%+v", c.fault)
		require.Equal(t, c.kind, e.Kind, "%+v", c.fault)
		require.Equal(t, c.wait, e.RetryAfter, "%+v", c.fault)
		if c.wait == 0 {
			continue
		}
		requests := len(r.server.Log())
		r.clock.pass(c.wait - 5*time.Second)
		require.ErrorAs(t, r.fail(), &e)
		require.Equal(t, 5*time.Second, e.RetryAfter)
		require.Len(t, r.server.Log(), requests, "no request before the time that the feed named")
		r.clock.pass(5 * time.Second)
		r.drain()
	}
}

func TestFaultsInAWalkLoseNothing(t *testing.T) {
	r := newRig(t, sim.Options{Seed: 5})
	r.publish(3)
	r.clock.pass(10 * time.Minute)
	r.drain()
	ids := r.publish(47)
	r.server.SetFaults(
		sim.Fault{Kind: sim.FaultStatus, Share: 0.2, Status: 500}, sim.Fault{Kind: sim.FaultDrop, Share: 0.2},
		sim.Fault{Kind: sim.FaultHTML, Share: 0.2}, sim.Fault{Kind: sim.FaultStatus, Share: 0.1, RetryAfter: 5, AsDate: true})
	r.clock.pass(5 * time.Second)
	failed := 0
	for more := true; more; {
		reading, err := r.client.Read(t.Context(), event.Step{Position: r.pos})
		if err != nil {
			failed++
			r.clock.pass(6 * time.Second)
			continue
		}
		r.got = append(r.got, reading.Entries...)
		r.pos, more = reading.Position, reading.More
	}
	require.Equal(t, ids, idsOf(r.got[3:]))
	require.Positive(t, failed)
}

func TestAnswersThatNeedAPerson(t *testing.T) {
	r := newRig(t, sim.Options{})
	for status, field := range map[int]string{400: "url", 403: "credential", 404: "url", 406: "url", 301: "url"} {
		r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Next: 1, Status: status})
		r.configurationError(field, "")
	}
}

func TestConfigurationErrorsNameTheField(t *testing.T) {
	good := Config{URL: "https://h/f/events/1", Credential: Credential{Type: TokenCredential, Token: "x"}}
	key := Credential{Type: APIKeyCredential, Username: "u", APIKey: "k", IdentityURL: "https://i/v2.0"}
	_, err := New(good)
	require.NoError(t, err)
	for field, change := range map[string]func(*Config){
		"url":                     func(c *Config) { c.URL = "feeds.example/x" },
		"limit":                   func(c *Config) { c.Limit = 1 },
		"start":                   func(c *Config) { c.Start = "tomorrow or so" },
		"poll_interval":           func(c *Config) { c.MinInterval = -1 },
		"credential.type":         func(c *Config) { c.Credential.Type = "password" },
		"credential.secret":       func(c *Config) { c.Credential.Token = "" },
		"credential.username":     func(c *Config) { c.Credential = key; c.Credential.Username = "" },
		"credential.identity_url": func(c *Config) { c.Credential = key; c.Credential.IdentityURL = "identity" },
	} {
		bad := good
		change(&bad)
		_, err := New(bad)
		var e *ConfigurationError
		require.ErrorAs(t, err, &e, field)
		require.Equal(t, field, e.Field)
		require.True(t, strings.HasPrefix(err.Error(), field+": "))
	}
}

func TestTokenDoesNotFollowRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	feed := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer feed.Close()
	client, err := New(Config{URL: feed.URL + "/f/events/1", Credential: Credential{Type: TokenCredential, Token: "x"}})
	require.NoError(t, err)
	_, err = client.Read(t.Context(), event.Step{})
	require.ErrorContains(t, err, elsewhere.URL)
}

func TestOverARealConnectionWithGzip(t *testing.T) {
	s := sim.New(sim.Options{HeadDelay: -1})
	server := httptest.NewServer(s)
	defer server.Close()
	s.AddUser(sim.User{Name: "alice", APIKey: "the-key"})
	ids := s.Publish(sim.Entry{Account: "1", TicketID: "T"}, sim.Entry{Account: "1", TicketID: "T"})
	client, err := New(Config{
		URL:        server.URL + "/consolidated_ticketing/events/1",
		Credential: Credential{Type: APIKeyCredential, Username: "alice", APIKey: "the-key", IdentityURL: server.URL + "/v2.0"},
	})
	require.NoError(t, err)
	s.SetFaults(sim.Fault{Kind: sim.FaultCut, Next: 1})
	_, err = client.Read(t.Context(), event.Step{})
	require.Equal(t, ticket.Retry, ticket.KindOf(err))
	reading, err := client.Read(t.Context(), event.Step{})
	require.NoError(t, err)
	require.ElementsMatch(t, ids, idsOf(reading.Entries))
}

func TestLeastInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sim.New(sim.Options{Now: time.Now})
		cfg := Config{
			URL: "https://h/consolidated_ticketing/events/" + account, Limit: 10, MinInterval: 6 * time.Second,
			Credential: Credential{Type: TokenCredential, Token: "x"}, HTTP: &http.Client{Transport: direct{handler: s}},
		}
		for range 45 {
			s.Publish(sim.Entry{Account: account, TicketID: "T"})
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Minute)
		var pos []byte
		for more := true; more; { // each time another worker
			client, err := New(cfg)
			require.NoError(t, err)
			reading, err := client.Read(t.Context(), event.Step{Position: pos})
			require.NoError(t, err)
			pos, more = reading.Position, reading.More
		}
		log := s.Log()
		require.Greater(t, len(log), 5)
		for i := 1; i < len(log); i++ {
			require.GreaterOrEqual(t, log[i].At.Sub(log[i-1].At), 6*time.Second)
		}

		client, err := New(cfg)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = client.Read(ctx, event.Step{Position: pos})
		require.ErrorIs(t, err, context.DeadlineExceeded, "waiting ends with the context")
		require.Len(t, s.Log(), len(log))
	})
}
