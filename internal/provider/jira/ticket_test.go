package jira

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestCreateIsOnePostThatBearsTheMarker(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	assert.Equal(t, "OPS-1", made.Key)
	assert.Equal(t, w.server.URL+"/browse/OPS-1", made.URL)
	assert.Equal(t, 1, w.sim.Stats().Requests["create"])
	stored := w.stored(made.ID)
	assert.ElementsMatch(t, []string{"tb-key-abcdefghijklmnopqrstuvwxyz", "tb-request-9001"}, stored.Labels)
	assert.JSONEq(t, `{"key":"abcdefghijklmnopqrstuvwxyz","request":"9001","operation":"create jira-ops event-1"}`,
		string(stored.Properties["ticketbridge"]))
	assert.Equal(t, "disk full on host_name_1", stored.Summary)
}

func TestCreateAndGetEveryField(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{
			{Name: "severity", ProjectID: "*", ProviderFieldPath: "customfield_10011"},
			{Name: "severity", ProjectID: "OPS", ProviderFieldPath: "customfield_10010.value"},
			{Name: "runbook", ProjectID: "*", ProviderFieldPath: "customfield_10012"},
			{Name: "due", ProjectID: "*", ProviderFieldPath: "duedate"},
		}
	})
	parent := w.create(newTicket(1))
	n := newTicket(2)
	n.Summary = "The long story"
	n.Priority, n.Assignee, n.Contact = ticket.Critical, "mia@acme.example", "noor@acme.example"
	n.Parent, n.IssueType, n.Tags = parent.Key, "incident", []string{"big disk", "rack-7", "tb-key-forged"}
	n.CustomFields = map[string]any{
		"severity": "red", "runbook": "**read** this", "due": "2026-04-05T00:00:00Z", "customfield_10013": "42",
		"customfield_10014": []any{"lon", "ber"}, "customfield_10016": "2026-03-04T11:00:00Z",
	}
	made := w.create(n)
	assert.Empty(t, made.Unmapped["warnings"])
	assert.JSONEq(t, `{"value":"red"}`, string(w.stored(made.ID).Custom["customfield_10010"]), "the project's own mapping goes first")

	got, err := w.client.GetTicket(context.Background(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, "disk full on host_name_2", got.Name)
	assert.Equal(t, "The long story\n\nThe disk is **full**.", got.Description)
	assert.Equal(t, ticket.Critical, got.Priority)
	assert.Equal(t, "mia@acme.example", got.Assignee)
	assert.Equal(t, "Noor Haddad", got.Contact, "an address that is hidden gives way to the name")
	assert.Equal(t, "bridge@acme.example", got.Creator)
	assert.Equal(t, []string{"big_disk", "rack-7"}, got.Tags, "no spaces, no forged marker, and ours are not shown")
	assert.Equal(t, "Incident", got.IssueType)
	assert.Equal(t, parent.Key, got.Parent)
	assert.Equal(t, "OPS", got.Project)
	assert.Equal(t, "To Do", got.Status)
	assert.False(t, got.Closed)
	assert.Equal(t, time.Date(2026, 4, 5, 0, 0, 0, 0, time.UTC), got.DueDate)
	assert.True(t, got.CreatedAt.Equal(w.clock.now()), "%s", got.CreatedAt)
	assert.Equal(t, "red", got.CustomFields["severity"])
	assert.Equal(t, "**read** this", got.CustomFields["runbook"])
	assert.EqualValues(t, 42, got.CustomFields["customfield_10013"])
}

