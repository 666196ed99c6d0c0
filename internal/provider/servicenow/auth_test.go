package servicenow

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func oauth(o *sim.Options, c *Config) {
	o.Username, o.Secret, o.ClientID, o.ClientSecret, o.TokenLife = "", "", "tb", testPassword, 10*time.Minute
	c.Credential = Credential{Type: OAuthClient, ClientID: "tb", Secret: testPassword}
}

func TestEachCredentialIsTaken(t *testing.T) {
	for name, with := range map[string]func(*sim.Options, *Config){
		"basic": func(*sim.Options, *Config) {},
		"oauth": oauth,
		"api key": func(o *sim.Options, c *Config) {
			o.Username, o.Secret, o.APIKey = "", "", testPassword
			c.Credential = Credential{Type: APIKey, Secret: testPassword}
		},
	} {
		w := newWorld(t, with)
		w.create(newTicket(1))
		w.config.Credential.Secret = "wrong-secret"
		c := w.newClient()
		_, err := c.CreateTicket(context.Background(), newTicket(2))
		assert.Equal(t, ticket.Credentials, kindOf(t, err), name)
		assert.NotContains(t, err.Error(), "wrong-secret", name)
		assert.ErrorContains(t, err, "snow-ops", name)
		assert.Len(t, w.tickets(), 1)
	}
}

// A token is asked for once, and anew when its own time is over, whatever the
// documents say of its life.
func TestATokenIsUsedAsLongAsItIsGood(t *testing.T) {
	w := newWorld(t, oauth)
	for n := range 5 {
		w.create(newTicket(n))
	}
	assert.Equal(t, 1, w.sim.Stats().Requests["token"])
	refused := w.sim.Stats().Refused             // the look before the first create
	w.clock.move(9*time.Minute + 45*time.Second) // within the spare time: a new one, asked for by all at once
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			_, err := w.client.GetTicket(context.Background(), w.tickets()[0].ID)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Equal(t, refused, w.sim.Stats().Refused)
	w.clock.move(time.Minute)
	w.create(newTicket(6))
	assert.Equal(t, refused, w.sim.Stats().Refused)
}

// A token that is refused before its time is replaced within the call, of a create
// too: what was refused did nothing.
func TestARefusedTokenIsReplaced(t *testing.T) {
	w := newWorld(t, oauth)
	w.create(newTicket(1))
	w.sim.ExpireTokens()
	w.create(newTicket(2))
	assert.Equal(t, 2, w.sim.Stats().Requests["token"])
	assert.Equal(t, 1, w.sim.Stats().Refused["create"])
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Status: 401, Op: "get"})
	_, err := w.client.GetTicket(context.Background(), w.tickets()[0].ID)
	assert.Equal(t, ticket.Credentials, kindOf(t, err), "once, not for ever")
	assert.Equal(t, 3, w.sim.Stats().Requests["token"])
}

// Nothing is certain of a token's page but that no ticket was made.
func TestATokenThatCannotBeHad(t *testing.T) {
	for name, c := range map[string]struct {
		fault sim.Fault
		want  ticket.Kind
	}{
		"hibernating": {sim.Fault{Kind: sim.Hibernating, Op: "token"}, ticket.Retry},
		"503":         {sim.Fault{Kind: sim.ErrorBefore, Op: "token"}, ticket.Retry},
		"cut":         {sim.Fault{Kind: sim.DropBefore, Op: "token"}, ticket.Retry},
		"429":         {sim.Fault{Kind: sim.TooMany, Op: "token", RetryAfter: 5}, ticket.RateLimited},
		"401":         {sim.Fault{Kind: sim.ErrorBefore, Op: "token", Status: 401}, ticket.Credentials},
	} {
		w := newWorld(t, oauth)
		w.fail(c.fault)
		_, err := w.client.CreateTicket(context.Background(), newTicket(1))
		assert.Equal(t, c.want, kindOf(t, err), "%s: %v", name, err)
		assert.NotContains(t, err.Error(), testPassword)
		assert.Empty(t, w.tickets())
	}
}

