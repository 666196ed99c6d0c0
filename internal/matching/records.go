package matching

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// lookup finds records of one kind. Where the catalog lists none of the kind,
// unlisted makes one of what was given, so that it still reaches the ticket.
type lookup[T any] struct {
	byID     func(int64) *T
	byName   func(string) *T
	unlisted func(id int64, name string) *T // nil where the catalog lists the kind
}

// pick finds the record that v names as name_id or, failing that, as name.
func pick[T any](v values, name string, in lookup[T]) *T {
	id, numeric := parseID(v[name+"_id"])
	if numeric {
		if record := in.byID(id); record != nil {
			return record
		}
	}
	text := v[name]
	if text != "" && in.byName != nil {
		if record := in.byName(text); record != nil {
			return record
		}
	}
	if in.unlisted != nil && (numeric || text != "") {
		return in.unlisted(id, text)
	}
	return nil
}

// choose picks from the event, else from its template, and warns where the
// event named something that is not there.
func choose[T any](r *resolver, name string, in lookup[T]) (record *T, byEvent bool) {
	if record = pick(r.given, name, in); record != nil {
		return record, true
	}
	if text := cmp.Or(r.given[name+"_id"], r.given[name]); text != "" {
		r.warn("%s: %q is not in the catalog", name, text)
	}
	return pick(r.template, name, in), false
}

// findTemplate reads the template's values, which count as given where the
// event gives none. Notes of a template are not among them: they are no event.
func (r *resolver) findTemplate() *catalog.Template {
	in := lookup[catalog.Template]{byID: r.ix.Template}
	if !r.ix.HasTemplates() {
		in.unlisted = func(id int64, _ string) *catalog.Template { return &catalog.Template{ID: id} }
	}
	template, _ := choose(r, "template", in)
	if template == nil {
		return nil
	}
	r.out.Fields.Template = event.Ref{ID: template.ID}
	texts := event.Params{}
	for name, value := range template.Values {
		texts[name] = valueText(value)
	}
	r.template = clean(texts)
	return template
}

// findCI tries the three ways to name a CI in the order of their exactness. An
// id that is no number is tried as a label: some clients send it so.
func (r *resolver) findCI() *catalog.CI {
	v := r.given
	if v["ci_id"] == "" && v["ci_sourceID"] == "" && v["ci"] == "" {
		v = r.template
	}
	var ci *catalog.CI
	if text := v["ci_id"]; text != "" {
		if id, numeric := parseID(text); numeric {
			ci = r.ix.CI(id)
		} else {
			ci = r.ix.CIByLabel(text)
		}
	}
	if ci == nil && v["ci_sourceID"] != "" {
		ci = r.ix.CIBySource(v["ci_source"], v["ci_sourceID"])
	}
	if ci == nil && v["ci"] != "" {
		ci = r.ix.CIByLabel(v["ci"])
	}
	if ci != nil {
		r.out.Fields.CI = event.Ref{ID: ci.ID, Name: cmp.Or(ci.Label, ci.Name)}
		return ci
	}
	for _, name := range []string{"ci_id", "ci_sourceID", "ci"} {
		switch text := v[name]; {
		case text == "":
		case r.options.StrictCI:
			r.errs = append(r.errs, [2]string{name, "is not in the catalog"})
		default:
			r.warn("%s: %q is not in the catalog", name, text)
		}
	}
	return nil
}

func (r *resolver) findServiceInstance(ci *catalog.CI) *catalog.ServiceInstance {
	instance, _ := choose(r, "service_instance", lookup[catalog.ServiceInstance]{
		byID: r.ix.ServiceInstance, byName: r.ix.ServiceInstanceByName,
	})
	if instance == nil && ci != nil {
		instance = r.ix.FirstServiceInstance(ci)
	}
	if instance != nil {
		r.out.Fields.ServiceInstance = event.Ref{ID: instance.ID, Name: instance.Name}
	}
	return instance
}

// related sets the references that nothing else depends on.
func (r *resolver) related() {
	organizations := lookup[catalog.Organization]{byID: r.ix.Organization, byName: r.ix.OrganizationByName}
	if !r.ix.HasOrganizations() {
		organizations.unlisted = func(id int64, name string) *catalog.Organization {
			return &catalog.Organization{ID: id, Name: name}
		}
	}
	if supplier, _ := choose(r, "supplier", organizations); supplier != nil {
		r.out.Fields.Supplier = event.Ref{ID: supplier.ID, Name: supplier.Name}
	}
	r.out.Fields.Problem = r.record("problem", r.ix.Problem, r.ix.HasProblems())
	r.out.Fields.Workflow = r.record("workflow", r.ix.Workflow, r.ix.HasWorkflows())
}

func (r *resolver) record(name string, byID func(int64) *catalog.Record, listed bool) event.Ref {
	in := lookup[catalog.Record]{byID: byID}
	if !listed {
		in.unlisted = func(id int64, _ string) *catalog.Record { return &catalog.Record{ID: id} }
	}
	record, _ := choose(r, name, in)
	if record == nil {
		return event.Ref{}
	}
	return event.Ref{ID: record.ID, Name: record.Subject}
}

