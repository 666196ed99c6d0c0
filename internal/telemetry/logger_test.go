package telemetry_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

func TestLoggerFormats(t *testing.T) {
	var out bytes.Buffer
	logger, err := telemetry.NewLogger(&out, "info", telemetry.FormatText)
	require.NoError(t, err)
	logger.Debug("hidden")
	logger.Info("shown", "feed", "lon")
	assert.Contains(t, out.String(), "level=INFO msg=shown feed=lon")
	assert.NotContains(t, out.String(), "hidden")

	for _, format := range []string{telemetry.FormatJSON, telemetry.FormatAuto} {
		out.Reset()
		logger, err = telemetry.NewLogger(&out, "debug", format)
		require.NoError(t, err)
		logger.Debug("shown", "feed", "lon")
		var line map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &line), "what is no terminal gets JSON")
		assert.Equal(t, "lon", line["feed"])
	}
}

func TestAutoIsJSONInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	require.NoError(t, err)
	logger, err := telemetry.NewLogger(f, "warn", telemetry.FormatAuto)
	require.NoError(t, err)
	logger.Info("hidden")
	logger.Warn("shown")
	require.NoError(t, f.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var line map[string]any
	require.NoError(t, json.Unmarshal(data, &line))
	assert.Equal(t, "shown", line["msg"])
}

func TestAutoIsTextOnATerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this system gives no pseudo terminal: ", err)
	}
	defer func() { _ = terminal.Close() }()
	logger, err := telemetry.NewLogger(terminal, "info", telemetry.FormatAuto)
	require.NoError(t, err)
	assert.Equal(t, "*slog.TextHandler", typeName(logger.Handler()))
}

func TestLoggerRefusesUnknownWords(t *testing.T) {
	_, err := telemetry.NewLogger(&bytes.Buffer{}, "loud", "text")
	assert.EqualError(t, err, `log level "loud": want debug, info, warn or error`)
	_, err = telemetry.NewLogger(&bytes.Buffer{}, "info", "xml")
	assert.EqualError(t, err, `log format "xml": want auto, text or json`)
}
