package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/spool"
)

// uploads are the files that this process holds for the writes that attach them.
type uploads struct {
	spool  *spool.Spool
	writes *operate.Writes
	logger *slog.Logger
}

// openSpool opens the spool of this Temporal namespace: what is held for another
// one would be taken for nobody's.
func openSpool(ctx context.Context, settings config.Settings, temporal client.Client, namespace string) (*spool.Spool, error) {
	described, err := temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if err != nil {
		return nil, fmt.Errorf("%w: look at namespace %q: %w", operate.ErrUnavailable, namespace, err)
	}
	dir := settings.Spool.Dir
	if dir == "" {
		if dir, err = commonSpool(); err != nil {
			return nil, err
		}
	}
	files, err := spool.Open(dir, described.GetNamespaceInfo().GetId(), int64(settings.Spool.Limit))
	if err != nil {
		return nil, fmt.Errorf("%w: name another one with TICKETBRIDGE_SPOOL_DIR", err)
	}
	return files, nil
}

// commonSpool is among the system's temporary files, where others may write, too:
// a folder of that name that is not ours is not used.
func commonSpool() (string, error) {
	dir := filepath.Join(os.TempDir(), "ticketbridge-spool")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("spool directory: %w: name another one with TICKETBRIDGE_SPOOL_DIR", err)
	}
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("it is a link, or a file")
	}
	if err == nil {
		err = os.Chmod(dir, 0o700) // its owner's right
	}
	if err != nil {
		return "", fmt.Errorf("the spool directory %s is not this user's own: %w: name another one with TICKETBRIDGE_SPOOL_DIR", dir, err)
	}
	return dir, nil
}

// Receive speaks the HTTP interfaces' errors.
func (u uploads) Receive(content io.Reader, size, most int64) (httpapi.SpooledFile, error) {
	file, err := u.spool.Receive(content, size, most)
	switch {
	case errors.Is(err, spool.ErrTooLarge):
		return nil, fmt.Errorf("%w: %w", httpapi.ErrTooLarge, err)
	case errors.Is(err, spool.ErrFull):
		return nil, fmt.Errorf("%w: %w", httpapi.ErrNoRoom, err)
	case err != nil:
		return nil, err
	}
	return file, nil
}

// start starts the write that attaches a file, or joins one that does. The file is
// kept before anybody can ask for it.
func (u uploads) start(ctx context.Context, request operate.WriteRequest, file *spool.File) (httpapi.StartedWrite, error) {
	request.HeldBy = contract.UploadQueue(u.spool.ID())
	id, err := u.writes.ID(ctx, request)
	if err != nil {
		return nil, writeError(err)
	}
	kept, err := file.Keep(id)
	if err != nil {
		return nil, fmt.Errorf("keep the file of %s: %w", id, err)
	}
	started, err := u.writes.Start(ctx, request)
	if err != nil {
		// Where Temporal did not answer it may run all the same: tidy finds out.
		kept.Release(errors.Is(err, operate.ErrKeyReused))
		return nil, writeError(err)
	}
	return &startedUpload{startedWrite: startedWrite{started}, kept: kept}, nil
}

// startedUpload is a write with a file that this process holds.
type startedUpload struct {
	startedWrite
	kept *spool.Kept
	done bool
}

func (s *startedUpload) Wait(ctx context.Context, wait time.Duration) (contract.WriteOutcome, bool, error) {
	outcome, known, err := s.startedWrite.Wait(ctx, wait)
	s.done = s.done || err == nil && outcome.Done
	return outcome, known, err
}

// Close removes the file where its write has ended.
func (s *startedUpload) Close() {
	s.startedWrite.Close()
	s.kept.Release(s.done)
}

// tidyEvery is how often files are looked for that nobody needs any more.
const tidyEvery = 3 * time.Minute

// tidy removes, at once and from time to time, files whose writes have ended
// without this process hearing of it. Writes whose files an earlier process left
// here are told where they are: it may have been away for long.
func (u uploads) tidy(ctx context.Context) {
	told := map[string]bool{}
	ticker := time.NewTicker(tidyEvery)
	defer ticker.Stop()
	for {
		for _, file := range u.spool.Leftovers() {
			if err := u.settle(ctx, file, told); err != nil && ctx.Err() == nil {
				u.logger.Warn("whether a file is still needed is not known; it stays", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// settle removes a leftover that nobody needs; told are the writes that know that
// it is here.
func (u uploads) settle(ctx context.Context, file spool.Leftover, told map[string]bool) error {
	var needed bool
	var err error
	if file.Old && !told[file.Key] {
		needed, err = u.writes.Held(ctx, file.Key, contract.HeldSignal{By: contract.UploadQueue(u.spool.ID()), SHA256: file.SHA256})
		told[file.Key] = err == nil
	} else {
		needed, err = u.writes.Running(ctx, file.Key)
	}
	if err == nil && !needed {
		u.spool.Remove(file)
	}
	return err
}
