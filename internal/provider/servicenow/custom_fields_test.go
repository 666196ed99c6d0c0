package servicenow

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func ops(_ *sim.Options, c *Config) { c.DefaultProject = "u_ops_incident" }

// Values are stored as their columns want them, and answered as what they are.
func TestCustomFieldsAreTyped(t *testing.T) {
	w := newWorld(t, ops)
	cause := w.create(newTicket(1))
	for name, values := range map[string][]any{ // given, stored, answered
		"u_machines": {5.0, "5", int64(5)}, "u_load": {2.50, "2.5", 2.5}, "u_outage": {true, "true", true}, "u_site": {"Berlin", "Berlin", "Berlin"},
		"u_begin": {"2026-03-04T10:00:00+01:00", "2026-03-04 09:00:00", "2026-03-04T09:00:00Z"}, "u_day": {"2026-03-04", "2026-03-04", "2026-03-04"},
		"u_floor": {"basement", "b1", "Basement"}, "u_owner": {"mia@acme.example", sim.UserMia, "Mia Krystof"}, "u_cause": {cause.Key, cause.ID, cause.Key},
		"u_watchers":  {[]any{"Mia Krystof", "bridge"}, sim.UserMia + "," + sim.UserBridge, []any{"Mia Krystof", "Ticket Bridge"}},
		"subcategory": {"x", "x", "x"},
	} {
		n := newTicket(2)
		n.Marker.Operation += name
		n.CustomFields = map[string]any{name: values[0]}
		made := w.create(n)
		assert.Equal(t, values[1], w.stored(made.ID).Fields[name], name)
		assert.Empty(t, made.Warnings(), name)
		got, err := w.client.GetTicket(context.Background(), made.ID)
		require.NoError(t, err)
		assert.Equal(t, values[2], got.Unmapped[name], name)
		assert.Nil(t, got.CustomFields)

		w.config.CustomFieldMappings = []CustomFieldMapping{{"other", "*", "description"}, {"mine", "*", "u_ops_incident/" + name}, {"mine", "incident", "close_notes"}}
		w.config.CustomFieldMappings[1].ProviderFieldPath = name
		mapped := w.newClient()
		got, err = mapped.GetTicket(context.Background(), made.ID)
		require.NoError(t, err)
		assert.Equal(t, values[2], got.CustomFields["mine"], name)
		page, err := mapped.QueryTickets(context.Background(), ticket.Query{Filters: []ticket.Filter{filter(t, "key="+made.Key), filter(t, "project=u_ops_incident")}})
		require.NoError(t, err)
		assert.Equal(t, values[2], page.Items[0].CustomFields["mine"], name)
		assert.NotContains(t, got.Unmapped, "u_x")
		w.config.CustomFieldMappings = nil

		empty := w.patch(made.ID, ticket.Patch{CustomFields: map[string]any{name: nil}})
		assert.Empty(t, w.stored(made.ID).Fields[name], name)
		assert.NotContains(t, empty.Unmapped, name)
	}
}

// A time may be written in RFC 3339, or as it is stored; it is answered in RFC 3339.
// A date has no time.
func TestTimesAreWrittenInEitherForm(t *testing.T) {
	w := newWorld(t, ops)
	made := w.create(newTicket(1))
	for _, c := range []struct{ name, given, stored, answered string }{
		{"u_begin", "2026-03-04T12:00:00.25+02:00", "2026-03-04 10:00:00", "2026-03-04T10:00:00Z"},
		{"u_begin", "2026-03-04 11:00:00", "2026-03-04 11:00:00", "2026-03-04T11:00:00Z"},
		{"u_begin", "2026-03-05", "2026-03-05 00:00:00", "2026-03-05T00:00:00Z"},
		{"opened_at", "2026-03-01T00:00:00Z", "2026-03-01 00:00:00", "2026-03-01T00:00:00Z"},
		{"u_day", "2026-03-06T12:00:00Z", "2026-03-06", "2026-03-06"},
	} {
		got := w.patch(made.ID, ticket.Patch{CustomFields: map[string]any{c.name: c.given}})
		assert.Equal(t, c.stored, w.stored(made.ID).Fields[c.name], c.given)
		assert.Equal(t, c.answered, got.Unmapped[c.name], c.given)
		before := w.sim.Stats().Requests["patch"]
		w.patch(made.ID, ticket.Patch{CustomFields: map[string]any{c.name: c.answered}})
		assert.Equal(t, before, w.sim.Stats().Requests["patch"], "what was answered changes nothing: %s", c.given)
	}
}

