package cloudfeeds

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// splitJSON reads {"feed": {"entry": [...]}}, also with one entry in place of the
// list or none at all, and {"entry": {...}}.
func splitJSON(body []byte) ([]rawEntry, error) {
	body = repairJSON(body)
	var page struct {
		Feed *struct {
			Entry json.RawMessage `json:"entry"`
		} `json:"feed"`
		Entry json.RawMessage `json:"entry"`
		Error *struct {
			Code    any    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	err := json.Unmarshal(body, &page)
	switch {
	case err != nil:
		return splitBrokenJSON(body, err)
	case page.Feed != nil:
		return jsonEntries(page.Feed.Entry)
	case page.Entry != nil:
		return jsonEntries(page.Entry)
	case page.Error != nil:
		return nil, fmt.Errorf("the feed answers an error: %v %s", page.Error.Code, page.Error.Message)
	default:
		return nil, fmt.Errorf("the JSON holds neither feed nor entry: %q", excerpt(body))
	}
}

func jsonEntries(raw json.RawMessage) ([]rawEntry, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	parts := []json.RawMessage{raw}
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &parts); err != nil {
			return nil, fmt.Errorf("feed.entry: %w", err)
		}
	}
	entries := make([]rawEntry, len(parts))
	for i, part := range parts {
		entries[i] = jsonEntry(part)
	}
	return entries, nil
}

func jsonEntry(raw []byte) rawEntry {
	e := rawEntry{raw: raw}
	value, err := decodeJSON(raw)
	if err != nil {
		e.err = fmt.Errorf("invalid JSON: %w", err)
		return e
	}
	tree, ok := value.(map[string]any)
	if !ok {
		e.err = errors.New("is not an object")
		return e
	}
	e.tree = tree
	return e
}

// decodeJSON keeps numbers as they are written.
func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return value, nil
}

// repairJSON escapes control characters inside strings: the server's stylesheet
// escapes only backslash and quote, so that a line break in a comment makes the
// whole page invalid.
func repairJSON(body []byte) []byte {
	var out bytes.Buffer
	inString, escaped := false, false
	done := 0
	for i, b := range body {
		switch {
		case escaped:
			escaped = false
		case inString && b == '\\':
			escaped = true
		case b == '"':
			inString = !inString
		}
		if inString && b < 0x20 {
			out.Write(body[done:i])
			fmt.Fprintf(&out, `\u%04x`, b)
			done = i + 1
		}
	}
	if done == 0 {
		return body
	}
	out.Write(body[done:])
	return out.Bytes()
}

// splitBrokenJSON saves the good entries of a page that is not valid JSON. It
// finds the list of entries and cuts it at the braces.
func splitBrokenJSON(body []byte, cause error) ([]rawEntry, error) {
	start := bytes.Index(body, []byte(`"entry"`))
	if start < 0 {
		return nil, fmt.Errorf("invalid JSON: %w", cause)
	}
	rest := bytes.TrimLeft(body[start+len(`"entry"`):], " \t\r\n:")
	if len(rest) == 0 || rest[0] != '[' {
		return nil, fmt.Errorf("invalid JSON: %w", cause)
	}
	parts, closed := cutObjects(rest[1:])
	if !closed {
		return nil, fmt.Errorf("invalid JSON, and the list of entries has no end: %w", cause)
	}
	entries := make([]rawEntry, len(parts))
	for i, part := range parts {
		entries[i] = jsonEntry(part)
		if entries[i].err != nil && len(idIn.FindAll(part, 2)) > 1 {
			return nil, fmt.Errorf("invalid JSON, and its entries cannot be told apart: %w", cause)
		}
	}
	return entries, nil
}

// cutObjects cuts "{...}, {...}]" into its objects; closed reports the bracket.
func cutObjects(list []byte) (parts [][]byte, closed bool) {
	depth, from := 0, 0
	inString, escaped := false, false
	for i, b := range list {
		switch {
		case escaped:
			escaped = false
		case inString && b == '\\':
			escaped = true
		case b == '"':
			inString = !inString
		case inString:
		case b == '{':
			if depth == 0 {
				from = i
			}
			depth++
		case b == '}' && depth > 0:
			if depth--; depth == 0 {
				parts = append(parts, list[from:i+1])
			}
		case b == ']' && depth == 0:
			return parts, true
		}
	}
	return parts, false
}
