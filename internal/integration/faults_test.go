package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// row is one line of the table of faults that comparable tools were put through.
type row struct {
	name string
	// events go over this many match keys, from this many senders at a time.
	events, keys, senders int
	jira                  jira.Options
	faults                []jira.Fault
	workers               int
	// crash is when everything is killed and started again; zero is never.
	crash time.Duration
	// again: the senders then send everything once more.
	again bool
	// creates bounds the create calls per ticket; zero does not.
	creates float64
}

// scale is what part of the table's events are sent; `make bench` sends all.
func scale(n int) int {
	percent, err := strconv.Atoi(os.Getenv("TB_TEST_SCALE"))
	if err != nil || percent <= 0 {
		percent = 20
	}
	return n * percent / 100
}

func rows() []row {
	lag := jira.Options{IndexLag: 3 * time.Second, Seed: 7}
	return []row{
		{name: "T0 no fault", events: 2000, keys: 250, senders: 8,
			faults: []jira.Fault{{Kind: jira.Slow, Delay: 20}}},
		{name: "T1 503 before", events: 1000, keys: 250, senders: 8,
			faults: []jira.Fault{{Kind: jira.ErrorBefore, Probability: 0.2}}},
		{name: "T2 500 after commit, index lags", events: 1000, keys: 250, senders: 8, jira: lag,
			faults: []jira.Fault{{Kind: jira.ErrorAfter, Probability: 0.1}}},
		{name: "T3 cut after commit, index lags", events: 1000, keys: 250, senders: 8, jira: lag,
			faults: []jira.Fault{{Kind: jira.DropAfter, Probability: 0.1}}},
		{name: "T3c cut before commit", events: 1000, keys: 215, senders: 8,
			faults: []jira.Fault{{Kind: jira.DropBefore, Probability: 0.1}}},
		{name: "N3b cut before commit", events: 1000, keys: 250, senders: 8,
			faults: []jira.Fault{{Kind: jira.DropBefore, Probability: 0.1}}},
		{name: "T4 killed early", events: 1000, keys: 250, senders: 8, crash: 700 * time.Millisecond},
		{name: "T4b killed early, sent again", events: 1000, keys: 250, senders: 8, crash: 700 * time.Millisecond, again: true},
		{name: "N4 killed late, slow API", events: 1000, keys: 250, senders: 8, crash: 4 * time.Second,
			faults: []jira.Fault{{Kind: jira.Slow, Delay: 200}}},
		{name: "T5 limit of 20 creates a second, two workers", events: 1000, keys: 250, senders: 8, workers: 2, creates: 1.1,
			jira: jira.Options{CreatesPerSecond: 20, Seed: 7}},
		{name: "N5 limit of 20 creates a second, one worker", events: 500, keys: 250, senders: 8, creates: 1.1,
			jira: jira.Options{CreatesPerSecond: 20, Seed: 7}},
		{name: "T6 race on few keys", events: 200, keys: 5, senders: 8},
		{name: "T6b burst within the index lag", events: 100, keys: 5, senders: 1, jira: jira.Options{IndexLag: 3 * time.Second}},
		{name: "N6 race, many senders", events: 200, keys: 5, senders: 32},
	}
}

// Every event that got a 2xx is visible at the provider, once, on the one ticket
// of its key, whatever goes wrong on the way.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.run(t)
		})
	}
}

