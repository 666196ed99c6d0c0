package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// Difference is something that a file expects and that did not happen.
type Difference struct {
	Case string
	// Event counts from 1; 0 is the state after the last event.
	Event int
	Line  int
	What  string
	Want  string
	Got   string
}

// comparison collects the differences of one case.
type comparison struct {
	*file
	name        string
	differences []Difference
}

// event compares one entry of "expect".
func (c *comparison) event(number int, want value, got Result) error {
	members, err := c.members(want)
	if err != nil {
		return fmt.Errorf("expect: %w", err)
	}
	for _, m := range members {
		switch m.name {
		case "status":
			c.compare(number, m, m.name, got.Status)
		case "outcome":
			c.compare(number, m, m.name, got.Outcome)
		case "request":
			c.compare(number, m, m.name, orNull(got.Request))
		case "note_added":
			c.compare(number, m, m.name, got.NoteAdded)
		case "changed":
			c.compare(number, m, m.name, got.Changed)
		case "errors":
			c.compare(number, m, m.name, got.Errors)
		case "fields":
			if err := c.fields(number, m.value, "", got.Fields); err != nil {
				return err
			}
		default:
			c.ignore(m)
		}
	}
	return nil
}

// after compares the state after the last event.
func (c *comparison) after(want value, s *simulation) error {
	members, err := c.members(want)
	if err != nil {
		return fmt.Errorf("after: %w", err)
	}
	for _, m := range members {
		if m.name == "requests" {
			c.compare(0, m, "requests", s.made)
			continue
		}
		r := s.byLabel[m.name]
		if r == nil {
			c.differ(0, m.value, m.name, "a request", "none of this label")
			continue
		}
		if err := c.request(m, r); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) request(want member, r *record) error {
	members, err := c.members(want.value)
	if err != nil {
		return fmt.Errorf("after: %w", err)
	}
	for _, m := range members {
		switch m.name {
		case "fields":
			if err := c.fields(0, m.value, want.name+".", r.values()); err != nil {
				return err
			}
		case "notes_text":
			texts := []string{}
			for _, n := range r.notes {
				texts = append(texts, n.Text)
			}
			c.compare(0, m, want.name+".notes_text", texts)
		default:
			c.ignore(m)
		}
	}
	return nil
}

// fields compares a subset of a request's fields.
func (c *comparison) fields(number int, want value, prefix string, got map[string]any) error {
	members, err := c.members(want)
	if err != nil {
		return fmt.Errorf("fields: %w", err)
	}
	for _, m := range members {
		field, known := got[m.name]
		switch {
		case m.name == "notes_set":
			c.noteSet(number, m, prefix+m.name, got["notes"])
		case !known:
			c.differ(number, m.value, prefix+m.name, string(m.raw), "no such field")
		default:
			c.compare(number, m, prefix+m.name, field)
		}
	}
	return nil
}

// noteSet compares notes without their order.
func (c *comparison) noteSet(number int, want member, what string, got any) {
	wanted, ok := plain(want.raw).([]any)
	gotten, _ := plain(encode(got)).([]any)
	missing := !ok || len(wanted) != len(gotten)
	for _, w := range wanted {
		at := slices.IndexFunc(gotten, func(g any) bool { return same(w, g) })
		if at < 0 {
			missing = true
			break
		}
		gotten = slices.Delete(gotten, at, at+1)
	}
	if missing {
		c.differ(number, want.value, what, string(want.raw), string(encode(got)))
	}
}

func (c *comparison) compare(number int, want member, what string, got any) {
	encoded := encode(got)
	if !same(plain(want.raw), plain(encoded)) {
		c.differ(number, want.value, what, string(want.raw), string(encoded))
	}
}

func (c *comparison) differ(number int, at value, what, want, got string) {
	c.differences = append(c.differences, Difference{
		Case: c.name, Event: number, Line: c.line(at.offset), What: what, Want: compact(want), Got: got,
	})
}

// same compares JSON values; two texts that are the same instant are equal.
func same(want, got any) bool {
	switch w := want.(type) {
	case string:
		g, ok := got.(string)
		if !ok || w == g {
			return ok
		}
		wantTime, err := matching.ParseTime(w)
		if err != nil {
			return false
		}
		gotTime, err := matching.ParseTime(g)
		return err == nil && wantTime.Equal(gotTime)
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(w, g, same)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(w) != len(g) {
			return false
		}
		for name, inner := range w {
			if other, ok := g[name]; !ok || !same(inner, other) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(want, got)
	}
}

func plain(data []byte) any {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil
	}
	return out
}

// encode is for values of our own, which always have a JSON form.
func encode(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimSpace(out.Bytes())
}

func compact(text string) string {
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(text)); err != nil {
		return text
	}
	return out.String()
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
