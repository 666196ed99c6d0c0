package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

const capabilitiesTag = "Capabilities"

func (a *api) capabilityRoutes() []route {
	if a.Providers == nil {
		return nil
	}
	expand := func(options []string) parameter {
		return parameter{"expand", "query", "What to tell in full; may be repeated: " + strings.Join(options, ", ") + "."}
	}
	get := func(path, summary string, body any, parameters []parameter, handle handler, more ...answer) route {
		return route{
			method: http.MethodGet, path: capabilitiesPath + path, tag: capabilitiesTag, general: true, summary: summary, parameters: parameters, handle: handle,
			answers: append(more, answer{status: 200, about: "What this version can do.", body: body}, answer{status: 400, about: "A parameter is wrong.", body: problem{}}),
		}
	}
	ofProviders := []parameter{expand(providerExpansions())}
	return []route{
		get("", "What each provider can do", providerList{}, ofProviders, a.listProviders),
		get("/providers", "What each provider can do", providerList{}, ofProviders, a.listProviders),
		get("/providers/{providerId}", "What a provider can do", providerAnswer{},
			append([]parameter{{"providerId", "path", "An integration's type, like ticketing_jira."}}, ofProviders...), a.getProvider,
			answer{status: 404, about: "There is no such provider in this version.", body: problem{}}),
		get("/connectors", "Kinds of interfaces", connectorList{}, []parameter{expand(connectorExpansions())}, a.listConnectors),
	}
}

// What can be told in full.
const (
	expandConnector   = "connector"
	expandOperations  = "operations" // they always are; clients of the connector ask for them
	expandRequestBody = "request_body"
	expandConfig      = "provider_config"
	expandProviders   = "providers"
)

func providerExpansions() []string {
	return []string{expandConnector, expandOperations, expandRequestBody, expandConfig}
}
func connectorExpansions() []string { return []string{expandProviders} }

// expansions reads the expand parameter: repeated, or separated by commas.
func expansions(r *http.Request, known []string) ([]string, error) {
	var all []string
	for _, value := range r.URL.Query()["expand"] {
		for word := range strings.SplitSeq(value, ",") {
			if word = strings.TrimSpace(word); word == "" {
				continue
			}
			if !slices.Contains(known, word) {
				return nil, badParameter("query", "expand", word, fmt.Errorf("expand: %q is none of %s", word, strings.Join(known, ", ")))
			}
			all = append(all, word)
		}
	}
	return all, nil
}

func (a *api) listProviders(w http.ResponseWriter, r *http.Request, _ Caller) error {
	expand, err := expansions(r, providerExpansions())
	if err != nil {
		return err
	}
	answer := providerList{Result: []providerCapabilities{}}
	for _, p := range a.Providers {
		answer.Result = append(answer.Result, a.capabilitiesOf(p, expand))
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (a *api) getProvider(w http.ResponseWriter, r *http.Request, _ Caller) error {
	expand, err := expansions(r, providerExpansions())
	if err != nil {
		return err
	}
	id := r.PathValue("providerId")
	i := slices.IndexFunc(a.Providers, func(p ticketing.Provider) bool { return p.ID == id })
	if i < 0 {
		return &refusal{
			status: http.StatusNotFound, err: errors.New("no provider " + id),
			detail: fmt.Sprintf("This version has no provider %q; it has %s.", id, strings.Join(a.providerIDs(), ", ")),
		}
	}
	writeJSON(w, http.StatusOK, providerAnswer{a.capabilitiesOf(a.Providers[i], expand)})
	return nil
}

func (a *api) listConnectors(w http.ResponseWriter, r *http.Request, _ Caller) error {
	expand, err := expansions(r, connectorExpansions())
	if err != nil {
		return err
	}
	c := a.connector()
	if slices.Contains(expand, expandProviders) {
		for _, p := range a.Providers {
			c.Providers = append(c.Providers, a.capabilitiesOf(p, nil))
		}
	}
	writeJSON(w, http.StatusOK, connectorList{[]connectorCapabilities{c}})
	return nil
}

func (a *api) connector() connectorCapabilities {
	return connectorCapabilities{
		ID: connectorID, Name: connectorID, FullName: "Ticketing", ProviderIDs: a.providerIDs(),
		Description: "Reads and writes tickets at every provider in one way.",
	}
}

func (a *api) providerIDs() []string {
	ids := make([]string, len(a.Providers))
	for i, p := range a.Providers {
		ids[i] = p.ID
	}
	return ids
}

func (a *api) capabilitiesOf(p ticketing.Provider, expand []string) providerCapabilities {
	out := providerCapabilities{
		ID: p.ID, Name: strings.TrimPrefix(p.ID, operatorPrefix), FullName: p.FullName, Vendor: p.Vendor, Description: p.Description,
		ConnectorID: connectorID, Connector: connectorID, Operations: a.operationsOf(p, slices.Contains(expand, expandRequestBody)),
		Release: providerRelease{Availability: "generally-available", Environments: []string{"prod", "test"}},
	}
	if p.Test {
		out.Release.Environments = []string{"test"}
	}
	if slices.Contains(expand, expandConnector) {
		out.Connector = a.connector()
	}
	if slices.Contains(expand, expandConfig) {
		out.ProviderConfig = p.Config
	}
	return out
}
