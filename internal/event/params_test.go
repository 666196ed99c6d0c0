package event

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Real clients send numbers as numbers and empty fields as null.
func TestParamsAreLenient(t *testing.T) {
	var p Params
	require.NoError(t, json.Unmarshal([]byte(`{
		"subject": "Server \u00fc", "ci_id": 501, "big": 12345678901234567890, "ratio": 1.50, "flag": true, "off": false,
		"note": null, "source": "", "custom_fields": [ {"id": "a", "value": 1} ], "object": { "b" : 2 }
	}`), &p))
	assert.Equal(t, Params{
		"subject": "Server ü", "ci_id": "501", "big": "12345678901234567890", "ratio": "1.50", "flag": "true", "off": "false",
		"custom_fields": `[{"id":"a","value":1}]`, "object": `{"b":2}`,
	}, p)
}

// What is no UTF-8 is replaced when it comes in: a later hop that did it would
// make another event of it.
func TestParamsAreValidText(t *testing.T) {
	for _, text := range []string{"{\"a\":\"\xff\"}", "{\"a\":[\"\xff\"]}", "{\"a\":{\"\xff\":0}}"} {
		var p, again Params
		require.NoError(t, json.Unmarshal([]byte(text), &p))
		assert.True(t, utf8.ValidString(p["a"]), "%q", p["a"])
		sent, err := json.Marshal(p)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(sent, &again))
		assert.Equal(t, p, again)
	}
}

func TestParamsOfNothingAreEmpty(t *testing.T) {
	for _, text := range []string{`{}`, `null`} {
		var p Params
		require.NoError(t, json.Unmarshal([]byte(text), &p), text)
		assert.Empty(t, p)
	}
}

func TestParamsThatAreNoObjectAreRefused(t *testing.T) {
	for _, text := range []string{`[]`, `"x"`, `7`, `true`, `{"a":`, ``} {
		var p Params
		assert.Error(t, json.Unmarshal([]byte(text), &p), text)
	}
}

func TestCanonicalTellsDifferentParametersApart(t *testing.T) {
	assert.Equal(t, Params{"a": "1", "b": "2"}.Canonical(), Params{"b": "2", "a": "1"}.Canonical())
	for _, other := range []Params{{"a": "1"}, {"a": "2", "b": "2"}, {"a": "1\nb=2"}, {"a\"=\"1": "", "b": "2"}, {}} {
		assert.NotEqual(t, Params{"a": "1", "b": "2"}.Canonical(), other.Canonical(), "%v", other)
	}
}

func TestOutcomesHaveTheirHTTPStatus(t *testing.T) {
	assert.Equal(t, []int{201, 200, 200, 422}, []int{Created.Status(), Updated.Status(), Unchanged.Status(), Rejected.Status()})
}

func TestNoChangesAreEmpty(t *testing.T) {
	text := "x"
	assert.True(t, Changes{}.Empty())
	assert.False(t, Changes{Status: &text}.Empty())
}

// Whatever is accepted is stable: written and read again it is the same.
func FuzzParams(f *testing.F) {
	f.Add([]byte(`{"subject":"x","ci_id":501,"note":null,"custom_fields":[{"id":1}]}`))
	f.Add([]byte(`{"a":"\ud800"}`))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p Params
		if json.Unmarshal(data, &p) != nil {
			return
		}
		again, err := json.Marshal(p)
		require.NoError(t, err)
		var second Params
		require.NoError(t, json.Unmarshal(again, &second))
		assert.Equal(t, p, second)
		for name, value := range p {
			assert.NotEmpty(t, value, name)
		}
		third, err := json.Marshal(second)
		require.NoError(t, err)
		assert.Equal(t, string(again), string(third))
	})
}
