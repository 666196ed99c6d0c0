package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// lock keeps a second launcher away from a run's folder. The system drops it
// when the launcher ends, however it ends; its text stays behind then.
type lock struct {
	file *os.File
	// killed: the launcher before did not come to its end.
	killed bool
}

// takeLock fails where another launcher has the folder.
func takeLock(s settings) (*lock, error) {
	name := s.in("lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	before, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, f.Close())
	}
	pid := strings.TrimSpace(string(before))
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another `make run` (process %s) uses %s. Stop it, or run a second one beside it with TB_RUN_DIR=other-folder and other ports (see run -help)", pid, s.dir), f.Close())
	}
	l := &lock{file: f, killed: pid != ""}
	return l, l.write(fmt.Sprintln(os.Getpid()))
}

// release says that everything was stopped.
func (l *lock) release() error { return errors.Join(l.write(""), l.file.Close()) }

func (l *lock) write(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("write the lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("write the lock: %w", err)
	}
	return nil
}
