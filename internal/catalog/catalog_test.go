package catalog

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ptr[T any](v T) *T { return &v }

func sample() Catalog {
	return Catalog{
		Account:          "acme",
		CurrentUser:      &Person{ID: 1, Teams: []int64{10}},
		People:           []Person{{ID: 3, Email: "Same@acme.example"}, {ID: 2, Email: "same@acme.example", Teams: []int64{10}}},
		Teams:            []Team{{ID: 11, Name: "Desk"}, {ID: 10, Name: "DESK"}},
		ServiceInstances: []ServiceInstance{{ID: 20, Name: "Mail", FirstLineTeam: ptr(int64(10)), SupportTeam: ptr(int64(11))}, {ID: 21, Name: "Web"}},
		CIs: []CI{
			{ID: 31, Label: "srv-2", Name: "Tool", Software: true, SourceID: ptr("x"), ServiceInstances: []int64{21, 20}},
			{ID: 30, Label: "srv-1", Name: "Tool", Software: true, Source: ptr("Scan"), SourceID: ptr("x")},
			{ID: 32, Label: "tool", Name: "Box"},
		},
		Organizations:              []Organization{{ID: 40, Name: "Cable Co"}},
		FirstLineSupportAgreements: []SupportAgreement{{Account: "acme", ServiceDeskTeam: 11}, {Account: "acme", ServiceDeskTeam: 10}},
		Problems:                   []Record{{ID: 50}},
		Workflows:                  []Record{{ID: 51}},
		RequestTemplates:           []Template{{ID: 60, WorkflowTemplate: &WorkflowTemplate{Manager: 2}}},
	}
}

func TestIndex(t *testing.T) {
	ix := New(sample())
	assert.Equal(t, int64(2), ix.PersonByEmail(" SAME@acme.example").ID, "the lowest id")
	assert.Equal(t, int64(10), ix.TeamByName("desk").ID)
	assert.Equal(t, int64(21), ix.ServiceInstanceByName("WEB").ID)
	assert.Equal(t, int64(40), ix.OrganizationByName("cable co").ID)
	assert.Equal(t, "Cable Co", ix.Organization(40).Name)
	assert.Equal(t, int64(30), ix.CIByLabel("SRV-1").ID)
	assert.Equal(t, int64(32), ix.CIByLabel("Tool").ID, "a label goes before a software's name")
	assert.Nil(t, ix.CIByLabel("Box"), "the name of what is no software")
	assert.Nil(t, ix.CIByLabel(""))
	assert.Equal(t, int64(30), ix.CIBySource("", "x").ID, "the lowest id")
	assert.Equal(t, int64(30), ix.CIBySource("scan", "x").ID)
	assert.Nil(t, ix.CIBySource("other", "x"))
	assert.Nil(t, ix.CIBySource("", "X"))
	assert.Equal(t, int64(21), ix.FirstServiceInstance(ix.CI(31)).ID, "link order")
	assert.Nil(t, ix.FirstServiceInstance(ix.CI(30)))
	assert.Equal(t, int64(11), ix.ServiceDesk("acme"))
	assert.Zero(t, ix.ServiceDesk("else"))
	assert.NotNil(t, ix.Problem(50))
	assert.NotNil(t, ix.Workflow(51))
	assert.Equal(t, int64(2), ix.Template(60).WorkflowTemplate.Manager)
	for _, missing := range []bool{ix.Person(9) == nil, ix.Team(9) == nil, ix.ServiceInstance(9) == nil, ix.CI(9) == nil, ix.Template(9) == nil} {
		assert.True(t, missing)
	}
}

func TestASoftwareIsFoundByItsName(t *testing.T) {
	c := sample()
	c.CIs = c.CIs[:2]
	assert.Equal(t, int64(30), New(c).CIByLabel("TOOL").ID)
}

func TestMemberRequired(t *testing.T) {
	assert.True(t, New(Catalog{}).MemberRequired("in_progress"))
	assert.False(t, New(Catalog{}).MemberRequired("assigned"))
	assert.False(t, New(Catalog{MemberRequiredStatuses: []string{}}).MemberRequired("accepted"))
	assert.True(t, New(Catalog{MemberRequiredStatuses: []string{"declined"}}).MemberRequired("declined"))
}

func TestAnEmptyCatalog(t *testing.T) {
	ix := New(Catalog{})
	assert.False(t, ix.HasPeople() || ix.HasTeams() || ix.HasOrganizations() || ix.HasProblems() || ix.HasWorkflows() || ix.HasTemplates())
	assert.Nil(t, ix.CurrentUser())
	assert.Empty(t, Catalog{}.Validate())
}

func TestValidate(t *testing.T) {
	require.Empty(t, sample().Validate())

	c := sample()
	c.CurrentUser.Teams = []int64{99}
	c.People[1].Teams = []int64{10, 98}
	c.Teams = append(c.Teams, Team{ID: 10})
	c.ServiceInstances[0] = ServiceInstance{ID: 20, FirstLineTeam: ptr(int64(97)), SupportTeam: ptr(int64(96))}
	c.CIs[0].ServiceInstances = []int64{20, 95}
	c.Problems = []Record{{}}
	c.FirstLineSupportAgreements[1].ServiceDeskTeam = 94
	c.RequestTemplates[0].WorkflowTemplate.Manager = 93
	var got []string
	for _, err := range c.Validate() {
		got = append(got, err.Error())
	}
	assert.Equal(t, []string{
		"teams[2].id: 10 is the id of teams[1] already",
		"problems[0].id: 0; want a number above 0",
		"current_user.teams[0]: there is no team 99",
		"people[1].teams[1]: there is no team 98",
		"service_instances[0].first_line_team: there is no team 97",
		"service_instances[0].support_team: there is no team 96",
		"cis[0].service_instances[1]: there is no service instance 95",
		"first_line_support_agreements[1].service_desk_team: there is no team 94",
		"request_templates[0].workflow_template.manager: there is no person 93",
	}, got)
}

// A look-up must not walk through the catalog.
func BenchmarkLookupAmong100000(b *testing.B) {
	var c Catalog
	for i := range int64(100_000) {
		c.CIs = append(c.CIs, CI{ID: i + 1, Label: fmt.Sprintf("srv-%d", i), SourceID: ptr(fmt.Sprint(i))})
	}
	ix := New(c)
	for b.Loop() {
		if ix.CIByLabel("SRV-99999") == nil || ix.CIBySource("", "99999") == nil {
			b.Fatal("not found")
		}
	}
}
