package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// readTicketing reads the JSON body of a write. Members that it has no place for are
// ignored, because newer clients of the connector send more.
func (a *api) readTicketing(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := a.readJSON(w, r)
	if err != nil {
		return err
	}
	return decodeTicketing(body, into)
}

// readStrictly reads a JSON body in which every member has to be known, because a
// mistyped name must not be taken for a default.
func (a *api) readStrictly(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := a.readJSON(w, r)
	if err != nil {
		return err
	}
	return decodeStrictly(body, into)
}

// readJSON reads a body that is to be JSON, under whichever content type: 415 where
// neither of the two is, 400 where it is no text.
func (a *api) readJSON(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := a.readBody(w, r)
	if err != nil {
		return nil, err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && !isJSON(kind) && !meantAsJSON(body) {
		return nil, &refusal{
			status: http.StatusUnsupportedMediaType, detail: fmt.Sprintf("The body is no JSON, but %s.", kind),
			remediation: "Send JSON, as application/json.",
		}
	}
	return body, goodText(body)
}

func isJSON(kind string) bool { return kind == "application/json" || strings.HasSuffix(kind, "+json") }

// meantAsJSON: it is JSON, or begins like it and has a mistake in it.
func meantAsJSON(body []byte) bool {
	start := bytes.TrimLeft(body, " \t\r\n")
	return len(start) == 0 || start[0] == '{' || start[0] == '[' || json.Valid(start)
}

func decodeTicketing(body []byte, into any) error {
	return decodeOne(json.NewDecoder(bytes.NewReader(body)), body, into)
}

func decodeStrictly(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return decodeOne(d, body, into)
}

// errNotJSON is within the errors of bodies that are no JSON at all.
var errNotJSON = errors.New("is not valid JSON")

func notJSON(why string) error {
	return badParameter("body", "", "", fmt.Errorf("the body %w: %s", errNotJSON, why))
}

// decodeOne reads a body that is one JSON value. Its errors are 400s that name the
// member.
func decodeOne(d *json.Decoder, body []byte, into any) error {
	err := d.Decode(into)
	switch {
	case err == nil:
		if _, err := d.Token(); err != io.EOF {
			return notJSON("want one value and nothing after it")
		}
		return nil
	case err == io.EOF:
		return notJSON("it is empty")
	case err == io.ErrUnexpectedEOF:
		return notJSON("it ends too early")
	}
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return notJSON(broken.Error())
	}
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return bodyError(memberOf(mistyped, body), "is of the wrong type: want "+jsonName(mistyped.Type))
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return bodyError("/"+strings.Trim(name, `"`), "there is no such member")
	}
	return notJSON(err.Error())
}

// moment is a time whose errors encoding/json can tell the place of.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(data []byte) error {
	if m.Time.UnmarshalJSON(data) != nil {
		return &json.UnmarshalTypeError{Value: string(data), Type: reflect.TypeFor[time.Time]()}
	}
	return nil
}

// memberOf points to what is of the wrong type, "" for all of it. A time has told
// its name only; what stands before the last point of that is a shape that is embedded.
func memberOf(mistyped *json.UnmarshalTypeError, body []byte) string {
	if mistyped.Offset > 0 {
		return pointerAt(body, int(mistyped.Offset)-1)
	}
	return "/" + mistyped.Field[strings.LastIndexByte(mistyped.Field, '.')+1:]
}

// jsonName is what people who write JSON call a type.
func jsonName(t reflect.Type) string {
	if t == reflect.TypeFor[time.Time]() {
		return `a time like "2026-05-06T07:08:09Z"`
	}
	switch t.Kind() {
	case reflect.Pointer:
		return jsonName(t.Elem())
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}
