package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fieldsOfBoth maps the same names at Jira and at the test provider: with dots and
// slashes, with either spelling of the key, for all projects and for one.
const (
	jiraFields = `    custom_field_mappings:
      - {name: severity, project_id: "*", provider_field_path: customfield_10010.value}
      - {name: count, project_id: "*", project_field_path: fields/customfield_10013}
      - {name: sites, project_id: "*", provider_field_path: customfield_10014}
      - {name: first_site, project_id: "*", provider_field_path: customfield_10014/0/value}
      - {name: began, project_id: "*", provider_field_path: customfield_10016}
      - {name: goal, project_id: "*", provider_field_path: customfield_10011}
      - {name: goal, project_id: DEV, provider_field_path: customfield_10017}
      - {name: only_dev, project_id: DEV, provider_field_path: customfield_10017}
`
	tryFields = `    default_project: OPS
    custom_field_mappings:
      - {name: severity, project_id: "*", provider_field_path: customer_impact}
      - {name: count, project_id: "*", project_field_path: downtime_minutes}
      - {name: sites, project_id: "*", provider_field_path: Places/sites}
      - {name: began, project_id: "*", provider_field_path: Dates.began}
      - {name: goal, project_id: "*", provider_field_path: goal}
      - {name: goal, project_id: DEV, provider_field_path: Sprint/goal}
      - {name: only_dev, project_id: DEV, provider_field_path: Sprint/goal}
`
	tryToken = "test-token-of-the-trying"
)

// bench is a provider with the tickets that filters are tried on.
type bench struct {
	*connector
	jira bool
	// ids and made are by the first letters of the tickets' names.
	ids  map[string]string
	made map[string]time.Time
}

// startBoth starts one stack with Jira and the test provider.
func startBoth(t *testing.T) map[string]*bench {
	t.Helper()
	s := start(t, options{integration: jiraFields, config: func(text string) string {
		text = strings.Replace(text, "callers:\n", "  - name: try\n    type: ticketing_mock_ticketing\n"+tryFields+"callers:\n"+
			"  - {name: trying, token: \"env:TEST_TRY_TOKEN\", integration: try}\n", 1)
		return text
	}, env: []string{"TEST_TRY_TOKEN=" + tryToken}})
	try := s.connector(1)
	try.token = tryToken
	return map[string]*bench{"Jira": {connector: s.connector(1), jira: true}, "test provider": {connector: try}}
}

// fill makes four tickets, one after the other.
func (b *bench) fill(t *testing.T) {
	t.Helper()
	b.ids, b.made = map[string]string{}, map[string]time.Time{}
	for _, asked := range []map[string]any{
		{
			"name": "Alpha: disk full on db-1", "priority": "HIGH", "tags": []string{"disk", "db"}, "due_date": "2026-05-06T12:00:00Z",
			"custom_fields": map[string]any{"severity": b.choice(0), "count": 10, "sites": []string{"lon", "ber"}, "began": "2026-03-02T08:00:00Z", "goal": "ship it"},
		},
		{
			"name": "Bravo, disk slow", "priority": "LOW", "tags": []string{"disk"}, "due_date": "2026-05-07T12:00:00Z",
			"custom_fields": map[string]any{"severity": b.choice(1), "count": 9.5, "sites": []string{"lon"}, "began": "2026-02-28T08:00:00+02:00"},
		},
		{"name": `Charlie "loud", please`, "priority": "MEDIUM", "custom_fields": map[string]any{"count": "100"}},
		{"name": "Delta [50%] + C:\\temp", "priority": "URGENT", "tags": []string{"net"}, "description": "It is **down**.", "custom_fields": map[string]any{"goal": "ship later"}},
	} {
		made, err := b.createTicket(t.Context(), asked)
		require.NoError(t, err)
		read, err := b.getTicket(t.Context(), made.ID)
		require.NoError(t, err)
		letter := made.Name[:1]
		b.ids[letter], b.made[letter] = made.ID, read.CreatedAt
		status := map[string]string{"A": "To Do", "B": "Done", "C": "In Progress", "D": "To Do"}[letter]
		_, err = b.patchTicket(t.Context(), made.ID, replace("/status", status))
		require.NoError(t, err)
	}
}

// choice is a value of the field severity.
func (b *bench) choice(n int) string {
	if b.jira {
		return []string{"red", "amber", "purple"}[n]
	}
	return []string{"Major", "Minor", "purple"}[n]
}

