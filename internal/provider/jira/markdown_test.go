package jira

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

func TestMarkdownToADF(t *testing.T) {
	for name, c := range map[string]struct{ markdown, want string }{
		"nothing":   {"", ``},
		"blank":     {" \n\t", ``},
		"paragraph": {"one\ntwo\n\nthree", `{"type":"paragraph","content":[{"type":"text","text":"one"},{"type":"hardBreak"},{"type":"text","text":"two"}]},{"type":"paragraph","content":[{"type":"text","text":"three"}]}`},
		"heading":   {"## The *end*", `{"type":"heading","attrs":{"level":2},"content":[{"type":"text","text":"The "},{"type":"text","text":"end","marks":[{"type":"em"}]}]}`},
		"marks": {"**b** _i_ ~~s~~ `c`", `{"type":"paragraph","content":[{"type":"text","text":"b","marks":[{"type":"strong"}]},{"type":"text","text":" "},` +
			`{"type":"text","text":"i","marks":[{"type":"em"}]},{"type":"text","text":" "},{"type":"text","text":"s","marks":[{"type":"strike"}]},{"type":"text","text":" "},{"type":"text","text":"c","marks":[{"type":"code"}]}]}`},
		"links": {"see [the docs](https://x.example/a_b) or https://y.example.", `{"type":"paragraph","content":[{"type":"text","text":"see "},` +
			`{"type":"text","text":"the docs","marks":[{"type":"link","attrs":{"href":"https://x.example/a_b"}}]},{"type":"text","text":" or "},` +
			`{"type":"text","text":"https://y.example","marks":[{"type":"link","attrs":{"href":"https://y.example"}}]},{"type":"text","text":"."}]}`},
		"code": {"```sh\ndf -h  **x**\n\nls\n```", `{"type":"codeBlock","attrs":{"language":"sh"},"content":[{"type":"text","text":"df -h  **x**\n\nls"}]}`},
		"lists": {"- a\n  - b\n- c\n\n3. x\n4. y", `{"type":"bulletList","content":[{"type":"listItem","content":[{"type":"paragraph","content":[{"type":"text","text":"a"}]},` +
			`{"type":"bulletList","content":[{"type":"listItem","content":[{"type":"paragraph","content":[{"type":"text","text":"b"}]}]}]}]},` +
			`{"type":"listItem","content":[{"type":"paragraph","content":[{"type":"text","text":"c"}]}]}]},` +
			`{"type":"orderedList","attrs":{"order":3},"content":[{"type":"listItem","content":[{"type":"paragraph","content":[{"type":"text","text":"x"}]}]},{"type":"listItem","content":[{"type":"paragraph","content":[{"type":"text","text":"y"}]}]}]}`},
		"quote": {"> said\n> so", `{"type":"blockquote","content":[{"type":"paragraph","content":[{"type":"text","text":"said"},{"type":"hardBreak"},{"type":"text","text":"so"}]}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(toADF(c.markdown))
			require.NoError(t, err)
			assert.JSONEq(t, `{"type":"doc","version":1,"content":[`+c.want+`]}`, string(got))
		})
	}
}

// What monitoring tools send must arrive character by character.
func TestPlainTextStaysVerbatim(t *testing.T) {
	for _, text := range []string{
		"host_name_1 is down, see my_var_name", "__init__ and _private_name_ failed", "rm *.log,*.txt and 2*3*4=24",
		`C:\_temp\*new*\[x]`, "a < b > c & d", "100% ~ 5 ~~ 6", "*** ALERT ***", "*** CRITICAL: disk ***", "[CRITICAL](disk)", "[x](javascript:alert(1))",
		"#hashtag #1", "#!/bin/sh", "1.2.3.4 is down", "-5 degrees", "->", ">50%", "```not closed", "`", "``", "a`b`c",
		"SELECT * FROM t WHERE a = '*'", "key: **", "2026-03-04T12:00:00+0100", "foo  two spaces", "01. keeps its zero", "<script>alert(1)</script>", "=====", "-----",
		"| a | b |", "\\* escaped \\*", "~~", "**", "__", "user@host:~$ ls", "a__b__c", "*_*", "emoji 🔥 und Ümläute",
	} {
		doc := toADF(text)
		raw, err := json.Marshal(doc)
		require.NoError(t, err)
		assert.Equal(t, text, sim.Text(raw), "%s", raw)
		assert.NotContains(t, string(raw), `"marks"`, text)
		assert.Equal(t, text, toMarkdown(node{Content: doc.Content}))
	}
}

func TestMarkdownSurvivesTheWayThereAndBack(t *testing.T) {
	for _, text := range []string{
		"# Title\n\nplain *em* **strong** ~~gone~~ `code`\nnext line",
		"- a\n- b\n  - c\n    1. d\n    2. e\n- f",
		"7. seven\n8. eight",
		"> one\n> two", "```go\nfunc f() {}\n```", "````\n```\n````",
		"[**bold** link](https://x.example) and https://y.example/?a=b&c=d",
		"- item\n\n  more of it\n\n  ```\n  code\n  ```", "(see *this*), \"**that**\".",
	} {
		doc := toADF(text)
		back := toMarkdown(node{Content: doc.Content})
		again := toADF(back)
		assert.Equal(t, doc, again, "%s\n---\n%s", text, back)
	}
}

func TestADFToMarkdown(t *testing.T) {
	const doc = `{"type":"doc","version":1,"content":[
	 {"type":"paragraph","content":[{"type":"mention","attrs":{"id":"1","text":"@Mia"}},{"type":"text","text":" look "},{"type":"emoji","attrs":{"shortName":":fire:","text":"🔥"}},
	  {"type":"hardBreak"},{"type":"date","attrs":{"timestamp":"1772582400000"}},{"type":"text","text":" "},{"type":"status","attrs":{"text":"DONE"}},{"type":"text","text":" "},{"type":"inlineCard","attrs":{"url":"https://x.example"}}]},
	 {"type":"panel","attrs":{"panelType":"info"},"content":[{"type":"paragraph","content":[{"type":"text","text":"panel"}]}]},
	 {"type":"table","content":[{"type":"tableRow","content":[{"type":"tableHeader","content":[{"type":"paragraph","content":[{"type":"text","text":"a"}]}]},{"type":"tableHeader","content":[{"type":"paragraph","content":[{"type":"text","text":"b"}]}]}]},
	  {"type":"tableRow","content":[{"type":"tableCell","content":[{"type":"paragraph","content":[{"type":"text","text":"1|2"}]}]},{"type":"tableCell","content":[]}]}]},
	 {"type":"mediaSingle","content":[{"type":"media","attrs":{"type":"file","id":"f00","alt":"graph.png"}}]},
	 {"type":"rule"},
	 {"type":"taskList","content":[{"type":"taskItem","attrs":{"state":"DONE"},"content":[{"type":"text","text":"do it"}]}]},
	 {"type":"expand","attrs":{"title":"More"},"content":[{"type":"paragraph","content":[{"type":"text","text":"inside"}]}]},
	 {"type":"fromTheFuture","content":[{"type":"paragraph","content":[{"type":"text","text":"kept","marks":[{"type":"underline"},{"type":"textColor","attrs":{"color":"#fff"}}]}]}]},
	 {"type":"orderedList","content":[{"type":"listItem","content":[{"type":"paragraph","content":[{"type":"text","text":" spaced ","marks":[{"type":"strong"}]}]}]}]}]}`
	want := strings.Join([]string{
		"@Mia look 🔥\n2026-03-04 [DONE] https://x.example", "panel", "| a | b |\n| --- | --- |\n| 1\\|2 |  |", "[attachment graph.png]", "---",
		"- [x] do it", "More\n\ninside", "kept", "1.  **spaced** ",
	}, "\n\n")
	assert.Equal(t, want, richText(json.RawMessage(doc)))
	assert.Equal(t, "plain", richText(json.RawMessage(`"plain"`)))
	assert.Empty(t, richText(json.RawMessage(`null`)))
	assert.Empty(t, richText(json.RawMessage(`[`)))
}

// letters are what no way of marking text up may touch.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
}

