package workflows

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Histories are recorded with
//
//	TB_TEST_TEMPORAL=$(which temporal) go test ./workflows -run Record -record
//
// and every one in testdata/histories is replayed. Those of released versions
// stay; after a change that is not compatible, use workflow.GetVersion, or say
// in the release notes that running workflows must be reset.
var record = flag.Bool("record", false, "record histories on a real server")

const histories = "testdata/histories"

// recordings are the paths that are recorded; each returns the workflow, and the
// run where it is not the last one.
func recordings() map[string]func(*recorder) (id, run string) {
	all := map[string]func(*recorder) (string, string){
		"MatchEvents-new-comment-close": (*recorder).newCommentClose,
		"MatchEvents-create-recovered":  (*recorder).createRecovered,
		"MatchEvents-create-timed-out":  (*recorder).createTimedOut,
		"MatchEvents-parked-retried":    (*recorder).parkedRetried,
		"MatchEvents-continued":         (*recorder).continued,
		"MatchEvents-continues":         (*recorder).continues,
		"MatchEvents-waiting-until":     (*recorder).waitingUntil,
		"MatchEvents-adopted":           (*recorder).adopted,
		"MatchEvents-closed-meanwhile":  (*recorder).closedMeanwhile,
		"MatchEvents-typed-event":       (*recorder).typedEvent,
		"MatchEvents-feed-refused":      (*recorder).feedRefused,
		"PollFeed-idle":                 (*recorder).feedIdle,
		"PollFeed-events":               (*recorder).feedEvents,
		"PollFeed-steered":              (*recorder).feedSteered,
		"PollFeed-blocked":              (*recorder).feedBlocked,
		"PollFeed-parked":               (*recorder).feedParked,
		"PollFeed-continued":            (*recorder).feedContinued,
		"PollFeed-continues":            (*recorder).feedContinues,
	}
	maps.Copy(all, writeRecordings())
	all["KeepIntegration-changed"] = (*recorder).integrationChanged
	return all
}

func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("records only with -record")
	}
	for name, path := range recordings() {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			id, run := path(r)
			r.save(name, r.history(id, run))
		})
	}
}

// save writes a history without anything of this machine.
func (r *recorder) save(name string, h *historypb.History) {
	r.t.Helper()
	data, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(h)
	require.NoError(r.t, err)
	host, err := os.Hostname()
	require.NoError(r.t, err)
	data = bytes.ReplaceAll(data, []byte(host), []byte("worker"))
	require.NoError(r.t, os.MkdirAll(histories, 0o755))
	require.NoError(r.t, os.WriteFile(filepath.Join(histories, name+".json"), append(data, '\n'), 0o600))
	r.t.Logf("%d events, %d actions", len(h.Events), actions(h))
}

func TestReplay(t *testing.T) {
	files, err := filepath.Glob(histories + "/*.json")
	require.NoError(t, err)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			replayer.RegisterWorkflow(PollFeed)
			replayer.RegisterWorkflow(MatchEvents)
			replayer.RegisterWorkflow(WriteTicket)
			replayer.RegisterWorkflow(KeepIntegration)
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			history, err := client.HistoryFromJSON(bytes.NewReader(data), client.HistoryJSONOptions{})
			require.NoError(t, err)
			id := history.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
			require.NoError(t, replayer.ReplayWorkflowHistoryWithOptions(silent{}, history,
				worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id, RunID: "replayed"}}))
		})
	}
	for name := range recordings() {
		assert.FileExists(t, filepath.Join(histories, name+".json"), "record it: see the comment at the flag -record")
	}
}

// Every workflow that the worker registers has a history.
func TestEveryRegisteredWorkflowIsReplayed(t *testing.T) {
	source, err := os.ReadFile("../worker/process.go")
	require.NoError(t, err)
	registered := regexp.MustCompile(`RegisterWorkflow\(workflows\.(\w+)\)`).FindAllStringSubmatch(string(source), -1)
	require.NotEmpty(t, registered)
	for _, match := range registered {
		files, err := filepath.Glob(filepath.Join(histories, match[1]+"-*.json"))
		require.NoError(t, err)
		assert.NotEmpty(t, files, "no history of %s", match[1])
	}
}

// A history shows nothing of the machine it was recorded on.
func TestHistoriesNameNoMachine(t *testing.T) {
	files, err := filepath.Glob(histories + "/*.json")
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotContains(t, string(data), "@"+host, file)
		assert.NotContains(t, string(data), "/root/", file)
		assert.Less(t, len(data), 400<<10, "%s: keep histories small", file)
	}
}

// recorder walks the paths.
type recorder struct {
	*real
	events *matchSuite
}

