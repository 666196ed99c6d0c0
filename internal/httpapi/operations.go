package httpapi

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// operatorRoutes are the routes of operators, in the order of these.
func operatorRoutes(routes []route) []route {
	var all []route
	for _, op := range ticketing.Operators() {
		if i := slices.IndexFunc(routes, func(rt route) bool { return rt.operator == op }); i >= 0 {
			all = append(all, routes[i])
		}
	}
	return all
}

// operationsOf are made of the routes and their document, so that they say of
// each operator what is really served.
func (a *api) operationsOf(p ticketing.Provider, whole bool) []providerOperation {
	var all []providerOperation
	for _, rt := range a.operators {
		all = append(all, a.operationOf(p, rt, whole))
	}
	return all
}

func (a *api) operationOf(p ticketing.Provider, rt route, whole bool) providerOperation {
	out := providerOperation{
		ID: operatorPrefix + string(rt.operator), Name: string(rt.operator), FullName: rt.summary, Description: rt.detail,
		RequestMethod: rt.method, RequestPath: rt.path, Supported: ticketing.Supports(p.Client, rt.operator),
	}
	if !out.Supported {
		return out
	}
	described := a.document.Paths[rt.path][strings.ToLower(rt.method)]
	out.SupportedResponseFields = a.resultFields(described)
	if described.RequestBody != nil {
		body := described.RequestBody.Content["application/json"].Schema
		out.RequiredFields = a.document.resolve(body).Required
		out.RequestBody = &requestBody{Required: true, Schema: body}
		if whole {
			out.RequestBody.Schema = a.document.whole(body)
		}
	}
	if rt.operator == ticketing.CreateTicket {
		out.RequiredFields = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(out.RequiredFields), p.RequiredFields...))))
	}
	list := p.Lists[rt.operator]
	for _, f := range list.Filters {
		out.Filters = append(out.Filters, filterOf(f))
	}
	for _, name := range list.Orders {
		out.Orders = append(out.Orders, providerOrder{Name: name, Directions: []string{"asc", "desc"}})
	}
	return out
}

// filterOf spells operators as the connector's capabilities do; filters may be
// written in this way, too.
func filterOf(f ticketing.FilterField) providerFilter {
	out := providerFilter{Name: f.Name, Type: f.Type}
	for _, op := range f.Operators {
		if op == ticket.NotEqual {
			op = "neq"
		}
		out.Operators = append(out.Operators, strings.ReplaceAll(string(op), "_", " "))
	}
	if f.Type == "enum" { // priority is the only one of the model
		for _, p := range ticket.Priorities() {
			out.Values = append(out.Values, string(p))
		}
	}
	return out
}

// resultFields are the members of what an operation answers; of a list, of each.
func (a *api) resultFields(described *operation) []string {
	for _, status := range []int{http.StatusOK, http.StatusCreated} {
		response := described.Responses[strconv.Itoa(status)]
		if response == nil {
			continue
		}
		result := a.document.resolve(response.Content["application/json"].Schema).Properties["result"]
		if result != nil && result.Items != nil {
			result = result.Items
		}
		return slices.Sorted(maps.Keys(a.document.resolve(result).Properties))
	}
	return nil
}

// resolve follows a reference; the empty schema for none.
func (d document) resolve(s *schema) *schema {
	switch {
	case s == nil:
		return &schema{}
	case s.Ref != "":
		return d.Components.Schemas[strings.TrimPrefix(s.Ref, componentPath)]
	default:
		return s
	}
}

// whole is a schema without references. No schema of a body holds itself.
func (d document) whole(s *schema) *schema {
	out := *d.resolve(s)
	if out.Items != nil {
		out.Items = d.whole(out.Items)
	}
	if len(out.Properties) > 0 {
		out.Properties = maps.Clone(out.Properties)
		for name, property := range out.Properties {
			out.Properties[name] = d.whole(property)
		}
	}
	return &out
}
