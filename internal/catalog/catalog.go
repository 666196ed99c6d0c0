// Package catalog holds the records that the Events API's rules look things up
// in: configuration items, service instances, teams, people and the rest. Its
// file has the shape of the "fixture" of a scenario file.
package catalog

// Catalog is one installation's records. The zero value is an empty catalog.
type Catalog struct {
	// Account is the account of calls that name none.
	Account                    string             `json:"account" yaml:"account"`
	CurrentUser                *Person            `json:"current_user" yaml:"current_user"`
	People                     []Person           `json:"people" yaml:"people"`
	Teams                      []Team             `json:"teams" yaml:"teams"`
	ServiceInstances           []ServiceInstance  `json:"service_instances" yaml:"service_instances"`
	CIs                        []CI               `json:"cis" yaml:"cis"`
	Organizations              []Organization     `json:"organizations" yaml:"organizations"`
	FirstLineSupportAgreements []SupportAgreement `json:"first_line_support_agreements" yaml:"first_line_support_agreements"`
	Problems                   []Record           `json:"problems" yaml:"problems"`
	Workflows                  []Record           `json:"workflows" yaml:"workflows"`
	RequestTemplates           []Template         `json:"request_templates" yaml:"request_templates"`
	// MemberRequiredStatuses are the statuses that need a member. The vendor
	// says only that there are some. Absent: accepted and in_progress.
	MemberRequiredStatuses []string `json:"member_required_statuses" yaml:"member_required_statuses"`
}

// Person is known by id or by primary e-mail address.
type Person struct {
	ID      int64   `json:"id" yaml:"id"`
	Name    string  `json:"name" yaml:"name"`
	Email   string  `json:"email" yaml:"email"`
	Account string  `json:"account" yaml:"account"`
	Teams   []int64 `json:"teams" yaml:"teams"`
}

// Team is known by id or name.
type Team struct {
	ID   int64  `json:"id" yaml:"id"`
	Name string `json:"name" yaml:"name"`
}

// ServiceInstance is known by id or name; its teams are ids, nil for none.
type ServiceInstance struct {
	ID            int64  `json:"id" yaml:"id"`
	Name          string `json:"name" yaml:"name"`
	FirstLineTeam *int64 `json:"first_line_team" yaml:"first_line_team"`
	SupportTeam   *int64 `json:"support_team" yaml:"support_team"`
}

// CI is a configuration item.
type CI struct {
	ID       int64   `json:"id" yaml:"id"`
	Label    string  `json:"label" yaml:"label"`
	Name     string  `json:"name" yaml:"name"`
	Software bool    `json:"software" yaml:"software"`
	Source   *string `json:"source" yaml:"source"`
	SourceID *string `json:"sourceID" yaml:"sourceID"`
	// ServiceInstances are ids in link order; the first is the default.
	ServiceInstances []int64 `json:"service_instances" yaml:"service_instances"`
}

// Organization is a supplier.
type Organization struct {
	ID   int64  `json:"id" yaml:"id"`
	Name string `json:"name" yaml:"name"`
}

// SupportAgreement names the service desk team of an account's first line.
type SupportAgreement struct {
	Account         string `json:"account" yaml:"account"`
	ServiceDeskTeam int64  `json:"service_desk_team" yaml:"service_desk_team"`
}

// Record is something that is only referred to.
type Record struct {
	ID      int64  `json:"id" yaml:"id"`
	Subject string `json:"subject" yaml:"subject"`
}

// Template is a request template.
type Template struct {
	ID               int64             `json:"id" yaml:"id"`
	WorkflowTemplate *WorkflowTemplate `json:"workflow_template" yaml:"workflow_template"`
	// Values are by parameter name; explicit parameters win over them.
	Values map[string]any `json:"values" yaml:"values"`
}

// WorkflowTemplate is what a request template may be linked to.
type WorkflowTemplate struct {
	Manager int64 `json:"manager" yaml:"manager"`
}
