package integration

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both of ServiceNow's applications through the unified API: what is asked in any
// form is answered exactly, in order and by pages.
func TestTheUnifiedAPIAtBothOfServiceNowsApplications(t *testing.T) {
	t.Parallel()
	b := startBothDesks(t)
	for _, c := range b.counters() {
		t.Run(c.base, func(t *testing.T) {
			t.Parallel()
			c.testFilters(t)
			c.testPages(t)
			c.testRemoteFields(t)
			c.testTypedFields(t)
			c.testJournals(t)
			c.testFiles(t)
		})
	}
}

const (
	diskFull, fanLoud, disksHot, allWell = "Disk full on db-1", `Fan "loud", very`, "Disks running hot", "All well"
)

// furnish makes four tickets, an hour apart, and answers them by their names.
func (c counter) furnish(t *testing.T) map[string]ticketShape {
	made := map[string]ticketShape{}
	for hour, asked := range []map[string]any{
		{"name": diskFull, "priority": "CRITICAL", "assignee": "mia@acme.example", "tags": []string{"disk", "rack 7"}, "due_date": "2026-05-06T07:08:09+02:00", "description": "The **disk** of db-1.",
			"custom_fields": map[string]any{"begin": "2026-01-02T03:04:05+01:00", "machines": 5, "floor": "Basement", "site": "Berlin", "u_outage": true, "u_load": 1.5, "u_day": "2026-03-04", "u_owner": "Mia Krystof", "cmdb_ci": "srv-001"}},
		{"name": fanLoud, "priority": "LOW", "status": c.working, "contact": "mia.krystof", "custom_fields": map[string]any{"machines": 40, "site": "london", "u_outage": false}},
		{"name": disksHot, "priority": "HIGH", "tags": []string{"disk"}},
		{"name": allWell, "priority": "PLANNING"},
	} {
		name, _ := asked["name"].(string)
		made[name] = c.create(t, hour, asked)
	}
	_, err := c.patchTicket(t.Context(), made[allWell].ID, replace("/status", c.done))
	require.NoError(t, err)
	return made
}

// names are those of the tickets that filters select, in their order.
func (c counter) names(t *testing.T, order []string, filters ...string) []string {
	t.Helper()
	page, err := c.queryTickets(t.Context(), url.Values{"filter": filters, "order": order})
	require.NoError(t, err, "%v", filters)
	assert.Empty(t, page.Cursor)
	names := []string{}
	for _, each := range page.Result {
		names = append(names, each.Name)
	}
	return names
}

