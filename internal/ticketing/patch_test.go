package ticketing_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

func current() ticket.Ticket {
	return ticket.Ticket{
		ID: "1", Name: "Disk full", Status: "To Do", Priority: ticket.High, Tags: []string{"a", "b"},
		DueDate:      time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC),
		CustomFields: map[string]any{"colour": "red", "size": 3.0, "a/b": "x"},
	}
}

func ptr[T any](v T) *T { return &v }

func TestPatchOfATicket(t *testing.T) {
	for _, c := range []struct {
		name, patch string
		blind       bool
		want        ticket.Patch
	}{
		{"replace", `[{"op":"replace","path":"/status","value":"Done"}]`, true, ticket.Patch{Status: ptr("Done")}},
		{"replace with the same is set all the same", `[{"op":"replace","path":"/status","value":"To Do"}]`, true, ticket.Patch{Status: ptr("To Do")}},
		{"what the ticket does not have", `[{"op":"replace","path":"/assignee","value":"mia@acme.example"}]`, true, ticket.Patch{Assignee: ptr("mia@acme.example")}},
		{"add", `[{"op":"add","path":"/description","value":"more"}]`, true, ticket.Patch{Description: ptr("more")}},
		{"remove clears", `[{"op":"remove","path":"/priority"}]`, true, ticket.Patch{Priority: ptr(ticket.Priority(""))}},
		{"null clears", `[{"op":"replace","path":"/due_date","value":null}]`, true, ticket.Patch{DueDate: ptr(time.Time{})}},
		{"a time with an offset", `[{"op":"replace","path":"/due_date","value":"2026-05-06T07:08:09.5+02:00"}]`, true,
			ticket.Patch{DueDate: ptr(time.Date(2026, 5, 6, 5, 8, 9, 500_000_000, time.UTC))}},
		{"tags as a whole", `[{"op":"replace","path":"/tags","value":["c"]}]`, true, ticket.Patch{Tags: &[]string{"c"}}},
		{"one tag more", `[{"op":"add","path":"/tags/-","value":"c"}]`, false, ticket.Patch{Tags: &[]string{"a", "b", "c"}}},
		{"a custom field", `[{"op":"replace","path":"/custom_fields/colour","value":"blue"}]`, true, ticket.Patch{CustomFields: map[string]any{"colour": "blue"}}},
		{"a new custom field", `[{"op":"add","path":"/custom_fields/new","value":{"id":"7"}}]`, true, ticket.Patch{CustomFields: map[string]any{"new": map[string]any{"id": "7"}}}},
		{"a custom field is cleared", `[{"op":"remove","path":"/custom_fields/colour"}]`, true, ticket.Patch{CustomFields: map[string]any{"colour": nil}}},
		{"an escaped name", `[{"op":"remove","path":"/custom_fields/a~1b"}]`, true, ticket.Patch{CustomFields: map[string]any{"a/b": nil}}},
		{"a test that holds", `[{"op":"test","path":"/status","value":"To Do"},{"op":"replace","path":"/status","value":"Done"}]`, false, ticket.Patch{Status: ptr("Done")}},
		{"copy", `[{"op":"copy","from":"/name","path":"/summary"}]`, false, ticket.Patch{Summary: ptr("Disk full")}},
		{"move", `[{"op":"move","from":"/custom_fields/colour","path":"/custom_fields/paint"}]`, false,
			ticket.Patch{CustomFields: map[string]any{"colour": nil, "paint": "red"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			patch, err := ticketing.ParsePatch([]byte(c.patch), ticketing.TicketMembers())
			require.NoError(t, err)
			require.Equal(t, c.blind, patch.Blind())
			got, err := patch.Ticket(current())
			require.NoError(t, err)
			if got.DueDate != nil {
				*got.DueDate = got.DueDate.UTC()
			}
			assert.Equal(t, c.want, got)
			if !c.blind {
				return
			}
			// What is blind means the same without the ticket.
			without, err := patch.Ticket(ticket.Ticket{})
			require.NoError(t, err)
			if without.DueDate != nil {
				*without.DueDate = without.DueDate.UTC()
			}
			assert.Equal(t, c.want, without)
		})
	}
}

func TestPatchesThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, patch, pointer, says string
		failed                     bool
	}{
		{"no list", `{"op":"replace"}`, "/", "list of JSON Patch", false},
		{"empty", `[]`, "/", "1 to 100", false},
		{"unknown operation", `[{"op":"set","path":"/name","value":1}]`, "/0/op", "none of", false},
		{"unknown member", `[{"op":"replace","path":"/name","value":"x"},{"op":"replace","path":"/id","value":"x"}]`, "/1/path", "points to nothing", false},
		{"no pointer", `[{"op":"replace","path":"name","value":"x"}]`, "/0/path", "points to nothing", false},
		{"no value", `[{"op":"replace","path":"/name"}]`, "/0/value", "missing", false},
		{"no from", `[{"op":"copy","path":"/name"}]`, "/0/from", "points to nothing", false},
		{"mistyped member", `[{"op":"replace","path":"/name","valeu":"x"}]`, "/", "unknown field", false},
		{"a test that fails", `[{"op":"replace","path":"/name","value":"x"},{"op":"test","path":"/status","value":"Done"}]`, "/1", `the test of "/status"`, true},
		{"a test of what is not there", `[{"op":"test","path":"/tags/9","value":"a"}]`, "/0", `the test of "/tags/9"`, true},
		{"no priority", `[{"op":"replace","path":"/priority","value":"SUPER"}]`, "/priority", `"SUPER" is none of [URGENT CRITICAL HIGH MEDIUM MODERATE LOW PLANNING]`, false},
		{"a priority in lower case", `[{"op":"add","path":"/priority","value":"high"}]`, "/priority", "is none of [URGENT", false},
		{"a priority of another type", `[{"op":"add","path":"/priority","value":7}]`, "/priority", "it is of type number", false},
		{"a copied priority", `[{"op":"copy","from":"/name","path":"/priority"}]`, "/priority", `"Disk full" is none of`, false},
		{"wrong type", `[{"op":"replace","path":"/name","value":7}]`, "/name", "is of the wrong type: it is of type number", false},
		{"wrong time", `[{"op":"replace","path":"/due_date","value":"tomorrow"}]`, "/due_date", `want a time like "2026`, false},
		{"an index that is not there", `[{"op":"replace","path":"/name","value":"x"},{"op":"replace","path":"/tags/9","value":"x"}]`, "/1/path", `"/tags/9" points to nothing that is there`, false},
		{"no such index to remove", `[{"op":"remove","path":"/tags/9"}]`, "/0/path", "points to nothing that is there", false},
		{"no such index to add to", `[{"op":"add","path":"/tags/99","value":"x"}]`, "/0/path", "points to nothing that is there", false},
		{"an index beyond all numbers", `[{"op":"add","path":"/tags/99999999999999999999","value":"x"}]`, "/0/path", "points to nothing that is there", false},
		{"what ends a list is not there", `[{"op":"remove","path":"/tags/-"}]`, "/0/path", "points to nothing that is there", false},
		{"an index from behind", `[{"op":"remove","path":"/tags/-1"}]`, "/0/path", "want the place of a tag", false},
		{"an index that is none", `[{"op":"add","path":"/tags/x","value":"x"}]`, "/0/path", "want the place of a tag", false},
		{"a place within a text", `[{"op":"add","path":"/name/x","value":"x"}]`, "/0/path", "points to nothing that is there", false},
		{"a place within nothing", `[{"op":"add","path":"/custom_fields/none/2000000000","value":"x"}]`, "/0/path", "points to nothing that is there", false},
		{"a wrong escape", `[{"op":"add","path":"/tags/~2","value":"x"}]`, "/0/path", "is no JSON Pointer", false},
		{"a wrong escape to copy from", `[{"op":"copy","from":"/custom_fields/~","path":"/name"}]`, "/0/from", "is no JSON Pointer", false},
		{"nothing to copy", `[{"op":"copy","from":"/custom_fields/none","path":"/name"}]`, "/0", `"/custom_fields/none" or "/name" points to nothing`, false},
		{"many copies", `[{"op":"add","path":"/custom_fields/a","value":"` + strings.Repeat("x", 100<<10) + `"}` +
			strings.Repeat(`,{"op":"copy","from":"/custom_fields/a","path":"/custom_fields/b"}`, 40) + `]`, "/11", "copies more than 1 MB", false},
		{"what only can be looked at", `[{"op":"move","from":"/updated_at","path":"/name"}]`, "/0/from", "nothing that can be changed", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			patch, err := ticketing.ParsePatch([]byte(c.patch), ticketing.TicketMembers())
			if err == nil {
				_, err = patch.Ticket(current())
			}
			var bad *ticketing.PatchError
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, c.pointer, bad.Pointer)
			assert.Contains(t, bad.Message, c.says)
			assert.Equal(t, c.failed, bad.Failed)
		})
	}
}

