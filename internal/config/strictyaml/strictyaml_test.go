package strictyaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
)

type colour string

func (c *colour) UnmarshalText(text []byte) error {
	if string(text) == "mauve" {
		return errors.New("no such colour")
	}
	*c = colour(text)
	return nil
}

type item struct {
	Name   string         `yaml:"name"`
	Count  int            `yaml:"count"`
	Share  float64        `yaml:"share"`
	On     bool           `yaml:"on"`
	Colour colour         `yaml:"colour"`
	Parent *int64         `yaml:"parent"`
	Values map[string]any `yaml:"values"`
	Hidden string         `yaml:"-"`
}

type file struct {
	Items []item            `yaml:"items"`
	Map   map[string]string `yaml:"map"`
	Base  item              `yaml:"base"`
}

func TestDecodeFillsEveryKind(t *testing.T) {
	var f file
	doc, faults := strictyaml.Decode([]byte(`
base: &base
  name: first
  colour: red
items:
  - <<: *base
    name: 1.10
    count: -3
    share: 2
    on: true
    parent: 7
    values: {a: [1, x, true, 1.5], b: {c: null}}
  - *base
map: {yes: no, 12: "34"}
`), &f)
	require.Empty(t, faults)
	parent := int64(7)
	assert.Equal(t, file{
		Base: item{Name: "first", Colour: "red"},
		Items: []item{
			{
				Name: "1.10", Colour: "red", Count: -3, Share: 2, On: true, Parent: &parent,
				Values: map[string]any{"a": []any{int64(1), "x", true, 1.5}, "b": map[string]any{"c": nil}},
			},
			{Name: "first", Colour: "red"},
		},
		Map: map[string]string{"yes": "no", "12": "34"},
	}, f)
	assert.Equal(t, 7, doc.Line("items[0].name"))
	assert.Equal(t, 6, doc.Line("items[0].missing.deeper"), "the nearest part that the file has")
	assert.True(t, doc.Has("items[0].parent"))
	assert.False(t, doc.Has("items[1].parent"))
}

// Extra is embedded, as what only some items have.
type Extra struct {
	Topic string   `yaml:"topic"`
	Types []string `yaml:"types"`
}

type extended struct {
	Name string `yaml:"name"`
	Extra
	Last string `yaml:"last"`
}

func TestDecodeFillsAnEmbeddedStruct(t *testing.T) {
	var list struct {
		Items []extended `yaml:"items"`
	}
	doc, faults := strictyaml.Decode([]byte("items:\n  - name: a\n    topic: t\n    types: [x, y]\n    last: z\n  - name: b\n"), &list)
	require.Empty(t, faults)
	assert.Equal(t, []extended{{Name: "a", Extra: Extra{Topic: "t", Types: []string{"x", "y"}}, Last: "z"}, {Name: "b"}}, list.Items)
	assert.Equal(t, 3, doc.Line("items[0].topic"), "its keys stand among the others")
	assert.True(t, doc.Has("items[0].types[1]"))
	assert.False(t, doc.Has("items[1].topic"))

	_, faults = strictyaml.Decode([]byte("items:\n  - topc: t\n    Extra: {topic: t}\n    types: t\n"), &list)
	require.Len(t, faults, 3)
	assert.Equal(t, `unknown key; did you mean "topic"?`, faults[0].Message)
	assert.Equal(t, "unknown key; known are last, name, topic, types", faults[1].Message, "it has no key of its own")
	assert.Equal(t, "items[0].types", faults[2].Path)
}

// Some keys of a struct depend on what stands under another one, also behind an
// alias, and before it.
func TestKeysThatAnotherKeyDecides(t *testing.T) {
	type item struct {
		Kind string `yaml:"kind"`
		More any    `yaml:"-"`
	}
	type round struct {
		Radius int `yaml:"radius"`
	}
	var list struct {
		Items []item `yaml:"items"`
	}
	more := func(part any, text func(string) string) any {
		it, is := part.(*item)
		if !is || text("kind") != "round" {
			return nil
		}
		it.More = &round{Radius: 1}
		return it.More
	}
	doc, faults := strictyaml.DecodeMore([]byte("items:\n  - {radius: 7, kind: &k round}\n  - kind: *k\n  - {kind: flat, radius: 2}\n  - {kind: *k, radios: 3}\n"), &list, more)
	assert.Equal(t, []strictyaml.Fault{
		{Line: 4, Path: "items[2].radius", Message: "unknown key; known are kind", Unknown: "radius"},
		{Line: 5, Path: "items[3].radios", Message: `unknown key; did you mean "radius"?`, Unknown: "radios"},
	}, faults)
	assert.Equal(t, []item{
		{Kind: "round", More: &round{Radius: 7}}, {Kind: "round", More: &round{Radius: 1}}, {Kind: "flat"}, {Kind: "round", More: &round{Radius: 1}},
	}, list.Items)
	assert.True(t, doc.Has("items[0].radius"))
}

