package catalog

import "fmt"

// Validate finds ids that are missing or used twice and references to records
// that do not exist, each as one error that names the place, e.g.
// "cis[3].service_instances[0]: there is no service instance 31".
func (c Catalog) Validate() []error {
	v := &validation{}
	people := ids(v, "people", c.People, func(p Person) int64 { return p.ID })
	teams := ids(v, "teams", c.Teams, func(t Team) int64 { return t.ID })
	instances := ids(v, "service_instances", c.ServiceInstances, func(s ServiceInstance) int64 { return s.ID })
	ids(v, "cis", c.CIs, func(ci CI) int64 { return ci.ID })
	ids(v, "organizations", c.Organizations, func(o Organization) int64 { return o.ID })
	ids(v, "problems", c.Problems, func(r Record) int64 { return r.ID })
	ids(v, "workflows", c.Workflows, func(r Record) int64 { return r.ID })
	ids(v, "request_templates", c.RequestTemplates, func(t Template) int64 { return t.ID })

	if c.CurrentUser != nil {
		for i, team := range c.CurrentUser.Teams {
			v.reference(teams, team, "team", "current_user.teams[%d]", i)
		}
	}
	for i, person := range c.People {
		for j, team := range person.Teams {
			v.reference(teams, team, "team", "people[%d].teams[%d]", i, j)
		}
	}
	for i, instance := range c.ServiceInstances {
		if team := instance.FirstLineTeam; team != nil {
			v.reference(teams, *team, "team", "service_instances[%d].first_line_team", i)
		}
		if team := instance.SupportTeam; team != nil {
			v.reference(teams, *team, "team", "service_instances[%d].support_team", i)
		}
	}
	for i, ci := range c.CIs {
		for j, instance := range ci.ServiceInstances {
			v.reference(instances, instance, "service instance", "cis[%d].service_instances[%d]", i, j)
		}
	}
	for i, agreement := range c.FirstLineSupportAgreements {
		v.reference(teams, agreement.ServiceDeskTeam, "team", "first_line_support_agreements[%d].service_desk_team", i)
	}
	for i, template := range c.RequestTemplates {
		if workflow := template.WorkflowTemplate; workflow != nil {
			v.reference(people, workflow.Manager, "person", "request_templates[%d].workflow_template.manager", i)
		}
	}
	return v.errs
}

type validation struct{ errs []error }

func (v *validation) reference(known map[int64]int, id int64, kind, path string, at ...any) {
	if _, ok := known[id]; !ok {
		v.errs = append(v.errs, fmt.Errorf("%s: there is no %s %d", fmt.Sprintf(path, at...), kind, id))
	}
}

// ids checks a kind's ids and returns them with their places.
func ids[T any](v *validation, path string, records []T, id func(T) int64) map[int64]int {
	places := make(map[int64]int, len(records))
	for i, record := range records {
		n := id(record)
		if n <= 0 {
			v.errs = append(v.errs, fmt.Errorf("%s[%d].id: %d; want a number above 0", path, i, n))
			continue
		}
		if first, taken := places[n]; taken {
			v.errs = append(v.errs, fmt.Errorf("%s[%d].id: %d is the id of %s[%d] already", path, i, n, path, first))
			continue
		}
		places[n] = i
	}
	return places
}
