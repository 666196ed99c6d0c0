package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// readers keep each caller below the calls that serve takes of one.
	readers = 40
	// listed is how many tickets a page of the query has.
	listed = 25
	// pairs are read one at a time, ours and directly in turns; turn is how long
	// many readers read before the other side's turn.
	pairs = 400
	turn  = time.Second
)

// reads reads through the unified ticketing API what the simulated Jira is asked
// for in the same way: the calls to it are recorded, and made again with nothing
// but net/http.
func (b *bench) reads(ctx context.Context) (lines []line, err error) {
	recorded := &recorder{}
	s, err := b.start(ctx, options{serve: true, readers: readers, front: recorded.before})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	id := ""
	for n := range 4 * listed {
		issue, err := s.jira.CreateAsOther("OPS", fmt.Sprintf("To be read %03d", n), "read")
		if err != nil {
			return nil, err
		}
		id = issue.ID
	}
	query := url.Values{"filter": {"tags[in]read"}, "order": {"created_at[desc]"}, "limit": {fmt.Sprint(listed)}}
	for _, read := range []struct{ name, path string }{
		{"a ticket", "/v1/ticketing/tickets/" + id},
		{fmt.Sprintf("%d tickets of %d", listed, 4*listed), "/v1/ticketing/tickets?" + query.Encode()},
	} {
		one, err := b.compareReads(ctx, s, recorded, read.path)
		if err != nil {
			return lines, fmt.Errorf("read %s: %w", read.name, err)
		}
		lines = append(lines, one.lines(read.name)...)
	}
	return lines, nil
}

// reading is one kind of read, through us and without us.
type reading struct {
	ours, direct func(context.Context) error
	calls        int
	rates        [2][]float64
	took         [2][]time.Duration // ours, and directly
}

func (b *bench) compareReads(ctx context.Context, s *stack, recorded *recorder, path string) (*reading, error) {
	var turns atomic.Int64
	r := &reading{ours: func(ctx context.Context) error {
		return s.read(ctx, path, readerName(int(turns.Add(1))%readers))
	}}
	for range readers { // connections and caches are there, as they are later
		if err := r.ours(ctx); err != nil {
			return nil, err
		}
	}
	calls, err := recorded.during(func() error { return r.ours(ctx) })
	if err != nil {
		return nil, err
	}
	r.calls = len(calls)
	r.direct = func(ctx context.Context) error {
		for _, c := range calls {
			if err := c.make(ctx, s.jiraURL); err != nil {
				return err
			}
		}
		return nil
	}
	for range pairs {
		for i, read := range []func(context.Context) error{r.ours, r.direct} {
			begin := time.Now()
			if err := read(ctx); err != nil {
				return nil, err
			}
			r.took[i] = append(r.took[i], time.Since(begin))
		}
	}
	for range b.rounds {
		for i, read := range []func(context.Context) error{r.ours, r.direct} {
			rate, err := readMany(ctx, read)
			if err != nil {
				return nil, err
			}
			r.rates[i] = append(r.rates[i], rate)
		}
	}
	return r, nil
}

// readMany is how many a second all clients together read.
func readMany(ctx context.Context, read func(context.Context) error) (float64, error) {
	begin := time.Now()
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range clients {
		group.Go(func() error {
			for time.Since(begin) < turn {
				if err := read(ctx); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds(), err
}

func (r *reading) lines(name string) []line {
	added := func(part float64) string {
		return millis(quantile(r.took[0], part) - quantile(r.took[1], part))
	}
	return []line{{
		figure:   fmt.Sprintf("reads per second of %s, %d callers", name, clients),
		measured: fmt.Sprintf("%.0f/s", median(r.rates[0])),
		bare:     fmt.Sprintf("%.0f/s, Jira itself (%d calls)", median(r.rates[1]), r.calls),
	}, {
		figure:   fmt.Sprintf("time of a read of %s, one at a time", name),
		measured: fmt.Sprintf("%s; added: p50 %s, p99 %s", spread(r.took[0]), added(0.5), added(0.99)),
		bare:     spread(r.took[1]) + ", Jira itself",
	}}
}

// recorder notes the calls that come to the simulated Jira.
type recorder struct {
	on    atomic.Bool
	mu    sync.Mutex
	calls []recordedCall
}

// recordedCall can be made again.
type recordedCall struct {
	method, path string
	header       http.Header
	body         []byte
}

func (r *recorder) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.on.Load() {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			req.Body = io.NopCloser(bytes.NewReader(body))
			r.add(recordedCall{req.Method, req.URL.RequestURI(), req.Header.Clone(), body})
		}
		next.ServeHTTP(w, req)
	})
}

func (r *recorder) add(c recordedCall) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// during are the calls that come while something is done.
func (r *recorder) during(do func() error) ([]recordedCall, error) {
	r.mu.Lock()
	r.calls = nil
	r.mu.Unlock()
	r.on.Store(true)
	defer r.on.Store(false)
	err := do()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls), err
}

func (c recordedCall) make(ctx context.Context, base string) error {
	req, err := http.NewRequestWithContext(ctx, c.method, base+c.path, bytes.NewReader(c.body))
	if err != nil {
		return err
	}
	req.Header = c.header.Clone()
	return finish(req, http.StatusOK)
}
