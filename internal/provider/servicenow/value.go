package servicenow

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// timeLayout is how the platform stores times: in UTC, without a zone.
const timeLayout = "2006-01-02 15:04:05"

// value is a column of a record: what is stored, and what people see, which
// depends on the account's language and time zone.
type value struct{ Value, Display string }

// UnmarshalJSON takes the four forms that the platform has for a value, and
// whatever else scripts make of one: text, {"value","link"},
// {"display_value","link"} and {"display_value","value"}.
func (v *value) UnmarshalJSON(data []byte) error {
	var texts struct { // the form that is asked for, and the quickest to read
		Value   *string `json:"value"`
		Display *string `json:"display_value"`
	}
	if json.Unmarshal(data, &texts) == nil && texts.Value != nil && texts.Display != nil {
		*v = value{*texts.Value, *texts.Display}
		return nil
	}
	var pair struct {
		Value   *json.RawMessage `json:"value"`
		Display *json.RawMessage `json:"display_value"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) && json.Unmarshal(data, &pair) == nil {
		*v = value{plain(pair.Value), plain(pair.Display)}
		if pair.Display == nil {
			v.Display = v.Value
		}
		return nil
	}
	raw := json.RawMessage(data)
	text := plain(&raw)
	*v = value{text, text}
	return nil
}

// plain is a JSON value as text; null is empty.
func plain(raw *json.RawMessage) string {
	if raw == nil || string(*raw) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(*raw, &text) == nil {
		return text
	}
	return string(*raw)
}

// record is a row. Columns that the account may not read are absent.
type record map[string]value

func (r record) text(column string) string { return r[column].Value }

func (r record) has(column string) bool { _, ok := r[column]; return ok }

func (r record) time(column string) time.Time { return parseTime(r.text(column)) }

// parseTime is the zero time for text that is no time.
func parseTime(text string) time.Time {
	for _, layout := range []string{timeLayout, time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

func formatTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(timeLayout)
}

// isoTime is a stored time in RFC 3339, in UTC; empty for text that is no time.
func isoTime(text string) string {
	at := parseTime(text)
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339)
}
