package scenario

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the repository's folder.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the test")
		dir = parent
	}
}

func sharedCases(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root(t), "..", "shared", "cases", "event-matching.json"))
	if err != nil {
		t.Skip("the shared truth table is not beside the repository")
	}
	return data
}

func run(t *testing.T, text string) Results {
	t.Helper()
	results, err := Run([]byte(text), Options{})
	require.NoError(t, err)
	return results
}

func TestEveryCaseOfTheTruthTable(t *testing.T) {
	data := sharedCases(t)
	results, err := Run(data, Options{})
	require.NoError(t, err)
	assert.Empty(t, results.Ignored)
	var table bytes.Buffer
	require.NoError(t, WriteTable(&table, results))
	assert.Empty(t, results.Differences, table.String())

	var file struct{ Cases, Proposed []struct{ Events []any } }
	require.NoError(t, json.Unmarshal(data, &file))
	events := 0
	for _, c := range append(file.Cases, file.Proposed...) {
		events += len(c.Events)
	}
	assert.Len(t, results.Events, events)
	assert.Greater(t, events, 90)
}

// Each member of an expectation is really compared: a wrong one is a difference.
func TestDifferencesAreSeen(t *testing.T) {
	const text = `{"cases": [{"id": "X",
	 "given": {"requests": [{"ref": "r1", "created_s": -5, "subject": "old", "requested_for": 0, "account": "", "notes": ["n"]}]},
	 "events": [
	  {"at_s": 0, "params": {"subject": "s", "note": "n", "internal_note": "i", "status": "on_backlog", "waiting_until": "2026-01-02T00:00"}},
	  {"at_s": 0, "params": {"status": "bogus"}}],
	 "expect": [EXPECT, {"status": 422, "outcome": "rejected", "request": null}],
	 "after": AFTER}]}`
	with := func(expect, after string) []Difference {
		return run(t, strings.NewReplacer("EXPECT", expect, "AFTER", after).Replace(text)).Differences
	}
	right := []struct{ expect, after string }{
		{`{"status": 201, "outcome": "created", "request": "r2", "note_added": true, "changed": {}}`, `{"requests": 1}`},
		{`{"fields": {"subject": "s", "ci": null, "waiting_until": "2026-01-02T01:00:00+01:00"}}`, `{"r2": {"fields": {"status": "on_backlog"}, "notes_text": ["n", "i"]}}`},
		{`{"fields": {"notes": [{"text": "n", "internal": false}, {"text": "i", "internal": true}]}}`, `{"r1": {"notes_text": ["n"]}}`},
		{`{"fields": {"notes_set": [{"text": "i", "internal": true}, {"text": "n", "internal": false}]}}`, `{}`},
	}
	for _, r := range right {
		assert.Empty(t, with(r.expect, r.after), r)
	}
	for _, wrong := range []string{
		`{"status": 200}`, `{"outcome": "updated"}`, `{"request": "r1"}`, `{"request": null}`, `{"note_added": false}`,
		`{"changed": {"status": "on_backlog"}}`, `{"errors": [["a", "b"]]}`, `{"fields": {"subject": "t"}}`, `{"fields": {"ci": 1}}`,
		`{"fields": {"nonsense": null}}`, `{"fields": {"waiting_until": "2026-01-02T01:00:00Z"}}`, `{"fields": {"notes": []}}`,
		`{"fields": {"notes": [{"text": "i", "internal": true}, {"text": "n", "internal": false}]}}`,
		`{"fields": {"notes_set": [{"text": "n", "internal": false}]}}`,
		`{"fields": {"notes_set": [{"text": "n", "internal": false}, {"text": "n", "internal": false}]}}`,
	} {
		assert.Len(t, with(wrong, `{}`), 1, wrong)
	}
	for _, wrong := range []string{
		`{"requests": 2}`, `{"r3": {}}`, `{"r2": {"fields": {"status": "assigned"}}}`, `{"r2": {"notes_text": ["i", "n"]}}`,
	} {
		assert.Len(t, with(`{}`, wrong), 1, wrong)
	}

	results := run(t, strings.NewReplacer("EXPECT", `{"outcome": "unchanged"}`, "AFTER", `{"requests": 7}`).Replace(text))
	var table bytes.Buffer
	require.NoError(t, WriteTable(&table, results))
	assert.Equal(t, `CASE  EVENT  LINE  WHAT      EXPECTED     GOT
X     1      6     outcome   "unchanged"  "created"
X     after  7     requests  7            1
`, table.String())
}

func TestExamples(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root(t), "examples", "scenario.json"))
	require.NoError(t, err)
	results, err := Run(data, Options{})
	require.NoError(t, err)
	assert.Empty(t, results.Differences)
	assert.Empty(t, results.Ignored)
	assert.Len(t, results.Events, 7)

	data, err = os.ReadFile(filepath.Join(root(t), "examples", "events.jsonl"))
	require.NoError(t, err)
	results, err = Run(data, Options{})
	require.NoError(t, err)
	assert.Len(t, results.Events, 4)
}