func TestWhatJiraCanDoWithoutNeverFailsACreate(t *testing.T) {
	w := newWorld(t)
	w.sim.TakeOffScreen("OPS", "priority", "duedate", "reporter")
	n := newTicket(1)
	n.Priority, n.DueDate = ticket.High, w.clock.now()
	n.Assignee, n.Contact = "nobody@acme.example", "mia@acme.example"
	made := w.create(n)
	warnings := strings.Join(made.Unmapped["warnings"].([]string), "\n")
	for _, field := range []string{"priority", "duedate", "reporter", "assignee"} {
		assert.Contains(t, warnings, field)
	}
	assert.Contains(t, warnings, "nobody@acme.example")
	text := sim.Text(w.stored(made.ID).Description)
	assert.Contains(t, text, "Priority: High\nDue: 2026-03-04")
	assert.Contains(t, text, "Contact: mia@acme.example")
	assert.Empty(t, w.stored(made.ID).Assignee)
}

func TestPeopleAreFoundByAddressAndRemembered(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Assignee = "noor@acme.example" // hides the address
	first, second := w.create(n), w.create(n)
	assert.Equal(t, "acc-noor", w.stored(first.ID).Assignee)
	assert.Equal(t, "acc-noor", w.stored(second.ID).Assignee)
	assert.Equal(t, 1, w.sim.Stats().Requests["users"])
	n.Assignee = "gone@acme.example" // no longer active
	assert.Empty(t, w.stored(w.create(n).ID).Assignee)
}

// People are known by name and account id as well; who is not known costs a
// warning, never the issue.
func TestPeopleAreFoundByNameAndID(t *testing.T) {
	w := newWorld(t)
	for person, want := range map[string]string{"mia krystof": "acc-mia", "acc-mia": "acc-mia", "Mia": "", "nobody": ""} {
		n := newTicket(1)
		n.Assignee = person
		made := w.create(n)
		assert.Equal(t, want, w.stored(made.ID).Assignee, person)
		assert.Equal(t, want == "", len(made.Warnings()) > 0, person)
		patched, err := w.client.PatchTicket(t.Context(), made.ID, ticket.Patch{Assignee: &person})
		require.NoError(t, err, person)
		assert.Equal(t, want == "", len(patched.Warnings()) > 0, person)
	}
	asked := w.sim.Stats().Requests["users"]
	assert.True(t, accountID.MatchString("5b10a2844c20165700ede21f"))
	n := newTicket(1)
	n.Assignee = "712020:0e1b3f0a-7a3c-4b5e-9d2f-6a1c2b3d4e5f"
	_, err := w.client.CreateTicket(t.Context(), n)
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "the site has no such account")
	assert.Equal(t, asked, w.sim.Stats().Requests["users"], "an id is not looked up")
}

func TestAnAddressThatBeginsAlikeIsSomebodyElse(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) {
		o.Users = []sim.User{
			{AccountID: "acc-other", Email: "mia@acme.example.org", Name: "Other", Active: true},
			{AccountID: "acc-mia", Email: "mia@acme.example", Name: "Mia", Active: true},
			{AccountID: "acc-bridge", Name: "ticketbridge", Active: true},
		}
	})
	n := newTicket(1)
	n.Assignee = "Mia@acme.example"
	assert.Equal(t, "acc-mia", w.stored(w.create(n).ID).Assignee)
}

func TestWrongValuesOfCustomFieldsAreNamed(t *testing.T) {
	w := newWorld(t)
	for field, value := range map[string]any{
		"customfield_10013": "many", "customfield_10016": "soon", "customfield_10015": "nobody@acme.example",
	} {
		n := newTicket(1)
		n.CustomFields = map[string]any{field: value}
		_, err := w.client.CreateTicket(context.Background(), n)
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, field)
	}
}

func TestUnknownCustomFieldIsNamed(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.CustomFields = map[string]any{"colour": "red"}
	_, err := w.client.CreateTicket(context.Background(), n)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "custom_fields.colour: ")
	assert.ErrorContains(t, err, "custom_field_mappings")
	assert.Zero(t, w.sim.Stats().Requests["create"])
}

