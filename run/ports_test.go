package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPortInUseIsNamedWithItsOwnerAndTheWayOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	number := listener.Addr().(*net.TCPAddr).Port
	p := port{listener.Addr().String(), "the Temporal web UI", "TB_UI_PORT", "8234"}

	err = inTheWay([]port{p}, func(int) string { return "nginx (process 812)" })
	assert.EqualError(t, err, fmt.Sprintf("port %d, for the Temporal web UI, is in use by nginx (process 812). "+
		"Stop that, or choose another port, e.g.\n    make run TB_UI_PORT=8234", number))

	if runtime.GOOS == "linux" {
		assert.Contains(t, portOwner(number), fmt.Sprintf("(process %d)", os.Getpid()))
	}
	require.NoError(t, listener.Close())
	assert.NoError(t, inTheWay([]port{p}, portOwner))
}

func TestTwoOfOursDoNotWantOnePort(t *testing.T) {
	s := settings{temporalPort: 1, uiPort: 2, simulatorPort: 3, httpAddr: "127.0.0.1:65530", metricsAddr: ":65530"}
	err := inTheWay(s.ports()[2:4], func(int) string { return "" })
	assert.ErrorContains(t, err, "the HTTP interfaces and the worker's metrics both want :65530")
	assert.ErrorContains(t, err, "make run TICKETBRIDGE_METRICS_ADDR=:65531")
}

func TestWhichPortsARunNeeds(t *testing.T) {
	s := settings{temporalPort: 7233, uiPort: 8233, simulatorPort: 8090, httpAddr: ":8080", metricsAddr: ":9090"}
	assert.Len(t, s.ports(), 5)
	s.config = "my.yaml"
	assert.Len(t, s.ports(), 4, "no simulators with a configuration of one's own")
	s.temporalAddress = "cluster:7233"
	assert.Len(t, s.ports(), 2, "no server beside the user's")
}
