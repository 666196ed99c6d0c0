package httpapi

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// document is the part of an OpenAPI 3.0 document that we use.
type document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       documentInfo                     `json:"info"`
	Tags       []documentTag                    `json:"tags"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components components                       `json:"components"`
	Security   []map[string][]string            `json:"security"`

	// page is the same for people, in the order of the routes.
	page []pageSection
}

type documentInfo struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

type documentTag struct {
	Name string `json:"name"`
}

type components struct {
	Schemas         map[string]*schema           `json:"schemas"`
	SecuritySchemes map[string]map[string]string `json:"securitySchemes"`
}

type operation struct {
	OperationID string                       `json:"operationId"`
	Tags        []string                     `json:"tags"`
	Summary     string                       `json:"summary"`
	Description string                       `json:"description,omitempty"`
	Parameters  []documentParameter          `json:"parameters,omitempty"`
	RequestBody *content                     `json:"requestBody,omitempty"`
	Responses   map[string]*documentResponse `json:"responses"`
	Security    *[]map[string][]string       `json:"security,omitempty"`
}

type documentParameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description"`
	Required    bool    `json:"required,omitempty"`
	Style       string  `json:"style,omitempty"`
	Explode     bool    `json:"explode,omitempty"`
	Schema      *schema `json:"schema"`
}

type content struct {
	Content map[string]mediaType `json:"content"`
}

type mediaType struct {
	Schema *schema `json:"schema"`
}

type documentResponse struct {
	Description string                    `json:"description"`
	Headers     map[string]documentHeader `json:"headers,omitempty"`
	Content     map[string]mediaType      `json:"content,omitempty"`
}

type documentHeader struct {
	Required bool    `json:"required"`
	Schema   *schema `json:"schema"`
}

type pageSection struct {
	Tag    string
	Routes []pageRoute
}

type pageRoute struct {
	Method, Path string
	*operation
}

// newDocument describes the routes.
func newDocument(routes []route, version string) document {
	s := newSchemas()
	d := document{
		OpenAPI: "3.0.3",
		Info: documentInfo{
			Title: "ticketbridge", Version: version,
			Description: "Events in, tickets out: an Events API that matches events as R-Service does, a unified ticketing API, and the endpoints to operate them. " +
				"What is JSON is taken as such under any content type, because some clients send it under that of a form or a text.",
		},
		Paths: map[string]map[string]*operation{},
		Components: components{SecuritySchemes: map[string]map[string]string{
			"bearer": {"type": "http", "scheme": "bearer"},
			"basic":  {"type": "http", "scheme": "basic", "description": "The token as user name, any password."},
		}},
		Security: []map[string][]string{{"bearer": {}}, {"basic": {}}},
	}
	for _, rt := range routes {
		op := s.operation(rt)
		if d.Paths[rt.path] == nil {
			d.Paths[rt.path] = map[string]*operation{}
		}
		d.Paths[rt.path][strings.ToLower(rt.method)] = op
		if len(d.page) == 0 || d.page[len(d.page)-1].Tag != rt.tag {
			d.Tags = append(d.Tags, documentTag{rt.tag})
			d.page = append(d.page, pageSection{Tag: rt.tag})
		}
		section := &d.page[len(d.page)-1]
		section.Routes = append(section.Routes, pageRoute{rt.method, rt.path, op})
	}
	d.Components.Schemas = s.named
	return d
}

func (s *schemas) operation(rt route) *operation {
	op := &operation{
		OperationID: operationID(rt), Tags: []string{rt.tag}, Summary: rt.summary, Description: rt.detail,
		Responses: map[string]*documentResponse{},
	}
	for _, p := range rt.parameters {
		op.Parameters = append(op.Parameters, s.parameter(p))
	}
	if rt.body != nil {
		op.RequestBody = &content{s.content(rt.body, rt.or, rt.media)}
	}
	for _, ans := range rt.answers {
		op.Responses[strconv.Itoa(ans.status)] = s.response(ans)
	}
	if rt.public {
		op.Security = &[]map[string][]string{}
		return op
	}
	for _, ans := range everywhere(errorOf(rt)) {
		if status := strconv.Itoa(ans.status); op.Responses[status] == nil {
			op.Responses[status] = s.response(ans)
		}
	}
	if rt.body != nil && inProblems(rt.path) && op.Responses["415"] == nil {
		op.Responses["415"] = s.response(answer{status: 415, about: "The body is no JSON, or has a Content-Encoding.", body: problem{}})
	}
	return op
}

// errorOf is the body of a route's errors.
func errorOf(rt route) any {
	if inProblems(rt.path) {
		return problem{}
	}
	return failure{}
}