// A column may be written behind the table that has it.
func TestAPathMayBeginWithATable(t *testing.T) {
	c := Config{Application: SecurityResponse(), DefaultProject: "u_ops_security"}
	for path, want := range map[string]string{
		"u_site": "u_site", "u_ops_security/u_site": "u_site", "u_mine.u_site": "u_site", "sn_si_incident.state": "state", "task.state": "state", "cmdb_ci/name": "cmdb_ci.name", "u_ops_security": "u_ops_security",
	} {
		assert.Equal(t, want, c.path(CustomFieldMapping{"x", "u_mine", path}), path)
	}
	assert.Equal(t, ".u_site", Config{Application: ITSM()}.path(CustomFieldMapping{"x", "*", ".u_site"}))
}

func TestEveryKindOfTimeIsAnsweredInRFC3339(t *testing.T) {
	const at = "2026-03-04 09:00:00"
	for kind, want := range map[string]any{"glide_date_time": "2026-03-04T09:00:00Z", "datetime": "2026-03-04T09:00:00Z", "due_date": "2026-03-04T09:00:00Z", "string": "as shown", "glide_duration": at, "": at} {
		assert.Equal(t, want, column{kind: kind}.natural(value{Value: at, Display: "as shown"}), kind)
	}
	assert.Equal(t, "no time", column{kind: "glide_date_time"}.natural(value{Value: "no time", Display: "x"}))
	assert.Equal(t, "2026-03-04", column{kind: "glide_date"}.natural(value{Value: "2026-03-04", Display: "04.03.2026"}))
}

// Without the dictionary a column's type is not known, and its texts are as stored.
func TestTimesOfAnInstanceThatKeepsItsDictionaryToItself(t *testing.T) {
	w := newWorld(t, ops, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{{"begin", "*", "u_begin"}}
	})
	w.sim.Deny("sys_dictionary")
	n := newTicket(1)
	n.CustomFields = map[string]any{"begin": "2026-03-04 11:00:00"}
	assert.Equal(t, "2026-03-04 11:00:00", w.create(n).CustomFields["begin"])
}

func TestWrongCustomFieldsAreRefusedBeforeAnythingIsSent(t *testing.T) {
	w := newWorld(t, ops, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{{"machines", "*", "u_machines"}, {"ci", "*", "cmdb_ci/name"}, {"mark", "*", "correlation_id"}}
	})
	made := w.create(newTicket(1))
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"machines", "many", `custom_fields.machines: column u_machines: "many": want a whole number from -2147483648 to 2147483647`}, {"u_machines", 5.5, `"5.5": want a whole number from -2147483648 to 2147483647`}, {"u_machines", 1e12, "want a whole number from -2147483648 to 2147483647"},
		{"u_machines", []any{5.0}, "u_machines: a list: want a whole number"}, {"u_site", []any{"abc"}, "column u_site: a list: want a text"}, {"u_outage", []any{true}, "a list: want true or false"},
		{"u_load", "NaN", "want a number"}, {"u_load", "0x10", "want a number"}, {"u_outage", "perhaps", "want true or false"}, {"u_begin", "soon", "want a time like"}, {"u_day", "4.3.", "want a date like"},
		{"u_floor", "Attic", "want one of Basement (b1), Ground floor (g), First floor (1)"}, {"u_site", map[string]any{"a": 1}, "column u_site: an object: want a text"}, {"ci", "x", "leads through a reference"},
		{"mark", "tb:x", "set by the platform"}, {"comments", "x", "set by the platform"}, {"sys_id", "x", "set by the platform"}, {"nothing", "x", "custom_field_mappings of integration snow-ops"},
	} {
		n := newTicket(2)
		n.CustomFields = map[string]any{c.name: c.value}
		_, err := w.client.CreateTicket(context.Background(), n)
		assert.Equal(t, ticket.Permanent, kindOf(t, err), c.name)
		assert.ErrorContains(t, err, "custom_fields."+c.name)
		assert.ErrorContains(t, err, c.want)
		_, err = w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{CustomFields: n.CustomFields})
		assert.ErrorContains(t, err, c.want)
	}
	assert.Len(t, w.tickets(), 1)
	assert.Zero(t, w.sim.Stats().Requests["patch"])
}

