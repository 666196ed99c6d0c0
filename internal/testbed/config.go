package testbed

import (
	"fmt"
	"strings"
)

// Names of the configuration's one integration and one caller.
const (
	Integration = "jira-ops"
	Caller      = "monitoring"
)

// Settling is how long a lost create may be under way at the simulated Jira.
const Settling = "1s"

// Config is a configuration with a simulated Jira.
type Config struct {
	JiraURL string
	// JiraSecret and CallerSecret are names of environment variables.
	JiraSecret   string
	CallerSecret string
	// More are lines of the integration, indented by 4; Callers are further ones,
	// indented by 2.
	More    string
	Callers string
	// Feeds follow all else.
	Feeds string
}

// String is the text of the file. Its catalog is to be beside it.
func (c Config) String() string {
	return fmt.Sprintf(`integrations:
  - name: %s
    type: ticketing_jira
    url: %s
    credential: {type: basic, username: bridge@acme.example, secret: "env:%s"}
    default_project: OPS
    default_issue_type: Task
    settling: %s
%s
callers:
  - name: %s
    token: "env:%s"
    integration: %s
    person: monitor@widget.example
%scatalog: catalog.yaml
%s`, Integration, c.JiraURL, c.JiraSecret, Settling, c.More, Caller, c.CallerSecret, Integration, c.Callers, c.Feeds)
}

// CIs is how many configuration items the catalog has.
const CIs = 250

// CI is the label of the nth one, from 0 on; after the last the first one follows.
func CI(n int) string { return fmt.Sprintf("srv-%03d", n%CIs+1) }

// Catalog is a catalog with the CIs srv-001 to srv-250.
func Catalog() string {
	var b strings.Builder
	b.WriteString(`account: widget
current_user: {id: 100, email: monitor@widget.example, account: widget, teams: []}
people:
  - {id: 100, email: monitor@widget.example, account: widget, teams: []}
  - {id: 54, email: mia@acme.example, account: widget, teams: [13]}
teams:
  - {id: 2, name: Service Desk}
  - {id: 13, name: Unix Servers}
service_instances:
  - {id: 29, name: Data Center, first_line_team: null, support_team: 13}
first_line_support_agreements:
  - {account: widget, service_desk_team: 2}
cis:
`)
	for n := range CIs {
		fmt.Fprintf(&b, "  - {id: %d, label: %s, name: Rack Server, service_instances: [29]}\n", 501+n, CI(n))
	}
	return b.String()
}
