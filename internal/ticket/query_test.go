package ticket

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseFilter(t *testing.T) {
	for text, want := range map[string]Filter{
		`project[eq]TST`:               {"project", Equal, []string{"TST"}},
		`project=XYZ`:                  {"project", Equal, []string{"XYZ"}},
		`status[ne]Done`:               {"status", NotEqual, []string{"Done"}},
		`status[neq]Done`:              {"status", NotEqual, []string{"Done"}},
		`status[eq]"Done"`:             {"status", Equal, []string{"Done"}},
		`status[in]To Do,Done`:         {"status", In, []string{"To Do", "Done"}},
		`status[not in]To Do, "a,b" ,`: {"status", NotIn, []string{"To Do", "a,b"}},
		`status[NOT_IN]"",x`:           {"status", NotIn, []string{"", "x"}},
		`status[nin]x`:                 {"status", NotIn, []string{"x"}},
		`status[not-like]x*`:           {"status", NotLike, []string{"x*"}},
		`name[like]a,b`:                {"name", Like, []string{"a,b"}},
		`name[eq]a "b" c`:              {"name", Equal, []string{`a "b" c`}},
		`name[eq]"a \"b\" \\ \n"`:      {"name", Equal, []string{`a "b" \ \n`}},
		`name[eq]=x`:                   {"name", Equal, []string{"=x"}},
		`name=a=b[c]`:                  {"name", Equal, []string{"a=b[c]"}},
		`name[eq]`:                     {"name", Equal, []string{""}},
		`name[eq]""`:                   {"name", Equal, []string{""}},
		` name [ gte ] 5 `:             {"name", GreaterOrEqual, []string{"5"}},
		`tags[in]asset:1,asset:2`:      {"tags", In, []string{"asset:1", "asset:2"}},
	} {
		got, err := ParseFilter(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		``: "want field[operator]value", `status`: "want field", `[eq]x`: "want field", `=x`: "want field", ` [eq]x`: "field is missing", `  =x`: "field is missing",
		`a[eq`: "closing bracket", `a[is]x`: "is none of", `a[]x`: "is none of", `a[eq]"x`: "not closed", `a[eq]"x" y`: "behind a closing quote",
		`a[in]`: "no value", `a[in],,`: "no value", `a[in]"x"y,z`: "behind a closing quote", `a[eq]"x\"`: "not closed",
	} {
		_, err := ParseFilter(text)
		assert.ErrorContains(t, err, want, text)
	}
}

// A filter is written as people write it, with quotes only where it takes them.
func TestTextOfAFilter(t *testing.T) {
	for _, text := range []string{
		`status[eq]To Do`, `name[like]a,b`, `name[eq]a "b" \ c`, `name[eq]"\"a\" \\"`, `status[not_in]To Do,"a,b",""`, `name[ne]""`, `name[eq]" a"`, `tags[in]"a,b"`,
	} {
		f, err := ParseFilter(text)
		require.NoError(t, err)
		assert.Equal(t, text, f.Text())
	}
	assert.Equal(t, []string{"name", "name[desc]"}, []string{Order{Field: "name"}.Text(), Order{Field: "name", Descending: true}.Text()})
}

// Only what refuses the query itself is noted, and only on a copy.
func TestRefusedFor(t *testing.T) {
	plain := &Error{Kind: Permanent, Op: "list", Message: "no"}
	noted := RefusedFor("filter", "a[eq]b", plain)
	var e *Error
	require.ErrorAs(t, noted, &e)
	assert.Equal(t, []string{"filter", "a[eq]b", "list: no"}, []string{e.Parameter, e.Value, e.Error()})
	assert.Empty(t, plain.Parameter)
	for _, other := range []error{nil, errors.New("x"), &Error{Kind: Retry}, &Error{Kind: Credentials}, &Error{Kind: Permanent, Status: 400}} {
		assert.Equal(t, other, RefusedFor("filter", "a[eq]b", other))
	}
}

func TestParseOrder(t *testing.T) {
	for text, want := range map[string]Order{
		"created_at": {"created_at", false}, "created_at[asc]": {"created_at", false}, " created_at [DESC] ": {"created_at", true}, "a[ desc ]": {"a", true},
	} {
		got, err := ParseOrder(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"": "want field", "[desc]": "want field", " ": "want field", "a[desc": "want field", "a[desc]x": "want field", "a[down]": "neither asc nor desc", "a[]": "neither asc nor desc",
	} {
		_, err := ParseOrder(text)
		assert.ErrorContains(t, err, want, text)
	}
}

// Whatever is read can be written so that it is read as the same again.
func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{`status[in]To Do,"a,b"`, `name=a=b`, `x[not like]"\"\\"`, `a[eq`, `[eq]x`, "a[in]\x00,\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseFilter(text)
		if err != nil {
			return
		}
		if got.Field == "" || len(got.Values) == 0 || got.Op != In && got.Op != NotIn && len(got.Values) != 1 {
			t.Fatalf("%q: %+v", text, got)
		}
		again, err := ParseFilter(got.Text())
		if err != nil {
			t.Fatalf("%q: %+v: %v", text, got, err)
		}
		assert.Equal(t, got, again)
	})
}

func FuzzParseOrder(f *testing.F) {
	for _, seed := range []string{"a", "a[desc]", "a[", "[asc]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseOrder(text)
		if err != nil {
			return
		}
		again, err := ParseOrder(got.Text())
		if err != nil || again != got {
			t.Fatalf("%q: %+v, then %+v: %v", text, got, again, err)
		}
	})
}
