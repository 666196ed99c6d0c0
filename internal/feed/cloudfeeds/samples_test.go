package cloudfeeds

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

func newRequest(url, accept string) (*http.Request, *httptest.ResponseRecorder) {
	req := httptest.NewRequest(http.MethodGet, url+"?limit=1000", nil)
	req.Header.Set("Accept", accept)
	req.Header.Set("X-Auth-Token", "secret-token")
	return req, httptest.NewRecorder()
}

// samples is the folder of recorded feeds, which is not part of the repository.
func samples(t testing.TB) string {
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	dir = filepath.Join(dir, "..", "shared", "specs", "feeds", "rackspace")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the recorded feeds are not there: ../shared/specs/feeds/rackspace")
	}
	return dir
}

func TestSamples(t *testing.T) {
	dir := samples(t)
	files, err := filepath.Glob(filepath.Join(dir, "*.*ml"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	broken := map[string]string{
		"error-404-marker.json": "No entry with specified marker", "error-404-marker.xml": "No entry with specified marker",
		"doc-resGetCatalogFeedext.json": "neither feed nor entry", "doc-resGetCatalogFeedext.xml": "<service>",
		"doc-AtomFeedElementExampleexternal.json": "invalid JSON",
	}
	for _, file := range append(files, more...) {
		name := filepath.Base(file)
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		raw, err := split(body, "")
		if text, bad := broken[name]; bad && (err != nil || !strings.HasPrefix(name, "doc-AtomFeed")) {
			require.ErrorContains(t, err, text, name)
			continue
		}
		require.NoError(t, err, name)
		want := strings.Count(string(body), "<atom:entry") + strings.Count(string(body), "<entry")
		if strings.HasSuffix(name, ".json") {
			want = strings.Count(string(body), `"category"`)
		}
		require.Len(t, raw, want, name)
		for _, entry := range raw {
			for _, e := range readEntry(entry, "").entries {
				require.Empty(t, withoutTicket(e.Malformed), name)
			}
		}
	}
}

// withoutTicket: the samples hold feeds of other products too.
func withoutTicket(reason string) string {
	if reason == "names no ticket" {
		return ""
	}
	return reason
}

func TestSamplesAreEqualInBothForms(t *testing.T) {
	dir := samples(t)
	for xmlName, jsonName := range map[string]string{
		"dedicatedvcloud-feed-response": "", "functest1-feed-tenanted": "", "doc-AtomEntryElementExampleexternal": "",
		"internal-ticketing-ticket-ticket-update-v1-response": "", "internal-ticketing-ticket-ticket-update-v1-no-queue-response": "",
		"internal-ticketing-view-queue_view-update-v1-response": "", "quirks-input": "quirks-INVALID-raw-newline",
	} {
		if jsonName == "" {
			jsonName = xmlName
		}
		asXML, err := os.ReadFile(filepath.Join(dir, xmlName+".xml"))
		require.NoError(t, err)
		asJSON, err := os.ReadFile(filepath.Join(dir, jsonName+".json"))
		require.NoError(t, err)
		want := withoutRaw(read(t, string(asXML), ""))
		if strings.HasPrefix(xmlName, "quirks") {
			// The two differ in the resource id only by what the tenant filter leaves.
			require.Len(t, want, 3)
		}
		require.Equal(t, want, withoutRaw(read(t, string(asJSON), "")), xmlName)
	}
}

func TestSeedSample(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(samples(t), "consolidated_ticketing-head.adapted.json"))
	require.NoError(t, err)
	got := read(t, string(body), jsonMedia)
	require.Len(t, got, 1)
	e := got[0]
	require.Empty(t, e.Malformed)
	require.Equal(t, "180717-iad-0000000", e.Foreign.TicketID)
	require.Equal(t, "180727-iad-0000000", e.Foreign.Comment.ID)
	require.Equal(t, event.Params{
		"source": "Cloud Feeds", "sourceID": "180717-iad-0000000", "subject": "Request for Information",
		"note": "We are researching a solution now.",
	}, transformed(t, e))
	require.Equal(t, "2018-07-27T03:47:06.297537Z", e.Foreign.UpdatedAt.Format("2006-01-02T15:04:05.999999Z"))
	require.Contains(t, e.Raw, "AtType")
}
