package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connector is a client of the unified ticketing API that does on the wire what
// the Synqly Ticketing Connector's client library for Go does (its version 2.0,
// by its source): ids are escaped, queries encoded as forms are, every body is
// JSON, a patch is a bare list, nothing names a call, and a status that looks
// temporary is sent again, a POST as well. It believes less than that library:
// what an answer must hold by the API's definition is asked for member by member.
type connector struct {
	base, token string
	// attempts is how often a call is sent at most; 0 is once.
	attempts int
	http     *http.Client
	// sent are the statuses of the last call, one for each time that it was sent;
	// refused are the answers among them that were no 2xx.
	sent    []int
	refused []*apiError
}

// connector is a client of the stack's serve, in the place of a caller.
func (s *stack) connector(attempts int) *connector {
	return &connector{base: "http://" + s.httpAddr, token: token, attempts: attempts, http: http.DefaultClient}
}

// apiError is an answer outside 2xx. Problem is nil where the library knows no
// type for the status, or the body is no JSON.
type apiError struct {
	Status  int
	Header  http.Header
	Problem *problemShape
	Text    string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Text) }

// typedStatuses are those for which the library has an error of its own.
func typedStatuses() map[int]bool {
	known := map[int]bool{}
	for _, status := range []int{400, 401, 402, 403, 404, 405, 409, 415, 429, 500, 501, 502, 503, 504} {
		known[status] = true
	}
	return known
}

// place is a path with its ids escaped.
func place(format string, ids ...string) string {
	escaped := make([]any, len(ids))
	for i, id := range ids {
		escaped[i] = url.PathEscape(id)
	}
	return fmt.Sprintf(format, escaped...)
}

// ask makes a call whose 2xx must have a body of this shape.
func ask[T any](ctx context.Context, c *connector, method, path string, query url.Values, body any) (T, error) {
	var into T
	text, err := c.call(ctx, method, path, query, body)
	if err != nil {
		return into, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return into, fmt.Errorf("%s %s: a body was expected, and there is none", method, path)
	}
	return into, decodeShape(text, &into)
}

// call sends, and sends again as the library does. A connection that fails ends
// the call: what becomes of it is for whoever made it.
func (c *connector) call(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	c.sent, c.refused = nil, nil
	for n := range max(c.attempts, 1) {
		resp, text, err := c.send(ctx, method, target, content)
		if err != nil {
			return nil, err
		}
		c.sent = append(c.sent, resp.StatusCode)
		if resp.StatusCode/100 == 2 {
			return text, nil
		}
		refused := errorOf(resp, text)
		c.refused = append(c.refused, refused)
		if !temporary(resp.StatusCode) || n+1 >= c.attempts {
			return nil, refused
		}
		if !rested(ctx, retryIn(resp.Header, n, time.Now())) {
			return nil, ctx.Err()
		}
	}
	return nil, errors.New("not reached")
}

func (c *connector) send(ctx context.Context, method, target string, content []byte) (*http.Response, []byte, error) {
	var body io.Reader
	if content != nil {
		body = bytes.NewReader(content)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, text, err
}

func temporary(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500
}

const longestRetry = time.Minute

// retryIn is how long the library waits after its nth try: as long as Retry-After
// says, in seconds or as a date, else until X-RateLimit-Reset and up to a fifth
// more, else twice as long each time from one second on, give or take a tenth. A
// time that is over says nothing.
func retryIn(h http.Header, n int, now time.Time) time.Duration {
	after := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, longestRetry)
	}
	if at, err := time.Parse(time.RFC1123, after); err == nil && at.After(now) {
		return min(at.Sub(now), longestRetry)
	}
	if unix, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && time.Unix(unix, 0).After(now) {
		wait := min(time.Unix(unix, 0).Sub(now), longestRetry)
		return min(max(wait+rand.N(wait/5+1), time.Second), longestRetry)
	}
	wait := min(time.Second<<min(n, 6), longestRetry)
	return min(max(wait-wait/10+rand.N(wait/5), time.Second), longestRetry)
}

func rested(ctx context.Context, wait time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

func errorOf(resp *http.Response, text []byte) *apiError {
	e := &apiError{Status: resp.StatusCode, Header: resp.Header, Text: string(text)}
	var p problemShape
	if typedStatuses()[resp.StatusCode] && json.Unmarshal(text, &p) == nil {
		e.Problem = &p
	}
	return e
}

// refusal is the error that a call was answered with, whose body is a Problem in
// every member.
func refusal(t *testing.T, want int, err error) *apiError {
	t.Helper()
	var refused *apiError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, want, refused.Status, refused.Text)
	require.NotNil(t, refused.Problem, "an error that the library has no type for: %s", refused.Text)
	var p problemShape
	require.NoError(t, decodeShape([]byte(refused.Text), &p), refused.Text)
	assert.Equal(t, want, p.Status)
	assert.NotEmpty(t, p.Message)
	assert.WithinDuration(t, time.Now(), p.OccurredAt, time.Minute)
	_, err = url.Parse(p.Instance)
	assert.NoError(t, err, "instance is a URI reference")
	assert.Contains(t, refused.Header.Get("Content-Type"), "json")
	return refused
}

// What the client of these tests waits is what the library waits.
func TestTheTestClientWaitsLikeTheLibrary(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for name, c := range map[string]struct {
		header, value string
		n             int
		least, most   time.Duration
	}{
		"seconds":          {"Retry-After", "3", 0, 3 * time.Second, 3 * time.Second},
		"many seconds":     {"Retry-After", "3600", 0, longestRetry, longestRetry},
		"none":             {"Retry-After", "0", 0, time.Second, 1100 * time.Millisecond},
		"a date":           {"Retry-After", "Wed, 06 May 2026 07:08:14 GMT", 0, 5 * time.Second, 5 * time.Second},
		"a date that was":  {"Retry-After", "Wed, 06 May 2026 07:08:04 GMT", 1, 1800 * time.Millisecond, 2200 * time.Millisecond},
		"a reset":          {"X-RateLimit-Reset", strconv.FormatInt(now.Unix()+10, 10), 0, 10 * time.Second, 12 * time.Second},
		"a reset that was": {"X-RateLimit-Reset", strconv.FormatInt(now.Unix()-10, 10), 2, 3600 * time.Millisecond, 4400 * time.Millisecond},
		"nothing, late":    {"", "", 9, 54 * time.Second, longestRetry},
	} {
		h := http.Header{}
		if c.header != "" {
			h.Set(c.header, c.value)
		}
		wait := retryIn(h, c.n, now)
		assert.GreaterOrEqual(t, wait, c.least, name)
		assert.LessOrEqual(t, wait, c.most, name)
	}
}
