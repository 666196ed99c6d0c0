package servicenow

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestEveryFormOfAValueIsRead(t *testing.T) {
	for text, want := range map[string]value{
		`""`: {}, `null`: {}, `"3"`: {"3", "3"}, `true`: {"true", "true"}, `7`: {"7", "7"}, `{}`: {},
		`{"link":"https://x/api/now/table/sys_user/a","value":"a"}`:             {"a", "a"},
		`{"display_value":"Mia","link":"https://x/api/now/table/sys_user/a"}`:   {"", "Mia"},
		`{"display_value":"Mia","value":"a","link":"https://x"}`:                {"a", "Mia"},
		`{"display_value":null,"value":null}`:                                   {},
		`{"display_value":"03-04-2026 05:00:00","value":"2026-04-03 12:00:00"}`: {"2026-04-03 12:00:00", "03-04-2026 05:00:00"},
		`["a","b"]`: {`["a","b"]`, `["a","b"]`},
	} {
		var got value
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		assert.Equal(t, want, got, text)
	}
}

// The answer that the vendor's partner recorded is read as what it is.
func TestARecordedAnswerIsRead(t *testing.T) {
	r := recorded(t)
	c, err := New(Config{Name: "x", URL: "https://x.service-now.com", Credential: Credential{Type: Basic, Username: "u", Secret: "s"}, Application: ITSM()})
	require.NoError(t, err)
	got := c.model(r)
	assert.Equal(t, "INC0010003", got.Key)
	assert.True(t, isID(got.ID))
	assert.Equal(t, ticket.Moderate, got.Priority)
	assert.False(t, got.Closed)
	assert.Equal(t, time.Date(2022, 4, 14, 13, 52, 9, 0, time.UTC), r.time("opened_at"))
	for _, column := range c.columnsRead() {
		if name, _, dotted := strings.Cut(column, "."); !dotted {
			assert.True(t, r.has(name), "%s is no column of the recorded incident", name)
		}
	}
}

// recorded is a record out of the examples of an OpenAPI document of the vendor's partner.
func recorded(t *testing.T) record {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	data, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "shared", "specs", "servicenow.ibm-watson-incident.openapi.json"))
	if err != nil {
		t.Skip("the recorded answer is not beside the repository (../shared/specs)")
	}
	var doc struct {
		Paths map[string]struct {
			Post struct {
				Responses map[string]struct {
					Content map[string]struct {
						Schema struct {
							Properties struct {
								Result struct {
									Properties map[string]struct {
										Example    any
										Properties map[string]struct{ Example any }
									}
								}
							}
						}
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(data, &doc))
	columns := doc.Paths["/api/now/table/incident"].Post.Responses["201"].Content["application/json"].Schema.Properties.Result.Properties
	answer := map[string]any{}
	for name, column := range columns {
		answer[name] = column.Example
		if len(column.Properties) > 0 {
			answer[name] = map[string]any{"link": column.Properties["link"].Example, "value": column.Properties["value"].Example}
		}
	}
	text, err := json.Marshal(answer)
	require.NoError(t, err)
	var out record
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}

func TestTagsThatBecomeHTMLAreBroken(t *testing.T) {
	for text, want := range map[string]string{
		"[code]<b>x</b>[/code]": "[ code]<b>x</b>[ /code]", "[CoDe]": "[ CoDe]", "[cod]": "[cod]", "a\r\nb\x00": "a\nb\uFFFD", "": "",
	} {
		assert.Equal(t, want, journalText(text), text)
	}
}

func FuzzValue(f *testing.F) {
	for _, seed := range []string{`""`, `null`, `{"value":"a","link":"b"}`, `{"display_value":1,"value":{"x":[]}}`, `[[[`, `{"value":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r record
		if json.Unmarshal([]byte(`{"state":`+string(data)+`}`), &r) != nil {
			return
		}
		parseTime(r.text("state"))
		if mark, ours := readStamp(r.text("state")); ours {
			assert.True(t, isID(mark.hash))
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, seed := range []string{"2026-03-04 12:00:00", "", "0000-00-00 00:00:00", "2026-03-04T12:00:00+01:00", "04-03-2026 12:00:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if at := parseTime(text); !at.IsZero() {
			assert.Equal(t, at.Truncate(time.Second), parseTime(formatTime(at)))
		}
	})
}

// Whatever the value is, it stays the value of its own condition.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"x", "x^ORa=b", "^^", "^", "javascript:gs.getUserID()", "a\nb", "ORDERBYx", "ü^NQ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := query{}.where("email", "=", text)
		if q.err != nil {
			return
		}
		const caret = "\x00"
		parts := strings.Split(strings.ReplaceAll(q.text(), "^^", caret), "^")
		require.Len(t, parts, 2)
		assert.Equal(t, "email="+text, strings.ReplaceAll(parts[0], caret, "^"))
		_, err := url.ParseQuery(url.Values{"sysparm_query": {q.text()}}.Encode())
		assert.NoError(t, err)
	})
}

func FuzzTexts(f *testing.F) {
	f.Add("some [code] text", 10)
	f.Add("ééé\xff", 2)
	f.Fuzz(func(t *testing.T, text string, width int) {
		width = min(max(width, 1), 5000)
		assert.LessOrEqual(t, utf8.RuneCountInString(cut(clean(text), width, cutNotice)), width)
		assert.True(t, utf8.ValidString(oneLine(text, width)))
		assert.NotContains(t, strings.ToLower(journalText(text)), "[code]")
	})
}
