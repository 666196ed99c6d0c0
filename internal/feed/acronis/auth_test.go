package acronis

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestATokenIsRenewedBeforeItEnds(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.drain()
	require.Equal(t, 1, r.server.Stats().Logins)
	r.clock.pass(105*time.Minute - time.Second)
	r.drain()
	require.Equal(t, 1, r.server.Stats().Logins)
	r.clock.pass(time.Second)
	r.drain()
	require.Equal(t, 2, r.server.Stats().Logins, "15 minutes before its end")
	require.Zero(t, r.server.Stats().ByStatus[401])
}

func TestAFailedRenewalDoesNotHurtAGoodToken(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.drain()
	r.clock.pass(106 * time.Minute)
	r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Path: sim.PlaceToken, Share: 1})
	r.drain()
	require.Equal(t, 1, r.server.Stats().ByStatus[503])
	r.clock.pass(15 * time.Minute)
	r.temporary(ticket.Retry)
}

func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		r := newRig(t, sim.Options{JSON401: asJSON})
		r.drain()
		want := r.publish(1, 3)
		r.server.RevokeTokens()
		require.Equal(t, want, ids(r.drain()))
		require.Equal(t, 2, r.server.Stats().Logins)
		require.Equal(t, 1, r.server.Stats().ByStatus[401])

		r.server.SetFaults(sim.Fault{Kind: sim.FaultExpired, Path: sim.PlaceEvents, Next: 2})
		r.configurationError("credential", "just issued")
		require.Equal(t, 3, r.server.Stats().Logins, "one try, no storm")
	}
}

func TestATokenEndsInTheMiddleOfALongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, &clock{}, sim.Options{TokenLife: 31 * time.Second}, func(c *Config) { c.LongPoll = 20 * time.Second })
		r.drain()
		time.Sleep(10 * time.Second)
		go func() {
			time.Sleep(8 * time.Second)
			r.server.RevokeTokens()
			time.Sleep(4 * time.Second)
			r.server.Publish(disabled("late"))
		}()
		reading, err := r.client.Read(t.Context(), event.Step{Position: r.pos, Reader: r.reader, Wait: time.Minute})
		require.NoError(t, err)
		require.Equal(t, []string{disabledType + "late"}, ids(reading.Entries))
		require.Equal(t, 1, r.server.Stats().ByStatus[401])
		require.Empty(t, reading.Gaps)
	})
}

func TestFeedsOfACredentialShareOneLogin(t *testing.T) {
	r := newRig(t, sim.Options{})
	var group sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		cfg := r.cfg
		cfg.Name = name
		client, err := New(cfg)
		require.NoError(t, err)
		group.Go(func() {
			_, err := client.Read(t.Context(), event.Step{})
			require.NoError(t, err)
		})
	}
	group.Wait()
	require.Equal(t, 1, r.server.Stats().Logins)
}

func TestLoginsThatOnlyAPersonCanMend(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.server.AddClient(sim.Client{ID: "bridge", Secret: "another"})
	r.configurationError("credential", `refuses client "bridge"`)
	r.server.AddClient(sim.Client{ID: "bridge", Secret: "the-secret", NoScope: true})
	r.configurationError("credential", "the token lacks the scope of a subscriber")
	r.server.AddClient(sim.Client{ID: "bridge", Secret: "the-secret"})
	for status, field := range map[int]string{400: "credential", 403: "credential", 404: "url", 302: "url"} {
		r.open()
		r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Path: sim.PlaceToken, Status: status, Next: 1})
		r.configurationError(field, "")
	}
	r.drain()
}

func TestLoginsThatHealByThemselves(t *testing.T) {
	for name, fault := range map[string]sim.Fault{
		"500":  {Kind: sim.FaultStatus, Status: 500},
		"429":  {Kind: sim.FaultStatus, Status: 429, RetryAfter: 7},
		"date": {Kind: sim.FaultStatus, Status: 503, RetryAfter: 7, AsDate: true},
		"drop": {Kind: sim.FaultDrop},
		"html": {Kind: sim.FaultHTML},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, sim.Options{})
			want := r.publish(1, 2)
			fault.Path, fault.Next = sim.PlaceToken, 1
			r.server.SetFaults(fault)
			if fault.RetryAfter > 0 {
				require.Equal(t, 7*time.Second, r.temporary(ticket.RateLimited).RetryAfter)
			} else {
				r.temporary(ticket.Retry)
			}
			require.Equal(t, want, ids(r.drain()))
		})
	}
}

