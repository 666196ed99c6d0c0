package cloudfeeds

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the recursion; what lies deeper is left to Raw.
const maxDepth = 100

// splitXML reads an Atom feed or a single Atom entry.
func splitXML(body []byte) ([]rawEntry, error) {
	body = repairXML(body)
	entries, err := readXML(body)
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return saveXML(body, syntax)
	}
	return entries, err
}

func newXMLDecoder(body []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // repairXML made it UTF-8
	return d
}

// readXML reads the entries of a well-formed document.
func readXML(body []byte) ([]rawEntry, error) {
	d := newXMLDecoder(body)
	var entries []rawEntry
	root := true
	for {
		before := d.InputOffset()
		token, err := d.Token()
		if errors.Is(err, io.EOF) && !root {
			return entries, nil
		} else if errors.Is(err, io.EOF) {
			return nil, errors.New("the XML holds no element")
		} else if err != nil {
			return nil, fmt.Errorf("invalid XML: %w", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch name := start.Name.Local; {
		case root && name == "feed":
			root = false
			continue
		case root && name == "error":
			return nil, errors.New("the feed answers an error: " + excerpt(body[before:]))
		case root && name != "entry":
			return nil, fmt.Errorf("the answer is no feed but <%s>: %q", name, excerpt(body))
		}
		root = false
		if start.Name.Local != "entry" {
			if err := d.Skip(); err != nil {
				return nil, fmt.Errorf("invalid XML: %w", err)
			}
			continue
		}
		e, err := entryElement(d, start)
		if err != nil {
			return nil, err
		}
		e.raw = body[before:d.InputOffset()]
		entries = append(entries, e)
	}
}

var entryTag = regexp.MustCompile(`<(/?)(?:[A-Za-z_][\w.-]*:)?entry(?:\s[^>]*)?>`)

var feedEnd = regexp.MustCompile(`</(?:[A-Za-z_][\w.-]*:)?feed\s*>\s*$`)

// saveXML saves the good entries of a feed that is not well-formed.
func saveXML(body []byte, cause error) ([]rawEntry, error) {
	cause = fmt.Errorf("invalid XML: %w", cause)
	var parts [][]byte
	from := -1
	for _, at := range entryTag.FindAllSubmatchIndex(body, -1) {
		closing := at[2] != at[3]
		switch {
		case closing && from >= 0:
			parts = append(parts, body[from:at[1]])
			from = -1
		case !closing:
			if from >= 0 { // the one before has no end
				parts = append(parts, body[from:at[0]])
			}
			from = at[0]
		}
	}
	if len(parts) == 0 || from >= 0 || !feedEnd.Match(body) {
		return nil, cause // nothing to save, or the page is cut off
	}
	entries := make([]rawEntry, len(parts))
	for i, part := range parts {
		e, err := xmlEntry(part)
		e.raw, e.err = part, cmp.Or(e.err, err)
		entries[i] = e
	}
	return entries, nil
}

func xmlEntry(part []byte) (rawEntry, error) {
	d := newXMLDecoder(part)
	token, err := d.Token() // entryTag made it begin with an element
	if err != nil {
		return rawEntry{}, fmt.Errorf("invalid XML: %w", err)
	}
	start, ok := token.(xml.StartElement)
	if !ok {
		return rawEntry{}, errors.New("invalid XML: no element")
	}
	return entryElement(d, start)
}

// entryElement reads an entry; the error is one of syntax, after which the
// decoder is lost.
func entryElement(d *xml.Decoder, start xml.StartElement) (rawEntry, error) {
	var e rawEntry
	value, err := element(d, start, 0)
	if err != nil {
		return e, fmt.Errorf("invalid XML: %w", err)
	}
	var ok bool
	if e.tree, ok = value.(map[string]any); !ok {
		e.err = errors.New("holds no elements")
	}
	return e, nil
}

// element gives an element the shape that the server's own XML-to-JSON
// stylesheet gives it: attributes are members, a child that is repeated is a
// list, an element of nothing but text is a string, and other text is "@text".
func element(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxDepth {
		return "", d.Skip()
	}
	members := map[string]any{}
	for _, attr := range start.Attr {
		if attr.Name.Space != "xmlns" && attr.Name.Local != "xmlns" {
			members[attr.Name.Local] = attr.Value
		}
	}
	var text strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			child, err := element(d, t, depth+1)
			if err != nil {
				return nil, err
			}
			addMember(members, t.Name.Local, child)
		case xml.EndElement:
			if len(members) == 0 {
				return text.String(), nil
			}
			if strings.TrimSpace(text.String()) != "" {
				members["@text"] = text.String()
			}
			return members, nil
		}
	}
}

func addMember(members map[string]any, name string, value any) {
	switch old := members[name].(type) {
	case nil:
		members[name] = value
	case []any:
		members[name] = append(old, value)
	default:
		members[name] = []any{old, value}
	}
}

var charRef = regexp.MustCompile(`&#(?:[xX]([0-9A-Fa-f]{1,8})|([0-9]{1,8}));`)
var latin1 = regexp.MustCompile(`^<\?xml[^>]*encoding\s*=\s*["'](?i:iso-8859-1|latin1|windows-1252)["']`)

// repairXML makes UTF-8 of the body and replaces what XML cannot hold: one
// control character in a comment must not cost the page.
func repairXML(body []byte) []byte {
	if latin1.Match(body) {
		var out bytes.Buffer
		for _, b := range body {
			out.WriteRune(rune(b))
		}
		body = out.Bytes()
	}
	body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	if bytes.ContainsFunc(body, func(r rune) bool { return !legalXML(r) }) {
		body = bytes.Map(func(r rune) rune {
			if legalXML(r) {
				return r
			}
			return utf8.RuneError
		}, body)
	}
	if !bytes.Contains(body, []byte("&#")) {
		return body
	}
	return charRef.ReplaceAllFunc(body, func(ref []byte) []byte {
		groups := charRef.FindSubmatch(ref)
		code, err := strconv.ParseInt(string(groups[1]), 16, 64)
		if len(groups[2]) > 0 {
			code, err = strconv.ParseInt(string(groups[2]), 10, 64)
		}
		if err == nil && code <= utf8.MaxRune && legalXML(rune(code)) {
			return ref
		}
		return []byte("\uFFFD")
	})
}

func legalXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
}