func (r row) run(t *testing.T) {
	r.events, r.keys = scale(r.events), max(scale(r.keys), 5)
	rate := fastRate
	if r.creates > 0 {
		rate = "" // the default
	}
	s := start(t, options{jira: r.jira, workers: r.workers, config: func(text string) string {
		return strings.Replace(text, fastRate, rate, 1)
	}})
	require.NoError(t, s.jira.SetFaults(r.faults...))
	if r.crash > 0 {
		crashed := make(chan struct{})
		timer := time.AfterFunc(r.crash, func() { defer close(crashed); s.killAll() })
		defer timer.Stop()
		defer func() { <-crashed }()
	}
	begin := time.Now()
	sent := s.send(r)
	taken := time.Since(begin)
	s.awaitNotes(t, sent)
	if r.again {
		r.events += r.keys // the new event of each key comes behind the repeated ones
		s.awaitNotes(t, s.send(r))
	}
	t.Logf("%d events over %d keys taken in %s, all at the provider after %s; creates %d, tickets %d, 429 %d",
		r.events, r.keys, taken.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond),
		s.jira.Stats().Requests["create"], s.jira.Stats().Commits["create"], s.jira.Stats().TooMany["create"])
	s.assertOnce(t, r.keys)
	if r.creates > 0 {
		perTicket := float64(s.jira.Stats().Requests["create"]) / float64(r.keys)
		assert.LessOrEqual(t, perTicket, r.creates, "create calls per ticket")
	}
}

// send sends all events; a sender that gets no 2xx sends again, as monitoring
// tools do. It returns the notes of those that were taken, by key.
func (s *stack) send(r row) map[int][]string {
	var mu sync.Mutex
	sent := map[int][]string{}
	var next atomic.Int64
	var group errgroup.Group
	for range r.senders {
		group.Go(func() error {
			for {
				n := int(next.Add(1)) - 1
				if n >= r.events {
					return nil
				}
				key := n % r.keys
				note := fmt.Sprintf("event-%05d.", n)
				s.sendOne(key, note)
				mu.Lock()
				sent[key] = append(sent[key], note)
				mu.Unlock()
			}
		})
	}
	_ = group.Wait() // senders do not fail; sendOne goes on until it is taken
	return sent
}

func (s *stack) sendOne(key int, note string) {
	params := map[string]any{
		"subject": fmt.Sprintf("Alarm on srv-%03d", key+1), "source": "Nagios", "ci": fmt.Sprintf("srv-%03d", key+1), "note": note,
	}
	taken := func() bool {
		a, err := s.post(params)
		return err == nil && a.status/100 == 2
	}
	if !taken() {
		require.Eventually(s.t, taken, 2*time.Minute, 200*time.Millisecond, "event %s is never taken", note)
	}
}

// awaitNotes waits until every note is visible at the provider.
func (s *stack) awaitNotes(t *testing.T, sent map[int][]string) {
	t.Helper()
	missing := ""
	require.Eventually(t, func() bool {
		visible := s.visible()
		for _, notes := range sent {
			for _, note := range notes {
				if visible[note] == 0 {
					missing = note
					return false
				}
			}
		}
		return true
	}, 5*time.Minute, 100*time.Millisecond, "not every event arrives; e.g. %s", &missing)
}

// visible counts how often each note stands in a ticket or comment.
func (s *stack) visible() map[string]int {
	count := map[string]int{}
	for _, issues := range s.issues() {
		for _, issue := range issues {
			texts := []string{jira.Text(issue.Description)}
			for _, c := range issue.Comments {
				texts = append(texts, jira.Text(c.Body))
			}
			for _, text := range texts {
				for _, word := range strings.Fields(text) {
					if strings.HasPrefix(word, "event-") {
						count[word]++
					}
				}
			}
		}
	}
	return count
}

// assertOnce: one ticket a key, each note once.
func (s *stack) assertOnce(t *testing.T, keys int) {
	t.Helper()
	issues := s.issues()
	assert.Len(t, issues, keys)
	for summary, found := range issues {
		assert.Len(t, found, 1, "tickets of %s", summary)
	}
	for note, n := range s.visible() {
		assert.Equal(t, 1, n, "%s", note)
	}
}

// killAll kills worker, server and HTTP side at once, and starts them again.
func (s *stack) killAll() {
	for _, w := range s.workers {
		w.kill()
	}
	s.serve.kill()
	n := len(s.workers)
	s.workers = nil
	s.temporal.crash()
	for range n {
		s.startWorker()
	}
	s.startServe()
}
