package jira

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

var errNoSpec = errors.New("the vendor's OpenAPI document is not beside the repository (../shared/specs/jira.json)")

// vendorSpec reads the vendor's OpenAPI document once.
var vendorSpec = sync.OnceValues(func() (*openapi3.T, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		if dir == filepath.Dir(dir) {
			return nil, errNoSpec
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(filepath.Dir(dir), "shared", "specs", "jira.json")
	if !exists(path) {
		return nil, errNoSpec
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return loadRequests(text)
})

// loadRequests keeps of the document what describes the requests to issues and
// what is around them: the whole takes a minute to load with the race detector.
func loadRequests(text []byte) (*openapi3.T, error) {
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	kept := regexp.MustCompile(`^/rest/api/3/(issue|search|user/search|myself|project|field|comment|serverInfo|attachment)($|/)`)
	paths := doc["paths"].(map[string]any)
	for path, item := range paths {
		if !kept.MatchString(path) {
			delete(paths, path)
			continue
		}
		for _, operation := range item.(map[string]any) {
			operation.(map[string]any)["responses"] = map[string]any{"default": map[string]any{"description": ""}}
		}
	}
	components := doc["components"].(map[string]any)
	all := components["schemas"].(map[string]any)
	reached := map[string]any{}
	reach(paths, all, reached)
	for _, schema := range reached {
		allowNull(schema)
	}
	components["schemas"] = reached
	small, err := json.Marshal(map[string]any{"openapi": doc["openapi"], "info": doc["info"], "paths": paths, "components": components})
	if err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromData(small)
}

// reach collects the schemas that value refers to, and those that they refer to.
func reach(value any, all, reached map[string]any) {
	switch v := value.(type) {
	case []any:
		for _, member := range v {
			reach(member, all, reached)
		}
	case map[string]any:
		for name, member := range v {
			ref, ok := member.(string)
			schema := strings.TrimPrefix(ref, "#/components/schemas/")
			if name != "$ref" || !ok || schema == ref {
				reach(member, all, reached)
			} else if reached[schema] == nil {
				reached[schema] = all[schema]
				reach(all[schema], all, reached)
			}
		}
	}
}

// allowNull: a schema without a type takes null too (OpenAPI 3.0.3, nullable);
// the validator wants it said.
func allowNull(schema any) {
	members, ok := schema.(map[string]any)
	if !ok {
		return
	}
	if any, ok := members["additionalProperties"].(map[string]any); ok && any["type"] == nil && any["$ref"] == nil {
		any["nullable"] = true
	}
	properties, _ := members["properties"].(map[string]any)
	for _, property := range properties {
		allowNull(property)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// checked validates every request that the client sends against the vendor's
// document, where that is at hand.
type checked struct {
	t    testing.TB
	next http.RoundTripper
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	spec, err := vendorSpec()
	if errors.Is(err, errNoSpec) {
		return c.next.RoundTrip(r)
	}
	if err != nil {
		c.t.Errorf("read the vendor's document: %v", err)
		return c.next.RoundTrip(r)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return c.form(spec, r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	sent := r.Clone(r.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	if err := validate(spec, sent); err != nil {
		c.t.Errorf("%s %s is not valid by the vendor's document: %v\n%s", r.Method, r.URL, err, body)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.next.RoundTrip(r)
}

// form checks a form's operation: the document describes its body as a program
// sees it, not as it is sent. The simulator checks the parts.
func (c checked) form(spec *openapi3.T, r *http.Request) (*http.Response, error) {
	i := strings.Index(r.URL.Path, "/rest/api/3")
	operation, _ := route(spec, r.Method, r.URL.Path[max(i, 0):])
	if operation == nil || operation.Operation.RequestBody.Value.Content["multipart/form-data"] == nil || len(r.URL.Query()) > 0 {
		c.t.Errorf("%s %s takes no form by the vendor's document", r.Method, r.URL)
	}
	return c.next.RoundTrip(r)
}

func validate(spec *openapi3.T, r *http.Request) error {
	i := strings.Index(r.URL.Path, "/rest/api/3")
	if i < 0 {
		return fmt.Errorf("outside of /rest/api/3")
	}
	route, params := route(spec, r.Method, r.URL.Path[i:])
	if route == nil {
		return fmt.Errorf("the document has no such operation")
	}
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return fmt.Errorf("the operation has no query parameter %q", name)
		}
	}
	r.Header.Set("Content-Type", "application/json")
	return openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

// route finds the operation whose path has the most literal segments in common.
func route(spec *openapi3.T, method, path string) (*routers.Route, map[string]string) {
	var best *routers.Route
	var bestParams map[string]string
	for pattern, item := range spec.Paths.Map() {
		operation := item.GetOperation(method)
		params, ok := match(pattern, path)
		if operation == nil || !ok || best != nil && len(params) >= len(bestParams) {
			continue
		}
		best = &routers.Route{Spec: spec, Path: pattern, PathItem: item, Method: method, Operation: operation}
		bestParams = params
	}
	return best, bestParams
}

func match(pattern, path string) (map[string]string, bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	params := map[string]string{}
	for i, segment := range want {
		switch {
		case strings.HasPrefix(segment, "{"):
			params[strings.Trim(segment, "{}")] = have[i]
		case segment != have[i]:
			return nil, false
		}
	}
	return params, true
}

func TestRequestsAreCheckedAgainstTheVendorsDocument(t *testing.T) {
	spec, err := vendorSpec()
	if errors.Is(err, errNoSpec) {
		t.Skip(err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct{ method, path, body string }{
		{http.MethodPost, "/rest/api/3/issue/bulkfetch", `{"issueIdsOrKeys":"OPS-1"}`},
		{http.MethodPost, "/rest/api/3/search/jql", `{"jql":"x","expand":["names"]}`},
		{http.MethodGet, "/rest/api/3/issue/OPS-1?unknown=1", ``},
		{http.MethodGet, "/rest/api/3/no/such/path", ``},
	} {
		r, err := http.NewRequest(wrong.method, "https://x"+wrong.path, strings.NewReader(wrong.body))
		if err != nil {
			t.Fatal(err)
		}
		if validate(spec, r) == nil {
			t.Errorf("%s %s passed for valid", wrong.method, wrong.path)
		}
	}
}
