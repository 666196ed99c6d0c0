package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// withOthers adds two integrations with a caller each, whose tokens are their
// names: other, a Jira at url, and try, a test provider.
func withOthers(text, url string) string {
	before, after, _ := strings.Cut(text, "callers:\n")
	return before + fmt.Sprintf(`  - name: other
    type: ticketing_jira
    url: %s
    credential: {type: basic, username: bridge@acme.example, secret: "env:TEST_JIRA_TOKEN"}
    default_project: OPS
    default_issue_type: Task
%s  - name: try
    type: ticketing_mock_ticketing
callers:
  - {name: other, token: "env:TEST_OTHER_TOKEN", integration: other}
  - {name: try, token: "env:TEST_TRY_TOKEN", integration: try}
`, url, fastRate) + after
}

// A Jira that takes ten creates a second, and answers 429 to a third of what is
// read, before two workers and a serve that do not know of each other: 60 writes
// and 60 reads at once. Nothing is lost or made twice, and it is hardly asked in
// vain; reads are answered, or say when to come back; other integrations, also
// those of the same kind, do not wait.
func TestALimitedProviderUnderLoad(t *testing.T) {
	t.Parallel()
	otherURL, other := startJira(t, jira.Options{})
	s := start(t, options{
		workers: 2, jira: jira.Options{CreatesPerSecond: 10, RetryDates: true, Seed: 7},
		env:    []string{"TEST_OTHER_TOKEN=other", "TEST_TRY_TOKEN=try"},
		config: func(text string) string { return withOthers(strings.Replace(text, fastRate, "", 1), otherURL) },
	})
	require.NoError(t, s.jira.SetFaults(
		jira.Fault{Kind: jira.TooMany, Op: "get", Probability: 0.3, RetryAfter: 1, Date: true},
		jira.Fault{Kind: jira.TooMany, Op: "search", Probability: 0.3, RetryAfter: 1},
	))
	seen, err := s.jira.CreateAsOther("OPS", "Read me")
	require.NoError(t, err)

	const writes, reads = 60, 60
	var load sync.WaitGroup
	ids, errs := make([]string, writes), make([]error, writes)
	for n := range writes {
		load.Go(func() {
			var made ticketShape
			made, errs[n] = s.connector(5).createTicket(t.Context(), named(fmt.Sprintf("Limited %02d", n)))
			ids[n] = made.ID
		})
	}
	answers := make([]error, reads)
	for n := range reads {
		load.Go(func() {
			if c := s.connector(1); n%2 == 0 {
				_, answers[n] = c.getTicket(t.Context(), seen.ID)
			} else {
				_, answers[n] = c.queryTickets(t.Context(), url.Values{"limit": {"5"}})
			}
		})
	}
	s.eventually(t, func() bool { return s.jira.Stats().Commits["create"] >= 15 }, "the first quarter of the tickets")
	for _, name := range []string{"other", "try"} {
		c := s.connector(1)
		c.token = name
		made, err := c.createTicket(t.Context(), named("Does not wait"))
		require.NoError(t, err)
		_, err = c.getTicket(t.Context(), made.ID)
		require.NoError(t, err)
	}
	made := s.jira.Stats().Commits["create"]
	assert.Less(t, made, writes, "the others were answered while this one was still behind")
	assert.Len(t, other.Issues(), 1)
	load.Wait()

	stats := s.jira.Stats()
	t.Logf("others were answered after %d of %d; creates %d, refused %v", made, writes, stats.Requests["create"], stats.TooMany)
	for n, err := range errs {
		require.NoError(t, err)
		s.assertOne(t, fmt.Sprintf("Limited %02d", n), ids[n])
	}
	assert.Len(t, s.issues(), writes+1)
	assert.Positive(t, stats.TooMany["create"], "the limit was met")
	assert.LessOrEqual(t, float64(stats.Requests["create"]), 1.1*writes)
	s.assertReads(t, answers)
}

// assertReads: each was answered, or told when to come back.
func (s *stack) assertReads(t *testing.T, answers []error) {
	t.Helper()
	limited := 0
	for _, err := range answers {
		if err == nil {
			continue
		}
		refused := refusal(t, http.StatusTooManyRequests, err)
		seconds, err := strconv.Atoi(refused.Header.Get("Retry-After"))
		require.NoError(t, err, "seconds, which is what clients read best")
		assert.Positive(t, seconds)
		assert.NotEmpty(t, refused.Problem.Detail)
		limited++
	}
	t.Logf("%d of %d reads were told to come back", limited, len(answers))
	assert.Positive(t, limited)
	assert.Less(t, limited, len(answers))
}
