package httpapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

func TestStoppingLetsRunningCallsEnd(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-goOn
		if r.Context().Err() == nil {
			_, _ = io.WriteString(w, "whole")
		}
	})
	l := listen(t)
	ctx, stop := context.WithCancel(context.Background())
	served, answer := make(chan error, 1), make(chan string, 1)
	go func() { served <- ServeOn(ctx, l, h, "", "", quiet()) }()
	go func() {
		resp, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-arrived
	stop()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	}, 10*time.Second, 5*time.Millisecond, "no new connections are taken")
	select {
	case err := <-served:
		t.Fatalf("stopped before the running call ended: %v", err)
	default:
	}
	close(goOn)
	assert.Equal(t, "whole", <-answer)
	assert.NoError(t, <-served)
}

func TestPortInUse(t *testing.T) {
	l := listen(t)
	defer l.Close()
	err := Serve(context.Background(), l.Addr().String(), http.NotFoundHandler(), "", "", quiet())
	assert.ErrorContains(t, err, l.Addr().String()+": the address is in use")
	assert.ErrorContains(t, err, "TICKETBRIDGE_HTTP_ADDR")
}

func TestBadAddress(t *testing.T) {
	err := Serve(context.Background(), "127.0.0.1:http-ish", http.NotFoundHandler(), "", "", quiet())
	assert.ErrorContains(t, err, "listen on 127.0.0.1:http-ish")
}

func TestListenerThatBreaks(t *testing.T) {
	l := listen(t)
	l.Close()
	assert.ErrorContains(t, ServeOn(context.Background(), l, http.NotFoundHandler(), "", "", quiet()), "serve on")
}

func TestTLS(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	l := listen(t)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- ServeOn(ctx, l, newEnv(t).handler, certFile, keyFile, quiet())
	}()
	good := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	resp, err := good.Get("https://" + l.Addr().String() + "/healthz")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, 200, resp.StatusCode)
	_, err = tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	assert.ErrorContains(t, err, "protocol version")
	good.CloseIdleConnections()
	stop()
	assert.NoError(t, <-served)
}

func TestBadCertificate(t *testing.T) {
	l := listen(t)
	err := ServeOn(context.Background(), l, http.NotFoundHandler(), "absent.pem", "absent.key", quiet())
	assert.ErrorContains(t, err, `TLS certificate "absent.pem" with key "absent.key"`)
	_, err = net.Dial("tcp", l.Addr().String())
	assert.Error(t, err, "the listener is closed")
}

func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, certPEM, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyBytes}), 0o600))
	roots = x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(certPEM))
	return certFile, keyFile, roots
}
