package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// guarantees is the page that names, for each promise, the tests that show it.
const guarantees = "../docs/guarantees.md"

// namedTest is how the page names a test: its package's folder, and its name.
func namedTest() *regexp.Regexp { return regexp.MustCompile(`\b([a-z]+\.(?:Test|Fuzz)\w+)\b`) }

func TestEveryTestThatThePageOfGuaranteesNamesIsThere(t *testing.T) {
	tests := testsOf(t, "..")
	named := namedTest().FindAllString(read(t, guarantees), -1)
	require.Greater(t, len(named), 100, "the page is read")
	for _, name := range named {
		assert.True(t, tests[name], "%s names %s, which is not there", guarantees, name)
	}
}

// A promise without a test is none: each row of the page's tables has one.
func TestEveryRowOfThePageOfGuaranteesNamesATest(t *testing.T) {
	rows := 0
	for line := range strings.SplitSeq(read(t, guarantees), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.TrimSpace(cells[len(cells)-1]) == "shown by" {
			continue
		}
		rows++
		assert.Regexp(t, namedTest(), cells[len(cells)-1], "%s: this row shows no test: %s", guarantees, line)
	}
	assert.Greater(t, rows, 40, "the tables are read")
}

func TestThePageOfGuaranteesCanBeFound(t *testing.T) {
	assert.Contains(t, read(t, "../README.md"), "(docs/guarantees.md)")
	assert.Contains(t, read(t, "../docs/architecture.md"), "(guarantees.md)")
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

// testsOf are all tests and fuzz targets of the module, by folder and name:
// functions, and the methods of suites that a test runs.
func testsOf(t *testing.T, root string) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			return nil
		}
		if err := skip(root, name, entry); err != nil {
			return err
		}
		return addTests(name, tests)
	})
	require.NoError(t, err)
	return tests
}

// addTests adds the tests of one folder.
func addTests(dir string, tests map[string]bool) error {
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return err
	}
	folder := filepath.Base(dir) + "."
	methods, suites := map[string][]string{}, map[string]bool{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declared := range file.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool { suites[suiteRun(n)] = true; return true })
			if !strings.HasPrefix(f.Name.Name, "Test") && !strings.HasPrefix(f.Name.Name, "Fuzz") {
				continue
			}
			if receiver := receiverOf(f); receiver != "" {
				methods[receiver] = append(methods[receiver], f.Name.Name)
				continue
			}
			tests[folder+f.Name.Name] = true
		}
	}
	for receiver, list := range methods {
		for _, name := range list {
			tests[folder+name] = tests[folder+name] || suites[receiver]
		}
	}
	return nil
}

// receiverOf is the type that a method belongs to; empty for a function.
func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	kind := f.Recv.List[0].Type
	if pointer, ok := kind.(*ast.StarExpr); ok {
		kind = pointer.X
	}
	name, ok := kind.(*ast.Ident)
	if !ok {
		return ""
	}
	return name.Name
}

// suiteRun is the type of the suite that suite.Run(t, new(suiteType)) runs.
func suiteRun(n ast.Node) string {
	run, ok := n.(*ast.CallExpr)
	if !ok || len(run.Args) != 2 {
		return ""
	}
	called, ok := run.Fun.(*ast.SelectorExpr)
	if !ok || called.Sel.Name != "Run" {
		return ""
	}
	if from, ok := called.X.(*ast.Ident); !ok || from.Name != "suite" {
		return ""
	}
	made, ok := run.Args[1].(*ast.CallExpr)
	if !ok || len(made.Args) != 1 {
		return ""
	}
	kind, ok := made.Args[0].(*ast.Ident)
	if !ok {
		return ""
	}
	return kind.Name
}
