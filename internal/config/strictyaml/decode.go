package strictyaml

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

type decoder struct {
	doc     *Document
	faults  []Fault
	anchors map[string]ast.Node
	more    More
	nodes   int
	depth   int
}

func (d *decoder) fault(line int, path, format string, args ...any) {
	d.faults = append(d.faults, Fault{Line: line, Path: path, Message: fmt.Sprintf(format, args...)})
}

// decode fills v from node; line is where the value's key is written.
func (d *decoder) decode(node ast.Node, v reflect.Value, path string, line int) {
	node, ok := d.enter(node, path, line)
	if !ok {
		return
	}
	defer func() { d.depth-- }()
	if node.Type() == ast.NullType {
		return
	}
	d.doc.lines[path] = line
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(node, path, line, func(s string) error { return text.UnmarshalText([]byte(s)) })
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(node, v, path, line)
	case reflect.Map:
		d.mapping(node, v, path, line)
	case reflect.Slice:
		d.sequence(node, v, path, line)
	case reflect.Interface:
		v.Set(reflect.ValueOf(d.plain(node, path, line)))
	default:
		d.scalar(node, v, path, line)
	}
}

// enter follows anchors, aliases and tags to the value itself, and counts.
func (d *decoder) enter(node ast.Node, path string, line int) (ast.Node, bool) {
	for range maxDepth {
		switch n := node.(type) {
		case nil:
			return nil, false
		case *ast.AnchorNode:
			node = n.Value
		case *ast.TagNode:
			node = n.Value
		case *ast.AliasNode:
			name := nameOf(n.Value)
			target, ok := d.anchors[name]
			if !ok {
				d.fault(line, path, "no anchor &%s is defined", name)
				return nil, false
			}
			node = target
		default:
			return d.count(node, path, line)
		}
	}
	d.fault(line, path, "refers to itself")
	return nil, false
}

func (d *decoder) count(node ast.Node, path string, line int) (ast.Node, bool) {
	if d.nodes > maxNodes {
		return nil, false
	}
	if d.nodes++; d.nodes > maxNodes {
		d.fault(line, path, "the file has more than %d values, aliases counted as what they stand for", maxNodes)
		return nil, false
	}
	if d.depth >= maxDepth {
		d.fault(line, path, "nested deeper than %d levels", maxDepth)
		return nil, false
	}
	d.depth++
	return node, true
}

func (d *decoder) structure(node ast.Node, v reflect.Value, path string, line int) {
	entries := d.entries(node, path, line)
	fields := fieldsOf(v)
	if more := d.moreOf(v, entries); more != nil {
		maps.Copy(fields, fieldsOf(reflect.ValueOf(more).Elem()))
	}
	for _, entry := range entries {
		field, ok := fields[entry.key]
		if !ok {
			d.faults = append(d.faults, Fault{
				Line: entry.line, Path: join(path, entry.key), Unknown: entry.key,
				Message: "unknown key" + Suggest(entry.key, slices.Sorted(maps.Keys(fields))),
			})
			continue
		}
		d.decode(entry.value, field, join(path, entry.key), entry.line)
	}
}

// moreOf is the struct with the further keys of v; nil for none.
func (d *decoder) moreOf(v reflect.Value, entries []entry) any {
	if d.more == nil {
		return nil
	}
	return d.more(v.Addr().Interface(), func(key string) string {
		for _, entry := range entries {
			if entry.key == key {
				return d.nameBehind(entry.value)
			}
		}
		return ""
	})
}

// nameBehind is the text of a value, also where an alias stands for it.
func (d *decoder) nameBehind(node ast.Node) string {
	for range maxDepth {
		alias, is := node.(*ast.AliasNode)
		if !is {
			break
		}
		node = d.anchors[nameOf(alias.Value)]
	}
	return nameOf(node)
}

func (d *decoder) mapping(node ast.Node, v reflect.Value, path string, line int) {
	entries := d.entries(node, path, line)
	out := reflect.MakeMapWithSize(v.Type(), len(entries))
	for _, entry := range entries {
		value := reflect.New(v.Type().Elem()).Elem()
		d.decode(entry.value, value, join(path, entry.key), entry.line)
		out.SetMapIndex(reflect.ValueOf(entry.key).Convert(v.Type().Key()), value)
	}
	v.Set(out)
}

func (d *decoder) sequence(node ast.Node, v reflect.Value, path string, line int) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		d.fault(line, path, "want a list, not %s", kindName(node))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values))
	for i, value := range list.Values {
		item := fmt.Sprintf("%s[%d]", path, i)
		if value == nil || value.Type() == ast.NullType {
			d.fault(line, item, "is empty")
			continue
		}
		d.decode(value, out.Index(i), item, lineOf(value))
	}
	v.Set(out)
}

// text hands a scalar's text to set.
func (d *decoder) text(node ast.Node, path string, line int, set func(string) error) {
	text, ok := scalarText(node)
	if !ok {
		d.fault(line, path, "want a text, not %s", kindName(node))
		return
	}
	if err := set(text); err != nil {
		d.fault(line, path, "%s", err)
	}
}

func (d *decoder) scalar(node ast.Node, v reflect.Value, path string, line int) {
	text, ok := scalarText(node)
	switch v.Kind() {
	case reflect.String:
		if !ok {
			d.fault(line, path, "want a text, not %s", kindName(node))
			return
		}
		v.SetString(text)
	case reflect.Bool:
		b, isBool := node.(*ast.BoolNode)
		if !isBool {
			d.fault(line, path, "want true or false, not %s", kindName(node))
			return
		}
		v.SetBool(b.Value)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if !ok || node.Type() != ast.IntegerType || err != nil {
			d.fault(line, path, "want a whole number, not %s", kindName(node))
			return
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if node.Type() != ast.IntegerType && node.Type() != ast.FloatType || err != nil {
			d.fault(line, path, "want a number, not %s", kindName(node))
			return
		}
		v.SetFloat(n)
	default:
		panic(fmt.Sprintf("strictyaml: %s: cannot decode into %s", path, v.Type()))
	}
}

// plain is the value as text, int64, float64, bool, []any or map[string]any.
func (d *decoder) plain(node ast.Node, path string, line int) any {
	switch n := node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		out := map[string]any{}
		d.mapping(node, reflect.ValueOf(&out).Elem(), path, line)
		return out
	case *ast.SequenceNode:
		var out []any
		d.sequence(node, reflect.ValueOf(&out).Elem(), path, line)
		return out
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		if value, err := strconv.ParseInt(n.Token.Value, 10, 64); err == nil {
			return value
		}
	case *ast.FloatNode:
		return n.Value
	}
	text, _ := scalarText(node)
	return text
}

// fieldsOf maps yaml keys to a struct's fields; those of an embedded struct stand
// among the others.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	fields := make(map[string]reflect.Value, v.NumField())
	for _, field := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			fields[name] = v.FieldByIndex(field.Index)
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
