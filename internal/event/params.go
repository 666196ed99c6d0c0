package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Params are the parameters of an Events API call. All values are text; the
// JSON form is lenient the way real clients need it:
// numbers and booleans become text, null and empty text are absent,
// objects and arrays become compact JSON text.
type Params map[string]string

// UnmarshalJSON reads one JSON object.
func (p *Params) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return fmt.Errorf("params: want one JSON object: %w", err)
	}
	out := make(Params, len(raw))
	for name, value := range raw {
		text, err := lenientText(value)
		if err != nil {
			return fmt.Errorf("params: %s: %w", name, err)
		}
		if text != "" {
			out[name] = text
		}
	}
	*p = out
	return nil
}

func lenientText(value json.RawMessage) (string, error) {
	value = bytes.TrimSpace(value)
	switch {
	case len(value) == 0 || bytes.Equal(value, []byte("null")):
		return "", nil
	case value[0] == '"':
		var text string
		err := json.Unmarshal(value, &text)
		return text, err
	case value[0] == '{' || value[0] == '[':
		var compact bytes.Buffer
		err := json.Compact(&compact, value)
		// Unlike a text, a compacted document keeps bytes that are no UTF-8, and would
		// change on its way through Temporal.
		return strings.ToValidUTF8(compact.String(), "\ufffd"), err
	default:
		return string(value), nil
	}
}

// Canonical is one text for equal parameters, whatever their order was.
func (p Params) Canonical() string {
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%q=%q\n", name, p[name])
	}
	return b.String()
}
