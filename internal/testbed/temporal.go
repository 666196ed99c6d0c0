package testbed

import (
	"path/filepath"
	"strconv"
)

// Server are the arguments of the temporal command for a server on a local port, with
// its state in a file of a folder, so that it can be killed and started again.
func Server(dir string, port, httpPort int, more ...string) []string {
	return append([]string{
		"server", "start-dev", "--ip", "127.0.0.1", "--port", strconv.Itoa(port), "--http-port", strconv.Itoa(httpPort),
		"--db-filename", filepath.Join(dir, "temporal.db"),
		"--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=normal",
		"--dynamic-config-value", "history.maxInFlightUpdates=100",
		"--log-level", "error",
	}, more...)
}
