package servicenow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstancesReadQueriesInTheirOwnWay(t *testing.T) {
	for name, c := range map[string]struct {
		reading Reading
		want    map[string]int
	}{
		"as documented": {Reading{}, map[string]int{"short_description=disk": 0, "short_descriptionLIKEISK": 1, "close_code!=x": 2, "opened_at<=2026-03-04 20:00:00": 2, "opened_at<=2026-03-04 13:00:00": 0, "close_codeISEMPTY": 1}},
		"any case":      {Reading{IgnoreCase: true}, map[string]int{"short_description=disk": 1, "short_descriptionLIKEisk": 1}},
		"a zone":        {Reading{Zone: time.FixedZone("", -8*3600)}, map[string]int{"opened_at<=2026-03-04 12:00:00": 2, "opened_at<=2026-03-04 11:59:59": 0}},
		"empty is null": {Reading{EmptyIsNull: true}, map[string]int{"close_code!=x": 1, "close_code!=x^ORclose_codeISEMPTY": 2, "close_codeNOT INx,z": 1, "close_codeNOT LIKEx": 1, "close_codeISEMPTY": 1}},
	} {
		s := newCaller(t, Options{Reading: c.reading})
		s.create("incident", fields{"short_description": "DISK", "close_code": "y"})
		s.create("incident", fields{"short_description": "other"})
		for q, want := range c.want {
			assert.Len(t, s.query(q), want, "%s: %s", name, q)
		}
	}
}

func TestEmptyValuesAreOrderedAsTheDatabaseHasIt(t *testing.T) {
	for last, want := range map[bool][2]string{false: {"without", "with"}, true: {"with", "without"}} {
		c := newCaller(t, Options{Reading: Reading{EmptyLast: last}})
		c.create("incident", fields{"short_description": "with", "close_code": "y"})
		c.create("incident", fields{"short_description": "without"})
		assert.Equal(t, []fields{{"short_description": want[0]}, {"short_description": want[1]}}, c.query("ORDERBYclose_code"))
		assert.Equal(t, []fields{{"short_description": want[1]}, {"short_description": want[0]}}, c.query("ORDERBYDESCclose_code"))
	}
}

func TestReferencesAreOrderedByWhatStandsForThem(t *testing.T) {
	c := newCaller(t, Options{})
	c.create("incident", fields{"short_description": "bridge", "assigned_to": UserBridge})
	c.create("incident", fields{"short_description": "mia", "assigned_to": UserMia})
	assert.Equal(t, []fields{{"short_description": "mia"}, {"short_description": "bridge"}}, c.query("ORDERBYassigned_to"), "Mia Krystof, Ticket Bridge")
}

func TestTheCountCanBeMissing(t *testing.T) {
	for _, none := range []bool{false, true} {
		c := newCaller(t, Options{Reading: Reading{NoCount: none}})
		c.create("incident", fields{"short_description": "x"})
		answer := c.do("GET", "/api/now/v2/table/incident", nil)
		assert.Equal(t, none, answer.Header().Get("X-Total-Count") == "")
	}
}

func TestAQueryIsParsed(t *testing.T) {
	groups, orders, ok := ParseQuery("a=1^ORb.cLIKEx^^y^NQd!=2^ORDERBYDESCe^ORDERBYf")
	require.True(t, ok)
	assert.Equal(t, [][]Term{{{"a", "=", "1", false}, {"b.c", "LIKE", "x^y", true}}, {{"d", "!=", "2", false}}}, groups)
	assert.Equal(t, []string{"-e", "f"}, orders)
	_, _, ok = ParseQuery("what is this")
	assert.False(t, ok)
}

// Columns of a table are seen and set where that table is asked, not above it.
func TestColumnsAreThoseOfTheTableThatIsAsked(t *testing.T) {
	c := newCaller(t, Options{})
	made := c.create("u_ops_incident", fields{"short_description": "x", "u_site": "Berlin"})
	id, _ := made["sys_id"].(string)
	var got fields
	c.result(c.do("GET", "/api/now/v2/table/incident/"+id, nil), 200, &got)
	assert.NotContains(t, got, "u_site")
	assert.Equal(t, "u_ops_incident", got["sys_class_name"])
	c.result(c.do("PATCH", "/api/now/v2/table/incident/"+id, fields{"u_site": "London"}), 200, &got)
	c.result(c.do("GET", "/api/now/v2/table/u_ops_incident/"+id, nil), 200, &got)
	assert.Equal(t, "Berlin", got["u_site"])
}

func TestTheDictionaryTellsOfColumns(t *testing.T) {
	c := newCaller(t, Options{})
	var rows []fields
	c.result(c.do("GET", "/api/now/v2/table/sys_dictionary?sysparm_query=name=u_ops_incident%5Eelement=u_floor&sysparm_fields=choice,internal_type,mandatory,display", nil), 200, &rows)
	assert.Equal(t, []fields{{"choice": "3", "internal_type": "string", "mandatory": "false", "display": "false"}}, rows)
	rows = nil
	c.result(c.do("GET", "/api/now/v2/table/sys_dictionary?sysparm_query=display=true%5EnameINtask,sys_user&sysparm_fields=name,element", nil), 200, &rows)
	assert.ElementsMatch(t, []fields{{"name": "task", "element": "number"}, {"name": "sys_user", "element": "name"}}, rows)
	rows = nil
	c.s.AddTable(Table{Name: "u_more", Label: "More", Super: "incident"})
	c.result(c.do("GET", "/api/now/v2/table/sys_db_object?sysparm_query=super_class.name=incident%5EORDERBYname&sysparm_fields=name,label", nil), 200, &rows)
	assert.Equal(t, []fields{{"name": "u_more", "label": "More"}, {"name": "u_ops_incident", "label": "Operations incident"}}, rows)
}
