package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// suggestAfter is after how many events the test server suggests continue-as-new.
const suggestAfter = 60

// real is a Temporal server with a worker of ours: MatchEvents delivers to a
// desk, PollFeed reads a feed whose entries the test puts in.
type real struct {
	t        *testing.T
	client   client.Client
	desk     *desk
	feed     *listFeed
	delivery *delivery.Delivery
	writes   *operate.Writes
	workers  []worker.Worker // of queue ticketbridge first
}

func startReal(t *testing.T, metrics client.MetricsHandler) *real {
	t.Helper()
	r := startIdle(t, metrics)
	r.startWorkers()
	return r
}

// startIdle starts no workers.
func startIdle(t *testing.T, metrics client.MetricsHandler) *real {
	t.Helper()
	cli := os.Getenv("TB_TEST_TEMPORAL")
	if cli == "" {
		t.Skip("TB_TEST_TEMPORAL does not name a temporal CLI; run the tests with `make test`, which builds one")
	}
	port := freePort(t)
	cmd := exec.Command(cli, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", strconv.Itoa(port),
		"--http-port", strconv.Itoa(freePort(t)), "--log-level", "never",
		"--dynamic-config-value", fmt.Sprintf("limit.historyCount.suggestContinueAsNew=%d", suggestAfter))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	r := &real{t: t, desk: newDesk(time.Now), feed: &listFeed{}}
	require.Eventually(t, func() bool {
		c, err := client.Dial(client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", port), Logger: silent{}, Identity: "test", MetricsHandler: metrics})
		if err == nil {
			err = operate.Register(t.Context(), c, client.DefaultNamespace)
		}
		r.client = c
		return err == nil
	}, time.Minute, 200*time.Millisecond, "the Temporal server does not start")
	t.Cleanup(r.client.Close)
	r.delivery = &delivery.Delivery{Temporal: r.client, Target: func(context.Context, string) (delivery.Target, error) {
		return delivery.Target{Provider: "desk", Memory: contract.DefaultMemory}, nil
	}}
	r.writes = operate.NewWrites(r.client, func(context.Context, string) (string, error) { return "desk", nil })
	return r
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func (r *real) startWorkers() {
	r.t.Helper()
	rules := testRules()
	main := worker.New(r.client, contract.QueueWorkflows, worker.Options{DeadlockDetectionTimeout: 10 * time.Second})
	main.RegisterWorkflow(PollFeed)
	main.RegisterWorkflow(MatchEvents)
	main.RegisterWorkflow(WriteTicket)
	main.RegisterWorkflow(KeepIntegration)
	main.RegisterActivity(&activities.Events{Resolver: rules, Integrations: r.desk})
	tickets := worker.New(r.client, contract.ProviderQueue("desk"), worker.Options{DisableWorkflowWorker: true})
	tickets.RegisterActivity(&activities.Tickets{Integrations: r.desk, Recorder: silent{}})
	tickets.RegisterActivity(&activities.Writes{Integrations: fullDeskOf(r.desk), Recorder: silent{}, Bodies: r.bodies()})
	feeds := worker.New(r.client, contract.QueueFeeds, worker.Options{DisableWorkflowWorker: true})
	feeds.RegisterActivity(&activities.Feeds{
		Source: r.feed, Recorder: silent{}, Window: 2 * time.Second,
		HandOver: &delivery.Feeds{
			Resolver: &delivery.Resolver{FeedRoute: func(string) (delivery.Route, error) {
				return delivery.Route{Integration: integrationName, Policy: event.PolicyTicket}, nil
			}}, Delivery: r.delivery, Now: time.Now,
		},
		StillWanted: func(ctx context.Context, token []byte) error { return r.client.RecordActivityHeartbeat(ctx, token) },
	})
	r.workers = []worker.Worker{main, tickets, feeds}
	for _, w := range r.workers {
		require.NoError(r.t, w.Start())
		r.t.Cleanup(w.Stop)
	}
}

func (r *real) bodies() activities.Bodies {
	return operate.Bodies{Temporal: r.client}
}

// startHolder starts a process that holds files.
func (r *real) startHolder(queue string, files activities.Files) {
	r.t.Helper()
	w := worker.New(r.client, queue, worker.Options{DisableWorkflowWorker: true})
	w.RegisterActivity(&activities.Writes{
		Integrations: fullDeskOf(r.desk), Recorder: silent{}, Files: files,
		StillWanted: func(ctx context.Context, token []byte) error { return r.client.RecordActivityHeartbeat(ctx, token) },
	})
	require.NoError(r.t, w.Start())
	r.t.Cleanup(w.Stop)
}

// deliver hands events over and returns the workflow of the first.
func (r *real) deliver(events ...event.Event) string {
	r.t.Helper()
	for i := range events {
		if events[i].ReceivedAt.IsZero() {
			events[i].ReceivedAt = time.Now().UTC()
		}
	}
	require.NoError(r.t, r.delivery.Deliver(r.t.Context(), integrationName, events))
	return contract.MatchID(integrationName, events[0].Resolved.Key)
}

func (r *real) signal(id, name string, payload any) {
	r.t.Helper()
	require.NoError(r.t, r.client.SignalWorkflow(r.t.Context(), id, "", name, payload))
}

// written waits until the desk was told this much.
func (r *real) written(n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return len(r.desk.written()) >= n }, 30*time.Second, 20*time.Millisecond, "want %d lines, have %v", n, r.desk.written())
}

