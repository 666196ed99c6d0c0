package cloudfeeds

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Whoever cannot prove to be the feed, or its identity service, gets neither
// the token nor the API key.
func TestAServerThatCannotProveItselfIsToldNothing(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for _, credential := range []Credential{
		{Type: TokenCredential, Token: "secret-token"},
		{Type: APIKeyCredential, Username: "alice", APIKey: "the-key", IdentityURL: server.URL + "/v2.0"},
	} {
		client, err := New(Config{URL: server.URL + "/consolidated_ticketing/events/1", Credential: credential})
		require.NoError(t, err)
		_, err = client.Read(t.Context(), event.Step{})
		require.ErrorContains(t, err, "certificate")
	}
}
