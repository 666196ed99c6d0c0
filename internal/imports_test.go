// Package internal holds the tests of the whole: the import rules, and what the
// documents say of the sources. There is no code here.
package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/feed"
)

const (
	module   = "github.com/ticketbridge/ticketbridge/"
	temporal = "go.temporal.io/"
)

// rule is what the packages of a folder may import of ours, and what of others
// they may not. Tests are free.
type rule struct {
	// folders are paths in the module; "x/*" is any package below x.
	folders []string
	ours    []string
	not     []string
}

func rules() []rule {
	pure := []string{"internal/event", "internal/ticket", "internal/matching", "internal/catalog"}
	return []rule{
		{folders: append([]string{"internal/scenario"}, pure...), ours: append([]string{"internal/scenario"}, pure...), not: []string{temporal, "net/http"}},
		{folders: []string{"internal/transform"}, ours: []string{"internal/event"}, not: []string{temporal, "net/http", "os"}},
		{folders: []string{"internal/contract"}, ours: pure, not: []string{temporal, "net/http"}},
		{folders: []string{"workflows"}, ours: append([]string{"activities", "internal/contract", "internal/rest"}, pure...), not: []string{"net/http", "time/tzdata", "math/rand", "os"}},
		{folders: []string{"activities"}, ours: append([]string{"internal/contract"}, pure...), not: []string{"net/http"}},
		{folders: []string{"internal/rest"}, not: []string{temporal}},
		{folders: []string{"internal/provider/*"}, ours: []string{"internal/ticket", "internal/event", "internal/rest"}, not: []string{temporal}},
		{folders: []string{"internal/feed/*"}, ours: []string{"internal/ticket", "internal/event", "internal/rest"}, not: []string{temporal}},
	}
}

// mains are those that know everything; only they may import the parents of
// feeds and providers.
func mains() []string {
	return []string{"worker", "starter", "run", "internal/app", "internal/integration", "internal/provider", "internal/feed"}
}

func TestImportsFollowTheRules(t *testing.T) {
	imports := importsOf(t, "..")
	for _, r := range rules() {
		for dir, list := range imports {
			if !matches(r.folders, dir) {
				continue
			}
			for _, imported := range list {
				ours, isOurs := strings.CutPrefix(imported, module)
				if isOurs {
					assert.True(t, slices.Contains(r.ours, ours) || ours == dir, "%s must not import %s", dir, imported)
				}
				for _, prefix := range r.not {
					assert.False(t, imported == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(imported, prefix), "%s must not import %s", dir, imported)
				}
			}
		}
	}
}

func TestOnlyMainsKnowConcreteFeedsAndProviders(t *testing.T) {
	for dir, list := range importsOf(t, "..") {
		if matches(append([]string{"internal/provider/*", "internal/feed/*"}, mains()...), dir) {
			continue
		}
		for _, imported := range list {
			ours := strings.TrimPrefix(imported, module)
			concrete := strings.HasPrefix(ours, "internal/provider") || strings.HasPrefix(ours, "internal/feed")
			assert.False(t, concrete, "%s must not import %s", dir, imported)
		}
	}
}

// A new type of feed changes nothing in what reads feeds durably: no type, and no
// vendor's form of a position, is named there.
func TestWorkflowsKnowNoTypeOfFeed(t *testing.T) {
	words := append(feed.Types(), "acronis", "cloud feeds", "rackspace", "urn:uuid")
	for _, dir := range []string{"../workflows", "../activities", "contract", "delivery", "operate"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, word := range words {
				assert.NotContains(t, strings.ToLower(string(text)), word, name)
			}
		}
	}
}

// The vendor fakes share nothing with the clients that are tested against them,
// so that no mistake can hide in both.
func TestSimulatorsImportTheStandardLibraryOnly(t *testing.T) {
	found := false
	for dir, list := range importsOf(t, "..") {
		if !strings.HasPrefix(dir, "internal/simulator/") {
			continue
		}
		found = true
		for _, imported := range list {
			if strings.HasPrefix(imported, module+"internal/simulator/") {
				continue // the program that runs them all
			}
			first, _, _ := strings.Cut(imported, "/")
			assert.NotContains(t, first, ".", "%s must not import %s", dir, imported)
		}
	}
	assert.True(t, found)
}

// Every folder that a rule names is there: a rule about nothing protects nothing.
func TestRulesSpeakOfWhatIsThere(t *testing.T) {
	imports := importsOf(t, "..")
	for _, r := range rules() {
		for _, folder := range r.folders {
			assert.True(t, slices.ContainsFunc(keys(imports), func(dir string) bool { return matches([]string{folder}, dir) }), "%s is gone", folder)
		}
	}
}

func keys(m map[string][]string) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

// matches reports whether a folder is one of those named.
func matches(folders []string, dir string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		parent, below := strings.CutSuffix(folder, "/*")
		return dir == folder || below && strings.HasPrefix(dir, parent+"/")
	})
}

// importsOf lists what each package of the module imports, its tests aside.
func importsOf(t *testing.T, root string) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skip(root, name, entry)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		dir = path.Clean(filepath.ToSlash(dir))
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports[dir] = append(imports[dir], imported)
		}
		if imports[dir] == nil {
			imports[dir] = []string{}
		}
		return nil
	})
	require.NoError(t, err)
	return imports
}

// skip leaves out hidden folders, test data and modules of their own.
func skip(root, name string, entry fs.DirEntry) error {
	if name == root {
		return nil
	}
	if strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}