// match waits for a state of a match key.
func (r *real) match(id string, want func(contract.MatchView) bool) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		var view contract.MatchView
		value, err := r.client.QueryWorkflow(r.t.Context(), id, "", contract.QueryState)
		return err == nil && value.Get(&view) == nil && want(view)
	}, 30*time.Second, 50*time.Millisecond)
}

// polled waits for a state of a feed.
func (r *real) polled(id string, want func(contract.FeedView) bool) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		var view contract.FeedView
		value, err := r.client.QueryWorkflow(r.t.Context(), id, "", contract.QueryState)
		return err == nil && value.Get(&view) == nil && want(view)
	}, 30*time.Second, 50*time.Millisecond)
}

// history is everything that happened in a run; an empty run id means the last.
func (r *real) history(id, run string) *historypb.History {
	r.t.Helper()
	all := &historypb.History{}
	iter := r.client.GetWorkflowHistory(r.t.Context(), id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iter.HasNext() {
		e, err := iter.Next()
		require.NoError(r.t, err)
		all.Events = append(all.Events, e)
	}
	return all
}

// firstRun is the id of a workflow's first run.
func (r *real) firstRun(id string) string {
	r.t.Helper()
	return r.history(id, "").Events[0].GetWorkflowExecutionStartedEventAttributes().GetFirstExecutionRunId()
}

// actions counts what Temporal Cloud would charge for a history, signals to the
// run, its start and its search attributes included, heartbeats not.
func actions(h *historypb.History) int {
	n := 0
	for _, e := range h.Events {
		switch e.EventType {
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
			enums.EVENT_TYPE_TIMER_STARTED, enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
			enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
			n++
		}
	}
	return n
}

// listFeed is a feed in memory; its position is how many entries were read.
type listFeed struct {
	mu      sync.Mutex
	entries []event.Entry
	err     error
	// readers are those that read, each once for every time it took over.
	readers []string
}

func (f *listFeed) Feed(name string) (activities.Feed, error) {
	if name == "unknown" {
		return activities.Feed{}, errors.New(`unknown feed "unknown"`)
	}
	return activities.Feed{Name: name, Integration: integrationName, Reader: f, PollInterval: 100 * time.Millisecond}, nil
}

func (f *listFeed) add(entries ...event.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = append(f.entries, entries...)
}

func (f *listFeed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *listFeed) Read(_ context.Context, step event.Step) (event.Reading, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.readers); n == 0 || f.readers[n-1] != step.Reader {
		f.readers = append(f.readers, step.Reader)
	}
	if f.err != nil {
		return event.Reading{}, f.err
	}
	from := 0
	if len(step.Position) > 0 {
		if err := json.Unmarshal(step.Position, &from); err != nil {
			return event.Reading{}, err
		}
	}
	next, err := json.Marshal(len(f.entries))
	return event.Reading{Entries: f.entries[from:], Position: next}, err
}

func (f *listFeed) whoRead() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.readers)
}

func (f *listFeed) Rewind(_ json.RawMessage, to string) (json.RawMessage, error) {
	if to != "oldest" {
		return nil, fmt.Errorf("%q: want oldest", to)
	}
	return json.RawMessage("0"), nil
}

func (f *listFeed) Entry(_ context.Context, id string) (event.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		if e.ID == id {
			e.Malformed = ""
			return e, nil
		}
	}
	return event.Entry{}, errors.New("no such entry")
}

func (silent) FeedPolled(string, string)     {}
func (silent) FeedNewest(string, time.Time)  {}
func (silent) FeedLag(string, time.Duration) {}
func (silent) EventsHandedOver(string, int)  {}
func (silent) EntriesRefused(string, int)    {}
func (silent) EntriesDropped(string, int)    {}
func (silent) HolesSeen(string, int)         {}
func (silent) GapRecorded(string)            {}
