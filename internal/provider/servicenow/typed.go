package servicenow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// misfit is why a value cannot be one of its column.
type misfit string

func (m misfit) Error() string { return string(m) }

func wants(text, want string) error {
	return misfit(fmt.Sprintf("%q: want %s", cut(text, widthTitle, "…"), want))
}

func (c column) isWhole() bool {
	return slices.Contains([]string{"integer", "longint", "long", "order_index"}, c.kind)
}

func (c column) isNumber() bool {
	return c.isWhole() || slices.Contains([]string{"decimal", "float", "numeric", "percent_complete"}, c.kind)
}

func (c column) isTime() bool {
	return slices.Contains([]string{"glide_date_time", "datetime", "due_date"}, c.kind)
}

func (c column) isText() bool {
	return slices.Contains([]string{"", "string", "translated_text", "translated_field", "url", "email", "phone_number_e164", "html", "string_full_utf8", "multi_two_lines", "choice"}, c.kind)
}

// isLarge: too much to be read with every ticket.
func (c column) isLarge() bool {
	return strings.HasPrefix(c.kind, "journal") || strings.HasPrefix(c.kind, "password") || c.kind == "image" || c.length > widthText
}

// shape is fit for a column of the model's own.
func (t *turn) shape(ctx context.Context, table, path string, about column, given any) (text, reason string, err error) {
	text, reason, err = t.fit(ctx, table, path, about, given)
	if wrong, ok := errors.AsType[misfit](err); ok {
		return "", "", t.permanent("%s: %v", path, wrong)
	}
	return cutTo(text, about), reason, err
}

// fit puts a value into the form that the column stores. A value that cannot be
// one is a misfit; one that the instance does not know is left out for a reason.
func (t *turn) fit(ctx context.Context, table, path string, about column, given any) (text, reason string, err error) {
	text, err = about.plain(given)
	if err != nil || text == "" {
		return "", "", err
	}
	switch {
	case about.kind == "boolean":
		is, err := strconv.ParseBool(text)
		if err != nil {
			return "", "", wants(text, about.wanted())
		}
		return strconv.FormatBool(is), "", nil
	case about.isTime(), about.kind == "glide_date":
		text, err = about.timeText(text)
		return text, "", err
	case about.kind == "reference":
		return t.reference(ctx, path, about.reference, text)
	case about.kind == "glide_list" && about.reference != "":
		return t.references(ctx, path, about.reference, text)
	}
	options, err := t.choicesOf(ctx, table, path)
	if err != nil {
		return "", "", err
	}
	if found, ok := choose(options, text); ok {
		return found.Value, "", nil
	}
	switch {
	case about.only && len(options) > 0:
		return "", "", wants(text, "one of "+labels(options))
	case about.isNumber():
		text, err = about.numberText(text)
		return text, "", err
	}
	return clean(text), "", nil
}

func (c column) timeText(text string) (string, error) {
	at := parseTime(text)
	switch {
	case at.IsZero():
		return "", wants(text, c.wanted())
	case c.kind == "glide_date":
		return at.Format(time.DateOnly), nil
	}
	return formatTime(at), nil
}

var decimalPattern = regexp.MustCompile(`^-?[0-9]{1,30}(\.[0-9]{1,30})?$`)

// exact is the largest number up to which a float64 holds every whole one.
const exact = 1 << 53

// numberText writes a number in digits, as the platform reads it: 5, never 5.0 or
// 5e+00 for a column of whole numbers.
func (c column) numberText(text string) (string, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) || strings.ContainsAny(text, "xX_") {
		return "", wants(text, c.wanted())
	}
	if !c.isWhole() {
		if decimalPattern.MatchString(text) {
			return text, nil
		}
		return strconv.FormatFloat(n, 'f', -1, 64), nil
	}
	whole, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil && (n != math.Trunc(n) || math.Abs(n) > exact):
		return "", wants(text, c.wanted())
	case err != nil:
		whole = int64(n)
	}
	if c.kind == "integer" && (whole > math.MaxInt32 || whole < math.MinInt32) {
		return "", wants(text, c.wanted())
	}
	return strconv.FormatInt(whole, 10), nil
}

// wanted is what the column takes, in words.
func (c column) wanted() string {
	switch {
	case c.kind == "boolean":
		return "true or false"
	case c.kind == "glide_date":
		return "a date like 2026-03-04"
	case c.isTime():
		return "a time like 2026-03-04T12:00:00Z"
	case c.kind == "integer":
		return "a whole number from -2147483648 to 2147483647"
	case c.isWhole():
		return "a whole number from -9007199254740992 to 9007199254740992"
	case c.isNumber():
		return "a number"
	case c.kind != "" && c.isText() || c.kind == "reference":
		return "a text"
	default:
		return "a text, a number, true or false, or a list of these"
	}
}

// plain is a value as the column's text. A column that is known to hold one value
// takes no list of them.
func (c column) plain(given any) (string, error) {
	one := c.kind == "boolean" || c.kind == "glide_date" || c.kind == "reference" || c.isTime() || c.isNumber() || c.kind != "" && c.isText()
	if _, list := given.([]any); list && one {
		return "", misfit("a list: want " + c.wanted())
	}
	text, err := plainValue(given)
	if wrong, ok := errors.AsType[misfit](err); ok {
		return "", wrong + misfit(": want "+c.wanted())
	}
	return text, err
}

// plainValue is a value as text: ServiceNow's columns hold nothing else.
func plainValue(given any) (string, error) {
	switch v := given.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case int, int64, json.Number:
		return fmt.Sprint(v), nil
	case time.Time:
		return v.Format(time.RFC3339), nil
	case []any:
		var parts []string
		for _, item := range v {
			text, err := plainValue(item)
			if err != nil {
				return "", err
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), nil
	default:
		return "", misfit("an object")
	}
}

// natural is a stored value as JSON has it: numbers, true and false by the type of
// the column, times in RFC 3339, lists of names, all else text. What people see goes
// before what is stored, but for times, which people see in their own zone.
func (c column) natural(v value) any {
	switch {
	case v.Value == "":
		return nil
	case c.kind == "boolean":
		if is, err := strconv.ParseBool(v.Value); err == nil {
			return is
		}
	case c.choice:
	case c.isWhole():
		if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
			return n
		}
	case c.isNumber():
		if n, err := strconv.ParseFloat(v.Value, 64); err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) {
			return n
		}
	case c.kind == "glide_list":
		return namesOf(v)
	case c.isText() && c.kind != "":
		return v.Display
	case c.isTime():
		return cmp.Or(isoTime(v.Value), v.Value)
	case !parseTime(v.Value).IsZero():
		return v.Value
	}
	return v.Display
}

// namesOf are the names of a list's members, one text where they cannot be told apart.
func namesOf(v value) any {
	ids, names := strings.Split(v.Value, ","), strings.Split(v.Display, ",")
	if len(ids) != len(names) {
		return v.Display
	}
	out := make([]any, len(names))
	for i, name := range names {
		out[i] = strings.TrimSpace(name)
	}
	return out
}