func newRecorder(t *testing.T) *recorder { return newRecorderWith(t, nil) }

func newRecorderWith(t *testing.T, metrics client.MetricsHandler) *recorder {
	events := new(matchSuite)
	events.SetT(t)
	events.begin, events.rules = time.Now().UTC(), testRules()
	return &recorder{real: startReal(t, metrics), events: events}
}

func (r *recorder) newCommentClose() (string, string) {
	id := r.deliver(r.events.alarm("e1", "a"))
	r.written(1)
	r.deliver(r.events.alarm("e2", "b"))
	r.written(2)
	r.deliver(r.events.recovery("e3", "up"))
	r.written(4)
	return id, ""
}

func (r *recorder) createRecovered() (string, string) {
	r.desk.on["create"] = upTo(1, true, unanswered())
	id := r.deliver(r.events.alarm("e1", "a"))
	r.match(id, func(v contract.MatchView) bool { return len(v.Requests) == 1 && v.Requests[0].Ticket != nil })
	require.Equal(r.t, 1, r.desk.count("create"))
	return id, ""
}

// createTimedOut is a worker that dies in the middle of a create: the server
// must not simply make the call again.
func (r *recorder) createTimedOut() (string, string) {
	stuck := make(chan struct{})
	r.t.Cleanup(func() { close(stuck) })
	created := make(chan struct{}, 1)
	r.desk.hang = func() { created <- struct{}{}; <-stuck }
	id := r.deliver(r.events.alarm("e1", "a"))
	<-created
	require.Eventually(r.t, func() bool { return r.desk.count("recover") > 0 }, 2*createTimeout, 100*time.Millisecond)
	r.match(id, func(v contract.MatchView) bool { return len(v.Requests) == 1 && v.Requests[0].Ticket != nil })
	require.Equal(r.t, 1, r.desk.count("create"))
	return id, ""
}

func (r *recorder) parkedRetried() (string, string) {
	r.desk.on["create"] = upTo(1, false, refused("name is too long"))
	id := r.deliver(r.events.alarm("e1", "a"))
	r.match(id, func(v contract.MatchView) bool { return len(v.Requests) == 1 && v.Requests[0].Pending[0].Parked != "" })
	r.signal(id, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"name": "Shorter"}})
	r.written(1)
	return id, ""
}

// many delivers until the run has continued as new.
func (r *recorder) many() string {
	id := r.deliver(r.events.alarm("e0", "note 0"))
	r.written(1)
	first := r.firstRun(id)
	for n := 1; n < 40; n++ {
		r.deliver(r.events.alarm(fmt.Sprint("e", n), fmt.Sprint("note ", n)))
		r.written(n + 1)
	}
	require.NotEqual(r.t, first, r.history(id, "").Events[0].GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId())
	require.Len(r.t, r.desk.written(), 40, "nothing lost, nothing twice")
	return id
}

func (r *recorder) continued() (string, string) { return r.many(), "" }

func (r *recorder) continues() (string, string) {
	id := r.many()
	return id, r.firstRun(id)
}

func (r *recorder) waitingUntil() (string, string) {
	until := time.Now().Add(3 * time.Second).UTC().Format(time.RFC3339)
	id := r.deliver(r.events.alarm("e1", "a", "status", "waiting_for", "waiting_until", until))
	r.written(3)
	return id, ""
}

func (r *recorder) adopted() (string, string) {
	e := r.events.foreign("f1", "open", "hello", 0)
	r.desk.add(contract.KeyHash(e.Resolved.Key), time.Time{})
	id := r.deliver(e)
	r.written(1)
	return id, ""
}

func (r *recorder) closedMeanwhile() (string, string) {
	id := r.deliver(r.events.alarm("e1", "a"))
	r.written(1)
	r.desk.close("T1", time.Now())
	r.deliver(r.events.alarm("e2", "b"))
	r.written(2)
	return id, ""
}

func (r *recorder) typedEvent() (string, string) {
	id := r.deliver(r.events.alarm("e1", "a"))
	r.signal(id, contract.SignalEvent, contract.EventsSignal{Events: []event.Event{r.events.typed("e2", "b"), r.events.typed("e3", "c", "source", "Zabbix")}})
	r.written(2)
	r.match(id, func(v contract.MatchView) bool { return len(v.Parked) == 1 })
	r.signal(id, contract.SignalDiscard, "not an object")
	r.signal(id, contract.SignalDiscard, contract.ItemSignal{})
	r.match(id, func(v contract.MatchView) bool { return len(v.Parked) == 0 && v.Rejected == 1 })
	return id, ""
}