func TestDecodeFindsAllFaultsAtOnce(t *testing.T) {
	var f file
	_, faults := strictyaml.Decode([]byte(`items:
  - nmae: x
    count: many
    share: [1]
    on: maybe
    colour: mauve
    parent: 1.5
  - hidden: s3cret
  -
map: nothing
base:
  name: a
  name: b
  values: *nowhere
wholly_unlike: 1
`), &f)
	var lines []string
	for _, fault := range faults {
		lines = append(lines, fmt.Sprintf("%d %s: %s", fault.Line, fault.Path, fault.Message))
	}
	assert.Equal(t, []string{
		`1 items[2]: is empty`,
		`2 items[0].nmae: unknown key; did you mean "name"?`,
		`3 items[0].count: want a whole number, not a text`,
		`4 items[0].share: want a number, not a list`,
		`5 items[0].on: want true or false, not a text`,
		`6 items[0].colour: no such colour`,
		`7 items[0].parent: want a whole number, not a number`,
		`8 items[1].hidden: unknown key; known are colour, count, name, on, parent, share, values`,
		`10 map: want keys and values, not a text`,
		`13 base.name: written twice; the first is on line 12`,
		`14 base.values: no anchor &nowhere is defined`,
		`15 wholly_unlike: unknown key; known are base, items, map`,
	}, lines)
}

func TestDecodeRefusesWhatItCannotRead(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"syntax":             {"items:\n  - name: [a\n", "not valid YAML"},
		"two documents":      {"map: {}\n---\nmap: {}\n", "only one"},
		"too large":          {strings.Repeat("#", strictyaml.MaxBytes+1), "larger than 4 MB"},
		"brackets":           {strings.Repeat("[", 100_000), "nested too deeply"},
		"dashes":             {strings.Repeat("- ", 100_000), "nested too deeply"},
		"alias of itself":    {"base: &a\n  values: {x: *a}\n", "nested deeper"},
		"aliases of aliases": {laughs(), "more than 500000 values"},
		"not a mapping":      {"just a word", "want keys and values, not a text"},
	} {
		t.Run(name, func(t *testing.T) {
			var f file
			_, faults := strictyaml.Decode([]byte(tc.text), &f)
			require.NotEmpty(t, faults)
			assert.Contains(t, faults[0].Message, tc.want)
		})
	}
}

// laughs is a small file of lists of lists that stands for 10^8 values.
func laughs() string {
	var b strings.Builder
	b.WriteString("base:\n  values:\n    a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "    a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return b.String()
}

func TestDecodeTakesAnEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "null\n"} {
		var f file
		doc, faults := strictyaml.Decode([]byte(text), &f)
		assert.Empty(t, faults, text)
		assert.Zero(t, f)
		assert.Zero(t, doc.Line("items[3]"))
	}
}

func TestSyntaxFaultsQuoteNoValue(t *testing.T) {
	for _, text := range []string{
		"base:\n  name: hunter2: hunter3\n",
		"base:\n  name: \"hunter2\n",
		"base: {name: hunter2\nitems: []\n",
		"base:\n  name: hunter2\n bad: x\n",
		"hunter2\nbase: 1\n",
	} {
		var f file
		_, faults := strictyaml.Decode([]byte(text), &f)
		require.NotEmpty(t, faults, text)
		assert.NotContains(t, fmt.Sprintf("%+v", faults), "hunter", text)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"items:\n  - {name: a}\n", "a: &a [*a]", "<<: {items: []}", "? x\n: y", "!!binary |\n aa", "base: |\n  x\n", "%YAML 1.2\n---\n", "- - -", "base: !!str\n", "base: &x\n", "*a : b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var out file
		doc, _ := strictyaml.Decode(data, &out)
		doc.Line("items[0].name")
	})
}
