// Package strictyaml decodes YAML into Go structs and finds every fault of a
// file in one pass, each with its line: unknown and repeated keys, values of
// the wrong kind, texts that a type refuses. No fault quotes a value, because a
// value may be a secret.
package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a file. They keep aliases that refer to aliases from growing
// without end, and nesting from exhausting the stack.
const (
	MaxBytes  = 4 << 20
	maxNodes  = 500_000
	maxDepth  = 64
	maxIndent = 500
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	// Line is 1 for the first line, 0 where no line can be named.
	Line int
	// Path is where in the document, e.g. feeds[0].url; empty for the whole.
	Path    string
	Message string
	// Unknown is the key that nothing here has; empty for other faults.
	Unknown string
}

// More gives a struct further keys, which depend on the values of its own: it is
// asked with a pointer to the struct and what stands there as texts, and answers
// with a pointer to another struct whose keys stand among the first one's, or nil.
type More func(part any, text func(key string) string) any

// Document knows on which line the parts of a decoded file are written.
type Document struct {
	lines map[string]int
}

// Line is the line of a path or, where the file does not have it, of the
// nearest part that would hold it; 0 for an empty file.
func (d *Document) Line(path string) int {
	for {
		if line, ok := d.lines[path]; ok {
			return line
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return d.lines[""]
		}
		path = path[:cut]
	}
}

// Has reports whether the file has the path, with a value other than null.
func (d *Document) Has(path string) bool {
	_, ok := d.lines[path]
	return ok
}

// Decode fills out, a pointer to a struct with yaml tags. Supported are
// structs, slices, maps with text keys, pointers, text, numbers, booleans, any,
// and types with UnmarshalText, whose errors become faults. Null leaves a value
// as it is.
func Decode(data []byte, out any) (*Document, []Fault) { return DecodeMore(data, out, nil) }

// DecodeMore is Decode for structs some of whose keys more decides.
func DecodeMore(data []byte, out any, more More) (*Document, []Fault) {
	d := &decoder{doc: &Document{lines: map[string]int{}}, anchors: map[string]ast.Node{}, more: more}
	root, fault := parse(data)
	if fault != nil {
		return d.doc, []Fault{*fault}
	}
	if root != nil {
		d.collectAnchors(root)
		d.decode(root, reflect.ValueOf(out).Elem(), "", lineOf(root))
	}
	slices.SortStableFunc(d.faults, func(a, b Fault) int { return a.Line - b.Line })
	return d.doc, d.faults
}

// parse reads the one document of a file; nil for an empty file.
func parse(data []byte) (root ast.Node, fault *Fault) {
	if len(data) > MaxBytes {
		return nil, &Fault{Message: fmt.Sprintf("the file is larger than %d MB", MaxBytes>>20)}
	}
	if line := tooDeep(data); line > 0 {
		return nil, &Fault{Line: line, Message: "the file is nested too deeply"}
	}
	defer func() {
		// The parser is not ours, and some inputs that are not YAML upset it.
		if recover() != nil {
			root, fault = nil, &Fault{Message: "the file cannot be read as YAML"}
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxFault(err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if root != nil {
			return nil, &Fault{Line: lineOf(doc.Body), Message: "a second document begins here; the file may hold only one"}
		}
		root = doc.Body
	}
	return root, nil
}

// syntaxFault takes the message alone: the parser's full text quotes the lines
// around the place, and with them what may be a secret.
func syntaxFault(err error) *Fault {
	fault := &Fault{Message: "the file cannot be read as YAML"}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		fault.Message = "not valid YAML: " + syntax.GetMessage()
		if tok := syntax.GetToken(); tok != nil && tok.Position != nil {
			fault.Line = tok.Position.Line
		}
	}
	return fault
}

// tooDeep is the first line that opens more brackets, or is indented further,
// than any real file; 0 if none is. The parser recurses on both.
func tooDeep(data []byte) int {
	open, indent, line, atStart := 0, 0, 1, true
	for _, c := range data {
		switch {
		case c == '\n':
			line, indent, atStart = line+1, 0, true
		case atStart && (c == ' ' || c == '-' || c == '?'):
			indent++
		case c == '[' || c == '{':
			open, atStart = open+1, false
		case c == ']' || c == '}':
			open, atStart = max(open-1, 0), false
		default:
			atStart = false
		}
		if open > maxIndent || indent > maxIndent {
			return line
		}
	}
	return 0
}

func lineOf(node ast.Node) int {
	if mapping, ok := node.(*ast.MappingNode); ok && len(mapping.Values) > 0 {
		node = mapping.Values[0].Key
	}
	if value, ok := node.(*ast.MappingValueNode); ok {
		node = value.Key
	}
	if tok := node.GetToken(); tok != nil && tok.Position != nil {
		return tok.Position.Line
	}
	return 0
}
