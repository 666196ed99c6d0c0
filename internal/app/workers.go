package app

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// providerSlots is how many calls of a provider's queue a process makes at a time.
const providerSlots = 100

// Workers take tasks from the task queues that one process serves.
type Workers struct {
	client      client.Client
	stopTimeout time.Duration
	all         []sdkworker.Worker
	fatal       chan error
}

// NewWorkers serves no queue yet. When they stop, running calls may take
// stopTimeout to end.
func NewWorkers(c client.Client, stopTimeout time.Duration) *Workers {
	return &Workers{client: c, stopTimeout: stopTimeout, fatal: make(chan error, 1)}
}

// Queue serves a task queue with what is registered on the worker that it returns.
func (w *Workers) Queue(name string, options sdkworker.Options) sdkworker.Worker {
	options.WorkerStopTimeout = w.stopTimeout
	options.OnFatalError = func(err error) {
		select {
		case w.fatal <- err:
		default: // the first one is enough
		}
	}
	worker := sdkworker.New(w.client, name, options)
	w.all = append(w.all, worker)
	return worker
}

// Providers serves the queues of providers, by their short names.
func (w *Workers) Providers(names []string, integrations activities.Integrations, recorder activities.Recorder) {
	for _, name := range names {
		worker := w.Queue(contract.ProviderQueue(name), sdkworker.Options{
			MaxConcurrentActivityExecutionSize: providerSlots,
			DisableWorkflowWorker:              true,
		})
		worker.RegisterActivity(&activities.Tickets{Integrations: integrations, Recorder: recorder})
		worker.RegisterActivity(&activities.Writes{Integrations: integrations, Recorder: recorder, Bodies: w.bodies()})
	}
}

func (w *Workers) bodies() activities.Bodies {
	return operate.Bodies{Temporal: w.client}
}

// Uploads serves the queue of the files that this process holds; spool is the id
// of where it holds them.
func (w *Workers) Uploads(spool string, files activities.Files, integrations activities.Integrations, recorder activities.Recorder) {
	worker := w.Queue(contract.UploadQueue(spool), sdkworker.Options{
		MaxConcurrentActivityExecutionSize: providerSlots,
		DisableWorkflowWorker:              true,
	})
	worker.RegisterActivity(&activities.Writes{
		Integrations: integrations, Recorder: recorder, Bodies: w.bodies(), Files: files,
		StillWanted: func(ctx context.Context, token []byte) error { return w.client.RecordActivityHeartbeat(ctx, token) },
	})
}

// Run works until ctx ends; calls that are running then may end. An error says
// what keeps a worker from working.
func (w *Workers) Run(ctx context.Context) error {
	for i, worker := range w.all {
		if err := worker.Start(); err != nil {
			stopAll(w.all[:i])
			return fmt.Errorf("start worker: %w", err)
		}
	}
	defer stopAll(w.all)
	select {
	case <-ctx.Done():
		return nil
	case err := <-w.fatal:
		return fmt.Errorf("the worker cannot go on: %w", err)
	}
}

// stopAll stops the workers side by side: each lets its running calls end.
func stopAll(workers []sdkworker.Worker) {
	var group errgroup.Group
	for _, w := range workers {
		group.Go(func() error { w.Stop(); return nil })
	}
	_ = group.Wait()
}
