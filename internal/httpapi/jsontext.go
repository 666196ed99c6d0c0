package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// goodText refuses JSON with what is no text, in which encoding/json would put other
// signs without a word. The error is a 400 that names the member.
func goodText(body []byte) error {
	if !utf8.Valid(body) {
		at := 0
		for r, size := utf8.DecodeRune(body); r != utf8.RuneError || size != 1; r, size = utf8.DecodeRune(body[at:]) {
			at += size
		}
		return bodyError(pointerAt(body, at), fmt.Sprintf("is not valid UTF-8: the byte 0x%02X begins no sign", body[at]))
	}
	if at := loneSurrogate(body); at >= 0 {
		return bodyError(pointerAt(body, at), fmt.Sprintf("is not valid Unicode: %s is half of a pair of surrogates", body[at:at+6]))
	}
	return nil
}

// loneSurrogate is where JSON has an escape (\ud800 to \udfff) that is a sign only
// together with another one, -1 for nowhere.
func loneSurrogate(body []byte) int {
	for at := bytes.IndexByte(body, '\\'); at >= 0 && at < len(body); at++ {
		if body[at] != '\\' {
			continue
		}
		unit, size := escapedUnit(body[at:])
		if utf16.IsSurrogate(unit) {
			other, more := escapedUnit(body[at+size:])
			if utf16.DecodeRune(unit, other) == unicode.ReplacementChar {
				return at
			}
			size += more
		}
		at += size - 1
	}
	return -1
}

// escapedUnit is what an escape of JSON with \u stands for, and how long it is; of
// all others only the length counts.
func escapedUnit(text []byte) (rune, int) {
	if len(text) >= 6 && text[0] == '\\' && text[1] == 'u' {
		if unit, err := strconv.ParseUint(string(text[2:6]), 16, 16); err == nil {
			return rune(unit), 6
		}
	}
	return 0, 2
}

// deepestPointer bounds the parts of a pointer: each one is a look at what is inside.
const deepestPointer = 8

// pointerAt is the JSON Pointer to the innermost member, or element of a list, that
// a place in JSON is in; "" where that is the whole.
func pointerAt(body []byte, at int) string {
	pointer := ""
	for range deepestPointer {
		name, value, start := elementAt(body, at)
		if value == nil {
			break
		}
		pointer += "/" + pointerToken(name)
		body, at = value, at-start
	}
	return pointer
}

// elementAt is the element of an object or a list that a place is in, and where its
// value starts; none where it is in no element.
func elementAt(body []byte, at int) (name string, value json.RawMessage, start int) {
	d := json.NewDecoder(bytes.NewReader(body))
	open, err := d.Token()
	if inside, _ := open.(json.Delim); err != nil || inside == 0 || at < int(d.InputOffset()) {
		return "", nil, 0
	}
	for i := 0; d.More(); i++ {
		name = strconv.Itoa(i)
		if open == json.Delim('{') {
			key, err := d.Token()
			if err != nil {
				return "", nil, 0
			}
			name = key.(string) // as all keys are
		}
		if d.Decode(&value) != nil {
			return "", nil, 0
		}
		if end := int(d.InputOffset()); at < end {
			return name, value, end - len(value)
		}
	}
	return "", nil, 0
}

// pointerToken is a name as a part of a JSON Pointer (RFC 6901).
func pointerToken(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