// assign settles member and team.
func (r *resolver) assign(template *catalog.Template, instance *catalog.ServiceInstance) {
	f, persons := &r.out.Fields, r.persons()
	member, byEvent := choose(r, "member", persons)
	if byEvent {
		ref := personRef(*member)
		r.out.Changes.Member = &ref
	}
	switch {
	case member != nil:
		f.Member = personRef(*member)
	case template != nil && template.WorkflowTemplate != nil:
		id := template.WorkflowTemplate.Manager
		f.Member = event.Ref{ID: id}
		if manager := persons.byID(id); manager != nil {
			f.Member = personRef(*manager)
		}
	case r.ix.MemberRequired(f.Status):
		f.Member = personRef(r.me)
	}

	teams := lookup[catalog.Team]{byID: r.ix.Team, byName: r.ix.TeamByName}
	if !r.ix.HasTeams() {
		teams.unlisted = func(id int64, name string) *catalog.Team { return &catalog.Team{ID: id, Name: name} }
	}
	team, byEvent := choose(r, "team", teams)
	if team == nil {
		f.Team = r.defaultTeam(member, instance)
		return
	}
	f.Team = event.Ref{ID: team.ID, Name: team.Name}
	if byEvent {
		ref := f.Team
		r.out.Changes.Team = &ref
	}
}

// defaultTeam follows the vendor's order: the team of the person given as the
// member; the service instance's first line team, or its support team where
// there is no first line or the current user is in one of the two; the service
// desk of the account of the person the request is for.
func (r *resolver) defaultTeam(member *catalog.Person, instance *catalog.ServiceInstance) event.Ref {
	if member != nil && len(member.Teams) > 0 {
		return r.teamRef(slices.Min(member.Teams))
	}
	if instance != nil {
		first, support := instance.FirstLineTeam, instance.SupportTeam
		if support != nil && (first == nil || r.myTeam(*first) || r.myTeam(*support)) {
			return r.teamRef(*support)
		}
		if first != nil {
			return r.teamRef(*first)
		}
	}
	requestedFor, account := r.out.Fields.RequestedFor, r.account
	if person := r.findPerson(requestedFor.ID, requestedFor.Email); person != nil && person.Account != "" {
		account = person.Account
	}
	if desk := r.ix.ServiceDesk(account); desk != 0 {
		return r.teamRef(desk)
	}
	return event.Ref{}
}

func (r *resolver) myTeam(id int64) bool { return slices.Contains(r.me.Teams, id) }

func (r *resolver) teamRef(id int64) event.Ref {
	if team := r.ix.Team(id); team != nil {
		return event.Ref{ID: id, Name: team.Name}
	}
	return event.Ref{ID: id}
}

// people settles who created the request and for whom.
func (r *resolver) people() {
	f, persons := &r.out.Fields, r.persons()
	f.CreatedBy = personRef(r.me)
	f.RequestedBy = f.CreatedBy
	if person, _ := choose(r, "requested_by", persons); person != nil {
		f.RequestedBy = personRef(*person)
	}
	f.RequestedFor = f.RequestedBy
	if person, _ := choose(r, "requested_for", persons); person != nil {
		f.RequestedFor = personRef(*person)
	}
}

func (r *resolver) persons() lookup[catalog.Person] {
	in := lookup[catalog.Person]{
		byID:   func(id int64) *catalog.Person { return r.findPerson(id, "") },
		byName: func(email string) *catalog.Person { return r.findPerson(0, email) },
	}
	if !r.ix.HasPeople() {
		in.unlisted = func(id int64, email string) *catalog.Person {
			return &catalog.Person{ID: id, Email: email, Account: r.account}
		}
	}
	return in
}

// findPerson finds a person by id, else by e-mail address. The current user
// goes first: it may be known although the catalog does not list it.
func (r *resolver) findPerson(id int64, email string) *catalog.Person {
	switch {
	case id != 0 && id == r.me.ID, id == 0 && email != "" && strings.EqualFold(email, r.me.Email):
		return &r.me
	case id != 0:
		return r.ix.Person(id)
	default:
		return r.ix.PersonByEmail(email)
	}
}

func currentUser(ix *catalog.Index, as Caller) catalog.Person {
	known := ix.CurrentUser()
	switch {
	case as.CurrentUser != nil:
		return *as.CurrentUser
	case as.Person == "" && known != nil:
		return *known
	case as.Person == "":
		return catalog.Person{}
	}
	if person := ix.PersonByEmail(as.Person); person != nil {
		return *person
	}
	if known != nil && strings.EqualFold(known.Email, as.Person) {
		return *known
	}
	return catalog.Person{Email: as.Person, Account: as.Account}
}

func personRef(p catalog.Person) event.Ref { return event.Ref{ID: p.ID, Name: p.Name, Email: p.Email} }
