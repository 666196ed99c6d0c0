package integration

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// No credential reaches Temporal, whose whole database is looked through, nor a
// log, an error, an answer or a metric; not in trouble either.
func TestNoSecretIsLeftAnywhere(t *testing.T) {
	t.Parallel()
	feed := cloudfeeds.New(cloudfeeds.Options{})
	feed.AddUser(cloudfeeds.User{Name: "alice", APIKey: "secret-of-feed"})
	issued := &seen{}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		issued.add(r.Header.Get("X-Auth-Token"))
		feed.ServeHTTP(w, r)
	}))
	t.Cleanup(site.Close)
	s := start(t, options{feeds: feedConfig(site.URL), env: []string{"TICKETBRIDGE_LOG_LEVEL=debug"}})
	out, status := s.starter("feed", "start", "rackspace-lon")
	require.Zero(t, status, out)
	feed.Publish(cloudfeeds.Entry{Account: account, TicketID: "250101-lon-0000001", Type: "CREATE", Subject: "From the feed",
		Comments: []cloudfeeds.Comment{{ID: "c1", Text: "readable-words-of-a-feed"}}})
	s.alarm(t, 201, "srv-001", "readable-words-of-a-caller")
	s.eventually(t, func() bool { return len(s.issues()["From the feed"])+len(s.issues()["Alarm on srv-001"]) == 2 }, "two tickets")

	// Everything that can be refused is refused for a while.
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Status: 401}))
	feed.AddUser(cloudfeeds.User{Name: "alice", APIKey: "another"})
	feed.RevokeTokens()
	s.alarm(t, 200, "srv-001", "refused")
	s.eventually(t, func() bool { return s.feed("rackspace-lon").State == "blocked" }, "the feed is blocked")
	s.eventually(t, func() bool { return s.logged("401") > 0 }, "the refused call is logged")
	refused, err := s.call(http.MethodGet, "/v1/feeds", nil, "Authorization", "Bearer wrong-token-of-somebody")
	require.NoError(t, err)
	require.Equal(t, 401, refused.status)
	list, _ := s.starter("feed", "list")
	shown := list + refused.text + s.get("/v1/feeds").text + s.get("/v1/parked").text + s.get("/metrics").text

	secrets := append(issued.all(), "secret-of-jira", "secret-of-feed", token, "wrong-token-of-somebody",
		base64.StdEncoding.EncodeToString([]byte("bridge@acme.example:secret-of-jira")))
	require.Greater(t, len(secrets), 5, "a token was issued")
	for _, w := range s.workers {
		w.kill()
	}
	s.serve.kill()
	s.temporal.process.kill()
	stored := contents(t, filepath.Join(s.temporal.dir, "temporal.db*"))
	for _, words := range []string{"readable-words-of-a-feed", "readable-words-of-a-caller", "feed:rackspace-lon", "jira-ops"} {
		assert.Positive(t, bytes.Count(stored, []byte(words)), "the database can be read: %s", words)
	}
	logs := contents(t, filepath.Join(logDir(s.t), "*.log"))
	for _, secret := range secrets {
		assert.False(t, bytes.Contains(stored, []byte(secret)), "%s is in Temporal's database", secret)
		assert.False(t, bytes.Contains(logs, []byte(secret)), "%s is in a log", secret)
		assert.False(t, strings.Contains(shown, secret), "%s is shown", secret)
	}
}

// contents are those of all files that a pattern names.
func contents(t *testing.T, pattern string) []byte {
	t.Helper()
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names, pattern)
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		all = append(all, data...)
	}
	return all
}

// seen collects words.
type seen struct {
	mu    sync.Mutex
	words map[string]bool
}

func (s *seen) add(word string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.words == nil {
		s.words = map[string]bool{}
	}
	if word != "" {
		s.words[word] = true
	}
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var words []string
	for word := range s.words {
		words = append(words, word)
	}
	return words
}
