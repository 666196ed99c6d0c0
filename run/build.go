package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// tool is a program of others, pinned in a module of its own.
type tool struct {
	name string
	what string
	// module is the folder with its go.mod.
	module string
	pkg    string
}

func tools() []tool {
	return []tool{
		{"temporal", "the Temporal server and CLI", "internal/tools/temporal", "github.com/temporalio/cli/cmd/temporal"},
		{"tctl", "tctl", "internal/tools/tctl", "github.com/temporalio/tctl/cmd/tctl"},
	}
}

func toolNamed(name string) (tool, error) {
	for _, t := range tools() {
		if t.name == name {
			return t, nil
		}
	}
	return tool{}, fmt.Errorf("-tools %s: there is no such tool; want temporal or tctl", name)
}

// ensure builds a tool unless it was built from the same versions before, and
// returns its path.
func ensure(ctx context.Context, t tool, bin string, progress func(string)) (path string, built bool, err error) {
	path, keyFile := filepath.Join(bin, t.name), filepath.Join(bin, t.name+".key")
	key, err := t.key(ctx)
	if err != nil {
		return "", false, err
	}
	before, _ := os.ReadFile(keyFile) // absent: not built yet
	if _, err := os.Stat(path); err == nil && string(before) == key {
		return path, false, nil
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", false, err
	}
	fresh, err := filepath.Abs(path + ".new")
	if err != nil {
		return "", false, err
	}
	if err := goBuild(ctx, t.module, progress, "-o", fresh, t.pkg); err != nil {
		return "", false, fmt.Errorf("build %s: %w", t.what, err)
	}
	return path, true, errors.Join(os.Rename(fresh, path), os.WriteFile(keyFile, []byte(key), 0o644))
}

// key changes with everything that a tool is built from.
func (t tool) key(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOOS", "GOARCH").Output()
	if err != nil {
		return "", fmt.Errorf("ask Go for its version: %w", err)
	}
	mod, err := os.ReadFile(filepath.Join(t.module, "go.mod"))
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(t.module, "go.sum"))
	if err != nil {
		return "", err
	}
	return cacheKey(t.pkg, version, mod, sum), nil
}

func cacheKey(pkg string, parts ...[]byte) string {
	h := sha256.New()
	fmt.Fprintln(h, pkg)
	for _, part := range parts {
		fmt.Fprintln(h, len(part))
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// goBuild runs `go build` in a folder and tells what it is at.
func goBuild(ctx context.Context, dir string, progress func(string), args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-v"}, args...)...)
	cmd.Dir, cmd.SysProcAttr = dir, group()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	complaints := follow(stderr, progress)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w\n    %s", err, strings.Join(complaints, "\n    "))
	}
	return nil
}

const maxComplaints = 30

// follow reads what `go build -v` says: the names of packages, downloads, and
// complaints, of which the last ones are returned.
func follow(r io.Reader, progress func(string)) (complaints []string) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	downloads, packages := 0, 0
	for scanner.Scan() {
		line := scanner.Text()
		switch module, isDownload := strings.CutPrefix(line, "go: downloading "); {
		case isDownload:
			downloads++
			progress(fmt.Sprintf("%d modules fetched, now %s", downloads, module))
		case !strings.ContainsAny(line, " \t#") && line != "":
			packages++
			progress(fmt.Sprintf("%d packages, now %s", packages, line))
		default:
			complaints = append(complaints, line)
		}
	}
	return complaints[max(0, len(complaints)-maxComplaints):]
}

// plainEvery is how often a long build says that it goes on where there is no
// live line.
const plainEvery = 20 * time.Second

// building shows a build's progress with the time it takes.
type building struct {
	out   *screen
	what  string
	began time.Time

	mu   sync.Mutex
	last string

	stop, stopped chan struct{}
}

// startBuilding begins to show; finish ends it.
func startBuilding(out *screen, what string) *building {
	b := &building{out: out, what: what, began: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{})}
	every := 200 * time.Millisecond
	if !out.terminal {
		every = plainEvery
	}
	go b.tell(every)
	return b
}

func (b *building) progress(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = text
}

func (b *building) tell(every time.Duration) {
	defer close(b.stopped)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-ticker.C:
		}
		b.mu.Lock()
		text := fmt.Sprintf("building %s: %s", b.what, elapsed(time.Since(b.began)))
		if b.last != "" {
			text += ", " + b.last
		}
		b.mu.Unlock()
		if b.out.terminal {
			b.out.show("  … " + text)
		} else {
			b.out.note("%s", text)
		}
	}
}

func (b *building) finish() time.Duration {
	close(b.stop)
	<-b.stopped
	b.out.show("")
	return time.Since(b.began)
}