func FuzzMarkdownToADF(f *testing.F) {
	for _, seed := range []string{
		"# h\n- a\n  - b\n1. x\n> q\n```\ncode\n```", "**b _i_ ~~s~~** `c` [l](https://x.example) <https://y.example>", "- - - a", "> # x", "- # x\n  > y\n  1. z",
		"host_name_1\r\n\x00\xff", "1. a\n2. b\n4. c\n00. d", "*a **b* c**", "```\n```", "- ```\n  x\n  ```", "[[a](http://b)](http://c)", "`**a**`", "**`a`**",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc := toADF(text)
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := sim.CheckDocument(raw); err != nil && len(text) < 30000 {
			t.Fatalf("%q is not valid: %v\n%s", text, err, raw)
		}
		back := toMarkdown(node{Content: doc.Content})
		if got, want := letters(back), letters(clean(text)); got != want && !strings.Contains(text, "](") {
			t.Fatalf("%q lost text: %q\n%s", text, back, raw)
		}
		if cut := fitText(text); units(clean(cut)) > maxText+len(cut) {
			t.Fatalf("%q is longer than its limit", cut)
		}
	})
}

func FuzzADFToMarkdown(f *testing.F) {
	f.Add(`{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"x"}]}]}`)
	f.Add(`{"type":"doc","content":[{"type":"table","content":[{"type":"tableRow"}]},{"type":"heading","attrs":{"level":1e300}}]}`)
	f.Add(`{"type":"doc","content":[{"type":"bulletList","content":[{"type":"text","text":"x","marks":[{"type":"link","attrs":{"href":7}}]}]}]}`)
	f.Add(strings.Repeat(`{"content":[`, 200) + strings.Repeat(`]}`, 200))
	f.Fuzz(func(t *testing.T, doc string) {
		back := richText(json.RawMessage(doc))
		raw, err := json.Marshal(toADF(back))
		if err != nil {
			t.Fatal(err)
		}
		if err := sim.CheckDocument(raw); err != nil && len(back) < 30000 {
			t.Fatalf("%q became %q, not valid: %v", doc, back, err)
		}
	})
}