// A field that is not on the screen would make Jira refuse the whole issue.
func TestACustomFieldThatIsNotOnTheScreenNeverFailsACreate(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{
			{Name: "severity", ProjectID: "*", ProviderFieldPath: "customfield_10010.value"},
			{Name: "gone", ProjectID: "*", ProviderFieldPath: "customfield_99999"},
		}
	})
	w.sim.TakeOffScreen("OPS", "customfield_10010")
	n := newTicket(1)
	n.CustomFields = map[string]any{"severity": "red", "gone": []any{"a", 1}, "customfield_10011": "nagios", "customfield_99998": nil}
	made := w.create(n)
	warnings := strings.Join(made.Unmapped["warnings"].([]string), "\n")
	for _, field := range []string{"customfield_10010", "customfield_99999"} {
		assert.Contains(t, warnings, field+": not on the create screen of project OPS")
	}
	stored := w.stored(made.ID)
	assert.True(t, strings.HasSuffix(sim.Text(stored.Description), "gone: [\"a\",1]\nseverity: red"), sim.Text(stored.Description))
	assert.JSONEq(t, `"nagios"`, string(stored.Custom["customfield_10011"]), "the others are set")
}

// Each text is cut to what its own field takes, between characters; Jira refuses
// the whole issue for one that is too long. The simulator refuses it, too.
func TestLongAndOddTexts(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Name = strings.Repeat("überlast\n", 60)
	n.Description = strings.Repeat("täglich 🔥 ", 5000)
	n.Tags = []string{strings.Repeat("é🔥", 300)}
	n.CustomFields = map[string]any{"customfield_10011": strings.Repeat("🔥ü\n", 200), "customfield_10012": strings.Repeat("x🔥", 30000)}
	made := w.create(n)
	stored := w.stored(made.ID)
	assert.Equal(t, maxSummary, units(stored.Summary))
	assert.True(t, strings.HasSuffix(stored.Summary, "…"))
	text := sim.Text(stored.Description)
	assert.True(t, strings.HasPrefix(text, "überlast\nüberlast"), "the whole name is in the description")
	assert.True(t, strings.HasSuffix(text, "[cut: the text was longer than Jira takes]"))
	tag := stored.Labels[len(stored.Labels)-1]
	assert.LessOrEqual(t, units(tag), maxLabel)
	assert.Greater(t, units(tag), maxLabel-3, "no shorter than it must be")
	var line string
	require.NoError(t, json.Unmarshal(stored.Custom["customfield_10011"], &line))
	assert.True(t, strings.HasPrefix(line, "🔥ü 🔥ü") && strings.HasSuffix(line, "…"), line)
	for name, value := range map[string]string{
		"summary": stored.Summary, "description": text, "label": tag, "short text": line, "long text": sim.Text(stored.Custom["customfield_10012"]),
	} {
		assert.True(t, utf8.ValidString(value), name)
		assert.NotContains(t, value, "�", name)
	}

	_, err := w.client.CreateComment(context.Background(), made.ID, ticket.NewComment{Content: strings.Repeat("x🔥", 30000), Operation: "o"})
	require.NoError(t, err)
	comment := sim.Text(w.stored(made.ID).Comments[0].Body)
	assert.True(t, strings.HasSuffix(comment, "[cut: the text was longer than Jira takes]"))
	assert.NotContains(t, comment, "�")
}

