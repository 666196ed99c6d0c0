package catalog

import (
	"slices"
	"strings"
)

// Index answers look-ups in a catalog without walking through it. It is built
// once, never changes, and may be shared. Where several records share a name,
// label or e-mail address, the one with the lowest id is found, so that the
// answer does not depend on the order of the file.
type Index struct {
	catalog Catalog

	people    table[Person]
	teams     table[Team]
	instances table[ServiceInstance]
	cis       table[CI]
	suppliers table[Organization]
	problems  table[Record]
	workflows table[Record]
	templates table[Template]

	software   map[string]*CI // by name, software CIs only
	bySourceID map[string][]*CI
	desks      map[string]int64 // service desk team by account
}

// New indexes a catalog. The catalog must not be changed afterwards.
func New(c Catalog) *Index {
	ix := &Index{
		catalog:    c,
		people:     newTable(c.People, func(p *Person) (int64, string) { return p.ID, p.Email }),
		teams:      newTable(c.Teams, func(t *Team) (int64, string) { return t.ID, t.Name }),
		instances:  newTable(c.ServiceInstances, func(s *ServiceInstance) (int64, string) { return s.ID, s.Name }),
		cis:        newTable(c.CIs, func(ci *CI) (int64, string) { return ci.ID, ci.Label }),
		suppliers:  newTable(c.Organizations, func(o *Organization) (int64, string) { return o.ID, o.Name }),
		problems:   newTable(c.Problems, func(r *Record) (int64, string) { return r.ID, "" }),
		workflows:  newTable(c.Workflows, func(r *Record) (int64, string) { return r.ID, "" }),
		templates:  newTable(c.RequestTemplates, func(t *Template) (int64, string) { return t.ID, "" }),
		software:   map[string]*CI{},
		bySourceID: map[string][]*CI{},
		desks:      map[string]int64{},
	}
	for i := range c.CIs {
		ci := &c.CIs[i]
		if ci.Software {
			keepLowest(ix.software, ci.Name, ci, ciID)
		}
		if ci.SourceID != nil && *ci.SourceID != "" {
			ix.bySourceID[*ci.SourceID] = append(ix.bySourceID[*ci.SourceID], ci)
		}
	}
	for _, agreement := range c.FirstLineSupportAgreements {
		account := fold(agreement.Account)
		if _, taken := ix.desks[account]; !taken {
			ix.desks[account] = agreement.ServiceDeskTeam
		}
	}
	return ix
}

// Account is the account of calls that name none.
func (ix *Index) Account() string { return ix.catalog.Account }

// CurrentUser is the person of calls that name none; nil where the catalog has none.
func (ix *Index) CurrentUser() *Person { return ix.catalog.CurrentUser }

// Person, Team, ServiceInstance, CI and the rest find a record by its id; nil
// means that there is none.
func (ix *Index) Person(id int64) *Person { return ix.people.byID[id] }

// PersonByEmail ignores letter case.
func (ix *Index) PersonByEmail(email string) *Person { return ix.people.byName[fold(email)] }

// Team finds a team by id.
func (ix *Index) Team(id int64) *Team { return ix.teams.byID[id] }

// TeamByName ignores letter case.
func (ix *Index) TeamByName(name string) *Team { return ix.teams.byName[fold(name)] }

// ServiceInstance finds a service instance by id.
func (ix *Index) ServiceInstance(id int64) *ServiceInstance { return ix.instances.byID[id] }

// ServiceInstanceByName ignores letter case.
func (ix *Index) ServiceInstanceByName(name string) *ServiceInstance {
	return ix.instances.byName[fold(name)]
}

// CI finds a configuration item by id.
func (ix *Index) CI(id int64) *CI { return ix.cis.byID[id] }

// CIByLabel finds a CI by its label or, for software, by its name; letter case
// is ignored and a label goes before a name.
func (ix *Index) CIByLabel(label string) *CI {
	if ci := ix.cis.byName[fold(label)]; ci != nil {
		return ci
	}
	return ix.software[fold(label)]
}

