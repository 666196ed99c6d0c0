package acronis

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

// sample is one of the vendor's answers, which are not part of the repository.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", "specs", "feeds", "acronis", name))
	if os.IsNotExist(err) {
		t.Skip("the vendor's samples are not there: ../shared/specs/feeds/acronis")
	}
	require.NoError(t, err)
	return data
}

func TestTheVendorsPage(t *testing.T) {
	page, err := readPage("read", &rest.Response{Status: 200, Body: sample(t, "events-200.json")})
	require.NoError(t, err)
	require.Equal(t, int64(93376478), page.offset)
	require.Len(t, page.items, 1)
	it := page.items[0]
	require.Equal(t, int64(93376478), it.sequence)
	require.Equal(t, int64(93376477), it.previous)
	require.Equal(t, disabledType+"9251fdc0-eb78-49b6-acaa-ed258074e4f5@93376478", it.entry.Place)
	require.Equal(t, "2024-10-01 11:01:16.070777369 +0000 UTC", it.taken.String())
}

func TestTheVendorsEvents(t *testing.T) {
	var events []json.RawMessage
	require.NoError(t, json.Unmarshal(sample(t, "siem-events.json"), &events))
	for _, raw := range events {
		it := readEvent(raw)
		require.Empty(t, it.entry.Malformed)
		require.Equal(t, int64(none), it.sequence)
		require.False(t, it.taken.IsZero())
		require.Contains(t, transformed(t, string(raw))["subject"], ": ")
	}
	require.Len(t, events, 3)
	require.Contains(t, transformed(t, string(sample(t, "siem-alert.json")))["note"], "BackupCanceled")
}

func TestTheVendorsAnswers(t *testing.T) {
	r := newRig(t, sim.Options{})
	answers := map[string][]byte{
		"GET /api/event_manager/v1/topics": sample(t, "topics-200.json"), "GET /api/event_manager/v1/types": sample(t, "types-200.json"),
		"GET /api/event_manager/v1/topics/offsets":        sample(t, "topic-offset-200.json"),
		"GET /api/event_manager/v1/subscriptions/offset":  sample(t, "subscription-offset-200.json"),
		"POST /api/event_manager/v1/subscriptions/offset": sample(t, "subscription-offset-200.json"),
	}
	r.wire.instead = func(req *http.Request) (int, string) {
		if body, ok := answers[req.Method+" "+req.URL.Path]; ok {
			return 200, string(body)
		}
		if req.Method == http.MethodPost && filepath.Base(req.URL.Path) == "subscriptions" {
			return 201, string(sample(t, "subscription-201.json"))
		}
		return 0, ""
	}
	topics, err := r.client.api.Topics(t.Context())
	require.NoError(t, err)
	require.Len(t, topics, 2)
	require.Equal(t, "P180D", topics[1].Retention)
	types, err := r.client.api.Types(t.Context(), "", false)
	require.NoError(t, err)
	require.Len(t, types, 2)
	offset, err := r.client.api.offsetOf(t.Context(), "t", positionEarliest, r.clock.now())
	require.NoError(t, err)
	require.Zero(t, offset)
	_, found, err := r.client.api.committed(t.Context(), "s")
	require.NoError(t, err)
	require.True(t, found)
	require.NoError(t, r.client.api.commit(t.Context(), "s", 1))
	created, err := r.client.api.subscribe(t.Context(), r.client.subscription)
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, ": invalidEvent: Invalid payload: tenant_id is required", said(sample(t, "error-body.json")))
}
