// Package spool keeps files on their way to a ticketing provider on disk: they
// are too large for memory, and for Temporal. It knows nothing of either end.
package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// What a file cannot be received for.
var (
	ErrFull     = errors.New("the spool is full")
	ErrTooLarge = errors.New("the file is too large")
)

// Spool is one process's folder of files. It is safe for concurrent use.
type Spool struct {
	dir   string
	id    string
	limit int64
	lock  *os.File

	mu   sync.Mutex
	used int64 // bytes, of files that are still arriving, too
	kept map[string]*entry
}

// entry is a whole file.
type entry struct {
	size int64
	// users are the calls that wait for what becomes of it now, uses how many
	// there ever were in this process.
	users, uses int
}

// Open claims a folder below dir for this process: that of a process of the same
// owner which has ended, with the files that it left, else a new one. What others
// that have ended left moves there, too. limit bounds the bytes of all its files.
// Folders are readable by this user only.
func Open(dir, owner string, limit int64) (*Spool, error) {
	home := filepath.Join(dir, url.QueryEscape(owner))
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("spool directory: %w", err)
	}
	id, lock, err := claim(home)
	if err != nil {
		return nil, fmt.Errorf("spool directory: %w", err)
	}
	s := &Spool{dir: filepath.Join(home, id), id: id, limit: limit, lock: lock, kept: map[string]*entry{}}
	if err := errors.Join(s.adopt(home), s.takeStock()); err != nil {
		return nil, errors.Join(fmt.Errorf("spool directory: %w", err), lock.Close())
	}
	return s, nil
}

// adopt takes the whole files of every other folder that nobody has. The folders
// stay: another process may be about to claim one.
func (s *Spool) adopt(home string) error {
	folders, err := os.ReadDir(home)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		from := filepath.Join(home, folder.Name())
		if !folder.IsDir() || from == s.dir {
			continue
		}
		lock, err := lockFolder(from)
		if err != nil {
			continue // somebody has it
		}
		if err := errors.Join(s.moveFrom(from), lock.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spool) moveFrom(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if file.Name() == lockName {
			continue
		}
		if err := os.Rename(filepath.Join(dir, file.Name()), s.path(file.Name())); err != nil {
			return err
		}
	}
	return nil
}

// claim locks a folder that nobody has; the lock goes with the process.
func claim(home string) (id string, lock *os.File, err error) {
	folders, err := os.ReadDir(home)
	if err != nil {
		return "", nil, err
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		if lock, err := lockFolder(filepath.Join(home, folder.Name())); err == nil {
			return folder.Name(), lock, nil
		}
	}
	for range 3 { // another process may take what we make
		id = strings.ToLower(rand.Text())
		if err := os.Mkdir(filepath.Join(home, id), 0o700); err != nil {
			return "", nil, err
		}
		if lock, err = lockFolder(filepath.Join(home, id)); err == nil {
			return id, lock, nil
		}
	}
	return "", nil, fmt.Errorf("lock a folder: %w", err)
}

const (
	partial  = "part-"
	lockName = "lock"
)

// takeStock counts what an earlier process left, and removes what it had not
// received whole.
func (s *Spool) takeStock() error {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := file.Info()
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(file.Name(), partial):
			if err := os.Remove(s.path(file.Name())); err != nil {
				return err
			}
			continue
		}
		if _, _, ours := parse(file.Name()); ours {
			s.kept[file.Name()] = &entry{size: info.Size()}
			s.used += info.Size()
		}
	}
	return nil
}

func (s *Spool) path(name string) string { return filepath.Join(s.dir, name) }

// ID names the folder, for as long as it is there.
func (s *Spool) ID() string { return s.id }

// Close lets another process have the folder.
func (s *Spool) Close() error { return s.lock.Close() }

// fits: there is room for so many bytes now.
func (s *Spool) fits(bytes int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used+bytes <= s.limit
}

// grow counts bytes that are to come: as many as wanted, or what there is room
// for, but not less than needed.
func (s *Spool) grow(needed, wanted int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	granted := min(wanted, s.limit-s.used)
	if granted < needed {
		return 0, ErrFull
	}
	s.used += granted
	return granted, nil
}

func (s *Spool) shrink(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= bytes
}

// Open opens a file that is kept under this key with this SHA-256 in hex. The
// error is fs.ErrNotExist where there is none.
func (s *Spool) Open(key, sha256 string) (io.ReadCloser, error) {
	file, err := os.Open(s.path(nameOf(key, sha256)))
	if err != nil {
		return nil, bare(err)
	}
	return reader{file}, nil
}

// nameOf is the name of a file: whose it is, and what is in it.
func nameOf(key, sha256 string) string { return url.QueryEscape(key) + "." + sha256 }

// parse reads a name that nameOf made.
func parse(name string) (key, sha256 string, ok bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return "", "", false
	}
	key, err := url.QueryUnescape(name[:dot])
	return key, name[dot+1:], err == nil
}

// reader tells of no path when it fails.
type reader struct{ file *os.File }

func (r reader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	return n, bare(err)
}

func (r reader) Close() error { return bare(r.file.Close()) }

// bare is an error without the path, which is nobody's business but this
// machine's. A disk without room is a full spool.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		err = link.Err
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// Leftover is a whole file that no call waits for.
type Leftover struct {
	Key, SHA256 string
	// Old: an earlier process received it.
	Old  bool
	name string
	uses int
}

// Leftovers are the files that no call waits for.
func (s *Spool) Leftovers() []Leftover {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Leftover
	for name, e := range s.kept {
		if e.users > 0 {
			continue
		}
		key, sum, _ := parse(name)
		all = append(all, Leftover{Key: key, SHA256: sum, Old: e.uses == 0, name: name, uses: e.uses})
	}
	return all
}

// Remove removes a leftover, unless a call has come to use it.
func (s *Spool) Remove(l Leftover) { s.drop(l.name, l.uses) }

func (s *Spool) drop(name string, uses int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.kept[name]
	if e == nil || e.users > 0 || e.uses != uses {
		return
	}
	if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return // it stays, and counts
	}
	delete(s.kept, name)
	s.used -= e.size
}