// CIBySource finds a CI by what a discovery tool registered. An empty source
// means any; the letter case of the source is ignored, that of the id counts.
func (ix *Index) CIBySource(source, sourceID string) *CI {
	var found *CI
	for _, ci := range ix.bySourceID[sourceID] {
		if source != "" && (ci.Source == nil || fold(*ci.Source) != fold(source)) {
			continue
		}
		if found == nil || ci.ID < found.ID {
			found = ci
		}
	}
	return found
}

// FirstServiceInstance is the first one that a CI is linked to, in link order.
func (ix *Index) FirstServiceInstance(ci *CI) *ServiceInstance {
	for _, id := range ci.ServiceInstances {
		if instance := ix.ServiceInstance(id); instance != nil {
			return instance
		}
	}
	return nil
}

// Organization finds a supplier by id.
func (ix *Index) Organization(id int64) *Organization { return ix.suppliers.byID[id] }

// OrganizationByName ignores letter case.
func (ix *Index) OrganizationByName(name string) *Organization {
	return ix.suppliers.byName[fold(name)]
}

// Problem finds a problem by id.
func (ix *Index) Problem(id int64) *Record { return ix.problems.byID[id] }

// Workflow finds a workflow of the service desk's (not of Temporal's) by id.
func (ix *Index) Workflow(id int64) *Record { return ix.workflows.byID[id] }

// Template finds a request template by id.
func (ix *Index) Template(id int64) *Template { return ix.templates.byID[id] }

// ServiceDesk is the team id that the account's first line support agreement
// names, 0 where there is none.
func (ix *Index) ServiceDesk(account string) int64 { return ix.desks[fold(account)] }

// MemberRequired reports whether a request in this status needs a member.
func (ix *Index) MemberRequired(status string) bool {
	statuses := ix.catalog.MemberRequiredStatuses
	if statuses == nil {
		statuses = []string{"accepted", "in_progress"}
	}
	return slices.Contains(statuses, status)
}

// HasPeople and its kin report whether the catalog lists such records at all.
// Where it lists none it cannot tell a wrong name from a right one.
func (ix *Index) HasPeople() bool { return len(ix.catalog.People) > 0 }

// HasTeams reports whether the catalog lists teams.
func (ix *Index) HasTeams() bool { return len(ix.catalog.Teams) > 0 }

// HasOrganizations reports whether the catalog lists organizations.
func (ix *Index) HasOrganizations() bool { return len(ix.catalog.Organizations) > 0 }

// HasProblems reports whether the catalog lists problems.
func (ix *Index) HasProblems() bool { return len(ix.catalog.Problems) > 0 }

// HasWorkflows reports whether the catalog lists workflows.
func (ix *Index) HasWorkflows() bool { return len(ix.catalog.Workflows) > 0 }

// HasTemplates reports whether the catalog lists request templates.
func (ix *Index) HasTemplates() bool { return len(ix.catalog.RequestTemplates) > 0 }

// table finds records of one kind by id and by name.
type table[T any] struct {
	byID   map[int64]*T
	byName map[string]*T
}

func newTable[T any](records []T, key func(*T) (id int64, name string)) table[T] {
	t := table[T]{byID: make(map[int64]*T, len(records)), byName: map[string]*T{}}
	for i := range records {
		record := &records[i]
		id, name := key(record)
		if _, taken := t.byID[id]; !taken {
			t.byID[id] = record
		}
		keepLowest(t.byName, name, record, func(r *T) int64 { id, _ := key(r); return id })
	}
	return t
}

func keepLowest[T any](names map[string]*T, name string, record *T, id func(*T) int64) {
	name = fold(name)
	if name == "" {
		return
	}
	if other, taken := names[name]; !taken || id(record) < id(other) {
		names[name] = record
	}
}

func ciID(ci *CI) int64 { return ci.ID }

// fold makes names that differ only by letter case and outer blanks equal.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
