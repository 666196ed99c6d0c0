package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCacheKeyChangesWithEverythingABuildDependsOn(t *testing.T) {
	key := cacheKey("p", []byte("go1"), []byte("mod"), []byte("sum"))
	assert.Equal(t, key, cacheKey("p", []byte("go1"), []byte("mod"), []byte("sum")))
	for _, other := range []string{
		cacheKey("q", []byte("go1"), []byte("mod"), []byte("sum")),
		cacheKey("p", []byte("go2"), []byte("mod"), []byte("sum")),
		cacheKey("p", []byte("go1"), []byte("mod2"), []byte("sum")),
		cacheKey("p", []byte("go1"), []byte("mods"), []byte("um")),
	} {
		assert.NotEqual(t, key, other)
	}
}

func TestFollowTellsProgressAndKeepsComplaints(t *testing.T) {
	var told []string
	complaints := follow(strings.NewReader("go: downloading example.com/a v1.0.0\nexample.com/a\nexample.com/a/b\n"+
		"# example.com/a/b\nb.go:3:1: undefined: x\n"), func(text string) { told = append(told, text) })
	assert.Equal(t, []string{"1 modules fetched, now example.com/a v1.0.0", "1 packages, now example.com/a", "2 packages, now example.com/a/b"}, told)
	assert.Equal(t, []string{"# example.com/a/b", "b.go:3:1: undefined: x"}, complaints)
}

// module makes a small tool that can be built in a moment.
func module(t *testing.T, source string) tool {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	write("go.mod", "module example.com/tiny\n\ngo 1.24\n")
	write("go.sum", "")
	write("main.go", source)
	return tool{name: "tiny", what: "a tiny tool", module: dir, pkg: "example.com/tiny"}
}

func TestAToolIsBuiltOnceForEachVersion(t *testing.T) {
	tiny, bin := module(t, "package main\n\nfunc main() {}\n"), t.TempDir()
	ensured := func() bool {
		path, built, err := ensure(context.Background(), tiny, bin, func(string) {})
		require.NoError(t, err)
		assert.FileExists(t, path)
		return built
	}
	assert.True(t, ensured())
	assert.False(t, ensured(), "it is there")
	require.NoError(t, os.WriteFile(filepath.Join(tiny.module, "go.mod"), []byte("module example.com/tiny\n\ngo 1.25\n"), 0o644))
	assert.True(t, ensured(), "its go.mod changed")
	require.NoError(t, os.Remove(filepath.Join(bin, "tiny")))
	assert.True(t, ensured(), "it is gone")
}

func TestAFailedBuildSaysWhy(t *testing.T) {
	tiny := module(t, "package main\n\nfunc main() { missing() }\n")
	_, _, err := ensure(context.Background(), tiny, t.TempDir(), func(string) {})
	assert.ErrorContains(t, err, "build a tiny tool")
	assert.ErrorContains(t, err, "undefined: missing")
}

func TestUnknownTool(t *testing.T) {
	_, err := toolNamed("hammer")
	assert.ErrorContains(t, err, "want temporal or tctl")
}
