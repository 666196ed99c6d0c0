package config

import (
	"cmp"
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
	defaultMemory      = Duration(7 * 24 * time.Hour)
	defaultPerSecond   = 10
	defaultConcurrency = 8
	// maxPerSecond and maxConcurrency only catch slips of the finger.
	maxPerSecond   = 10_000
	maxConcurrency = 1000
)

// cloudFeedsRetention is how long Cloud Feeds keeps entries, and so how late
// one can be read again (Rackspace Cloud Feeds, "Concepts").
const cloudFeedsRetention = Duration(3 * 24 * time.Hour)

func (c *checker) defaultIntegration(integration *Integration) {
	t, _ := c.known.integrationType(integration.Type)
	t.fillIn(integration)
}

// fillIn gives an integration its type's defaults, and those of all types.
func (t IntegrationType) fillIn(in *Integration) {
	in.URL = cmp.Or(in.URL, t.Defaults.URL)
	in.DefaultIssueType = cmp.Or(in.DefaultIssueType, t.Defaults.DefaultIssueType)
	in.Rate.PerSecond = cmp.Or(in.Rate.PerSecond, t.Defaults.Rate.PerSecond, defaultPerSecond)
	in.Rate.Concurrency = cmp.Or(in.Rate.Concurrency, t.Defaults.Rate.Concurrency, defaultConcurrency)
	in.Settling = cmp.Or(in.Settling, t.Defaults.Settling, defaultSettling)
	in.Memory = cmp.Or(in.Memory, defaultMemory)
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
	if !c.available(path+".type", integration.Type, c.known.integrationTypes(), c.known.integrationNames()) {
		return
	}
	t, _ := c.known.integrationType(integration.Type)
	switch {
	case t.Address == AddressRequired, t.Address == AddressOptional && integration.URL != "":
		integration.URL = c.url(path+".url", integration.URL)
	case t.Address == AddressNone && c.doc.Has(path+".url"):
		c.problem(path+".url", "this type has no address")
	}
	c.credential(path+".credential", &integration.Credential, t.Credentials)
	if at := path + ".credential.requests_per_minute"; c.doc.Has(at) {
		c.problem(at, "is of feeds only; the limit of an integration is its rate")
	}
	if t.EventsNeedProject && integration.DefaultProject == "" && c.feedsEvents(integration.Name) {
		c.problem(path+".default_project", "missing; events have no project of their own")
	}
	c.checkOwn(path, integration, t)
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
	var priorities []string
	for _, p := range ticket.Priorities() {
		priorities = append(priorities, string(p))
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
