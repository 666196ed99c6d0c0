package servicenow

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// A staging table that could make two records of one ticket is found before it
// made any.
func TestCheckReadsTheTransformMap(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sim.Staging)
		want   string
	}{
		"as it should be":        {func(*sim.Staging) {}, ""},
		"does not coalesce":      {func(s *sim.Staging) { s.Coalesce = "" }, "transform map \"u_ticketbridge_import map\" does not coalesce on correlation_id"},
		"coalesces on the title": {func(s *sim.Staging) { s.Coalesce = "short_description" }, "does not coalesce on correlation_id"},
		"from another column":    {func(s *sim.Staging) { s.Map = map[string]string{"u_title": "correlation_id"} }, "takes it from column u_title"},
		"another target":         {func(s *sim.Staging) { s.Target = "sys_user" }, "no active transform map with the target incident"},
		"no map":                 {func(s *sim.Staging) { s.Target = "" }, "no active transform map with the target incident"},
		"no field maps":          {func(s *sim.Staging) { s.Map = map[string]string{} }, "does not coalesce on correlation_id"},
		"a narrow column": {func(s *sim.Staging) {
			s.Columns = []sim.Column{{Name: "u_correlation_id", Type: "string", MaxLength: 40}}
		}, "holds 40 characters: correlation_id needs 100"},
		"the map of a table it has": {func(s *sim.Staging) { s.Target = "task" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newImporter(t, c.change)
			err := w.client.Check(context.Background())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, ticket.Permanent, kindOf(t, err))
			assert.ErrorContains(t, err, "import_table: ")
			assert.ErrorContains(t, err, c.want)
			assert.Empty(t, w.tickets())
		})
	}
}

// What more a transform map can have.
func TestCheckReadsEveryFieldMap(t *testing.T) {
	w := newImporter(t, nil)
	transform, entry := w.transform(), func(fields map[string]string) string { return w.sim.Add("sys_transform_entry", fields) }
	second := entry(map[string]string{"map": transform, "source_field": "u_title", "target_field": "short_description", "coalesce": "true"})
	assert.ErrorContains(t, w.newClient().Check(context.Background()), "coalesces on short_description too: switch that off")
	require.NoError(t, w.sim.Delete(second))
	require.NoError(t, w.newClient().Check(context.Background()))

	w.config.Import.Fields["correlation_id"] = "u_missing"
	assert.ErrorContains(t, w.newClient().Check(context.Background()), "staging table u_ticketbridge_import has no column u_missing for correlation_id")
	w.config.Import.Fields["correlation_id"] = "u_correlation_id"

	other := w.sim.Add("sys_transform_map", map[string]string{"name": "Old map", "source_table": stagingTable, "target_table": "incident", "active": "false"})
	require.NoError(t, w.newClient().Check(context.Background()), "one that is switched off does nothing")
	require.NoError(t, w.sim.Put(other, map[string]string{"active": "true"}))
	assert.ErrorContains(t, w.newClient().Check(context.Background()), `transform map "Old map" does not coalesce`)
	entry(map[string]string{"map": other, "target_field": "correlation_id", "coalesce": "true", "use_source_script": "true"})
	require.NoError(t, w.newClient().Check(context.Background()), "a script may take it from our column")
}

// An account that may not read transform maps learns nothing of them, and is not
// refused for that; one whose instance is down is.
func TestCheckOfTransformMapsThatCannotBeRead(t *testing.T) {
	for _, table := range []string{"sys_transform_map", "sys_transform_entry"} {
		for name, blind := range map[string]func(*sim.Simulator, string){"refused": (*sim.Simulator).Deny, "answered with nothing": (*sim.Simulator).HideRows} {
			t.Run(table+" "+name, func(t *testing.T) {
				w := newImporter(t, func(s *sim.Staging) { s.Coalesce = "" })
				blind(w.sim, table)
				require.NoError(t, w.client.Check(context.Background()))
				w.sim.Change(func(o *sim.Options) { o.CountsVisible = true })
				require.NoError(t, w.newClient().Check(context.Background()))
			})
		}
	}
	w := newImporter(t, nil)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "meta"})
	assert.NotEqual(t, ticket.Permanent, kindOf(t, w.client.Check(context.Background())))
}

// transform is the sys_id of the staging table's transform map.
func (w *world) transform() string {
	w.t.Helper()
	for _, r := range w.sim.Tickets("sys_transform_map") {
		if r.Fields["source_table"] == stagingTable {
			return r.ID
		}
	}
	require.Fail(w.t, "there is no transform map")
	return ""
}
