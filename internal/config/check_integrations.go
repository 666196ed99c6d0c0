package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Defaults of integrations.
const (
	defaultSettling    = Duration(time.Minute)
	defaultIssueType   = "Task"
	defaultMemory      = Duration(7 * 24 * time.Hour)
	defaultPerSecond   = 10
	defaultConcurrency = 8
	// ServiceNow has four threads a node for the API calls of everybody, and
	// works on a call for up to 60 seconds ("Default transaction quota rules").
	defaultConcurrencyServiceNow = 2
	defaultSettlingServiceNow    = Duration(75 * time.Second)
	// The test provider has no vendor to spare, and nothing there comes late.
	defaultPerSecondMock   = 1000
	defaultConcurrencyMock = 100
	defaultSettlingMock    = Duration(time.Second)
	// maxPerSecond and maxConcurrency only catch slips of the finger.
	maxPerSecond   = 10_000
	maxConcurrency = 1000
)

// cloudFeedsRetention is how long Cloud Feeds keeps entries, and so how late
// one can be read again (Rackspace Cloud Feeds, "Concepts").
const cloudFeedsRetention = Duration(3 * 24 * time.Hour)

func defaultIntegration(integration *Integration) {
	rate, settling := Rate{PerSecond: defaultPerSecond, Concurrency: defaultConcurrency}, defaultSettling
	switch {
	case isServiceNow(integration.Type):
		rate.Concurrency, settling = defaultConcurrencyServiceNow, defaultSettlingServiceNow
	case integration.Type == TypeMock:
		rate, settling = Rate{PerSecond: defaultPerSecondMock, Concurrency: defaultConcurrencyMock}, defaultSettlingMock
	}
	if integration.Rate.PerSecond == 0 {
		integration.Rate.PerSecond = rate.PerSecond
	}
	if integration.Rate.Concurrency == 0 {
		integration.Rate.Concurrency = rate.Concurrency
	}
	if integration.Settling == 0 {
		integration.Settling = settling
	}
	if integration.Memory == 0 {
		integration.Memory = defaultMemory
	}
	if integration.Type == TypeJira && integration.DefaultIssueType == "" {
		integration.DefaultIssueType = defaultIssueType
	}
	if isServiceNow(integration.Type) && integration.CreateMode == "" {
		integration.CreateMode = CreateInTable
	}
}

func isServiceNow(integrationType string) bool {
	return integrationType == TypeServiceNow || integrationType == TypeServiceNowSIR
}

func (c *checker) checkIntegrations() {
	if len(c.cfg.Integrations) == 0 && !c.cfg.Managed() {
		c.problem("integrations", "missing; ticketbridge needs at least one provider to keep tickets at")
	}
	names := map[string]string{}
	for i := range c.cfg.Integrations {
		c.checkIntegration(fmt.Sprintf("integrations[%d]", i), &c.cfg.Integrations[i], names)
	}
}

func (c *checker) checkIntegration(path string, integration *Integration, names map[string]string) {
	c.name(path+".name", integration.Name, names)
	c.checkLimits(path, integration)
	c.checkMaps(path, integration)
	c.checkCustomFields(path+".custom_field_mappings", integration.CustomFieldMappings)
	if !c.available(path+".type", integration.Type, integrationTypes(), c.known.IntegrationTypes) {
		return
	}
	if integration.Type != TypeMock {
		integration.URL = c.url(path+".url", integration.URL)
	}
	c.checkMock(path, integration)
	c.credential(path+".credential", &integration.Credential, integrationCredentials(integration.Type))
	if integration.Type == TypeJira && integration.DefaultProject == "" && c.feedsEvents(integration.Name) {
		c.problem(path+".default_project", "missing; events have no project of their own")
	}
	c.checkServiceNow(path, integration)
}

