package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/testbed"
)

// temporal is a server, the namespace to use there, and a client of it.
type temporal struct {
	address   string
	namespace string
	client    client.Client
	process   *process // nil for a server of others
}

// startTemporal starts the embedded server on a new database file with
// write-ahead log.
func startTemporal(ctx context.Context, cli, dir string) (*temporal, error) {
	var ports [3]int
	for i := range ports {
		var err error
		if ports[i], err = testbed.FreePort(); err != nil {
			return nil, err
		}
	}
	p, err := startProcess(dir, "temporal", nil, cli, testbed.Server(dir, ports[0], ports[1], "--ui-port", strconv.Itoa(ports[2]))...)
	if err != nil {
		return nil, err
	}
	t := &temporal{address: fmt.Sprintf("127.0.0.1:%d", ports[0]), namespace: client.DefaultNamespace, process: p}
	if err := t.connect(ctx); err != nil {
		p.stop()
		return nil, err
	}
	return t, nil
}

// borrowTemporal uses a server that runs already, in a namespace of its own.
func borrowTemporal(ctx context.Context, cli, address string) (*temporal, error) {
	t := &temporal{address: address, namespace: fmt.Sprintf("ticketbridge-bench-%d", time.Now().Unix())}
	create := exec.CommandContext(ctx, cli, "operator", "namespace", "create", "--address", address, "--namespace", t.namespace, "--retention", "1d")
	if out, err := create.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("create namespace %s at %s: %w: %s", t.namespace, address, err, out)
	}
	return t, t.connect(ctx)
}

// connect waits until the namespace can be used.
func (t *temporal) connect(ctx context.Context) error {
	return await(ctx, time.Minute, 200*time.Millisecond, "the Temporal server", func() (bool, error) {
		if t.process != nil && t.process.failure() != nil {
			return false, t.process.failure()
		}
		if t.client == nil {
			c, err := client.DialContext(ctx, client.Options{
				HostPort: t.address, Namespace: t.namespace, Logger: quiet(),
				ConnectionOptions: client.ConnectionOptions{GrpcCompression: app.Compression(t.address)},
			})
			if err != nil {
				return false, nil
			}
			t.client = c
		}
		if err := app.Prepare(ctx, t.client, t.namespace); err != nil {
			return false, nil
		}
		// A new namespace is known to every part of a server only after a while.
		_, err := t.client.DescribeTaskQueue(ctx, contract.QueueWorkflows, enums.TASK_QUEUE_TYPE_WORKFLOW)
		return err == nil, nil
	})
}

func (t *temporal) stop() error {
	defer t.client.Close()
	if t.process != nil {
		t.process.stop()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := t.client.OperatorService().DeleteNamespace(ctx, &operatorservice.DeleteNamespaceRequest{Namespace: t.namespace})
	if err != nil {
		return fmt.Errorf("delete namespace %s: %w", t.namespace, err)
	}
	return nil
}

// env are the settings of Temporal's clients in the environment.
func (t *temporal) env() []string {
	return []string{"TEMPORAL_ADDRESS=" + t.address, "TEMPORAL_NAMESPACE=" + t.namespace}
}

func quiet() sdklog.Logger { return noLog{} }

// noLog drops the SDK client's own log lines.
type noLog struct{}

func (noLog) Debug(string, ...any) {}
func (noLog) Info(string, ...any)  {}
func (noLog) Warn(string, ...any)  {}
func (noLog) Error(string, ...any) {}

// await asks again and again until something is so.
func await(ctx context.Context, within, every time.Duration, what string, is func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		done, err := is()
		if done || err != nil {
			return err
		}
		if err := pause(ctx, every); err != nil {
			return fmt.Errorf("%s is not ready after %s", what, within)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// cliPath is the temporal command to start servers with.
func cliPath() (string, error) {
	path := os.Getenv("TB_TEST_TEMPORAL")
	if path == "" {
		return "", errors.New("TB_TEST_TEMPORAL does not name a temporal command; `make bench` builds one and sets it")
	}
	return path, nil
}