func TestNumbersAreWrittenInDigits(t *testing.T) {
	whole, decimal := column{kind: "integer"}, column{kind: "decimal"}
	for given, want := range map[any]string{5.0: "5", 1e6: "1000000", json.Number("5e0"): "5", json.Number("5.0"): "5", "7": "7", " 8 ": "8", -3: "-3", int64(2147483647): "2147483647"} {
		text, err := plainValue(given)
		require.NoError(t, err)
		got, err := whole.numberText(text)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%v", given)
	}
	for given, want := range map[any]string{0.5: "0.5", 1e21: "1000000000000000000000", 1e-7: "0.0000001", "123456789012345678.12": "123456789012345678.12", "1e2": "100"} {
		text, err := plainValue(given)
		require.NoError(t, err)
		got, err := decimal.numberText(text)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%v", given)
	}
}

// What is too long is cut visibly, told, and whole in the description.
func TestATextThatIsTooLongForItsColumn(t *testing.T) {
	w := newWorld(t, ops)
	n := newTicket(1)
	n.CustomFields = map[string]any{"u_site": strings.Repeat("long ", 10)}
	made := w.create(n)
	assert.Equal(t, "long long long long…", w.stored(made.ID).Fields["u_site"])
	assert.Contains(t, w.stored(made.ID).Fields["description"], "u_site: "+strings.TrimSpace(strings.Repeat("long ", 10)))
	assert.Contains(t, strings.Join(made.Warnings(), "\n"), "u_site: too long for column u_site")
}

// A ticket of a table that extends the default one is read and written where its
// own columns are.
func TestCustomFieldsOfATableBelowTheDefaultOne(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{{"where", "u_ops_incident", "u_site"}, {"where", "*", "close_notes"}}
	})
	n := newTicket(1)
	n.Project, n.CustomFields = "u_ops_incident", map[string]any{"where": "Berlin", "u_machines": 5.0}
	made := w.create(n)
	assert.Equal(t, map[string]any{"where": "Berlin"}, made.CustomFields)
	got, err := w.client.GetTicket(context.Background(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"where": "Berlin"}, got.CustomFields)
	patched := w.patch(made.ID, ticket.Patch{CustomFields: map[string]any{"where": "London", "u_outage": true}})
	assert.Equal(t, map[string]any{"where": "London"}, patched.CustomFields)
	assert.Equal(t, "true", w.stored(made.ID).Fields["u_outage"])
	assert.Empty(t, patched.Warnings())

	plain := w.create(newTicket(2))
	w.patch(plain.ID, ticket.Patch{CustomFields: map[string]any{"where": "here"}})
	assert.Equal(t, "here", w.stored(plain.ID).Fields["close_notes"])
	left := w.patch(plain.ID, ticket.Patch{CustomFields: map[string]any{"u_site": "x"}})
	assert.Contains(t, strings.Join(left.Warnings(), "\n"), "incident has no column u_site")
}

// Tags have no column: they are a line of the description, and found there.
func TestTagsAreReadFromTheDescription(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Tags = []string{"asset:1", "rack 7"}
	assert.Equal(t, n.Tags, w.create(n).Tags)
	for text, want := range map[string][]string{
		"": nil, "Tags: a": {"a"}, "x\n\nCreator: y\nTags: a, b": {"a", "b"}, "Tags: a\n\nmore": nil, "x\r\n\r\nTags: a": {"a"}, "x Tags: a": nil, "Tags: ": nil,
	} {
		_, got := takeTags(text)
		assert.Equal(t, want, got, "%q", text)
	}
}
