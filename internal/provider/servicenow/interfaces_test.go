package servicenow

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

var (
	filePath   = regexp.MustCompile(`^(GET /api/now/attachment(/[0-9a-f]{32}(/file)?)?|POST /api/now/attachment/file|DELETE /api/now/attachment/[0-9a-f]{32})$`)
	importPath = regexp.MustCompile(`^POST /api/now/import/[a-z][a-z0-9_]*$`)
	idForm     = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// attachmentComplaints hold a call to what the vendor's documents say of the
// Attachment API.
func attachmentComplaints(r *http.Request, body []byte) (out []string) {
	if !filePath.MatchString(r.Method + " " + r.URL.Path) {
		out = append(out, "the path is not of the Attachment API")
	}
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodPost:
		if len(query) != 3 || query.Get("table_name") == "" || !idForm.MatchString(query.Get("table_sys_id")) || query.Get("file_name") == "" {
			out = append(out, "table_name, table_sys_id and file_name are needed, nothing else")
		}
		if strings.ContainsAny(query.Get("file_name"), `/\`) {
			out = append(out, "a name with a folder")
		}
		if _, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || r.ContentLength != int64(len(body)) {
			out = append(out, "the file's type and length are needed")
		}
	case r.URL.Path == "/api/now/attachment":
		if q := query.Get("sysparm_query"); !regexp.MustCompile(`^table_sys_id=[0-9a-f]{32}\^ORDERBYsys_id$`).MatchString(q) {
			out = append(out, "no query for one record's files: "+q)
		}
		delete(query, "sysparm_query")
		delete(query, "sysparm_limit")
		delete(query, "sysparm_offset")
		fallthrough
	default:
		if len(query) > 0 {
			out = append(out, fmt.Sprintf("parameters that are not meant: %v", query))
		}
	}
	if r.Header.Get("Accept") == "" || len(r.Cookies()) > 0 {
		out = append(out, "Accept is needed, a cookie is not wanted")
	}
	return out
}

// importComplaints hold a call to what the documents say of the Import Set API.
func importComplaints(r *http.Request, body []byte) (out []string) {
	if !importPath.MatchString(r.Method+" "+r.URL.Path) || len(r.URL.Query()) > 0 {
		out = append(out, "the path is not of the Import Set API")
	}
	if r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/json" || len(r.Cookies()) > 0 {
		out = append(out, "Accept and Content-Type must be application/json, a cookie is not wanted")
	}
	var row map[string]any
	if json.Unmarshal(body, &row) != nil || len(row) == 0 {
		return append(out, "the body is no object")
	}
	size := 0
	for name, value := range row {
		text, ok := value.(string)
		size += len(text)
		switch {
		case !ok:
			out = append(out, name+" is no text: nested values are mangled")
		case text == "NULL":
			out = append(out, name+" would be cleared")
		case name == "comments" || name == "work_notes" || name == "sys_id":
			out = append(out, name+" has no place in a row")
		}
	}
	if size > 8126-1000 {
		out = append(out, "the row is too large")
	}
	return out
}

func TestTheChecksOfTheOtherInterfacesFindWhatIsWrong(t *testing.T) {
	request := func(method, target, body string) []string {
		r, err := http.NewRequest(method, "http://x/api/now/"+target, strings.NewReader(body))
		assert.NoError(t, err)
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		return complaints(r, []byte(body))
	}
	id := strings.Repeat("a", 32)
	assert.Empty(t, request("POST", "attachment/file?table_name=incident&table_sys_id="+id+"&file_name=a", "x"))
	assert.Empty(t, request("GET", "attachment?sysparm_query=table_sys_id%3D"+id+"%5EORDERBYsys_id&sysparm_limit=2", ""))
	assert.Empty(t, request("POST", "import/u_in", `{"a":"b"}`))
	for name, wrong := range map[string][]string{
		"no table":   request("POST", "attachment/file?table_sys_id="+id+"&file_name=a", "x"),
		"folder":     request("POST", "attachment/file?table_name=incident&table_sys_id="+id+"&file_name=a/b", "x"),
		"all files":  request("GET", "attachment?sysparm_limit=2", ""),
		"two":        request("GET", "attachment?sysparm_query=table_sys_id%3D"+id+"%5ENQactive%3Dtrue", ""),
		"nested":     request("POST", "import/u_in", `{"a":{"b":"c"}}`),
		"journal":    request("POST", "import/u_in", `{"comments":"c"}`),
		"large":      request("POST", "import/u_in", `{"a":"`+strings.Repeat("x", 9000)+`"}`),
		"several":    request("POST", "import/u_in/insertMultiple", `{"a":"b"}`),
		"parameters": request("GET", "attachment/"+id+"?x=y", ""),
	} {
		assert.NotEmpty(t, wrong, name)
	}
}
