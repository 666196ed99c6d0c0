package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// httpClient keeps a connection for each sender.
var httpClient = sync.OnceValue(func() *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * max(jobSenders, clients)}}
})

// post sends one event to the Events API and waits for the decision.
func (s *stack) post(ctx context.Context, params map[string]string) error {
	return s.send(ctx, http.MethodPost, "/v1/events", 0, params)
}

// send sends JSON to serve, and wants a status; 0 is any 2xx.
func (s *stack) send(ctx context.Context, method, path string, want int, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.httpAddr+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+callerToken)
	return finish(req, want)
}

// read asks serve for something, as one of the readers.
func (s *stack) read(ctx context.Context, path, token string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.httpAddr+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return finish(req, http.StatusOK)
}

// finish makes a call and reads its answer to the end.
func finish(req *http.Request, want int) error {
	resp, err := httpClient().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err == nil && resp.StatusCode != want && (want != 0 || resp.StatusCode/100 != 2) {
		err = fmt.Errorf("%s %s: status %d: %s", req.Method, req.URL.Path, resp.StatusCode, text)
	}
	return err
}
