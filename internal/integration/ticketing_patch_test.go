package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// A patch that depends on what is there, sent again after a 503, is the same patch,
// although what is there has changed by then.
func TestAPatchSentAgainIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	s.ticketing(t, 201, "POST", "tickets", `{"name":"Disk full","tags":["a","b"]}`)
	for _, c := range []struct {
		name, body, key string
		tags            []any
	}{
		{"a test", `[{"op":"test","path":"/tags","value":["a","b"]},{"op":"replace","path":"/tags","value":["a","b","c"]}]`, "", []any{"a", "b", "c"}},
		{"an index", `[{"op":"remove","path":"/tags/0"}]`, "", []any{"b", "c"}},
		{"a key", `[{"op":"remove","path":"/tags/0"}]`, "k-1", []any{"c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "edit", Delay: 3000, Times: 1}))
			send := func(prefer string) answer {
				a, err := s.call(http.MethodPatch, "/v1/ticketing/tickets/OPS-1", strings.NewReader(c.body),
					"Content-Type", "application/json-patch+json", "Idempotency-Key", c.key, "Prefer", prefer)
				require.NoError(t, err)
				return a
			}
			waits := send("wait=1")
			require.Equal(t, http.StatusServiceUnavailable, waits.status, waits.text)
			s.eventually(t, func() bool {
				return assert.ObjectsAreEqual(c.tags, one(t, s.get("/v1/ticketing/tickets/OPS-1"))["tags"])
			}, "Jira has done it")
			again := send("")
			require.Equal(t, http.StatusOK, again.status, again.text)
			assert.Equal(t, c.tags, one(t, again)["tags"])
			assert.Equal(t, waits.header.Get("X-Operation-Id"), again.header.Get("X-Operation-Id"))
		})
	}
	next := s.ticketing(t, 200, "PATCH", "tickets/OPS-1", `[{"op":"remove","path":"/tags/0"}]`)
	assert.Empty(t, one(t, next)["tags"], "after a 2xx it is another patch")
	s.ticketing(t, 400, "PATCH", "tickets/OPS-1", `[{"op":"remove","path":"/tags/0"}]`)
}
