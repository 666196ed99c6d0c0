package transform_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/transform"
)

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var out map[string]any
	require.NoError(t, d.Decode(&out))
	return out
}

func TestParams(t *testing.T) {
	entry := `{"type":"tenant.disabled","sequence":9007199254740993,"data":{"severity":"high","list":[1,2]},"text":""}`
	for _, c := range []struct {
		name, program string
		want          event.Params
		dropped       bool
		err           string
	}{
		{name: "members", program: `{subject: .type, impact: .data.severity}`, want: event.Params{"subject": "tenant.disabled", "impact": "high"}},
		{name: "64-bit numbers stay exact", program: `{sourceID: .sequence, note: (.sequence + 1 | tostring)}`,
			want: event.Params{"sourceID": "9007199254740993", "note": "9007199254740994"}},
		{name: "absent and empty are left out", program: `{subject: .nothing, note: .text, source: "x"}`, want: event.Params{"source": "x"}},
		{name: "lists are JSON", program: `{custom_fields: .data.list}`, want: event.Params{"custom_fields": "[1,2]"}},
		{name: "nothing leaves the event out", program: `select(.type == "other")`, dropped: true},
		{name: "no object", program: `.type`, err: "yields string"},
		{name: "two values", program: `{a: 1}, {a: 2}`, err: "more than one"},
		{name: "its own error", program: `error("no agent named")`, err: "no agent named"},
		{name: "an error after a value", program: `{a: 1}, error("late")`, err: "late"},
		{name: "wrong type", program: `{subject: (.type | keys)}`, err: "cannot be applied to"},
		{name: "for ever", program: `def f: f; f`, err: "took longer than 1s"},
		{name: "no environment", program: `{subject: env.HOME, note: $ENV.PATH}`, want: event.Params{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, err := transform.Compile(c.program)
			require.NoError(t, err)
			got, ok, err := program.Params(t.Context(), decode(t, entry))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, !c.dropped, ok)
			if !c.dropped {
				assert.Equal(t, c.want, got)
			}
		})
	}
}

func TestCompileNamesTheLine(t *testing.T) {
	for _, c := range []struct {
		name, program, want string
	}{
		{"syntax", "{\n  subject: .type,\n  note: }\n", "line 3: "},
		{"end", "{subject: .type", "line 1: "},
		{"unknown function", "{subject: nosuch(.type)}", "nosuch/1"},
		{"unknown variable", "{subject: $x}", "$x"},
		{"modules are not there", `import "a" as a; {}`, "module"},
		{"too long", string(bytes.Repeat([]byte(" "), 70_000)), "longer than 64 KB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := transform.Compile(c.program)
			var syntax *transform.SyntaxError
			require.ErrorAs(t, err, &syntax)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// A program's input is the entry of whoever publishes to the feed.
func FuzzParams(f *testing.F) {
	program, err := transform.Compile(`{subject: (.type | tostring), note: (.data | tojson), ci: .data?.agent?}`)
	require.NoError(f, err)
	f.Add([]byte(`{"type":"a","data":{"agent":"x"}}`))
	f.Add([]byte(`{"type":{"a":[1e999]},"data":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var entry map[string]any
		if d.Decode(&entry) != nil {
			return
		}
		if params, ok, err := program.Params(t.Context(), entry); err == nil && ok {
			require.NotNil(t, params)
		}
	})
}
