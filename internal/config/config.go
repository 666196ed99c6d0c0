// Package config reads what ticketbridge is told: the process settings from the
// environment and the configuration file with its feeds, integrations, callers
// and catalog.
package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Config is a configuration that was found good. Everything is in the file's
// order, defaults are filled in and secrets are resolved.
type Config struct {
	Feeds        []Feed        `yaml:"feeds"`
	Integrations []Integration `yaml:"integrations"`
	Callers      []Caller      `yaml:"callers"`
	// CatalogFile is the catalog's path as written; empty for none.
	CatalogFile string   `yaml:"catalog"`
	Matching    Matching `yaml:"matching"`

	// Catalog is what CatalogFile holds; empty, never nil, without one.
	Catalog *catalog.Catalog `yaml:"-"`
	// Warnings are what is allowed and still looks wrong.
	Warnings []Problem `yaml:"-"`
}

// Feed is one source that is polled.
type Feed struct {
	Name       string     `yaml:"name"`
	Type       string     `yaml:"type"`
	URL        string     `yaml:"url"`
	Credential Credential `yaml:"credential"`
	// Tenant, where given, is the only one whose entries are taken (Cloud
	// Feeds' tid: category, without the prefix), or the one whose events an
	// Acronis feed subscribes to.
	Tenant string `yaml:"tenant"`
	// Start is where reading begins when the feed has no position yet.
	Start string `yaml:"start"`
	// PollInterval is the time between two polls of a feed that has nothing
	// new, at least FeedInterval.
	PollInterval Duration     `yaml:"poll_interval"`
	Match        event.Policy `yaml:"match"`
	Integration  string       `yaml:"integration"`
	// Transform is the jq program from an entry to the Events API's parameters,
	// for feeds that match by the event policy; empty takes the feed type's own.
	Transform string `yaml:"transform"`
	Acronis
	// CatalogAccount and Person are where and as whom events are matched.
	CatalogAccount string `yaml:"catalog_account"`
	Person         string `yaml:"person"`
}

// Integration is one account at a ticketing provider.
type Integration struct {
	Name                string               `yaml:"name"`
	Type                string               `yaml:"type"`
	URL                 string               `yaml:"url"`
	Credential          Credential           `yaml:"credential"`
	DefaultProject      string               `yaml:"default_project"`
	DefaultIssueType    string               `yaml:"default_issue_type"`
	CustomFieldMappings []CustomFieldMapping `yaml:"custom_field_mappings"`
	// PriorityMap gives the provider's name of a priority.
	PriorityMap map[ticket.Priority]string `yaml:"priority_map"`
	// StatusMap gives the provider's status for a request's, or for the
	// publisher's word under the ticket policy.
	StatusMap map[string]string `yaml:"status_map"`
	// FieldMap gives the custom field (a mapping's name, or the provider's own
	// id) that holds a field of the request.
	FieldMap map[string]string `yaml:"field_map"`
	Rate     Rate              `yaml:"rate"`
	// Settling is how long after a lost answer the ticket is looked for: until
	// then the provider may still be creating it.
	Settling Duration `yaml:"settling"`
	// Memory is how long past a request's end its events are still known.
	Memory Duration `yaml:"memory"`
	// Own are the keys that only the type has, as its IntegrationType makes them.
	Own any `yaml:"-"`
}

// Rate bounds the calls to one integration.
type Rate struct {
	PerSecond   float64 `yaml:"per_second"`
	Concurrency int     `yaml:"concurrency"`
}

// CustomFieldMapping says which field of the provider a name stands for, in one
// project or, with "*", in all.
type CustomFieldMapping struct {
	Name              string `yaml:"name"`
	ProjectID         string `yaml:"project_id"`
	ProviderFieldPath string `yaml:"provider_field_path"`
	// ProjectFieldPath is another spelling of ProviderFieldPath; after Load it
	// is empty.
	ProjectFieldPath string `yaml:"project_field_path"`
}

