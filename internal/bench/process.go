package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// process is a program that runs until it is stopped.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	log  string
}

// startProcess starts a program whose output goes to a file in dir.
func startProcess(dir, name string, env []string, path string, args ...string) (*process, error) {
	log, err := os.CreateTemp(dir, name+"-*.log")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	p := &process{name: name, cmd: cmd, done: make(chan struct{}), log: log.Name()}
	go func() {
		defer close(p.done)
		defer log.Close()
		_ = cmd.Wait() // how it ended is in its log
	}()
	return p, nil
}

// stop asks the program to end, and kills it when it does not.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// failure is the end of the program's output, if it ended by itself.
func (p *process) failure() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	text, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Errorf("%s ended: %w", p.name, err)
	}
	const tail = 2000
	return fmt.Errorf("%s ended: %s", p.name, text[max(0, len(text)-tail):])
}

// machine tells what the numbers were measured on.
func machine() string {
	return fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}
