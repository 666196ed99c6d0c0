package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"go.temporal.io/sdk/client"
	sdkconfig "go.temporal.io/sdk/contrib/envconfig"
	sdktemporal "go.temporal.io/sdk/temporal"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// The bare engine: what Temporal itself costs for a new request, with nothing
// of ours in it.
const (
	bareQueue    = "bench-bare"
	bareWorkflow = "BareRequest"
	bareWriting  = "BareWrite"
	bareSignal   = "event"
	bareWindow   = 24 * time.Hour
	// bareJira tells the bare engine's worker where Jira is.
	bareJira = "TB_BENCH_JIRA"
)

// bareEvent is what is signalled.
type bareEvent struct {
	Subject string `json:"subject"`
	Note    string `json:"note"`
}

// bareRequest takes a signal, calls the provider once, tells the ticket by a
// search attribute and waits for the window to end.
func bareRequest(ctx workflow.Context) error {
	var e bareEvent
	workflow.GetSignalChannel(ctx, bareSignal).Receive(ctx, &e)
	window := workflow.NewTimer(ctx, bareWindow)
	calls := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	var key string
	if err := workflow.ExecuteActivity(calls, "Create", e).Get(ctx, &key); err != nil {
		return err
	}
	ticket := sdktemporal.NewSearchAttributeKeyKeyword(contract.AttributeTicket)
	if err := workflow.UpsertTypedSearchAttributes(ctx, ticket.ValueSet(key)); err != nil {
		return err
	}
	return window.Get(ctx, nil)
}

// bareWrite calls the provider once, and answers what it made.
func bareWrite(ctx workflow.Context, e bareEvent) (string, error) {
	calls := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	var key string
	err := workflow.ExecuteActivity(calls, "Create", e).Get(ctx, &key)
	return key, err
}

// bareProvider is the bare engine's activity.
type bareProvider struct{ url string }

// Create makes one issue.
func (p *bareProvider) Create(ctx context.Context, e bareEvent) (string, error) {
	body, err := json.Marshal(map[string]any{"fields": map[string]any{
		"project": map[string]string{"key": "OPS"}, "issuetype": map[string]string{"name": "Task"}, "summary": e.Subject,
		"description": map[string]any{"type": "doc", "version": 1, "content": []any{map[string]any{
			"type": "paragraph", "content": []any{map[string]string{"type": "text", "text": e.Note}},
		}}},
	}})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/rest/api/3/issue", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("bridge@acme.example", callerToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	var created struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(data, &created); err != nil || created.Key == "" {
		return "", fmt.Errorf("create: status %d: %s", resp.StatusCode, data)
	}
	return created.Key, nil
}

// runBareWorker is a worker program with the SDK's defaults, as ours.
func runBareWorker() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	options, err := sdkconfig.LoadDefaultClientOptions()
	if err != nil {
		return err
	}
	options.Logger = quiet()
	options.ConnectionOptions.GrpcCompression = app.Compression(options.HostPort)
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return err
	}
	defer c.Close()
	w := sdkworker.New(c, bareQueue, sdkworker.Options{})
	w.RegisterWorkflowWithOptions(bareRequest, workflow.RegisterOptions{Name: bareWorkflow})
	w.RegisterWorkflowWithOptions(bareWrite, workflow.RegisterOptions{Name: bareWriting})
	w.RegisterActivity(&bareProvider{url: os.Getenv(bareJira)})
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	<-ctx.Done()
	return nil
}

func (s *stack) sendBare(ctx context.Context, id string) error {
	_, err := s.client.SignalWithStartWorkflow(ctx, id, bareSignal,
		bareEvent{Subject: "Alarm " + id, Note: "Something is wrong at " + id + "."},
		client.StartWorkflowOptions{ID: id, TaskQueue: bareQueue}, bareWorkflow)
	return err
}

// writeBare starts a write at the bare engine, and waits for what it made.
func (s *stack) writeBare(ctx context.Context, id string) error {
	run, err := s.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: bareQueue},
		bareWriting, bareEvent{Subject: "Alarm " + id, Note: "Something is wrong at " + id + "."})
	if err != nil {
		return err
	}
	var key string
	return run.Get(ctx, &key)
}
