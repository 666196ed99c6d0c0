package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of /proc's processor times (USER_HZ, the same on all Linux).
const tick = 10 * time.Millisecond

// processorTime is what all programs of a stack, and this one, have used of the
// processors; 0 where the system does not tell. Unlike a rate it hardly changes
// when the machine has other things to do.
func (s *stack) processorTime() time.Duration {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return 0
	}
	total := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	for _, p := range s.processes() {
		used, err := p.processorTime()
		if err != nil {
			return 0
		}
		total += used
	}
	return total
}

func (p *process) processorTime() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The second field, the name in brackets, may hold spaces; utime and stime
	// are the 12th and 13th after it.
	text := string(data)
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", p.cmd.Process.Pid, text)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
