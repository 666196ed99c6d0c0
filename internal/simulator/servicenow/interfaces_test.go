package servicenow

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (c caller) upload(query, kind, content string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/api/now/attachment/file?"+query, strings.NewReader(content))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", kind)
	r.SetBasicAuth("bridge", "x")
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	return w
}

func TestAttachments(t *testing.T) {
	c := newCaller(t, Options{UploadLimit: 10, Extensions: []string{"txt"}})
	one, _ := c.create("incident", fields{"short_description": "x"})["sys_id"].(string)
	to := "table_name=incident&table_sys_id=" + one
	var made fields
	c.result(c.upload(to+"&file_name=a.txt", "text/plain", "content"), 201, &made)
	assert.Equal(t, "7", made["size_bytes"])
	assert.Equal(t, "text/plain", made["content_type"])
	assert.Len(t, made["hash"], 64)
	assert.Equal(t, 404, c.upload("table_name=task&table_sys_id="+one+"&file_name=a.txt", "text/plain", "x").Code, "not its own table")
	assert.Equal(t, 404, c.upload("table_name=incident&table_sys_id="+strings.Repeat("e", 32)+"&file_name=a.txt", "text/plain", "x").Code)
	assert.Equal(t, 400, c.upload(to, "text/plain", "x").Code, "no name")
	assert.Equal(t, 400, c.upload(to+"&file_name=b.txt", "text/plain", "12345678901").Code)
	assert.Equal(t, 403, c.upload(to+"&file_name=b.exe", "text/plain", "x").Code)

	var rows []fields
	c.result(c.do("GET", "/api/now/attachment?sysparm_query=table_sys_id="+one, nil), 200, &rows)
	require.Len(t, rows, 1)
	id, _ := made["sys_id"].(string)
	got := c.do("GET", "/api/now/attachment/"+id+"/file", nil)
	assert.Equal(t, "content", got.Body.String())
	assert.Contains(t, got.Header().Get("X-Attachment-Metadata"), id)
	var saved bytes.Buffer
	require.NoError(t, c.s.Snapshot(&saved))
	assert.Equal(t, 204, c.do("DELETE", "/api/now/attachment/"+id, nil).Code)
	assert.Equal(t, 404, c.do("GET", "/api/now/attachment/"+id+"/file", nil).Code)
	assert.Empty(t, c.s.Attachments(one))
	require.NoError(t, c.s.Restore(&saved))
	require.Len(t, c.s.Attachments(one), 1)
	assert.Equal(t, "content", string(c.s.Attachments(one)[0].Content))
}

func TestEntriesAreDeletedByWhoMay(t *testing.T) {
	c := newCaller(t, Options{})
	one, _ := c.create("incident", fields{"short_description": "x", "comments": "first"})["sys_id"].(string)
	entry := "/api/now/v2/table/sys_journal_field/" + c.s.Journal(one)[0].ID
	assert.Equal(t, 403, c.do("DELETE", entry, nil).Code)
	c.s.AllowDelete("sys_journal_field", true)
	assert.Equal(t, 204, c.do("DELETE", entry, nil).Code)
	assert.Equal(t, 404, c.do("DELETE", entry, nil).Code)
}

// A row's transform is told by the body alone; the status is that of the row.
func TestStagedRows(t *testing.T) {
	columns := []string{"u_correlation_id", "u_short_description", "description"}
	row := func(correlation, title string) fields {
		return fields{"u_correlation_id": correlation, "u_short_description": title, "bunk": "dropped"}
	}
	for name, tc := range map[string]struct {
		with   Staging
		rows   []fields
		states []any
		made   int
	}{
		"coalesced":    {Staging{Target: "incident", Coalesce: "correlation_id"}, []fields{row("a", "x"), row("A", "y"), row("b", "z")}, []any{"inserted", "updated", "inserted"}, 2},
		"repeated":     {Staging{Target: "incident", Coalesce: "correlation_id"}, []fields{row("a", "x"), row("a", "x")}, []any{"inserted", "ignored"}, 1},
		"no coalesce":  {Staging{Target: "incident"}, []fields{row("a", "x"), row("a", "x")}, []any{"inserted", "inserted"}, 2},
		"no key":       {Staging{Target: "incident", Coalesce: "correlation_id"}, []fields{row("", "x")}, []any{"skipped"}, 0},
		"policy":       {Staging{Target: "incident"}, []fields{row("a", "")}, []any{"error"}, 0},
		"script":       {Staging{Target: "incident", Script: "no"}, []fields{row("a", "x")}, []any{"error"}, 0},
		"too large":    {Staging{Target: "incident"}, []fields{{"u_short_description": "x", "u_correlation_id": strings.Repeat("é", 3999), "description": strings.Repeat("x", 3999)}}, []any{"skipped"}, 0},
		"asynchronous": {Staging{Target: "incident", Later: time.Minute}, []fields{row("a", "x")}, []any{"pending"}, 0},
		"nested":       {Staging{Target: "incident"}, []fields{{"u_short_description": fields{"a": "b"}}}, []any{"inserted"}, 1},
	} {
		c := newCaller(t, Options{})
		tc.with.Name = "u_import"
		c.s.AddStaging(tc.with, columns...)
		var states []any
		for _, r := range tc.rows {
			var results []fields
			c.result(c.do("POST", "/api/now/import/u_import", r), 201, &results)
			states = append(states, results[0]["status"])
		}
		assert.Equal(t, tc.states, states, name)
		assert.Len(t, c.s.Tickets("incident"), tc.made, name)
	}
	c := newCaller(t, Options{})
	assert.Equal(t, 400, c.do("POST", "/api/now/import/incident", row("a", "x")).Code, "no staging table")
	c.s.AddStaging(Staging{Name: "u_import"}, columns...)
	var results []fields
	c.result(c.do("POST", "/api/now/import/u_import", row("a", "x")), 201, &results)
	assert.Empty(t, results, "no transform map")
	c.s.AddStaging(Staging{Name: "u_other", Target: "incident"}, columns...)
	c.result(c.do("POST", "/api/now/import/u_other", row("a", "x")), 201, &results)
	assert.Equal(t, "INC0010001", results[0]["display_value"])
	assert.Equal(t, c.s.Tickets("incident")[0].ID, results[0]["sys_id"])
	assert.Equal(t, "system", c.s.Tickets("incident")[0].Fields["sys_created_by"])
}
