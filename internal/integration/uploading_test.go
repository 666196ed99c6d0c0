package integration

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// send3MB sends a file, and closes the channel when that has ended somehow.
func (s *stack) send3MB(t *testing.T) <-chan struct{} {
	t.Helper()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = s.upload(t.Context(), blob(1, 3<<20), 3<<20) // serve dies under it
	}()
	return sent
}

// killInUpload kills serve when Jira has the file and has not answered.
func (s *stack) killInUpload(t *testing.T) {
	t.Helper()
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "attach", Delay: 10_000, Times: 1}))
	sent := s.send3MB(t)
	s.eventually(t, func() bool { return s.jira.Stats().Commits["attach"] == 1 }, "the upload")
	s.serve.kill()
	<-sent
	require.Len(t, s.spooled(t), 1, "it is kept")
}

// checkOnce wants the file of send3MB once, and nothing left of it.
func (s *stack) checkOnce(t *testing.T) {
	t.Helper()
	require.Len(t, s.files(), 1)
	assert.Equal(t, sumOf(t, blob(1, 3<<20)), sha256.Sum256(s.files()[0].Content))
	assert.Equal(t, 1, s.jira.Stats().Commits["attach"])
	assert.Empty(t, s.spooled(t))
}

// gate stands before the simulated Jira and stops the first upload in its middle,
// until it is opened.
type gate struct {
	jira    atomic.Pointer[jira.Simulator]
	taken   atomic.Bool
	reached chan struct{}
	open    chan struct{}
	passed  chan struct{}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	uploads := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/attachments")
	if !uploads || !g.taken.CompareAndSwap(false, true) {
		g.jira.Load().ServeHTTP(w, r)
		return
	}
	defer close(g.passed)
	head := make([]byte, 1<<20)
	_, _ = io.ReadFull(r.Body, head) // what is wrong with it shows in the rest
	close(g.reached)
	<-g.open
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(head), r.Body))
	g.jira.Load().ServeHTTP(w, r)
}
