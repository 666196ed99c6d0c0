// Package testbed is what the tests of the whole and the benches have in common: both
// run our programs, as processes, against a Temporal server and a simulated Jira.
package testbed

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
)

const module = "github.com/ticketbridge/ticketbridge/"

// Build compiles worker and starter into a folder.
func Build(dir string) error {
	out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), module+"worker", module+"starter").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	return nil
}

// FreePort is a port of this machine that nobody listens at. It is below those that
// systems give to outgoing connections: one of them could else take it before our
// program does.
func FreePort() (int, error) {
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, errors.New("no free port")
}

// FreeAddress is a local address with such a port.
func FreeAddress() (string, error) {
	port, err := FreePort()
	return fmt.Sprintf("127.0.0.1:%d", port), err
}