func TestPatchEveryField(t *testing.T) {
	w := newWorld(t)
	made, other := w.create(newTicket(1)), w.create(newTicket(2))
	name, description, priority := "new name", "new *text*", ticket.Low
	assignee, contact, kind, due := "mia@acme.example", "noor@acme.example", "Bug", time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)
	labels, status, reason := []string{"one", "two"}, "completed", "duplicate"
	p := ticket.Patch{
		Name: &name, Description: &description, Priority: &priority, Assignee: &assignee, Contact: &contact,
		DueDate: &due, IssueType: &kind, Parent: &other.Key, Tags: &labels, Status: &status, Resolution: &reason,
		CustomFields: map[string]any{"customfield_10011": "nagios"},
	}
	got, err := w.client.PatchTicket(context.Background(), made.ID, p)
	require.NoError(t, err)
	assert.Equal(t, "new name", got.Name)
	assert.Equal(t, "new *text*", got.Description)
	assert.Equal(t, ticket.Low, got.Priority)
	assert.Equal(t, "mia@acme.example", got.Assignee)
	assert.Equal(t, "Noor Haddad", got.Contact)
	assert.Equal(t, due, got.DueDate)
	assert.Equal(t, "Bug", got.IssueType)
	assert.Equal(t, other.Key, got.Parent)
	assert.Equal(t, []string{"one", "two"}, got.Tags)
	assert.Equal(t, "Done", got.Status)
	assert.True(t, got.Closed)
	assert.Equal(t, "Duplicate", got.Unmapped["resolution"])
	assert.Equal(t, "nagios", got.CustomFields["customfield_10011"])
	assert.Len(t, w.stored(made.ID).Labels, 4, "the marker's labels stay")

	before := w.sim.Stats()
	_, err = w.client.PatchTicket(context.Background(), made.ID, p)
	require.NoError(t, err)
	after := w.sim.Stats()
	assert.Equal(t, before.Requests["edit"], after.Requests["edit"], "the same patch again sends nothing")
	assert.Equal(t, before.Requests["transition"], after.Requests["transition"])
}

func TestPatchClears(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Assignee, n.DueDate, n.Tags = "mia@acme.example", w.clock.now(), []string{"a"}
	n.CustomFields = map[string]any{"customfield_10011": "x"}
	made := w.create(n)
	empty, never := "", time.Time{}
	got, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{
		Assignee: &empty, Description: &empty, DueDate: &never, Tags: &[]string{}, CustomFields: map[string]any{"customfield_10011": nil},
	})
	require.NoError(t, err)
	assert.Empty(t, got.Assignee)
	assert.Empty(t, got.Description)
	assert.True(t, got.DueDate.IsZero())
	assert.Empty(t, got.Tags)
	assert.Nil(t, got.CustomFields["customfield_10011"])
}

func TestPatchRefusesWhatJiraCannotChange(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	project, creator, empty := "DEV", "mia@acme.example", " "
	for want, p := range map[string]ticket.Patch{
		"project": {Project: &project}, "creator": {Creator: &creator}, "name": {Name: &empty},
	} {
		_, err := w.client.PatchTicket(context.Background(), made.ID, p)
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, want+":")
	}
	same := "ops"
	_, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Project: &same})
	assert.NoError(t, err)
	_, err = w.client.PatchTicket(context.Background(), "OPS-99", ticket.Patch{})
	assert.Equal(t, ticket.NotFound, kindOf(t, err))
}

// One field that the edit screen lacks must not keep a ticket from being closed.
func TestAFieldThatIsNotOnTheEditScreenNeverFailsAPatch(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	w.sim.TakeOffEditScreen("OPS", "priority", "labels", "duedate")
	name, priority, status := "renamed", ticket.High, "completed"
	tags, due := []string{"x"}, time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)
	got, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{
		Name: &name, Priority: &priority, Status: &status, Tags: &tags, DueDate: &due,
	})
	require.NoError(t, err)
	stored := w.stored(made.ID)
	assert.Equal(t, "renamed", stored.Summary)
	assert.True(t, got.Closed, "status %s", stored.Status)
	assert.Equal(t, []string{
		"duedate: not on the edit screen of the project: 2026-05-06",
		"labels: not on the edit screen of the project",
		`priority: not on the edit screen of the project: High`,
	}, got.Warnings())

	w.sim.TakeOffEditScreen("OPS", "summary")
	name = "again"
	got, err = w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Name: &name})
	require.NoError(t, err, "nothing is left to send")
	assert.Equal(t, []string{"summary: not on the edit screen of the project: again"}, got.Warnings())
}