// A slow token holds nobody up for ever.
func TestWhoWaitsForATokenCanGiveUp(t *testing.T) {
	w := newWorld(t, oauth)
	<-w.client.tokens.gate // somebody is asking for it
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := w.client.GetTicket(ctx, w.server.URL)
	assert.Equal(t, ticket.Retry, kindOf(t, err))
	require.ErrorIs(t, err, context.Canceled)
}

// The wait that the instance asks for is kept, of both kinds of 429.
func TestA429IsWaitedOut(t *testing.T) {
	for name, c := range map[string]struct {
		fault       sim.Fault
		least, most time.Duration
	}{
		"rule, Retry-After": {sim.Fault{Kind: sim.TooMany, RetryAfter: 40}, 40 * time.Second, 42 * time.Second},
		"rule, reset only":  {sim.Fault{Kind: sim.TooMany, Reset: 90}, 89 * time.Second, 92 * time.Second},
		"full pool":         {sim.Fault{Kind: sim.TooMany}, 700 * time.Millisecond, 3 * time.Second},
	} {
		w := newWorld(t)
		w.create(newTicket(0))
		c.fault.Op, c.fault.Times = "create", 1
		w.fail(c.fault)
		_, err := w.client.CreateTicket(context.Background(), newTicket(1))
		require.Equal(t, ticket.RateLimited, kindOf(t, err), name)
		assert.GreaterOrEqual(t, retryAfter(t, err), c.least, name)
		assert.LessOrEqual(t, retryAfter(t, err), c.most, name)
		before := len(w.seen.all())
		w.clock.move(c.least - 100*time.Millisecond)
		_, err = w.client.GetTicket(context.Background(), w.tickets()[0].ID)
		assert.Equal(t, ticket.RateLimited, kindOf(t, err), "%s: all calls take the same threads", name)
		assert.Len(t, w.seen.all(), before, name)
		w.clock.move(c.most)
		w.create(newTicket(1))
	}
}

// Two processes under a limit that neither knows.
func TestTwoClientsUnderALimitTheyDoNotKnow(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, c *Config) { o.CreatesPerSecond, c.Rate.PerSecond = 20, 40 })
	clients := []*Client{w.client, w.newClient()}
	due := make([]time.Time, 200)
	for left := len(due); left > 0; {
		next := -1
		for n, at := range due {
			if at.Year() < 9999 && (next < 0 || at.Before(due[next])) {
				next = n
			}
		}
		if wait := due[next].Sub(w.clock.now()); wait > 0 && !due[next].IsZero() {
			w.clock.move(wait)
		}
		_, err := clients[next%2].CreateTicket(context.Background(), newTicket(next))
		if err == nil {
			left--
			due[next] = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		require.Equal(t, ticket.RateLimited, kindOf(t, err), "%v", err)
		due[next] = w.clock.now().Add(retryAfter(t, err))
	}
	stats := w.sim.Stats()
	assert.Equal(t, len(due), stats.Commits["create"])
	assert.LessOrEqual(t, float64(stats.Requests["create"]), 1.1*float64(len(due)))
}

// Whatever the other side repeats in its errors, no secret is shown.
func TestNoSecretIsEverShown(t *testing.T) {
	var told string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth_token.do" && told == "" {
			fmt.Fprint(w, `{"access_token":"issued-token","expires_in":1800}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"message":"you sent %s %s %s","detail":null},"status":"failure"}`, testPassword, r.Header.Get("Authorization"), encode("u:"+testPassword))
	}))
	defer site.Close()
	for _, credential := range []Credential{
		{Type: Basic, Username: "u", Secret: testPassword}, {Type: APIKey, Secret: testPassword}, {Type: OAuthClient, ClientID: "tb", Secret: testPassword},
	} {
		for _, told = range []string{"", "the token's page too"} {
			c, err := New(Config{Name: "x", URL: site.URL, Credential: credential, Application: ITSM()})
			require.NoError(t, err)
			_, err = c.GetTicket(context.Background(), "INC0010001")
			require.Error(t, err)
			for _, secret := range []string{testPassword, "issued-token"} {
				assert.NotContains(t, err.Error(), secret, credential.Type)
			}
			if credential.Type == Basic {
				assert.NotContains(t, err.Error(), encode("u:"+testPassword))
			}
		}
	}
}
