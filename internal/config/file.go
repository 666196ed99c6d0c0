package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// readFile reads at most one byte more than limit, which tells that there is
// more, so that no device or mistaken path fills the memory.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// relativeTo takes a relative path from dir.
func relativeTo(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// unreadable says why a file could not be read; the path stands elsewhere.
func unreadable(err error, hint string) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file" + hint
	}
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		err = cause.Err
	}
	return "cannot be read: " + err.Error()
}