// Credential is how a feed or provider knows us. Which members are used
// depends on Type.
type Credential struct {
	Type        string `yaml:"type"`
	Username    string `yaml:"username"`
	ClientID    string `yaml:"client_id"`
	Secret      Secret `yaml:"secret"`
	IdentityURL string `yaml:"identity_url"`
	TokenURL    string `yaml:"token_url"`
	// RequestsPerMinute is the vendor's limit over all feeds of a Cloud Feeds
	// credential; 0 is the documented 10. Only for accounts with another limit.
	RequestsPerMinute int `yaml:"requests_per_minute"`
}

// Caller is who may call the HTTP interfaces.
type Caller struct {
	Name        string `yaml:"name"`
	Token       Secret `yaml:"token"`
	Integration string `yaml:"integration"`
	// Admin may manage integrations by the API; it needs no integration itself.
	Admin bool `yaml:"admin"`
	// CatalogAccount and Person are where and as whom events are matched.
	CatalogAccount string `yaml:"catalog_account"`
	Person         string `yaml:"person"`
}

// HasPerson reports whether the catalog has a person of this e-mail address.
func (c *Config) HasPerson(email string) bool {
	return c.Catalog != nil && hasPerson(c.Catalog, email)
}

// Managed reports whether integrations can be made by the API, so that there may
// be more than the file names.
func (c *Config) Managed() bool {
	return slices.ContainsFunc(c.Callers, func(caller Caller) bool { return caller.Admin })
}

// Matching are the choices that the Events API's documentation leaves open.
type Matching struct {
	// ApplyOnRepeat applies an event's parameters even when its note repeats.
	ApplyOnRepeat bool `yaml:"apply_on_repeat"`
	// StrictCI refuses an event whose CI is unknown.
	StrictCI bool `yaml:"strict_ci"`
	// IgnoreOrphanRecovery ignores a completing event that matches nothing.
	IgnoreOrphanRecovery bool `yaml:"ignore_orphan_recovery"`
}

// Feed finds a feed; the error names those that exist.
func (c *Config) Feed(name string) (Feed, error) {
	names := make([]string, len(c.Feeds))
	for i, feed := range c.Feeds {
		if feed.Name == name {
			return feed, nil
		}
		names[i] = feed.Name
	}
	return Feed{}, unknownName("feed", name, names)
}

// Integration finds an integration; the error names those that exist.
func (c *Config) Integration(name string) (Integration, error) {
	names := make([]string, len(c.Integrations))
	for i, integration := range c.Integrations {
		if integration.Name == name {
			return integration, nil
		}
		names[i] = integration.Name
	}
	return Integration{}, unknownName("integration", name, names)
}

// CallerByToken finds the caller whose token this is. It takes the same time
// whichever caller it is, or none.
func (c *Config) CallerByToken(token string) (Caller, bool) {
	given := sha256.Sum256([]byte(token))
	found := -1
	for i, caller := range c.Callers {
		own := sha256.Sum256([]byte(caller.Token.Reveal()))
		if subtle.ConstantTimeCompare(own[:], given[:]) == 1 && !caller.Token.Empty() {
			found = i
		}
	}
	if found < 0 {
		return Caller{}, false
	}
	return c.Callers[found], true
}

// Secrets are the values that no text for people may hold.
func (c *Config) Secrets() []string {
	var all []string
	add := func(s Secret) {
		if !s.Empty() {
			all = append(all, s.Reveal())
		}
	}
	for _, feed := range c.Feeds {
		add(feed.Credential.Secret)
	}
	for _, integration := range c.Integrations {
		for _, secret := range integration.Secrets() {
			add(secret)
		}
	}
	for _, caller := range c.Callers {
		add(caller.Token)
	}
	return all
}

func unknownName(kind, name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("unknown %s %q: the configuration has none", kind, name)
	}
	return fmt.Errorf("unknown %s %q: the configuration has %s", kind, name, strings.Join(known, ", "))
}
