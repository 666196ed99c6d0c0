package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// port is an address that one of our programs will listen on.
type port struct {
	addr    string
	what    string
	setting string // the variable that changes it
	example string // a value for it
}

// ports are those that a run needs.
func (s settings) ports() []port {
	var all []port
	if s.embedded() {
		all = append(all,
			port{local(s.temporalPort), "the Temporal server", "TB_TEMPORAL_PORT", other(s.temporalPort)},
			port{local(s.uiPort), "the Temporal web UI", "TB_UI_PORT", other(s.uiPort)})
	}
	all = append(all,
		port{s.httpAddr, "the HTTP interfaces", "TICKETBRIDGE_HTTP_ADDR", otherAddress(s.httpAddr)},
		port{s.metricsAddr, "the worker's metrics", "TICKETBRIDGE_METRICS_ADDR", otherAddress(s.metricsAddr)})
	if s.demo() {
		all = append(all, port{local(s.simulatorPort), "the simulated vendors", "TB_SIMULATOR_PORT", other(s.simulatorPort)})
	}
	return all
}

func other(number int) string { return strconv.Itoa(number%65535 + 1) }

func otherAddress(addr string) string {
	host, text, _ := net.SplitHostPort(addr) // checked when it was read
	number, err := strconv.Atoi(text)
	if err != nil {
		return addr
	}
	return net.JoinHostPort(host, other(number))
}

// inTheWay names every port that cannot be listened on, and what to do.
func inTheWay(ports []port, owner func(port int) string) error {
	var errs []error
	for i, p := range ports {
		for _, earlier := range ports[:i] {
			if samePort(p.addr, earlier.addr) {
				errs = append(errs, fmt.Errorf("%s and %s both want %s. Choose another port, e.g.\n    make run %s=%s",
					earlier.what, p.what, p.addr, p.setting, p.example))
			}
		}
		listener, err := net.Listen("tcp", p.addr)
		if err == nil {
			err = listener.Close()
		}
		if err != nil {
			errs = append(errs, busy(p, err, owner))
		}
	}
	return errors.Join(errs...)
}

func samePort(a, b string) bool {
	_, portA, errA := net.SplitHostPort(a)
	_, portB, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && portA == portB && portA != "0"
}

func busy(p port, err error, owner func(port int) string) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s cannot listen on %s (%w). Choose another place, e.g.\n    make run %s=%s", p.what, p.addr, err, p.setting, p.example)
	}
	_, text, _ := net.SplitHostPort(p.addr)
	number, _ := strconv.Atoi(text) // 0 finds no owner
	by := owner(number)
	if by != "" {
		by = " by " + by
	}
	return fmt.Errorf("port %s, for %s, is in use%s. Stop that, or choose another port, e.g.\n    make run %s=%s", text, p.what, by, p.setting, p.example)
}

// settleTime is how long the programs of a launcher that was killed may take to end.
const settleTime = 30 * time.Second

// freePorts checks the ports. After a run that was killed its programs may still
// be ending, so then it waits a while.
func freePorts(ctx context.Context, s settings, out *screen, killed bool) error {
	err := inTheWay(s.ports(), portOwner)
	for end := time.Now().Add(settleTime); err != nil && killed && time.Now().Before(end); err = inTheWay(s.ports(), portOwner) {
		out.show("  waiting for what is left of a run that was killed")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	out.show("")
	return err
}

// answers tells whether anything takes connections at an address.
func answers(ctx context.Context, addr string) error {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(addr, "dns:///"))
	if err != nil {
		return err
	}
	return conn.Close()
}
