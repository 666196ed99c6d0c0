//go:build unix

package spool

import (
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder fails where another process has the folder. A process that dies
// leaves no lock.
func lockFolder(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// syncFolder makes a new name outlive a loss of power.
func syncFolder(dir *os.File) error { return dir.Sync() }
