package jira

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// What each status means for a call that creates, and for one that may be made
// again without harm.
func TestEveryStatusHasItsKind(t *testing.T) {
	const (
		unknown = ticket.OutcomeUnknown
		retry   = ticket.Retry
		never   = ticket.Permanent
	)
	table := map[int][3]ticket.Kind{ // create, comment, get
		200: {unknown, unknown, retry}, 201: {unknown, unknown, retry}, 204: {unknown, unknown, retry},
		301: {never, never, never}, 302: {never, never, never}, 307: {never, never, never},
		400: {never, never, never}, 401: {ticket.Credentials, ticket.Credentials, ticket.Credentials},
		403: {ticket.Credentials, ticket.Credentials, ticket.Credentials},
		404: {never, ticket.NotFound, ticket.NotFound}, 405: {never, never, never},
		408: {unknown, unknown, retry}, 409: {retry, retry, retry}, 410: {never, never, never},
		413: {never, never, never}, 415: {never, never, never}, 422: {never, never, never}, 425: {retry, retry, retry},
		429: {ticket.RateLimited, ticket.RateLimited, ticket.RateLimited},
		500: {unknown, unknown, retry}, 502: {unknown, unknown, retry}, 503: {unknown, unknown, retry},
		504: {unknown, unknown, retry}, 520: {unknown, unknown, retry}, 599: {unknown, unknown, retry},
	}
	for status, want := range table {
		for _, body := range []string{`<html>proxy</html>`, ``, `{"errorMessages":["no"],"errors":{}}`} {
			t.Run(fmt.Sprintf("%d/%.7s", status, body), func(t *testing.T) {
				handler := func(rw http.ResponseWriter, r *http.Request) {
					rw.WriteHeader(status)
					if status != 204 {
						fmt.Fprint(rw, body)
					}
				}
				ctx := context.Background()
				_, err := answering(t, handler).CreateTicket(ctx, newTicket(1))
				assert.Equal(t, want[0], kindOf(t, err), "create: %v", err)
				_, err = answering(t, handler).CreateComment(ctx, "10001", ticket.NewComment{Content: "x"})
				assert.Equal(t, want[1], kindOf(t, err), "comment: %v", err)
				_, err = answering(t, handler).GetTicket(ctx, "10001")
				assert.Equal(t, want[2], kindOf(t, err), "get: %v", err)
			})
		}
	}
}

func TestNothingWasSentToARefusedConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	c := answering(t, nil)
	c.base = "http://" + address
	_, err = c.CreateTicket(context.Background(), newTicket(1))
	assert.Equal(t, ticket.Retry, kindOf(t, err))
	assert.ErrorContains(t, err, "connection refused")
}

func TestALostAnswerIsUnknownOnlyForWhatCreates(t *testing.T) {
	drop := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	ctx := context.Background()
	_, err := answering(t, drop).CreateTicket(ctx, newTicket(1))
	assert.Equal(t, ticket.OutcomeUnknown, kindOf(t, err))
	_, err = answering(t, drop).CreateComment(ctx, "1", ticket.NewComment{Content: "x"})
	assert.Equal(t, ticket.OutcomeUnknown, kindOf(t, err))
	_, err = answering(t, drop).GetTicket(ctx, "1")
	assert.Equal(t, ticket.Retry, kindOf(t, err))

	blocked := make(chan struct{})
	slow := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-blocked:
		}
	})
	t.Cleanup(func() { close(blocked) }) // before the server closes
	slow.rest.Timeout = 50 * time.Millisecond
	_, err = slow.CreateTicket(ctx, newTicket(1))
	assert.Equal(t, ticket.OutcomeUnknown, kindOf(t, err))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestErrorsBeforeThePostMadeNothing(t *testing.T) {
	for _, fault := range []sim.Fault{
		{Kind: sim.DropAfter, Op: "project"}, {Kind: sim.HTML, Op: "project"}, {Kind: sim.ErrorBefore, Op: "project"},
		{Kind: sim.DropAfter, Op: "users"},
	} {
		w := newWorld(t)
		w.fail(fault)
		n := newTicket(1)
		n.Assignee = "mia@acme.example"
		_, err := w.client.CreateTicket(context.Background(), n)
		assert.Equal(t, ticket.Retry, kindOf(t, err), "%+v: %v", fault, err)
		assert.Empty(t, w.sim.Issues())
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		prepare func(w *world)
		n       func(n *ticket.New)
		kind    ticket.Kind
		want    string
	}{
		"deleted project": {
			prepare: func(w *world) { require.NoError(t, w.sim.DeleteProject("OPS")) },
			kind:    ticket.Permanent, want: "Project OPS does not exist or the integration's user cannot see it",
		},
		"project deleted after it was seen": {
			prepare: func(w *world) { w.create(newTicket(9)); require.NoError(t, w.sim.DeleteProject("OPS")) },
			kind:    ticket.Permanent, want: "Project OPS does not exist or the integration's user cannot see it",
		},
		"labels": {
			prepare: func(w *world) { w.sim.TakeOffScreen("OPS", "labels") },
			kind:    ticket.Permanent, want: "Put the field Labels on the create screen of project OPS",
		},
		"priority": {
			n:    func(n *ticket.New) { n.Priority = "SEV1" },
			kind: ticket.Permanent, want: "priority_map",
		},
		"issue type": {
			n:    func(n *ticket.New) { n.IssueType = "Poem" },
			kind: ticket.Permanent, want: "default_issue_type",
		},
		"credential": {
			prepare: func(w *world) { w.client.header.Set("Authorization", "Basic bm90OnJpZ2h0") },
			kind:    ticket.Credentials, want: "renew its API token",
		},
		"permission": {
			prepare: func(w *world) { w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "create", Status: 403}) },
			kind:    ticket.Credentials, want: "give it the permission in Jira",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.prepare != nil {
				c.prepare(w)
			}
			n := newTicket(1)
			if c.n != nil {
				c.n(&n)
			}
			_, err := w.client.CreateTicket(ctx, n)
			assert.Equal(t, c.kind, kindOf(t, err))
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// A right that is missing for one comment or file is no trouble of the whole
// integration, which would be waited for; a token that is not taken is.
func TestADeletionThatIsNotAllowedIsRefused(t *testing.T) {
	for status, kind := range map[int]ticket.Kind{http.StatusForbidden: ticket.Permanent, http.StatusUnauthorized: ticket.Credentials} {
		w := newWorld(t)
		made := w.create(newTicket(1))
		attached, err := w.client.CreateAttachment(t.Context(), made.ID, file("a.txt", "a"))
		require.NoError(t, err)
		comment, err := w.client.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "x"})
		require.NoError(t, err)
		w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "detach", Status: status}, sim.Fault{Kind: sim.ErrorBefore, Op: "comment-delete", Status: status})
		assert.Equal(t, kind, kindOf(t, w.client.DeleteAttachment(t.Context(), made.ID, attached.ID)))
		assert.Equal(t, kind, kindOf(t, w.client.DeleteComment(t.Context(), made.ID, comment.ID)))
	}
}