// listed are the first letters of the tickets that filters select, in their order.
func (b *bench) listed(t *testing.T, q url.Values) string {
	t.Helper()
	page, err := b.queryTickets(t.Context(), q)
	require.NoError(t, err)
	var letters strings.Builder
	for _, each := range page.Result {
		letters.WriteString(each.Name[:1])
	}
	return letters.String()
}

type selects struct {
	filters string // several are divided by " & "
	want    string
}

// Every operator in every spelling, and every form of quoting.
func operatorsAndQuotes(b *bench) []selects {
	return []selects{
		{`status[eq]Done`, "B"}, {`status=Done`, "B"}, {`status[EQ]"Done"`, "B"}, {`status[eq]done`, "B"}, {`status[ eq ] Done `, "B"},
		{`status[ne]Done`, "ACD"}, {`status[neq]"Done"`, "ACD"},
		{`status[in]To Do,Done`, "ABD"}, {`status[in]"To Do", "Done"`, "ABD"}, {`status[in]"To Do",Done,`, "ABD"},
		{`status[not in]To Do,Done`, "C"}, {`status[not_in]To Do,Done`, "C"}, {`status[nin]To Do`, "BC"}, {`status[notin]To Do`, "BC"},
		{`status[like]o`, "ABCD"}, {`status[like]to*do`, "AD"}, {`status[not like]do`, "C"}, {`status[not_like]"To"`, "BC"}, {`status[notlike]to`, "BC"},
		{`priority[gt]MEDIUM`, "AD"}, {`priority[gte]MEDIUM`, "ACD"}, {`priority[lt]HIGH`, "BC"}, {`priority[lte]high`, "ABC"},
		{`priority[eq]HIGH`, "A"}, {`priority[in]HIGH,low`, "AB"}, {`priority[ne]HIGH`, "BCD"},
		{`priority[eq]HUGE`, ""}, {`priority[in]HUGE,LOW`, "B"}, {`priority[not_in]HUGE`, "ABCD"},
		{`name[eq]Bravo, disk slow`, "B"}, {`name[in]"Bravo, disk slow"`, "B"}, {`name[in]Bravo, disk slow`, ""},
		{`name[eq]Charlie "loud", please`, "C"}, {`name[eq]"Charlie \"loud\", please"`, "C"}, {`name[in]"Charlie \"loud\", please",x`, "C"},
		{`name[eq]Delta [50%] + C:\temp`, "D"}, {`name[eq]"Delta [50%] + C:\\temp"`, "D"}, {`name[like]50%`, "D"}, {`name[like][50`, "D"},
		{`name[like]disk`, "AB"}, {`name[like]DISK*db`, "A"}, {`name[not_like]disk`, "CD"}, {`name[ne]x" OR project = "OPS`, "ABCD"}, {`name[eq]x" OR name ~ "disk`, ""},
		{`tags[in]db,net`, "AD"}, {`tags[eq]disk`, "AB"}, {`tags[ne]disk`, "CD"}, {`tags[not_in]disk,net`, "C"}, {`tags[eq]""`, "C"}, {`tags[ne]""`, "ABD"},
		{`due_date[eq]2026-05-06`, "A"}, {`due_date[gt]2026-05-06`, "B"}, {`due_date[lte]2026-05-07`, "AB"}, {`due_date[lt]2026-05-07`, "A"}, {`due_date[eq]`, "CD"}, {`due_date[ne]""`, "AB"},
		{`created_at[gte]` + b.made["C"].Format(time.RFC3339Nano), "CD"}, {`created_at[gt]` + b.made["C"].Format(time.RFC3339Nano), "D"},
		{`created_at[lte]` + b.made["B"].In(time.FixedZone("", 7*3600)).Format(time.RFC3339Nano), "AB"}, {`created_at[lt]2020-01-01T00:00:00Z`, ""},
		{`id[in]` + b.ids["A"] + `,` + b.ids["D"], "AD"}, {`id[ne]` + b.ids["A"], "BCD"}, {`description[like]down`, "D"},
		{`project[eq]OPS`, "ABCD"}, {`project=OPS`, "ABCD"}, {`project[ne]OPS & status[eq]Done`, ""},
		{`tags[in]disk & status[ne]Done`, "A"}, {`priority[gte]MEDIUM & priority[lt]URGENT & name[like]disk`, "A"},
		{`severity[eq]` + b.choice(0), "A"}, {`custom_fields.severity[eq]"` + b.choice(0) + `"`, "A"}, {`severity[in]` + b.choice(0) + `,` + b.choice(1), "AB"},
		{`severity[ne]` + b.choice(0), "BCD"}, {`severity[eq]""`, "CD"}, {`severity[eq]` + b.choice(2), ""}, {`severity[like]` + b.choice(1)[:2], "B"},
		{`count[gt]9.5`, "AC"}, {`count[gte]9.5`, "ABC"}, {`count[lt]10`, "B"}, {`count[lte]10.0`, "AB"}, {`count[eq]10.0`, "A"}, {`count[in]9.5,100`, "BC"},
		{`sites[eq]ber`, "A"}, {`sites[in]ber,lon`, "AB"}, {`sites[not_in]ber`, "BCD"}, {`sites[like]lo`, "AB"},
		{`goal[like]ship`, "AD"}, {`goal[not_like]later`, "ABC"}, {`goal[eq]"ship it"`, "A"},
	}
}

