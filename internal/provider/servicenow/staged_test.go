package servicenow

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// A row is small enough, whatever is in the ticket: the rest is set afterwards.
func TestARowFits(t *testing.T) {
	in := Import{Table: "u_import", Fields: map[string]string{"correlation_id": "u_correlation_id"}}
	fields := map[string]string{
		"sys_id": strings.Repeat("a", 32), "correlation_id": "tb:x:1:" + strings.Repeat("a", 32), "correlation_display": "ticketbridge",
		"short_description": strings.Repeat("🔥", 160), "description": strings.Repeat("é", 4000), "comments": "x", "work_notes": "y",
		"impact": "1", "category": "NULL", "u_empty": "", "close_notes": strings.Repeat("z", 5500), "u_site": "Berlin",
	}
	row := in.staged(fields)
	size := 0
	for name, text := range row {
		size += len(name) + len(text)
		assert.True(t, utf8.ValidString(text), name)
	}
	assert.LessOrEqual(t, size, maxRow)
	assert.Equal(t, fields["correlation_id"], row["u_correlation_id"])
	assert.Equal(t, strings.Repeat("🔥", 150), row["short_description"])
	assert.Equal(t, []string{"1", "Berlin"}, []string{row["impact"], row["u_site"]})
	assert.True(t, strings.HasSuffix(row["description"], cutNotice))
	for _, left := range []string{"sys_id", "correlation_id", "correlation_display", "comments", "work_notes", "category", "u_empty", "close_notes"} {
		assert.NotContains(t, row, left)
	}
	short := in.staged(map[string]string{"correlation_id": "tb:x", "short_description": "NULL", "description": "whole"})
	assert.Equal(t, map[string]string{"u_correlation_id": "tb:x", "short_description": "null", "description": "whole"}, short)
}

// A title that the platform would take for its word, or cut, is set all the same.
func TestTitlesThatAStagedRowCannotCarry(t *testing.T) {
	for i, title := range []string{"NULL", strings.Repeat("🔥", 160)} {
		w := newImporter(t, nil)
		n := newTicket(i)
		n.Name = title
		assert.Equal(t, title, w.create(n).Name)
	}
}

// Success is only what every transform map says is one.
func TestWhatAStagingTableAnswers(t *testing.T) {
	id := strings.Repeat("b", 32)
	result := func(table, status, more string) string {
		return fmt.Sprintf(`{"transform_map":"Our map","table":%q,"display_name":"number","display_value":"INC0012345","status":%q,"sys_id":%q%s}`, table, status, id, more)
	}
	for name, c := range map[string]struct {
		results string
		kind    ticket.Kind // empty: it is a ticket
		says    []string
	}{
		"inserted":           {result("incident", "inserted", ""), "", nil},
		"updated":            {result("incident", "updated", ""), "", nil},
		"ignored":            {result("incident", "ignored", `,"status_message":"No field values changed"`), "", nil},
		"two maps":           {result("u_log", "inserted", "") + "," + result("incident", "inserted", ""), "", nil},
		"error":              {result("u_import", "error", `,"error_message":"Caller is mandatory"`), ticket.Permanent, []string{`"Our map": error: Caller is mandatory`}},
		"skipped":            {result("u_import", "skipped", `,"status_message":"Missing coalesce value"`), ticket.Permanent, []string{"skipped: Missing coalesce value"}},
		"error, no text":     {result("incident", "error", ""), ticket.Permanent, []string{"error: no reason is given"}},
		"message of success": {result("incident", "inserted", `,"error_message":"a script said no"`), ticket.Permanent, []string{"a script said no"}},
		"one of two":         {result("incident", "inserted", "") + "," + result("u_log", "error", `,"error_message":"no"`), ticket.Permanent, []string{"error: no", "made or changed INC0012345 all the same"}},
		"unknown word":       {result("incident", "done", ""), ticket.Permanent, []string{"done"}},
		"asynchronous":       {result("u_import", "pending", ""), ticket.Permanent, []string{"must transform rows at once"}},
		"no map":             {"", ticket.Permanent, []string{"needs an active transform map"}},
		"no id":              {strings.Replace(result("incident", "inserted", ""), id, "", 1), ticket.Permanent, []string{"made no record"}},
	} {
		t.Run(name, func(t *testing.T) {
			posted := false
			client := answering(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				record := fmt.Sprintf(`{"sys_id":%q,"number":"INC0012345","sys_class_name":"incident","short_description":"disk full on host_name_1","correlation_id":%q}`, id, correlationOf(newTicket(1).Marker))
				switch {
				case r.Method == http.MethodPost:
					posted = true
					w.WriteHeader(http.StatusCreated)
					fmt.Fprintf(w, `{"import_set":"ISET0010001","staging_table":"u_import","result":[%s]}`, c.results)
				case r.Method == http.MethodPatch:
					fmt.Fprintf(w, `{"result":%s}`, record)
				case strings.Contains(r.URL.Query().Get("sysparm_query"), "correlation_id") && posted:
					fmt.Fprintf(w, `{"result":[%s]}`, record)
				case r.URL.Query().Get("sysparm_query") != "":
					fmt.Fprint(w, `{"result":[]}`)
				default:
					w.WriteHeader(http.StatusNotFound)
				}
			})
			client.config.Import = Import{Table: "u_import"}
			made, err := client.CreateTicket(context.Background(), newTicket(1))
			require.True(t, posted)
			if c.kind == "" {
				require.NoError(t, err)
				assert.Equal(t, id, made.ID)
				return
			}
			assert.Equal(t, c.kind, kindOf(t, err))
			for _, text := range c.says {
				assert.ErrorContains(t, err, text)
			}
		})
	}
}