func TestARemovedSearchIsAnError(t *testing.T) {
	c := answering(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusGone)
		fmt.Fprint(rw, `{"errorMessages":["The requested API has been removed."],"errors":{}}`)
	})
	_, err := c.FindTicket(context.Background(), newTicket(1).Marker)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "removed")
}

func TestNoSecretIsEverShown(t *testing.T) {
	echo := func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Location", "https://elsewhere/?t="+testToken)
		rw.Header().Set("RateLimit-Reason", testToken)
		status := http.StatusBadRequest
		_, _ = fmt.Sscanf(r.Header.Get("X-Status"), "%d", &status)
		rw.WriteHeader(status)
		fmt.Fprintf(rw, `{"errorMessages":[%q],"errors":{"labels":%q}}`, r.Header.Get("Authorization"), testToken)
	}
	for _, status := range []string{"200", "302", "400", "401", "403", "404", "410", "422", "429", "500"} {
		c := answering(t, echo)
		c.header.Set("X-Status", status)
		ctx := context.Background()
		_, created := c.CreateTicket(ctx, newTicket(1))
		_, got := c.GetTicket(ctx, "1")
		_, found := c.FindTicket(ctx, newTicket(1).Marker)
		for _, err := range []error{created, got, found, c.Check(ctx)} {
			require.Error(t, err)
			text := fmt.Sprintf("%v %+v %#v", err, err, err)
			assert.NotContains(t, text, testToken)
			assert.NotContains(t, text, encode("u:"+testToken))
			assert.Less(t, len(err.Error()), 700)
		}
	}
}

func TestConfigErrorsNameEveryMember(t *testing.T) {
	_, err := New(Config{
		Name: "jira-ops", URL: "acme.atlassian.net", Credential: Credential{Type: "password"},
		CustomFieldMappings: []CustomFieldMapping{{Name: "x"}}, StatusMap: map[string]string{"completed": "category:over"},
	})
	for _, want := range []string{"jira-ops", "url:", "credential.type", "credential.secret", "custom_field_mappings[0]", "status_map.completed"} {
		assert.ErrorContains(t, err, want)
	}
	_, err = New(Config{URL: "https://u:p@x", Credential: Credential{Type: Bearer, Secret: "s"}})
	assert.ErrorContains(t, err, "put them under credential")
}

func TestURLWithAPathPrefix(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, c *Config) {
		c.URL = "/ex/jira/cloud-id/rest/api/3/"
		o.BaseURL = "https://acme.atlassian.net"
	})
	made := w.create(newTicket(1))
	assert.Equal(t, "https://acme.atlassian.net/browse/OPS-1", made.URL)
}

func TestCheck(t *testing.T) {
	ctx := context.Background()
	assert.NoError(t, newWorld(t).client.Check(ctx))
	for want, change := range map[string]func(*sim.Options, *Config){
		"Project NOPE does not exist":   func(_ *sim.Options, c *Config) { c.DefaultProject = "NOPE" },
		`it has: Task, Bug, Incident`:   func(_ *sim.Options, c *Config) { c.DefaultIssueType = "Poem" },
		`priority_map: the site has no`: func(_ *sim.Options, c *Config) { c.PriorityMap = map[ticket.Priority]string{ticket.High: "P2"} },
		"renew its API token":           func(_ *sim.Options, c *Config) { c.Credential.Secret = "old" },
	} {
		err := newWorld(t, change).client.Check(ctx)
		assert.ErrorContains(t, err, want)
	}
	w := newWorld(t)
	w.sim.TakeOffScreen("OPS", "labels")
	assert.ErrorContains(t, w.client.Check(ctx), "Put the field Labels"[1:])
}

func TestRateLimitResetIsRead(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"2026-03-04T12:01:00Z": time.Minute, "2026-03-04T12:01Z": time.Minute, "2026-03-04T13:00:30.000+0100": 30 * time.Second,
		"2026-03-04T11:00:00Z": 0, "soon": 0, "": 0,
	} {
		assert.Equal(t, want, untilReset(text, now), text)
	}
}

func TestExcerptsAreShort(t *testing.T) {
	c := answering(t, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, strings.Repeat("<p>x</p>\n", 10000)) })
	_, err := c.GetTicket(context.Background(), "1")
	assert.Less(t, len(err.Error()), 300)
	assert.NotContains(t, err.Error(), "\n")
}
