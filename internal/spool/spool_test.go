package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const key = "write:jira-ops:p4alqqwxhekqnah5rnid4hy7w2"

func open(t *testing.T, dir string, limit int64) *Spool {
	t.Helper()
	s, err := Open(dir, "namespace/1", limit)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it
	return s
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (s *Spool) receive(t *testing.T, text string) *File {
	t.Helper()
	f, err := s.Receive(strings.NewReader(text), -1, 100)
	require.NoError(t, err)
	return f
}

func (s *Spool) keep(t *testing.T, text string) *Kept {
	t.Helper()
	k, err := s.receive(t, text).Keep(key)
	require.NoError(t, err)
	return k
}

func (s *Spool) read(t *testing.T, text string) string {
	t.Helper()
	f, err := s.Open(key, sumOf(text))
	require.NoError(t, err)
	defer f.Close()
	content, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(content)
}

// onDisk are the files that are really there, but for the lock.
func (s *Spool) onDisk(t *testing.T) []string {
	t.Helper()
	files, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	names := []string{}
	for _, file := range files {
		if file.Name() != lockName {
			names = append(names, file.Name())
		}
	}
	return names
}

func TestAFileIsKeptUntilItsWriteHasEnded(t *testing.T) {
	s := open(t, t.TempDir(), 100)
	f := s.receive(t, "hello")
	assert.EqualValues(t, 5, f.Size())
	assert.Equal(t, sumOf("hello"), f.SHA256())
	kept, err := f.Keep(key)
	require.NoError(t, err)
	f.Discard() // it is kept by now
	assert.Equal(t, "hello", s.read(t, "hello"))
	info, err := os.Stat(s.path(s.onDisk(t)[0]))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	folder, err := os.Stat(s.dir)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o700), folder.Mode().Perm())
	_, err = s.Open("write:jira-ops:other", sumOf("hello"))
	require.ErrorIs(t, err, fs.ErrNotExist, "it is that write's only")
	assert.NotContains(t, err.Error(), "/")
	kept.Release(true)
	kept.Release(true)
	_, err = s.Open(key, sumOf("hello"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Zero(t, s.used)
	assert.Empty(t, s.onDisk(t))
}

func TestWhatIsNotReceivedWholeLeavesNothing(t *testing.T) {
	s := open(t, t.TempDir(), 100)
	cut := errors.New("the client is gone")
	for name, c := range map[string]struct {
		content    io.Reader
		size, most int64
		want       error
	}{
		"said to be too large": {iotest.ErrReader(cut), 11, 10, ErrTooLarge},
		"too large":            {strings.NewReader("12345678901"), -1, 10, ErrTooLarge},
		"no room":              {strings.NewReader(strings.Repeat("x", 101)), -1, 200, ErrFull},
		"said to have no room": {iotest.ErrReader(cut), 101, 200, ErrFull},
		"cut":                  {io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(cut)), -1, 10, cut},
		"shorter":              {strings.NewReader("12345"), 6, 10, io.ErrUnexpectedEOF},
		"longer":               {strings.NewReader("1234567"), 6, 10, io.ErrUnexpectedEOF},
	} {
		_, err := s.Receive(c.content, c.size, c.most)
		require.ErrorIs(t, err, c.want, name)
		assert.Empty(t, s.onDisk(t), name)
		assert.Zero(t, s.used, name)
	}
	s.receive(t, "hello").Discard()
	assert.Empty(t, s.onDisk(t))
	assert.Zero(t, s.used)
}

// Files on their way count as far as they have come, so that many at once do not
// fill the disk, and a slow sender keeps nobody out.
func TestTheSpoolIsBounded(t *testing.T) {
	const limit = 4 * step
	s := open(t, t.TempDir(), limit)
	arriving, send := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := s.Receive(arriving, limit, limit)
		done <- err
	}()
	// A pipe's writer goes on when all is read; one more makes the first counted.
	for range 2 {
		_, err := send.Write([]byte("x"))
		require.NoError(t, err)
	}
	assert.EqualValues(t, step, s.counted(), "not what is said to come")
	_, err := s.Receive(iotest.ErrReader(errors.New("read")), limit-step+1, limit)
	require.ErrorIs(t, err, ErrFull, "there is no room even now")
	other, err := s.Receive(strings.NewReader(strings.Repeat("x", 2*step+1)), 2*step+1, limit)
	require.NoError(t, err)
	assert.EqualValues(t, 3*step+1, s.counted(), "a whole file takes what it has")

	_, err = send.Write(make([]byte, 2*step-4)) // what is left, less a byte
	require.NoError(t, err)
	_, err = send.Write([]byte("x"))
	require.NoError(t, err)
	assert.EqualValues(t, limit, s.counted(), "less than a step is room as well")
	_, err = send.Write([]byte("x"))
	require.NoError(t, err)
	require.ErrorIs(t, <-done, ErrFull)
	assert.EqualValues(t, 2*step+1, s.counted(), "what did not fit is given back")
	kept, err := other.Keep(key)
	require.NoError(t, err)
	kept.Release(false)
	assert.EqualValues(t, 2*step+1, s.counted())
}