// A ticket without tags takes a first one, and has none to look at.
func TestTagsOfATicketWithout(t *testing.T) {
	for patch, want := range map[string]*[]string{
		`[{"op":"add","path":"/tags/-","value":"a"}]`: {"a"}, `[{"op":"add","path":"/tags/0","value":"a"}]`: {"a"},
		`[{"op":"add","path":"/tags/1","value":"a"}]`: nil, `[{"op":"remove","path":"/tags/0"}]`: nil,
	} {
		parsed, err := ticketing.ParsePatch([]byte(patch), ticketing.TicketMembers())
		require.NoError(t, err)
		got, err := parsed.Ticket(ticket.Ticket{ID: "1"})
		assert.Equal(t, want, got.Tags, patch)
		if want == nil {
			assert.ErrorContains(t, err, `/0/path: "/tags/`, patch)
		}
	}
}

// What nobody can change can be held against a patch: two who change a ticket at the
// same time notice it so.
func TestAPatchLooksAtMoreThanItChanges(t *testing.T) {
	const guarded = `[{"op":"test","path":"/updated_at","value":"2026-05-06T07:08:09Z"},{"op":"copy","from":"/id","path":"/summary"}]`
	patch, err := ticketing.ParsePatch([]byte(guarded), ticketing.TicketMembers(), "id", "updated_at")
	require.NoError(t, err)
	now := current()
	now.UpdatedAt = now.DueDate
	got, err := patch.Ticket(now)
	require.NoError(t, err)
	assert.Equal(t, ticket.Patch{Summary: ptr("1")}, got)
	now.UpdatedAt = now.UpdatedAt.Add(time.Second)
	_, err = patch.Ticket(now)
	var bad *ticketing.PatchError
	require.ErrorAs(t, err, &bad)
	assert.True(t, bad.Failed)
	_, err = ticketing.ParsePatch([]byte(guarded), ticketing.TicketMembers())
	assert.ErrorContains(t, err, "tested or copied")
}

