package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// source is a file's text; values in it know where they stand.
type source struct{ data []byte }

// value is one JSON value of the file.
type value struct {
	raw    json.RawMessage
	offset int
}

// member is a named value of an object.
type member struct {
	name string
	value
}

// values reads all JSON values of the file, one after the other.
func (s source) values() ([]value, error) {
	dec := json.NewDecoder(bytes.NewReader(s.data))
	var out []value
	for {
		v, err := next(dec, 0)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, s.wrong(value{offset: int(dec.InputOffset())}, err)
		}
		out = append(out, v)
	}
}

// elements are an array's values.
func (s source) elements(v value) ([]value, error) {
	if v.kind() != '[' {
		return nil, s.wrong(v, errors.New("want an array"))
	}
	dec := json.NewDecoder(bytes.NewReader(v.raw))
	if _, err := dec.Token(); err != nil {
		return nil, s.wrong(v, err)
	}
	var out []value
	for dec.More() {
		element, err := next(dec, v.offset)
		if err != nil {
			return nil, s.wrong(v, err)
		}
		out = append(out, element)
	}
	return out, nil
}

// members are an object's members, in the order of the file.
func (s source) members(v value) ([]member, error) {
	if v.kind() != '{' {
		return nil, s.wrong(v, errors.New("want an object"))
	}
	dec := json.NewDecoder(bytes.NewReader(v.raw))
	if _, err := dec.Token(); err != nil {
		return nil, s.wrong(v, err)
	}
	var out []member
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, s.wrong(v, err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, s.wrong(v, errors.New("want a member's name"))
		}
		inner, err := next(dec, v.offset)
		if err != nil {
			return nil, s.wrong(v, err)
		}
		out = append(out, member{name: name, value: inner})
	}
	return out, nil
}

func next(dec *json.Decoder, base int) (value, error) {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return value{}, err
	}
	return value{raw: raw, offset: base + int(dec.InputOffset()) - len(raw)}, nil
}

// decode reads a value into a Go value.
func (s source) decode(v value, into any) error {
	if err := json.Unmarshal(v.raw, into); err != nil {
		var wrongType *json.UnmarshalTypeError
		if errors.As(err, &wrongType) && wrongType.Offset <= int64(len(v.raw)) {
			v.offset += int(wrongType.Offset)
		}
		return s.wrong(v, err)
	}
	return nil
}

// wrong tells the line of a value that is not as it must be.
func (s source) wrong(at value, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		err = fmt.Errorf("not valid JSON: %w", err)
		if at.raw == nil {
			at.offset = int(syntax.Offset)
		}
	}
	return fmt.Errorf("line %d: %w", s.line(at.offset), err)
}

func (s source) line(offset int) int {
	return 1 + bytes.Count(s.data[:min(offset, len(s.data))], []byte("\n"))
}

// kind is the value's first character.
func (v value) kind() byte { return v.raw[0] }

func (v value) null() bool { return string(v.raw) == "null" }
