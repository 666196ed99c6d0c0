package acronis

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func full() Config {
	return Config{
		Name: "tenants", URL: "https://eu2.example", Topic: sim.TopicTenant, Types: []string{"cti.b", "cti.a"},
		Tenant: "t", TenantDepth: DepthDirect, SubjectTypes: []string{"y", "x"}, CEL: `event.source == "s"`,
		Consumer: AutoCommit, AutoCommitInterval: time.Minute, SessionTimeout: 90 * time.Second,
	}
}

func TestTheSubscriptionIsNamedByWhatItDelivers(t *testing.T) {
	id := subscriptionOf(full()).ID
	require.Equal(t, "5ea1986d-7740-5cee-bdb6-f03d8cd1a3cc", id, "another id would read all again")
	same := full()
	slices.Reverse(same.Types)
	slices.Reverse(same.SubjectTypes)
	same.Start, same.LongPoll, same.MinInterval = "current", time.Second, time.Second
	require.Equal(t, id, subscriptionOf(same).ID)

	seen := map[string]bool{id: true}
	for name, change := range map[string]func(*Config){
		"name": func(c *Config) { c.Name = "other" }, "url": func(c *Config) { c.URL = "https://us.example" },
		"topic": func(c *Config) { c.Topic = sim.TopicTask }, "types": func(c *Config) { c.Types = []string{"cti.a"} },
		"tenant": func(c *Config) { c.Tenant = "u" }, "no tenant": func(c *Config) { c.Tenant = "" },
		"depth": func(c *Config) { c.TenantDepth = DepthAll }, "subject types": func(c *Config) { c.SubjectTypes = nil },
		"cel": func(c *Config) { c.CEL = "" }, "auto commit": func(c *Config) { c.Consumer = Stateless },
		"interval": func(c *Config) { c.AutoCommitInterval = time.Hour }, "session": func(c *Config) { c.SessionTimeout = time.Hour },
		"moved": func(c *Config) { c.Types, c.SubjectTypes = []string{"cti.b"}, []string{"cti.a", "y", "x"} },
	} {
		cfg := full()
		change(&cfg)
		other := subscriptionOf(cfg).ID
		require.False(t, seen[other], name)
		seen[other] = true
	}
	own := full()
	own.Subscription = "5D0805FF-FA52-4175-ABB1-C10061DA437D"
	require.Equal(t, "5d0805ff-fa52-4175-abb1-c10061da437d", subscriptionOf(own).ID)
	aside := subscriptionOf(own).aside()
	require.NotEqual(t, subscriptionOf(own).ID, aside.ID)
	require.False(t, aside.AutoCommit)
	require.Equal(t, "PT30S", aside.SessionTimeout)
}

func TestTheSubscriptionIsAskedForInFull(t *testing.T) {
	var body map[string]any
	r := newRig(t, sim.Options{}, func(c *Config) {
		tokens, client := c.Tokens, c.HTTP
		*c = full()
		c.Tokens, c.HTTP = tokens, client
	})
	r.wire.instead = func(req *http.Request) (int, string) {
		if req.Method == http.MethodPost && req.URL.Path == "/api/event_manager/v1/subscriptions" {
			data, _ := io.ReadAll(req.Body)
			require.NoError(t, json.Unmarshal(data, &body))
			require.Equal(t, "application/json", req.Header.Get("Content-Type"))
			return 201, string(data)
		}
		return 0, ""
	}
	r.step()
	r.configurationError("url", "unknownSubscription")
	require.Equal(t, map[string]any{
		"subscription_id": r.id(), "topic_id": sim.TopicTenant, "types": []any{"cti.b", "cti.a"}, "tenant_id": "t",
		"tenant_depth": "DIRECT", "subject_types": []any{"y", "x"}, "cel": `event.source == "s"`, "auto_commit": true,
		"auto_commit_interval": "PT60S", "session_timeout": "PT90S",
	}, body)
}

func TestASubscriptionIsMadeOnce(t *testing.T) {
	r := newRig(t, sim.Options{})
	want := r.publish(1, 3)
	r.drain()
	r.drain()
	require.Equal(t, 1, r.server.Stats().ByStatus[201])
	require.Len(t, r.asked(http.MethodPost, "/subscriptions"), 1)

	again := newRig(t, sim.Options{})
	again.server, again.wire.handler = r.server, r.server
	require.Equal(t, want, ids(again.drain()), "a feed whose workflow was lost")
	require.Equal(t, 1, r.server.Stats().ByStatus[409])
}

func TestALostAnswerToThePost(t *testing.T) {
	for _, kind := range []string{sim.FaultCut, sim.FaultDrop, sim.FaultHTML} {
		for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
			r := newRig(t, sim.Options{}, by(consumer))
			want := r.publish(1, 3)
			r.step()
			r.server.SetFaults(sim.Fault{Kind: kind, Path: sim.PlaceSubscriptions, Next: 1})
			r.temporary(ticket.Retry)
			require.Equal(t, want, ids(r.drain()), "%s %s", kind, consumer)
			require.Equal(t, 1, r.server.Stats().Subscriptions)
		}
	}
}

func TestARefusedSubscriptionSaysWhy(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Types = []string{"a.p.tenant.*"} })
	r.step()
	r.configurationError("topic", "neither a type nor the beginning of one")
	r = newRig(t, sim.Options{})
	r.step()
	r.wire.instead = on(http.MethodPost, "/subscriptions", 422, `{"error":{"code":"invalid","context":{"errors":[{"message":"cel: no such member"},{"message":"types: too many"}]}}}`)
	r.configurationError("topic", "invalid: cel: no such member: types: too many")
	r.wire.instead = on(http.MethodPost, "/subscriptions", 400, `{"error":{"code":"invalid","message":"cel","context":{"errors":{}}}}`)
	r.configurationError("topic", "invalid: cel;")
	r.wire.instead = on(http.MethodPost, "/subscriptions", 403, `{"error":{"code":"forbidden"}}`)
	r.configurationError("credential", "forbidden")
	for status, kind := range map[int]ticket.Kind{429: ticket.RateLimited, 500: ticket.Retry, 408: ticket.Retry} {
		r.wire.instead = on(http.MethodPost, "/subscriptions", status, "")
		r.temporary(kind)
	}
}
