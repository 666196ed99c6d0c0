package httpapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// schema is the part of an OpenAPI 3.0 schema that our types need.
type schema struct {
	Ref                  string             `json:"$ref,omitempty"`
	AllOf                []*schema          `json:"allOf,omitempty"`
	OneOf                []*schema          `json:"oneOf,omitempty"`
	Type                 string             `json:"type,omitempty"`
	Format               string             `json:"format,omitempty"`
	Description          string             `json:"description,omitempty"`
	Nullable             bool               `json:"nullable,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	MinItems             int                `json:"minItems,omitempty"`
	MaxItems             int                `json:"maxItems,omitempty"`
	AdditionalProperties *schema            `json:"additionalProperties,omitempty"`
}

// schemas makes schemas of Go types, so that the document says what is really
// encoded. Structs become named components.
type schemas struct {
	named map[string]*schema
	types map[string]reflect.Type
}

func newSchemas() *schemas {
	return &schemas{named: map[string]*schema{}, types: map[string]reflect.Type{}}
}

const componentPath = "#/components/schemas/"

// of is the schema of a type.
func (s *schemas) of(t reflect.Type) *schema {
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[moment]():
		return &schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return &schema{Nullable: true}
	case reflect.TypeFor[event.Params]():
		return s.eventParams()
	}
	switch t.Kind() {
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &schema{Type: "integer", Format: "int64"}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Interface:
		return &schema{Nullable: true}
	case reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case reflect.Slice:
		return &schema{Type: "array", Items: s.of(t.Elem())}
	case reflect.Array:
		return &schema{Type: "array", Items: s.of(t.Elem()), MinItems: t.Len(), MaxItems: t.Len()}
	case reflect.Map:
		return &schema{Type: "object", AdditionalProperties: s.of(t.Elem())}
	case reflect.Struct:
		return s.component(t)
	default:
		panic(fmt.Sprintf("no schema for %s", t)) // a type new to the routes: every test meets it
	}
}

// nullable wraps a reference, because OpenAPI 3.0 ignores what stands beside one.
func nullable(s *schema) *schema {
	if s.Ref != "" {
		return &schema{Nullable: true, AllOf: []*schema{s}}
	}
	s.Nullable = true
	return s
}

// component names a struct's schema after its type.
func (s *schemas) component(t reflect.Type) *schema {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	ref := &schema{Ref: componentPath + name}
	if known, ok := s.types[name]; ok {
		if known != t {
			panic(fmt.Sprintf("two types want the component name %s: %s and %s", name, known, t))
		}
		return ref
	}
	s.types[name] = t
	object := &schema{Type: "object", Properties: map[string]*schema{}}
	s.named[name] = object
	for _, field := range reflect.VisibleFields(t) {
		if field.Anonymous {
			continue // its members stand among the others
		}
		jsonName, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if jsonName == "-" {
			continue
		}
		property := s.of(field.Type)
		if about := field.Tag.Get("doc"); about != "" {
			if property.Ref != "" {
				property = &schema{AllOf: []*schema{property}}
			}
			property.Description = about
		}
		object.Properties[jsonName] = property
		if !strings.Contains(options, "omit") {
			object.Required = append(object.Required, jsonName)
		}
	}
	return ref
}

// eventParams lists the parameters of an event. Their types are left open,
// because numbers, booleans, null and objects are taken for text, too.
func (s *schemas) eventParams() *schema {
	const name = "Event"
	object := &schema{Type: "object", Properties: map[string]*schema{}}
	for _, p := range eventParameters() {
		object.Properties[p.name] = &schema{Description: p.about, Nullable: true}
	}
	s.types[name], s.named[name] = reflect.TypeFor[event.Params](), object
	return &schema{Ref: componentPath + name}
}
