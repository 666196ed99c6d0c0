package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
)

// File is a file that was received whole, and is not kept yet.
type File struct {
	spool *Spool
	file  *os.File
	sum   hash.Hash
	size  int64
	// most is the largest that it may be, taken what is counted for it.
	most, taken int64
	// room is what it may take ahead of its need: no more than it says it is long.
	room int64
	gone bool
}

// step is how much room an arriving file takes at a time, in bytes.
const step = 1 << 20

// Receive reads a file to its end. size is how long it is said to be, -1 where
// nobody knows, most how long it may be. What there is no room for now is refused
// before it comes. Room is taken as bytes arrive, so that a slow sender keeps
// nobody else out; it may be used up before all have. Errors are ErrTooLarge,
// ErrFull, those of the content, and those of the disk; nothing stays of the file
// then.
func (s *Spool) Receive(content io.Reader, size, most int64) (*File, error) {
	if size > most {
		return nil, ErrTooLarge
	}
	if !s.fits(max(size, 0)) {
		return nil, ErrFull
	}
	f := &File{spool: s, sum: sha256.New(), most: most, room: most}
	if size >= 0 {
		f.room = size
	}
	if err := f.receive(content, size); err != nil {
		f.Discard()
		return nil, bare(err)
	}
	s.shrink(f.taken - f.size)
	f.taken = f.size
	return f, nil
}

func (f *File) receive(content io.Reader, size int64) error {
	var err error
	if f.file, err = os.CreateTemp(f.spool.dir, partial); err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		return err
	}
	if size >= 0 && f.size != size {
		return io.ErrUnexpectedEOF
	}
	return f.file.Sync()
}

// take counts that the file has so many bytes: up to a step more than it needs, so
// that not every write has to ask.
func (f *File) take(bytes int64) error {
	if bytes <= f.taken {
		return nil
	}
	whole := max(min((bytes+step-1)/step*step, f.room), bytes)
	taken, err := f.spool.grow(bytes-f.taken, whole-f.taken)
	f.taken += taken
	return err
}

// Write is for Receive.
func (f *File) Write(p []byte) (int, error) {
	whole := f.size + int64(len(p))
	if whole > f.most {
		return 0, ErrTooLarge
	}
	if err := f.take(whole); err != nil {
		return 0, err
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	f.sum.Write(p[:n])
	return n, err
}

// Size is its length in bytes, SHA256 what is in it, in hex.
func (f *File) Size() int64    { return f.size }
func (f *File) SHA256() string { return hex.EncodeToString(f.sum.Sum(nil)) }

// Discard removes a file that is not kept. It may be called more than once.
func (f *File) Discard() {
	if f.gone {
		return
	}
	f.gone = true
	if f.file != nil {
		_ = f.file.Close()           // what is in it is not wanted
		_ = os.Remove(f.file.Name()) // else the next process does it
	}
	f.spool.shrink(f.taken)
}

// Kept is a call's share in a whole file.
type Kept struct {
	spool    *Spool
	name     string
	uses     int
	released bool
}

// Keep keeps the file under a key, beyond the end of this process. Where the same
// content is kept under it already, that is shared.
func (f *File) Keep(key string) (*Kept, error) {
	s, name := f.spool, nameOf(key, f.SHA256())
	s.mu.Lock()
	e := s.kept[name]
	if e == nil {
		if err := f.settle(name); err != nil {
			s.mu.Unlock()
			f.Discard()
			return nil, bare(err)
		}
		e = &entry{size: f.size}
		s.kept[name], f.gone = e, true
	}
	e.users++
	e.uses++
	k := &Kept{spool: s, name: name, uses: e.uses}
	s.mu.Unlock()
	f.Discard() // what it was not needed for
	return k, nil
}

// settle gives the file its name for good.
func (f *File) settle(name string) error {
	if err := f.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.file.Name(), f.spool.path(name)); err != nil {
		return err
	}
	dir, err := os.Open(f.spool.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return syncFolder(dir)
}

// Release ends the call's share. done: nobody needs the file any more, as far as
// this call knows; it goes with the last share, unless the same was received
// anew meanwhile.
func (k *Kept) Release(done bool) {
	if k.released {
		return
	}
	k.released = true
	k.spool.mu.Lock()
	k.spool.kept[k.name].users--
	k.spool.mu.Unlock()
	if done {
		k.spool.drop(k.name, k.uses)
	}
}