// Every filter operator in every form, the orders, and pages of them, on the real
// programs: the same at both providers.
func TestFiltersAndOrders(t *testing.T) {
	t.Parallel()
	for provider, b := range startBoth(t) {
		t.Run(provider, func(t *testing.T) {
			b.fill(t)
			for _, c := range operatorsAndQuotes(b) {
				q := url.Values{"filter": strings.Split(c.filters, " & "), "order": {"created_at"}}
				assert.Equal(t, c.want, b.listed(t, q), c.filters)
			}
			for order, want := range map[string]string{
				"name": "ABCD", "name[desc]": "DCBA", "created_at[asc]": "ABCD", "created_at[desc]": "DCBA", "priority[desc] & name": "DACB",
				"priority": "BCAD", "status[asc] & name[desc]": "", "due_date[desc] & name": "", "custom_fields.count": "",
			} {
				got := b.listed(t, url.Values{"order": strings.Split(order, " & ")})
				if want == "" {
					assert.Len(t, got, 4, order)
					continue
				}
				assert.Equal(t, want, got, order)
			}
			b.testPagesOfFilters(t)
			b.testWrongQueries(t)
		})
	}
}

// testPagesOfFilters goes through pages of what only we can compare.
func (b *bench) testPagesOfFilters(t *testing.T) {
	t.Helper()
	for _, filter := range []string{"count[gt]9", "name[not_like]zzz", "tags[ne]net"} {
		all := b.listed(t, url.Values{"filter": {filter}, "order": {"name"}})
		q := url.Values{"filter": {filter}, "order": {"name"}, "limit": {"1"}}
		var letters string
		for range 20 {
			page, err := b.queryTickets(t.Context(), q)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Result), 1)
			for _, each := range page.Result {
				letters += each.Name[:1]
			}
			if page.Cursor == "" {
				break
			}
			q.Set("cursor", page.Cursor)
		}
		assert.Equal(t, all, letters, filter)
		_, err := b.queryTickets(t.Context(), url.Values{"filter": {"status[eq]Done"}, "cursor": {q.Get("cursor")}})
		refusal(t, http.StatusBadRequest, err)
	}
}

// testWrongQueries: a query that cannot be answered is a Problem that names what
// is wrong with it.
func (b *bench) testWrongQueries(t *testing.T) {
	t.Helper()
	wrong := map[string]string{
		"filter=shoe_size[eq]43": "shoe_size", "filter=status[is]Done": "is none of", "filter=status": "want field[operator]value",
		"filter=[eq]Done": "want field[operator]value", "filter=status[eqDone": "no closing bracket", "filter=status[in]": "no value", "filter=status[in],": "no value",
		`filter=name[eq]"open`: "a quote is not closed", `filter=name[eq]"a"b`: "behind a closing quote",
		"filter=due_date[gt]yesterday": "yesterday", "filter=created_at[lt]2026-13-01": "2026-13-01", "filter=priority[gt]PURPLE": "PURPLE",
		"order=shoe_size": "shoe_size", "order=name[up]": "neither asc nor desc", "order=": "want field",
		"limit=0": "limit", "limit=many": "limit", "limit=501": "limit", "cursor=x": "cursor",
	}
	if b.jira {
		wrong["filter=status[gt]Done"], wrong["filter=project[eq]NONE"] = "status", "NONE"
		wrong["order=tags"] = "tags"
	}
	for text, says := range wrong {
		name, value, _ := strings.Cut(text, "=")
		_, err := b.queryTickets(t.Context(), url.Values{name: {value}})
		p := refusal(t, http.StatusBadRequest, err).Problem
		require.NotNil(t, p.Detail, text)
		assert.Contains(t, fmt.Sprint(p.Message, *p.Detail), says, text)
		if assert.NotNil(t, p.Context, text) && assert.NotNil(t, p.Context.Parameter, text) {
			assert.Equal(t, []string{name, "query"}, []string{p.Context.Parameter.ID, p.Context.Parameter.Location}, text)
		}
	}
}
