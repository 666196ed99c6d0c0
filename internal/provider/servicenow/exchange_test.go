package servicenow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// sent is a request as it went out.
type sent struct {
	method, path string
	query        map[string][]string
	body         map[string]any
}

// seen keeps what was sent.
type seen struct {
	mu   sync.Mutex
	list []sent
}

func (s *seen) all() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

func (s *seen) last(method string) sent {
	list := s.all()
	for _, r := range slices.Backward(list) {
		if r.method == method {
			return r
		}
	}
	return sent{}
}

// checked holds every request to what the vendor's documents say of the Table API
// (Table API, REST API, Encoded query strings), and keeps it.
type checked struct {
	t    *testing.T
	seen *seen
	next http.RoundTripper
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	kept := sent{method: r.Method, path: r.URL.Path, query: r.URL.Query()}
	_ = json.Unmarshal(body, &kept.body) // the token's form is no JSON
	c.seen.mu.Lock()
	c.seen.list = append(c.seen.list, kept)
	c.seen.mu.Unlock()
	for _, wrong := range complaints(r, body) {
		assert.Fail(c.t, "a request that the documents do not allow", "%s %s: %s", r.Method, r.URL, wrong)
	}
	return c.next.RoundTrip(r)
}

var (
	pathForm = regexp.MustCompile(`^/api/now/v2/table/[a-z][a-z0-9_]*(/[0-9a-f]{32})?$`)
	termForm = regexp.MustCompile(`^(OR)?[a-z][a-z0-9_.]*(=|!=|<|>|STARTSWITH|LIKE|IN|NOT IN|ISNOTEMPTY|ISEMPTY)`)
)

func complaints(r *http.Request, body []byte) (out []string) {
	if r.URL.Path == "/oauth_token.do" {
		if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.URL.RawQuery != "" {
			out = append(out, "tokens are asked for by a form, secrets in the body only")
		}
		return out
	}
	if strings.HasPrefix(r.URL.Path, "/api/now/attachment") {
		return attachmentComplaints(r, body)
	}
	if strings.HasPrefix(r.URL.Path, "/api/now/import/") {
		return importComplaints(r, body)
	}
	if !pathForm.MatchString(r.URL.Path) {
		out = append(out, "the path is not of the Table API, version 2")
	}
	if r.Header.Get("Accept") != "application/json" || r.Method != http.MethodGet && r.Header.Get("Content-Type") != "application/json" {
		out = append(out, "Accept, and Content-Type of a write, must be application/json")
	}
	if len(r.Cookies()) > 0 {
		out = append(out, "a cookie: the calls would share a session")
	}
	single := strings.Count(r.URL.Path, "/") == 6
	if (r.Method == http.MethodPost) == single && r.Method != http.MethodGet {
		out = append(out, "inserts go to the table, updates to the record")
	}
	out = append(out, parameterComplaints(r)...)
	if r.Method != http.MethodGet && r.Method != http.MethodDelete {
		out = append(out, bodyComplaints(body)...)
	}
	return out
}

func parameterComplaints(r *http.Request) (out []string) {
	known := []string{"sysparm_query", "sysparm_fields", "sysparm_limit", "sysparm_offset", "sysparm_display_value", "sysparm_exclude_reference_link"}
	for name, values := range r.URL.Query() {
		if !slices.Contains(known, name) || len(values) != 1 {
			out = append(out, fmt.Sprintf("parameter %s is not one that is meant", name))
		}
	}
	if len(r.URL.String()) > 8000 {
		out = append(out, "the address is too long")
	}
	for _, name := range []string{"sysparm_limit", "sysparm_offset"} {
		if text := r.URL.Query().Get(name); text != "" {
			if n, err := strconv.Atoi(text); err != nil || n < 0 {
				out = append(out, name+" is no number")
			}
		}
	}
	for _, term := range strings.Split(strings.ReplaceAll(r.URL.Query().Get("sysparm_query"), "^^", ""), "^") {
		if term != "" && !strings.HasPrefix(term, "ORDERBY") && !termForm.MatchString(term) {
			out = append(out, "no condition of an encoded query: "+term)
		}
		if strings.Contains(term, "javascript:") {
			out = append(out, "a script in a query: "+term)
		}
	}
	return out
}

// bodyComplaints: one flat object of texts.
func bodyComplaints(body []byte) (out []string) {
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil || len(fields) == 0 {
		return []string{"the body is no object: " + string(body)}
	}
	journals := 0
	for name, value := range fields {
		text, ok := value.(string)
		if !ok {
			out = append(out, name+" is no text")
		}
		if name == "comments" || name == "work_notes" {
			journals++
		}
		if name == "sys_id" && !isID(text) {
			out = append(out, "sys_id is none: "+text)
		}
		if name == "correlation_id" && len(text) > 100 {
			out = append(out, "correlation_id is too long")
		}
	}
	if _, insert := fields["short_description"]; !insert && journals > 0 && len(fields) > 1 {
		out = append(out, "a journal entry and columns in one update: repeated, it would append again")
	}
	return out
}

// The check itself finds what it is there for.
func TestTheCheckOfRequestsFindsWhatIsWrong(t *testing.T) {
	request := func(method, address, body string) []string {
		r, err := http.NewRequest(method, address, strings.NewReader(body))
		assert.NoError(t, err)
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		return complaints(r, []byte(body))
	}
	const good = "http://x/api/now/v2/table/incident"
	id := strings.Repeat("a", 32)
	assert.Empty(t, request("GET", good+"?sysparm_query=correlation_id%3Dtb%3Ax%5EORDERBYsys_id&sysparm_limit=2", ""))
	assert.Empty(t, request("POST", good, `{"short_description":"x"}`))
	assert.Empty(t, request("PATCH", good+"/"+id, `{"comments":"x"}`))
	for name, wrong := range map[string][]string{
		"version":   request("GET", "http://x/api/now/table/incident", ""),
		"query":     request("GET", good+"?sysparm_query=what%20is%20this", ""),
		"script":    request("GET", good+"?sysparm_query=caller_id%3Djavascript:gs.getUserID()", ""),
		"parameter": request("GET", good+"?sysparm_qurey=x", ""),
		"number":    request("POST", good, `{"short_description":1}`),
		"mixed":     request("PATCH", good+"/"+id, `{"comments":"x","state":"2"}`),
		"no record": request("PATCH", good, `{"state":"2"}`),
	} {
		assert.NotEmpty(t, wrong, name)
	}
}
