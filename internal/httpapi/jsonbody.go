package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// readTicketing reads the JSON body of a write. Members that it has no place for are
// ignored, because newer clients of the connector send more.
func (a *api) readTicketing(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	return decodeTicketing(body, into)
}

// readStrictly reads a JSON body in which every member has to be known, because a
// mistyped name must not be taken for a default.
func (a *api) readStrictly(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	return decodeStrictly(body, into)
}

func decodeTicketing(body []byte, into any) error {
	return decodeOne(json.NewDecoder(bytes.NewReader(body)), into)
}

func decodeStrictly(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return decodeOne(d, into)
}

// decodeOne reads a body that is one JSON value. Its errors are 400s that name the
// member.
func decodeOne(d *json.Decoder, into any) error {
	err := d.Decode(into)
	switch {
	case err == nil:
		if _, err := d.Token(); err != io.EOF {
			return bodyError("", "is not valid JSON: want one value and nothing after it")
		}
		return nil
	case err == io.EOF:
		return bodyError("", "is not valid JSON: it is empty")
	case err == io.ErrUnexpectedEOF:
		return bodyError("", "is not valid JSON: it ends too early")
	}
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return bodyError("", "is not valid JSON: "+broken.Error())
	}
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return bodyError(memberOf(mistyped), "is of the wrong type: want "+jsonName(mistyped.Type))
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return bodyError("/"+strings.Trim(name, `"`), "there is no such member")
	}
	return bodyError("", "is not valid JSON: "+err.Error())
}

// moment is a time whose errors encoding/json can tell the place of.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(data []byte) error {
	if m.Time.UnmarshalJSON(data) != nil {
		return &json.UnmarshalTypeError{Value: string(data), Type: reflect.TypeFor[time.Time]()}
	}
	return nil
}

// memberOf is the member that is of the wrong type, "" for all of it. Bodies are
// flat: what stands before the last point is a shape that is embedded.
func memberOf(mistyped *json.UnmarshalTypeError) string {
	if mistyped.Field == "" {
		return ""
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