// Whatever is answered, a record is one only by the words for it.
func FuzzWhatAStagingTableAnswers(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[{"table":"incident","status":"inserted","sys_id":"` + strings.Repeat("b", 32) + `"}]`, `[{"status":"error","error_message":{"a":1}}]`,
		`[{"table":"incident","status":"Updated","sys_id":"` + strings.Repeat("b", 32) + `","error_message":null}]`, `[null,{}]`, `[{"status":["inserted"]}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var results []record
		if json.Unmarshal([]byte(body), &results) != nil {
			return
		}
		made, others, wrong := outcome(results, "u_import", "incident")
		assert.LessOrEqual(t, len(others)+len(wrong), len(results))
		if made != nil {
			assert.True(t, isID(made.text("sys_id")))
			assert.NotEqual(t, "u_import", made.text("table"))
			assert.Contains(t, []string{inserted, updated, ignored}, strings.ToLower(made.text("status")))
			assert.Empty(t, made.text("error_message"))
			assert.NotEmpty(t, others)
		}
	})
}

// Whatever is in a ticket, its row fits.
func FuzzRow(f *testing.F) {
	f.Add("title", "description", "other")
	f.Add(strings.Repeat("🔥", 300), strings.Repeat("é", 9000), "NULL")
	f.Fuzz(func(t *testing.T, title, description, other string) {
		row := Import{Table: "u_import"}.staged(map[string]string{
			"correlation_id": "tb:x", "short_description": clean(title), "description": clean(description), "u_a": clean(other), "u_b": clean(title + other),
		})
		size := 0
		for name, text := range row {
			size += len(name) + len(text)
			assert.True(t, utf8.ValidString(text))
			assert.NotEqual(t, "NULL", strings.TrimSpace(text))
		}
		assert.LessOrEqual(t, size, maxRow)
		assert.Equal(t, "tb:x", row["correlation_id"])
	})
}

// Whatever a file is called, its name is one of a file, and no folder's.
func FuzzFileName(f *testing.F) {
	for _, seed := range []string{"a.txt", `..\x`, "/", "é\xff.", strings.Repeat("x", 300) + ".log", ". .", "a."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := fileName(name)
		assert.LessOrEqual(t, utf8.RuneCountInString(got), maxFileName)
		assert.False(t, strings.ContainsAny(got, "/\\\n\x00:*?\"<>|%"), "%q", got)
		assert.True(t, utf8.ValidString(got))
		assert.NotContains(t, []string{".", ".."}, got)
		assert.Equal(t, got, fileName(got), "once is enough")
	})
}

// Rows that are transformed later are told of, and what they become is found by
// whoever tries again, not made once more.
func TestAnAsynchronousStagingTable(t *testing.T) {
	w := newImporter(t, func(s *sim.Staging) { s.Later = time.Minute })
	_, err := w.client.CreateTicket(context.Background(), newTicket(1))
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "import set mode")
	w.clock.move(2 * time.Minute)
	w.create(newTicket(1))
	assert.Len(t, w.tickets(), 1)
	assert.Equal(t, 1, w.sim.Stats().Requests["import"])
}

func TestNewChecksTheStagingTable(t *testing.T) {
	for want, in := range map[string]Import{
		`import_table: "Our Import!"`:                    {Table: "Our Import!"},
		"import_fields: only with import_table":          {Fields: map[string]string{"description": "u_text"}},
		`import_fields.description: "u text"`:            {Table: "u_import", Fields: map[string]string{"description": "u text"}},
		"import_fields.short_description: u_text is the": {Table: "u_import", Fields: map[string]string{"description": "u_text", "short_description": "u_text"}},
	} {
		_, err := New(Config{Name: "x", URL: "https://x.example", Credential: Credential{Type: APIKey, Secret: "s"}, Application: ITSM(), Import: in})
		assert.ErrorContains(t, err, want)
	}
}