func TestPatchOfANote(t *testing.T) {
	note := ticket.Note{ID: "7", Title: "Cause", Content: "A log."}
	for _, c := range []struct {
		name, patch string
		want        ticket.NotePatch
		failed      string
	}{
		{"replace", `[{"op":"replace","path":"/content","value":"x"}]`, ticket.NotePatch{Content: ptr("x")}, ""},
		{"remove", `[{"op":"remove","path":"/title"}]`, ticket.NotePatch{Title: ptr("")}, ""},
		{"test", `[{"op":"test","path":"/title","value":"Cause"},{"op":"add","path":"/content","value":"x"}]`, ticket.NotePatch{Content: ptr("x")}, ""},
		{"copy", `[{"op":"copy","from":"/title","path":"/content"}]`, ticket.NotePatch{Content: ptr("Cause")}, ""},
		{"copy what stays", `[{"op":"copy","from":"/id","path":"/content"}]`, ticket.NotePatch{Content: ptr("7")}, ""},
		{"move", `[{"op":"move","from":"/content","path":"/title"}]`, ticket.NotePatch{Title: ptr("A log."), Content: ptr("")}, ""},
		{"a test that fails", `[{"op":"test","path":"/title","value":"x"}]`, ticket.NotePatch{}, "test"},
		{"wrong type", `[{"op":"replace","path":"/title","value":7}]`, ticket.NotePatch{}, "/title: is of the wrong type: it is of type number"},
		{"what stays", `[{"op":"replace","path":"/id","value":"x"}]`, ticket.NotePatch{}, "nothing that can be changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			patch, err := ticketing.ParsePatch([]byte(c.patch), ticketing.NoteMembers(), "id")
			var got ticket.NotePatch
			if err == nil {
				got, err = patch.Note(note)
			}
			if c.failed != "" {
				require.ErrorContains(t, err, c.failed)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func FuzzPatch(f *testing.F) {
	f.Add([]byte(`[{"op":"replace","path":"/custom_fields/x","value":{"a":[1]}}]`))
	f.Add([]byte(`[{"op":"move","from":"/tags/0","path":"/name"}]`))
	f.Add([]byte(`[{"op":"add","path":"/tags/-","value":null},{"op":"copy","from":"/custom_fields","path":"/custom_fields/y"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		patch, err := ticketing.ParsePatch(body, ticketing.TicketMembers())
		if err != nil {
			return
		}
		got, err := patch.Ticket(current())
		if err != nil {
			return
		}
		_, err = json.Marshal(got)
		require.NoError(t, err)
	})
}
