package matching

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Statuses with a meaning in the rules.
const (
	statusAssigned        = "assigned"
	statusCompleted       = "completed"
	statusInProgress      = "in_progress"
	statusWaitingFor      = "waiting_for"
	statusWaitingCustomer = "waiting_for_customer"
	statusWorkflowPending = "workflow_pending"
)

// enum lists a parameter's values as the vendor's API has them.
func enum(parameter string) []string {
	switch parameter {
	case "category":
		return []string{"incident", "rfc", "rfi", "reservation", "order", "fulfillment", "complaint", "compliment", "case", "other"}
	case "impact":
		return []string{"low", "medium", "high", "top"}
	case "status":
		return []string{"declined", "on_backlog", "assigned", "accepted", "in_progress", "waiting_for", "waiting_for_customer",
			"reservation_pending", "workflow_pending", "project_pending", "completed"}
	case "completion_reason":
		return []string{"solved", "workaround", "gone", "duplicate", "withdrawn", "no_reply", "rejected", "conflict", "declined", "unsolvable"}
	}
	return nil
}

// parseEnum ignores letter case, and knows the older name of workflow_pending.
func parseEnum(parameter, text string) (string, error) {
	value := strings.ToLower(text)
	if parameter == "status" && value == "change_pending" {
		value = statusWorkflowPending
	}
	if allowed := enum(parameter); !slices.Contains(allowed, value) {
		return "", fmt.Errorf("is not one of %s", strings.Join(allowed, ", "))
	}
	return value, nil
}

// ParseTime reads the date-times that the vendor documents and that clients
// send: minutes or seconds, with fraction or without, with zone or without.
// Without a zone the time is UTC; so is the answer.
func ParseTime(text string) (time.Time, error) {
	text = repairZone(text)
	for _, layout := range []string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04",
	} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if t = t.UTC(); t.Year() < 1900 || t.Year() > 9999 {
			break // outside of what JSON and the providers can hold
		}
		return t, nil
	}
	return time.Time{}, fmt.Errorf("is not a date and time such as 2026-01-15T12:00:00Z")
}

// repairZone mends what query strings make of a time: the "+" of an offset that
// nobody escaped arrives as a blank. A blank between date and time is taken too.
func repairZone(text string) string {
	const date = len("2006-01-02")
	if len(text) <= date {
		return text
	}
	head, clock := text[:date], text[date+1:]
	if text[date] != ' ' && text[date] != 'T' {
		return text
	}
	clock, offset, found := strings.Cut(clock, " ")
	if found && offset != "" && offset[0] != '+' && offset[0] != '-' {
		offset = "+" + offset
	}
	return head + "T" + clock + offset
}

// parseID reads a record's id.
func parseID(text string) (int64, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil && id > 0
}

// Limits of the vendor's data types, in characters; subject has none there, and
// gets one so that a request stays small.
const (
	maxSource     = 30
	maxSourceID   = 128
	maxSubject    = 1000
	maxNoteBytes  = 64 << 10
	noteCutMark   = "\n\n[cut here: the note is longer than 64 KB]"
	maxListedText = 64 << 10
)

// cutCharacters keeps the first characters of a text.
func cutCharacters(text string, limit int) (string, bool) {
	if utf8.RuneCountInString(text) <= limit {
		return text, false
	}
	return string([]rune(text)[:limit]), true
}

// cutNote keeps a note within 64 KB and says at its end where it was cut.
func cutNote(text string) (string, bool) {
	if len(text) <= maxNoteBytes {
		return text, false
	}
	end := maxNoteBytes - len(noteCutMark)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + noteCutMark, true
}

// checkCustomFields wants the vendor's form: an array of {id, value}.
func checkCustomFields(text string) error {
	if len(text) > maxListedText {
		return fmt.Errorf("are longer than 64 KB")
	}
	if _, err := parseCustomFields(text); err != nil {
		return fmt.Errorf("are not a JSON array of {id, value}")
	}
	return nil
}

type customField struct {
	ID    any `json:"id"`
	Value any `json:"value"`
}

func parseCustomFields(text string) ([]customField, error) {
	var fields []customField
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return nil, err
	}
	for _, field := range fields {
		if valueText(field.ID) == "" {
			return nil, fmt.Errorf("custom field without an id")
		}
	}
	return fields, nil
}

// valueText is a value of a template or of a custom field as text.
func valueText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool, int, int64, uint64:
		return fmt.Sprint(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(text)
	}
}