func (c counter) testFilters(t *testing.T) {
	made := c.furnish(t)
	words := strings.NewReplacer("{fresh}", c.fresh, "{working}", c.working, "{done}", c.done, "{table}", c.table, "{base}", c.base,
		"{id}", made[diskFull].ID, "{key}", made[diskFull].Unmapped["number"].(string))
	for text, want := range map[string][]string{
		// Every operator, and each of its spellings.
		"status[eq]{fresh}": {diskFull, disksHot}, "status={fresh}": {diskFull, disksHot}, "status[ne]{fresh}": {fanLoud, allWell}, "status[neq]{fresh}": {fanLoud, allWell},
		"priority[gt]HIGH": {diskFull}, "priority[gte]HIGH": {diskFull, disksHot}, "priority[lt]LOW": {allWell}, "priority[lte]LOW": {fanLoud, allWell},
		"status[in]{working},{done}": {fanLoud, allWell}, "status[not_in]{working},{done}": {diskFull, disksHot}, "status[not in]{working}, {done}": {diskFull, disksHot}, "status[nin]{fresh}": {fanLoud, allWell},
		"name[like]disk": {diskFull, disksHot}, "name[like]disk*db": {diskFull}, "name[not like]disk": {fanLoud, allWell}, "name[not_like]*disk*": {fanLoud, allWell}, "name[NOT-LIKE]l": {disksHot},
		// Every form of quoting.
		`name[eq]"Disk full on db-1"`: {diskFull}, `name[eq]Fan "loud", very`: {fanLoud}, `name[eq]"Fan \"loud\", very"`: {fanLoud}, `name[in]"Fan \"loud\", very",All well`: {fanLoud, allWell},
		` status [ eq ] "{fresh}" `: {diskFull, disksHot}, `assignee[eq]""`: {fanLoud, disksHot, allWell}, "assignee[ne]": {diskFull}, `floor[in]"",Basement`: {diskFull, fanLoud, disksHot, allWell},
		// What values may not do.
		"name[eq]x^ORname!=x": {}, "name[eq]javascript:gs.getUserID()": {}, `name[eq]"All well^NQnumberISNOTEMPTY"`: {}, "tags[in]disk^ORDERBYnumber": {}, "name[like]%": {},
		// Every field.
		"id[eq]{id}": {diskFull}, "id[eq]{key}": {diskFull}, "key[eq]{key}": {diskFull}, "project[eq]{table}": {diskFull, fanLoud, disksHot, allWell}, "project[eq]{base}": {diskFull, fanLoud, disksHot, allWell}, "assignee[eq]MIA@acme.example": {diskFull},
		"contact[eq]Mia Krystof": {fanLoud}, "creator[eq]bridge": {diskFull, fanLoud, disksHot, allWell}, "description[like]the **disk** of": {diskFull}, "tags[in]rack 7,nothing": {diskFull}, "tags[eq]disk": {diskFull, disksHot}, "summary[eq]all well": {allWell},
		"created_at[gte]2026-01-01T02:00:00Z": {disksHot, allWell}, "created_at[lt]2026-01-01T02:00:00+01:00": {diskFull}, "created_at[eq]2026-01-01": {diskFull, fanLoud, disksHot, allWell}, "due_date[eq]2026-05-06T05:08:09Z": {diskFull}, "due_date[eq]2026-05-06": {diskFull},
		`due_date[eq]""`: {fanLoud, disksHot, allWell}, `completion_date[ne]""`: {allWell}, "priority[in]CRITICAL,LOW": {diskFull, fanLoud},
		// Custom fields, by mapping and by column, each type.
		"begin[eq]2026-01-02T02:04:05Z": {diskFull}, "begin[lt]2026-01-03": {diskFull}, "custom_fields.begin[eq]2026-01-02 02:04:05": {diskFull}, "begin[like]T02:04": {diskFull}, "machines[gt]5": {fanLoud}, "machines[in]5,40": {diskFull, fanLoud}, "machines[eq]5.0": {diskFull},
		"floor[eq]basement": {diskFull}, "floor[eq]b1": {diskFull}, "site[like]LON": {fanLoud}, "u_site[eq]berlin": {diskFull}, "u_outage[eq]true": {diskFull}, "u_load[gte]1.5": {diskFull}, "u_day[eq]2026-03-04": {diskFull}, "u_owner[eq]mia krystof": {diskFull}, "server[eq]srv-001": {diskFull},
	} {
		assert.Equal(t, want, c.names(t, []string{"created_at"}, words.Replace(text)), text)
	}
	assert.Equal(t, []string{diskFull}, c.names(t, nil, "tags[in]disk", "priority[eq]CRITICAL", "status[ne]"+c.done), "filters are joined")
	for order, want := range map[string][]string{
		"": {allWell, disksHot, fanLoud, diskFull}, "created_at": {diskFull, fanLoud, disksHot, allWell}, "created_at[desc]": {allWell, disksHot, fanLoud, diskFull},
		"priority[desc]": {diskFull, disksHot, fanLoud, allWell}, "priority[asc]": {allWell, fanLoud, disksHot, diskFull}, "name": {allWell, diskFull, disksHot, fanLoud}, "key[desc]": {allWell, disksHot, fanLoud, diskFull},
		"machines[desc],created_at": {fanLoud, diskFull, disksHot, allWell}, "due_date[desc],name": {diskFull, allWell, disksHot, fanLoud},
	} {
		assert.Equal(t, want, c.names(t, slices.DeleteFunc(strings.Split(order, ","), func(s string) bool { return s == "" })), "order by %s", order)
	}
	c.testRefusedQueries(t)
}

