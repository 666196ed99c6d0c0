package activities

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Files are those of uploads that are too large for Temporal, as far as this
// process holds them.
type Files interface {
	// Open opens a file by the workflow that attaches it and its SHA-256 in hex;
	// an error where it is not here. No error tells a path.
	Open(workflowID, sha256 string) (io.ReadCloser, error)
}

// open opens the file of an upload.
func (a *Writes) open(in WriteInput, file contract.NewAttachment) (io.ReadCloser, error) {
	if a.Files == nil {
		return nil, errors.New("this process holds no files")
	}
	return a.Files.Open(contract.WriteID(in.Integration, in.Key), file.SHA256)
}

// holds is the error of a write whose file is not here.
func (a *Writes) holds(in WriteInput) error {
	if in.Operator != contract.WriteCreateAttachment {
		return nil
	}
	file, err := body[contract.NewAttachment](in)
	if err != nil || !file.Held() {
		return nil // what is wrong with the body is told where it is used
	}
	content, err := a.open(in, file)
	if err != nil {
		return temporal.NewNonRetryableApplicationError("the file is not here: "+err.Error(), contract.ErrorNotHeld, err)
	}
	return content.Close()
}

// attachment is the file as the provider is asked for it. stop ends what watches
// over its content.
func (a *Writes) attachment(ctx context.Context, in WriteInput) (asked ticket.NewAttachment, stop func(), err error) {
	file, err := body[contract.NewAttachment](in)
	if err != nil || !file.Held() {
		return file.Asked(in.Operation, nil), func() {}, err
	}
	token := activity.GetInfo(ctx).TaskToken
	l, stop := newLease(ctx, func(ctx context.Context) error { return a.StillWanted(ctx, token) })
	return file.Asked(in.Operation, func() (io.ReadCloser, error) {
		content, err := a.open(in, file)
		if err != nil {
			return nil, err
		}
		return leased{content, l}, nil
	}), stop, nil
}

// Times of a lease. The workflow's heartbeat timeout is contract.UploadHeartbeat;
// what is left of it covers the way of an answer.
const (
	leaseBeat = 5 * time.Second
	leaseFor  = contract.UploadHeartbeat - 10*time.Second
)

// lease is the right to go on sending a file. A heartbeat that Temporal has
// answered renews it; it runs out before Temporal gives the attempt up. So a
// process that was frozen, or cut off, cannot send the rest of a file after
// another attempt has looked for it in vain.
type lease struct {
	mu    sync.Mutex
	until time.Time
}

// newLease renews a lease, by heartbeats, until stop is called.
func newLease(ctx context.Context, heartbeat func(context.Context) error) (l *lease, stop func()) {
	l = &lease{until: time.Now().Add(leaseFor)}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(leaseBeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case asked := <-ticker.C:
				call, end := context.WithTimeout(ctx, leaseBeat)
				err := heartbeat(call)
				end()
				// A workflow that cancels, and a person who pauses, wait for the
				// attempt's end; whatever else is wrong, the lease runs out.
				if err == nil || temporal.IsCanceledError(err) || errors.Is(err, activity.ErrActivityPaused) {
					l.renew(asked.Add(leaseFor))
				}
			}
		}
	}()
	return l, func() { cancel(); <-done }
}

func (l *lease) renew(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = until
}

// over goes by both clocks: one stands still while the machine sleeps, the other
// may be set.
func (l *lease) over() bool {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.After(l.until) || now.Round(0).After(l.until.Round(0))
}

// leased is content that can be read while the lease lasts.
type leased struct {
	io.ReadCloser
	lease *lease
}

func (c leased) Read(p []byte) (int, error) {
	if c.lease.over() {
		return 0, errors.New("given up in the middle: Temporal was not heard of for too long")
	}
	return c.ReadCloser.Read(p)
}
