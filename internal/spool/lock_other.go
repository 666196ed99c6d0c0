//go:build !unix

package spool

import (
	"os"
	"path/filepath"
)

// lockFolder does not know who else has the folder: each process needs a spool
// directory of its own here.
func lockFolder(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
}

// syncFolder: folders cannot be synced here.
func syncFolder(*os.File) error { return nil }
