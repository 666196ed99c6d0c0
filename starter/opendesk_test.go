package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const twoIntegrations = `integrations:
  - {name: try, type: ticketing_mock_ticketing}
  - {name: ops, type: ticketing_jira, url: "http://127.0.0.1:1", default_project: OPS, credential: {type: basic, username: u, secret: "env:TEST_DESK_TOKEN"}}
`

// configured writes a configuration; serve listens at an address where nothing is.
func configured(t *testing.T, text string) {
	t.Helper()
	t.Setenv("TEST_DESK_TOKEN", "token-of-the-desk")
	file := filepath.Join(t.TempDir(), "ticketbridge.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	t.Setenv("TICKETBRIDGE_CONFIG", file)
	t.Setenv("TICKETBRIDGE_HTTP_ADDR", closedAddress(t))
	t.Setenv("TEMPORAL_ADDRESS", closedAddress(t))
	t.Setenv("TEMPORAL_CONFIG_FILE", os.DevNull)
}

func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func TestWhichIntegrationIsMeant(t *testing.T) {
	configured(t, twoIntegrations)
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, exitUsage, "want one of: try, ops"},
		{[]string{"--integration", "opps"}, exitUsage, "want one of: try, ops"},
		{[]string{"--integration", "try"}, exitUsage, "add one with `integration: try` to callers"},
		{[]string{"--integration", "ops"}, exitFailed, "The provider cannot be reached"},
	} {
		_, status, err := runStarter("", append([]string{"ticket", "get", "1"}, c.args...)...)
		assert.ErrorContains(t, err, c.says)
		assert.Equal(t, c.status, status)
	}
	_, status, err := runStarter("", "ticket", "operation", "write:ops:abc/run")
	assert.ErrorContains(t, err, "no Temporal server answers", "the id names the integration")
	assert.Equal(t, exitNoServer, status)
	_, status, err = runStarter("", "ticket", "operation", "abc")
	assert.ErrorContains(t, err, "want one of: try, ops")
	assert.Equal(t, exitUsage, status)
	_, status, err = runStarter("", "ticket", "policies", "--integration", "ops")
	assert.ErrorContains(t, err, "jira cannot do this", "nothing is asked for it")
	assert.Equal(t, exitFailed, status)
}

// Writes need Temporal; of an integration whose tickets are in serve, everything
// needs that.
func TestWhatATicketCommandNeeds(t *testing.T) {
	configured(t, twoIntegrations+`callers: [{name: me, token: "env:TEST_DESK_TOKEN", integration: try}]`)
	_, status, err := runStarter("", "ticket", "create", "--integration", "ops", "--name", "x")
	assert.ErrorContains(t, err, "no Temporal server answers")
	assert.Equal(t, exitNoServer, status)
	_, status, err = runStarter("", "ticket", "list", "--integration", "try")
	assert.ErrorContains(t, err, "the tickets of integration try are in the memory of starter serve: start it")
	assert.Equal(t, exitNoServer, status)
}

// The only integration need not be named; its serve is asked with a caller's token.
func TestServeIsAskedWithTheTokenOfItsCaller(t *testing.T) {
	f := newFakeServe(t, fakeAnswer{status: http.StatusOK, body: madeTicket})
	configured(t, `integrations: [{name: try, type: ticketing_mock_ticketing}]
callers: [{name: me, token: "env:TEST_DESK_TOKEN", integration: try}]`)
	t.Setenv("TICKETBRIDGE_HTTP_ADDR", f.url[len("http://"):])
	out, _, err := runStarter("", "ticket", "get", "1")
	require.NoError(t, err)
	assert.Contains(t, out, "OPS-12")
	assert.Equal(t, "Bearer token-of-the-desk", f.last().header.Get("Authorization"))
}

func TestWhereServeIsReached(t *testing.T) {
	for addr, want := range map[string]string{":8080": "127.0.0.1:8080", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80", "10.0.0.7:80": "10.0.0.7:80"} {
		assert.Equal(t, want, reachable(addr))
	}
}

// A serve with a certificate of its own is believed by that certificate, and no
// other one is.
func TestServeIsKnownByItsCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "it is me") }))
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	own := filepath.Join(t.TempDir(), "own.pem")
	require.NoError(t, os.WriteFile(own, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	client, err := trusting(own)
	require.NoError(t, err)
	resp, err := client.Get(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	require.NoError(t, err, "the name does not matter")
	require.NoError(t, resp.Body.Close())

	other := filepath.Join(t.TempDir(), "other.pem")
	require.NoError(t, os.WriteFile(other, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: selfSigned(t)}), 0o600))
	client, err = trusting(other)
	require.NoError(t, err)
	_, err = client.Get(server.URL)
	assert.ErrorContains(t, err, "certificate")
	_, err = trusting(filepath.Join(t.TempDir(), "none.pem"))
	assert.ErrorContains(t, err, "TICKETBRIDGE_HTTP_TLS_CERT")
}

func selfSigned(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return der
}