func TestHowLongATokenIsUsed(t *testing.T) {
	for answer, life := range map[string]time.Duration{
		`{"access_token":"A"}`:                                     105 * time.Minute,
		`{"access_token":"A","expires_in":3600}`:                   45 * time.Minute,
		`{"access_token":"A","expires_in":"3600"}`:                 45 * time.Minute,
		`{"access_token":"A","expires_on":1}`:                      105 * time.Minute,
		`{"access_token":"A","expires_in":99999999999}`:            105 * time.Minute,
		`{"access_token":"A","expires_on":1772370000}`:             45 * time.Minute,
		`{"access_token":"A","expires_on":-5,"expires_in":-5}`:     105 * time.Minute,
		`{"access_token":"A","expires_on":1772366460,"x":{"y":1}}`: 30 * time.Second,
	} {
		k, logins := newClock(), 0
		wire := &direct{instead: func(r *http.Request) (int, string) { logins++; return 200, answer }}
		source, err := NewTokenSource(Credential{URL: "https://eu2.example", ClientID: "c", Secret: "s"}, &http.Client{Transport: wire}, k.now)
		require.NoError(t, err)
		for _, passes := range []time.Duration{0, life - time.Second, 2 * time.Second} {
			require.Equal(t, min(logins, 1), logins, answer)
			k.pass(passes)
			_, err = source.tokens.Get(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, 2, logins, answer)
	}
}

func TestALoginWithoutAToken(t *testing.T) {
	for _, answer := range []string{"", "{}", "[]", `{"access_token":5}`, `{"access_token":""}`, "<html>"} {
		r := newRig(t, sim.Options{})
		r.wire.instead = on(http.MethodPost, "/token", 200, answer)
		r.temporary(ticket.Retry)
	}
}

func TestCredentialsAreChecked(t *testing.T) {
	for field, c := range map[string]Credential{
		"url":                  {URL: "eu2-cloud.acronis.com", ClientID: "c", Secret: "s"},
		"credential.client_id": {URL: "https://h", Secret: "s"},
		"credential.secret":    {URL: "https://h", ClientID: "c"},
	} {
		_, err := NewTokenSource(c, nil, nil)
		var e *ConfigurationError
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Field)
	}
	r := newRig(t, sim.Options{})
	source, err := NewTokenSource(Credential{URL: "https://eu2.example", ClientID: "bridge", Secret: "the-secret", TokenURL: "https://eu2.example/bc/idp/token"}, r.cfg.HTTP, nil)
	require.NoError(t, err)
	_, err = source.tokens.Get(t.Context())
	require.NoError(t, err)
	require.Len(t, r.asked(http.MethodPost, "/bc/idp/token"), 1)
}

func TestNoTokenIsCited(t *testing.T) {
	r := newRig(t, sim.Options{})
	echo := func(r *http.Request) string { return "<p>token " + r.Header.Get("Authorization") + "</p>" }
	r.wire.edit = func(req *http.Request, body string) string {
		if strings.HasSuffix(req.URL.Path, "/token") {
			return body
		}
		return echo(req)
	}
	require.Contains(t, r.fail().Error(), "[redacted]")
	r.wire.edit = nil
	r.drain()
	r.wire.instead = func(req *http.Request) (int, string) {
		return on(http.MethodGet, "/events", 422, `{"error":{"message":"bad `+req.Header.Get("Authorization")+`"}}`)(req)
	}
	r.configurationError("url", "refused (422): bad Bearer [redacted]")
}

func TestATokenDoesNotFollowRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	server := sim.New(sim.Options{})
	center := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			server.ServeHTTP(w, r)
			return
		}
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	}))
	defer center.Close()
	r := newRig(t, sim.Options{}, func(c *Config) { c.URL, c.HTTP = center.URL, nil })
	r.configurationError("url", elsewhere.URL)
}

func TestOverARealConnection(t *testing.T) {
	server := sim.New(sim.Options{})
	center := httptest.NewServer(server)
	defer center.Close()
	r := newRig(t, sim.Options{}, func(c *Config) { c.URL, c.HTTP, c.Now = center.URL, nil, nil })
	r.server, r.clock.at = server, time.Time{}
	r.open()
	want := r.publish(1, 120)
	server.SetFaults(sim.Fault{Kind: sim.FaultCut, Path: sim.PlaceEvents, Next: 1})
	r.step()
	r.temporary(ticket.Retry)
	require.Equal(t, want, ids(r.drain()))
}