// Many that arrive at once take no more than there is, and the room is used.
func TestManyArriveWithinTheLimit(t *testing.T) {
	const limit, size = 5 * step, 2*step + 1
	s := open(t, t.TempDir(), limit)
	watch := &watching{s: s, limit: limit}
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			_, err := s.Receive(io.TeeReader(io.LimitReader(zeros{}, size), watch), size, limit)
			if err != nil {
				assert.ErrorIs(t, err, ErrFull)
			}
		})
	}
	group.Wait()
	assert.False(t, watch.over.Load())
	assert.Zero(t, s.counted()%size)
	assert.LessOrEqual(t, s.counted(), int64(limit))
}

func (s *Spool) counted() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// watching looks at the spool whenever something arrives.
type watching struct {
	s     *Spool
	limit int64
	over  atomic.Bool
}

func (w *watching) Write(p []byte) (int, error) {
	if w.s.counted() > w.limit {
		w.over.Store(true)
	}
	return len(p), nil
}

// Equal uploads at the same time share one file, which goes with the last.
func TestEqualUploadsShareAFile(t *testing.T) {
	s := open(t, t.TempDir(), 1000)
	const callers = 20
	shares := make([]*Kept, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			f, err := s.Receive(strings.NewReader("hello"), 5, 100)
			if assert.NoError(t, err) {
				shares[i], err = f.Keep(key)
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	assert.Len(t, s.onDisk(t), 1)
	assert.EqualValues(t, 5, s.used)
	for i, share := range shares {
		assert.Equal(t, "hello", s.read(t, "hello"), i)
		share.Release(true)
	}
	// The last to let go need not be the last who came: then it is left to tidying.
	for _, l := range s.Leftovers() {
		s.Remove(l)
	}
	assert.Empty(t, s.onDisk(t))
	assert.Zero(t, s.used)
}

// A write that ended does not take the file of the next one along.
func TestAFileThatCameAgainStays(t *testing.T) {
	s := open(t, t.TempDir(), 100)
	first := s.keep(t, "hello")
	next := s.keep(t, "hello")
	next.Release(false) // its call gave up waiting
	first.Release(true)
	assert.Equal(t, "hello", s.read(t, "hello"))

	left := s.Leftovers()
	require.Len(t, left, 1)
	third := s.keep(t, "hello")
	assert.Empty(t, s.Leftovers(), "a call uses it")
	s.Remove(left[0])
	third.Release(false)
	s.Remove(left[0])
	assert.Equal(t, "hello", s.read(t, "hello"), "it came again since somebody looked")
	s.Remove(s.Leftovers()[0])
	assert.Empty(t, s.onDisk(t))
}

// A process that was killed leaves its files to the next one, under the same id.
func TestTheNextProcessTakesOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 100)
	s.keep(t, "hello")
	_, err := os.CreateTemp(s.dir, partial)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "README"), nil, 0o600))

	beside := open(t, dir, 100)
	assert.NotEqual(t, s.ID(), beside.ID(), "one that runs keeps its folder")
	other, err := Open(dir, "namespace/2", 100)
	require.NoError(t, err)
	defer other.Close()
	require.NoError(t, s.Close()) // as the death of a process does
	stranger, err := Open(dir, "namespace/2", 100)
	require.NoError(t, err)
	defer stranger.Close()
	assert.NotEqual(t, s.ID(), stranger.ID(), "it is another owner's")

	next := open(t, dir, 100)
	assert.Equal(t, s.ID(), next.ID())
	assert.Equal(t, "hello", next.read(t, "hello"))
	assert.EqualValues(t, 5, next.used)
	assert.Len(t, next.onDisk(t), 2, "what had not come whole is gone")
	left := next.Leftovers()
	require.Len(t, left, 1)
	assert.Equal(t, Leftover{Key: key, SHA256: sumOf("hello"), Old: true, name: left[0].name}, left[0])
	shared := next.keep(t, "hello")
	shared.Release(false)
	assert.False(t, next.Leftovers()[0].Old)
	next.Remove(next.Leftovers()[0])
	assert.Zero(t, next.used)
}

// What several processes left is not lost when one comes back.
func TestOneProcessTakesOverFromSeveral(t *testing.T) {
	dir := t.TempDir()
	first, second, third := open(t, dir, 100), open(t, dir, 100), open(t, dir, 100)
	for text, s := range map[string]*Spool{"one": first, "two": second, "three": third} {
		s.keep(t, text)
	}
	_, err := os.CreateTemp(second.dir, partial)
	require.NoError(t, err)
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
	next := open(t, dir, 100)
	assert.Equal(t, "one", next.read(t, "one"))
	assert.Equal(t, "two", next.read(t, "two"))
	assert.EqualValues(t, 6, next.used)
	assert.Len(t, next.onDisk(t), 2)
	assert.Equal(t, "three", third.read(t, "three"), "it runs")
	assert.NotEqual(t, next.ID(), open(t, dir, 100).ID())
}

func TestNoErrorTellsAPath(t *testing.T) {
	s := open(t, t.TempDir(), 100)
	f := s.receive(t, "hello")
	require.NoError(t, os.RemoveAll(s.dir))
	_, keepErr := f.Keep(key)
	_, receiveErr := s.Receive(strings.NewReader("x"), -1, 10)
	for _, err := range []error{keepErr, receiveErr, bare(fmt.Errorf("read: %w", &fs.PathError{Op: "read", Path: s.dir, Err: errors.New("input/output error")}))} {
		require.Error(t, err)
		assert.NotContains(t, err.Error(), s.dir)
	}
	assert.Zero(t, s.used)
}