// everywhere are the answers that every path with a token can give.
func everywhere(body any) []answer {
	return []answer{
		{status: 401, about: "The token is missing or unknown.", body: body, headers: []string{"WWW-Authenticate"}},
		{status: 403, about: "The token is not for this.", body: body},
		{status: 414, about: "The query string is too long.", body: body},
		{status: 429, about: "Too many calls, with this token or of ours at the provider.", body: body, headers: []string{"Retry-After"}},
		{status: 500, about: "Our own fault; the log has more.", body: body},
		{status: 503, about: "Temporal, or the provider, cannot be reached; nothing was accepted.", body: body, headers: []string{"Retry-After"}},
	}
}

func operationID(rt route) string {
	words := strings.NewReplacer("{", "", "}", "", "/", " ", ".", " ").Replace(rt.path)
	return strings.Join(append([]string{strings.ToLower(rt.method)}, strings.Fields(words)...), "-")
}

func (s *schemas) parameter(p parameter) documentParameter {
	d := documentParameter{Name: p.name, In: p.in, Description: p.about, Required: p.in == "path", Schema: &schema{Type: "string"}}
	if p.name == "parameters" { // an object spread over the query: each member under its own name
		d.Style, d.Explode = "form", true
		d.Schema = &schema{Type: "object", AdditionalProperties: &schema{Type: "string"}}
	}
	return d
}

// content is what a body may be: a value in JSON, perhaps one of two, and other forms.
func (s *schemas) content(body, or any, others []media) map[string]mediaType {
	shape := s.of(reflect.TypeOf(body))
	if or != nil {
		shape = &schema{OneOf: []*schema{shape, s.of(reflect.TypeOf(or))}}
	}
	kinds := map[string]mediaType{"application/json": {shape}}
	for _, other := range others {
		shape := &schema{Type: "string", Format: "binary"}
		if other.body != nil {
			shape = s.of(reflect.TypeOf(other.body))
		}
		kinds[other.kind] = mediaType{shape}
	}
	return kinds
}

func (s *schemas) response(ans answer) *documentResponse {
	d := &documentResponse{Description: ans.about}
	for _, name := range ans.headers {
		if d.Headers == nil {
			d.Headers = map[string]documentHeader{}
		}
		d.Headers[name] = documentHeader{Required: ans.or == nil, Schema: &schema{Type: "string"}}
	}
	switch {
	case ans.text != "":
		d.Content = map[string]mediaType{ans.text: {&schema{Type: "string"}}}
	case ans.body != nil:
		d.Content = s.content(ans.body, ans.or, ans.media)
	}
	return d
}

//go:embed page.html
var pageText string

func (a *api) documentRoutes() []route {
	page := template.Must(template.New("page").Funcs(template.FuncMap{"shape": shapeText, "name": shapeName}).Parse(pageText))
	show := func(w http.ResponseWriter, _ *http.Request, _ Caller) error {
		var text bytes.Buffer
		if err := page.Execute(&text, map[string]any{"Document": a.document, "Sections": a.document.page}); err != nil {
			return fmt.Errorf("page: %w", err)
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = text.WriteTo(w) // a reader that has gone is nobody's error
		return nil
	}
	html := []answer{{status: 200, about: "The page.", text: "text/html"}}
	return []route{{
		method: http.MethodGet, path: "/openapi.json", tag: "Documentation", summary: "This interface as an OpenAPI document", public: true,
		answers: []answer{{status: 200, about: "The document.", body: map[string]any{}}},
		handle: func(w http.ResponseWriter, _ *http.Request, _ Caller) error {
			writeJSON(w, http.StatusOK, a.document)
			return nil
		},
	},
		{method: http.MethodGet, path: "/docs", tag: "Documentation", summary: "This interface as a page to read", public: true, answers: html, handle: show},
		{method: http.MethodGet, path: "/", tag: "Documentation", summary: "The same page", public: true, answers: html, handle: show},
	}
}

// shapeName is the component that a schema names, "" for none.
func shapeName(s *schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, componentPath)
	case len(s.AllOf) > 0:
		return shapeName(s.AllOf[0])
	case s.Items != nil:
		return shapeName(s.Items)
	default:
		return ""
	}
}

// shapeText says in a few words what a schema is.
func shapeText(s *schema) string {
	text := s.Type
	switch {
	case s.Format == "date-time":
		text = "time"
	case len(s.OneOf) > 0:
		return shapeText(s.OneOf[0]) + " or " + shapeText(s.OneOf[1])
	case s.Items != nil:
		text = "list of " + shapeText(s.Items)
	case shapeName(s) != "":
		text = shapeName(s)
	case text == "":
		return "any"
	}
	if s.Nullable {
		text += " or null"
	}
	return text
}