func (r *recorder) feedRefused() (string, string) {
	id := r.deliver(r.events.ofFeed("e1", "a", "subject", ""))
	r.match(id, func(v contract.MatchView) bool { return len(v.Parked) == 1 })
	r.signal(id, contract.SignalRetry, contract.ItemSignal{})
	r.match(id, func(v contract.MatchView) bool { return len(v.Parked) == 1 && v.Parked[0].Item == "2" })
	r.signal(id, contract.SignalAmend, contract.AmendSignal{Item: "2", Set: map[string]string{"subject": "Server down"}})
	r.written(1)
	r.match(id, func(v contract.MatchView) bool { return len(v.Parked) == 0 && v.Requests[0].Ticket != nil })
	return id, ""
}

func (r *recorder) startFeed(name string) string {
	r.t.Helper()
	_, err := r.client.ExecuteWorkflow(r.t.Context(), client.StartWorkflowOptions{ID: contract.FeedID(name), TaskQueue: contract.QueueWorkflows},
		contract.PollFeed, contract.PollFeedInput{Feed: name})
	require.NoError(r.t, err)
	return contract.FeedID(name)
}

// entry is an entry of the feed.
func entry(n int) event.Entry {
	return event.Entry{ID: fmt.Sprintf("urn:uuid:%d", n), Foreign: &event.Foreign{
		TicketID: "77", Subject: "Disk full", Status: "open", UpdatedAt: time.Now().UTC(),
		Comment: &event.ForeignComment{ID: fmt.Sprint(n), Text: fmt.Sprint("comment ", n)},
	}}
}

func (r *recorder) feedIdle() (string, string) {
	id := r.startFeed("lon")
	require.Eventually(r.t, func() bool { return len(r.history(id, "").Events) > 20 }, time.Minute, 200*time.Millisecond)
	return id, ""
}

func (r *recorder) feedEvents() (string, string) {
	r.feed.add(entry(1), entry(2))
	id := r.startFeed("lon")
	r.written(2)
	r.feed.add(entry(3))
	r.written(3)
	r.polled(id, func(v contract.FeedView) bool { return v.Events == 3 })
	return id, ""
}

func (r *recorder) feedSteered() (string, string) {
	r.feed.add(entry(1))
	id := r.startFeed("lon")
	r.written(1)
	r.signal(id, contract.SignalPause, nil)
	r.polled(id, func(v contract.FeedView) bool { return v.State == contract.StatePaused })
	r.signal(id, contract.SignalResume, nil)
	r.signal(id, contract.SignalRewind, contract.RewindSignal{To: "never"})
	r.polled(id, func(v contract.FeedView) bool { return v.Rejected == 1 })
	r.signal(id, contract.SignalRewind, contract.RewindSignal{To: "oldest"})
	r.polled(id, func(v contract.FeedView) bool { return v.Events >= 2 })
	r.signal(id, contract.SignalPollNow, nil)
	return id, ""
}

func (r *recorder) feedBlocked() (string, string) {
	r.feed.fail(&activities.ConfigurationError{Err: errors.New("wrong API key")})
	id := r.startFeed("lon")
	r.polled(id, func(v contract.FeedView) bool { return v.State == contract.StateBlocked })
	r.feed.fail(nil)
	r.signal(id, contract.SignalResume, nil)
	r.polled(id, func(v contract.FeedView) bool { return v.State == contract.StatePolling && v.LastError == "" })
	return id, ""
}

func (r *recorder) feedParked() (string, string) {
	bad := entry(1)
	bad.Malformed = "names no ticket"
	r.feed.add(bad, entry(2))
	id := r.startFeed("lon")
	r.polled(id, func(v contract.FeedView) bool { return len(v.Parked) == 1 })
	r.signal(id, contract.SignalRetry, contract.ItemSignal{Item: bad.ID})
	r.polled(id, func(v contract.FeedView) bool { return len(v.Parked) == 0 })
	return id, ""
}

func (r *recorder) feedContinues() (string, string) {
	id, _ := r.feedContinued()
	return id, r.firstRun(id)
}

func (r *recorder) feedContinued() (string, string) {
	id := r.startFeed("lon")
	first := r.firstRun(id)
	for n := 1; len(r.history(id, first).Events) < suggestAfter; n++ {
		r.feed.add(entry(n))
		r.written(n)
	}
	require.Eventually(r.t, func() bool {
		events := r.history(id, first).Events
		return events[len(events)-1].EventType == enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
	}, 30*time.Second, 100*time.Millisecond)
	n := len(r.desk.written())
	r.feed.add(entry(n + 1))
	r.written(n + 1)
	return id, ""
}
