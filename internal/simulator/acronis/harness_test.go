package acronis

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	subA   = "0a6d1f0e-1111-4a5b-9c3d-000000000001"
	subB   = "0a6d1f0e-1111-4a5b-9c3d-000000000002"
	first  = "7c1b2a90-2222-4e1f-8d00-0000000000a1"
	second = "7c1b2a90-2222-4e1f-8d00-0000000000a2"

	allTenantTypes = TypePrefix + "a.p.tenant.*"
	disabled       = TypePrefix + "a.p.tenant.disabled.v1.0"
	enabled        = TypePrefix + "a.p.tenant.enabled.v1.0"
)

// bench is a server with a clock that stands still until it is moved.
type bench struct {
	t     *testing.T
	now   time.Time
	s     *Server
	token string
}

func newBench(t *testing.T, opts Options) *bench {
	b := &bench{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), token: "foreign"}
	if opts.Now == nil {
		opts.Now = func() time.Time { return b.now }
	}
	b.s = New(opts)
	return b
}

func (b *bench) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.s.ServeHTTP(w, r)
	return w
}

func (b *bench) get(path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, base+path, nil)
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.do(r)
}

func (b *bench) post(path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Content-Type", "application/json")
	return b.do(r)
}

// subscribe makes a subscription to the tenant topic, with other members on top.
func (b *bench) subscribe(id string, more map[string]any) *httptest.ResponseRecorder {
	body := map[string]any{"subscription_id": id, "topic_id": TopicTenant, "types": []string{allTenantTypes}, "tenant_depth": "ALL"}
	for k, v := range more {
		body[k] = v
		if v == nil {
			delete(body, k)
		}
	}
	data, err := json.Marshal(body)
	require.NoError(b.t, err)
	return b.post(base+"/subscriptions", string(data))
}

func (b *bench) created(id string, more map[string]any) {
	b.t.Helper()
	w := b.subscribe(id, more)
	require.Equal(b.t, http.StatusCreated, w.Code, w.Body.String())
}

func eventsURL(sub, consumer string, offset int64, more ...string) string {
	v := url.Values{"subscription_id": {sub}, "consumer_id": {consumer}, "offset": {fmt.Sprint(offset)}, "timeout": {"PT0S"}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return "/events?" + v.Encode()
}

type page struct {
	Events []struct {
		ID         string
		Type       string
		Sequence   *int64
		Previous   *int64
		IngestTime string `json:"ingest_time"`
		Data       json.RawMessage
	}
	Offset int64
}

// read polls without waiting, and returns the ids and the next offset.
func (b *bench) read(sub string, offset int64, more ...string) (ids string, next int64) {
	b.t.Helper()
	p := b.page(b.get(eventsURL(sub, first, offset, more...)))
	for _, e := range p.Events {
		ids += e.ID
	}
	return ids, p.Offset
}

func (b *bench) page(w *httptest.ResponseRecorder) page {
	b.t.Helper()
	require.Equal(b.t, http.StatusOK, w.Code, w.Body.String())
	var p page
	require.NoError(b.t, json.Unmarshal(w.Body.Bytes(), &p))
	require.NotContains(b.t, w.Body.String(), `"events":null`)
	return p
}

func (b *bench) offset(path string) int64 {
	b.t.Helper()
	return b.page(b.get(path)).Offset
}

func (b *bench) publish(letters string) {
	for _, l := range letters {
		b.s.Publish(Event{ID: string(l), Type: disabled})
	}
}

func (b *bench) login(id, secret, form string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, tokenPath, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(id, secret)
	return b.do(r)
}

// enter logs in and goes on with the token.
func (b *bench) enter(id, secret string) (expires int64) {
	b.t.Helper()
	w := b.login(id, secret, "grant_type=client_credentials")
	require.Equal(b.t, http.StatusOK, w.Code, w.Body.String())
	var in struct {
		AccessToken string `json:"access_token"`
		IDToken     string `json:"id_token"`
		TokenType   string `json:"token_type"`
		ExpiresOn   int64  `json:"expires_on"`
	}
	require.NoError(b.t, json.Unmarshal(w.Body.Bytes(), &in))
	require.NotEmpty(b.t, in.IDToken)
	require.Equal(b.t, "bearer", in.TokenType)
	b.token = in.AccessToken
	return in.ExpiresOn
}

// polling is a poll that may wait, in its own goroutine.
type polling struct {
	w      *httptest.ResponseRecorder
	done   chan struct{}
	cancel context.CancelFunc
}

func (b *bench) polling(path string) *polling {
	ctx, cancel := context.WithCancel(b.t.Context())
	p := &polling{w: httptest.NewRecorder(), done: make(chan struct{}), cancel: cancel}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	r.Header.Set("Authorization", "Bearer "+b.token)
	go func() { // ends with the poll
		defer close(p.done)
		b.s.ServeHTTP(p.w, r)
	}()
	return p
}

func (p *polling) waits() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}