func (c counter) testRefusedQueries(t *testing.T) {
	for text, want := range map[string]string{
		"filter=colour[eq]red": "there is no such field", "filter=status[is]x": "is none of", "filter=status": "want field[operator]value", `filter=name[eq]"x`: "a quote is not closed",
		"filter=created_at[gt]soon": "want RFC 3339", "filter=begin[gt]soon": "want RFC 3339", "filter=priority[gt]P1": "no place in the order", "filter=project[eq]sys_user": "does not extend " + c.base,
		"order=tags": "order by tags", "order=name[down]": "neither asc nor desc", "limit=0": "limit", "limit=501": "limit", "cursor=garbage": "cursor",
	} {
		name, value, _ := strings.Cut(text, "=")
		_, err := c.queryTickets(t.Context(), url.Values{name: {value}})
		p := refusal(t, http.StatusBadRequest, err).Problem
		require.NotNil(t, p.Detail, text)
		assert.Contains(t, *p.Detail, want, text)
	}
}

// testPages: what does not change is listed once while tickets come and go, on the
// page, before it and behind it.
func (c counter) testPages(t *testing.T) {
	for n, order := range []string{"", "created_at[asc]", "created_at[desc]", "name[asc]", "priority[desc]"} {
		tag := "list" + string(rune('a'+n))
		var going []string
		for n := range staying {
			c.add(t, n/2, stays(n), tag) // two at a time: the id decides
			going = append(going, c.add(t, n/2, "Goes "+stays(n), tag))
		}
		names, pages := c.pageThrough(t, pagesOf(tag, order), func(page int) {
			if page < 3 {
				c.add(t, 100+page, "Added "+stays(page), tag)
				c.add(t, page, "Stays Added "+stays(page), tag)
			}
			for _, gone := range []int{page, staying - 1 - page} {
				if gone >= 0 && gone < len(going) && going[gone] != "" {
					require.NoError(t, c.sim.Delete(going[gone]))
					going[gone] = ""
				}
			}
		})
		assert.Greater(t, pages, 3, order)
		assertStayed(t, cmp.Or(order, "none"), names)
	}
}

func (c counter) testRemoteFields(t *testing.T) {
	fields, err := c.listRemoteFields(t.Context())
	require.NoError(t, err)
	byID := map[string]remoteFieldShape{}
	for _, f := range fields {
		assert.NotContains(t, byID, f.FieldID, "listed once")
		byID[f.FieldID] = f
	}
	for id, kind := range map[string]string{
		"short_description": "string", "u_begin": "string", "u_day": "string", "u_machines": "number", "u_load": "number", "u_floor": "enum", "state": "enum", "priority": "enum",
		"u_outage": "other", "u_owner": "other", "cmdb_ci.name": "string", c.contact: "other",
	} {
		require.Contains(t, byID, id)
		require.NotNil(t, byID[id].Schema, id)
		assert.Equal(t, kind, byID[id].Schema.FieldTypeID, id)
		scope := "standard"
		if strings.HasPrefix(id, "u_") || strings.Contains(id, ".") {
			scope = "ticket_custom"
		}
		assert.Equal(t, scope, byID[id].FieldScope, id)
	}
	assert.ElementsMatch(t, []string{"Basement", "Ground floor", "First floor"}, byID["u_floor"].Schema.EnumValues)
	options := map[string]string{}
	for _, o := range append(byID["u_floor"].Schema.EnumOptionValues, byID["state"].Schema.EnumOptionValues...) {
		options[o.Name] = o.ID
	}
	assert.Equal(t, "b1", options["Basement"])
	assert.Contains(t, options, c.working)
}