// feedsEvents reports whether events become tickets at the integration.
func (c *checker) feedsEvents(name string) bool {
	return slices.ContainsFunc(c.cfg.Feeds, func(f Feed) bool { return f.Integration == name }) ||
		slices.ContainsFunc(c.cfg.Callers, func(caller Caller) bool { return caller.Integration == name })
}

func (c *checker) checkLimits(path string, integration *Integration) {
	if rate := integration.Rate.PerSecond; rate < 0 || rate > maxPerSecond {
		c.problem(path+".rate.per_second", "want more than 0 and at most %d", maxPerSecond)
	}
	if n := integration.Rate.Concurrency; n < 0 || n > maxConcurrency {
		c.problem(path+".rate.concurrency", "want at least 1 and at most %d", maxConcurrency)
	}
	if integration.Settling < 0 || integration.Settling > Duration(time.Hour) {
		c.problem(path+".settling", "want more than 0 and at most 1h")
	}
	least := Duration(time.Hour)
	for _, feed := range c.cfg.Feeds {
		if feed.Integration == integration.Name && feed.Type == TypeCloudFeeds {
			least = cloudFeedsRetention
		}
	}
	if integration.Memory < least {
		c.problem(path+".memory", "want at least %s: that long an event can come again", least)
	}
}

func (c *checker) checkMaps(path string, integration *Integration) {
	priorities := []string{
		string(ticket.Urgent), string(ticket.Critical), string(ticket.High), string(ticket.Medium),
		string(ticket.Moderate), string(ticket.Low), string(ticket.Planning),
	}
	for _, key := range slices.Sorted(maps.Keys(integration.PriorityMap)) {
		c.mapEntry(path+".priority_map", string(key), integration.PriorityMap[key], priorities)
	}
	for _, key := range slices.Sorted(maps.Keys(integration.StatusMap)) {
		c.mapEntry(path+".status_map", key, integration.StatusMap[key], requestStatuses())
	}
	for _, key := range slices.Sorted(maps.Keys(integration.FieldMap)) {
		c.mapEntry(path+".field_map", key, integration.FieldMap[key], requestFields())
	}
}

// mapEntry checks one line of a map.
func (c *checker) mapEntry(path, key, value string, known []string) {
	at := path + "." + key
	if !slices.Contains(known, key) {
		c.problem(at, "unknown key%s", strictyaml.Suggest(key, known))
		return
	}
	c.require(at, value)
}

func (c *checker) checkCustomFields(path string, mappings []CustomFieldMapping) {
	first := map[[2]string]int{}
	for i := range mappings {
		m, at := &mappings[i], fmt.Sprintf("%s[%d]", path, i)
		if m.ProviderFieldPath != "" && m.ProjectFieldPath != "" {
			c.problem(at+".project_field_path", "is another spelling of provider_field_path; write one of them")
		}
		if m.ProviderFieldPath == "" {
			m.ProviderFieldPath = m.ProjectFieldPath
		}
		m.ProjectFieldPath = ""
		if m.ProjectID == "" && !c.doc.Has(at+".project_id") {
			c.problem(at+".project_id", `missing; write a project, or "*" for all`)
		}
		c.require(at+".name", m.Name)
		c.require(at+".provider_field_path", m.ProviderFieldPath)
		key := [2]string{m.Name, m.ProjectID}
		if earlier, again := first[key]; again && m.Name != "" {
			c.problem(at+".name", "%q of project %q is mapped already by %s[%d]", m.Name, m.ProjectID, path, earlier)
			continue
		}
		first[key] = i
	}
}

// requestStatuses are the statuses of a request, as the Events API names them.
func requestStatuses() []string {
	return []string{
		"declined", "on_backlog", "assigned", "accepted", "in_progress", "waiting_for", "waiting_for_customer",
		"reservation_pending", "workflow_pending", "project_pending", "completed",
	}
}

// requestFields are the names of a request's fields.
func requestFields() []string {
	fields := reflect.TypeFor[event.Fields]()
	var names []string
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
