package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// Keys are an integration's keys and values as the file would have them, without
// its name and what is empty. A secret is its reference.
func (in Integration) Keys() (map[string]any, error) {
	value, err := keysOf(reflect.ValueOf(in))
	keys, _ := value.(map[string]any)
	if err != nil || in.Own == nil {
		delete(keys, "name")
		return keys, err
	}
	value, err = keysOf(reflect.ValueOf(in.Own).Elem())
	own, _ := value.(map[string]any)
	maps.Copy(keys, own)
	delete(keys, "name")
	return keys, err
}

func keysOf(v reflect.Value) (any, error) {
	switch value := v.Interface().(type) {
	case Secret:
		return value.Reference(), nil
	case encoding.TextMarshaler:
		text, err := value.MarshalText()
		return string(text), err
	}
	switch v.Kind() {
	case reflect.Struct:
		return structKeys(v)
	case reflect.Map:
		out := map[string]any{}
		for each := v.MapRange(); each.Next(); {
			value, err := keysOf(each.Value())
			if err != nil {
				return nil, err
			}
			out[each.Key().String()] = value
		}
		return out, nil
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			value, err := keysOf(v.Index(i))
			if err != nil {
				return nil, err
			}
			out[i] = value
		}
		return out, nil
	case reflect.String:
		return v.String(), nil
	case reflect.Int, reflect.Int64:
		return v.Int(), nil
	case reflect.Float64:
		return v.Float(), nil
	case reflect.Bool:
		return v.Bool(), nil
	default:
		return nil, fmt.Errorf("a %s has no place among keys", v.Type())
	}
}

// keyOf is the key of a field in the configuration; empty for one that has none.
func keyOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
	if name == "-" {
		return ""
	}
	return name
}

func structKeys(v reflect.Value) (any, error) {
	out := map[string]any{}
	for _, field := range reflect.VisibleFields(v.Type()) {
		name, inner := keyOf(field), v.FieldByIndex(field.Index)
		if name == "" || inner.IsZero() {
			continue // what an embedded struct has stands among the others
		}
		value, err := keysOf(inner)
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}
