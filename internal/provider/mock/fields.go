package mock

import (
	"maps"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// FilterField is a field that a list can be filtered by.
type FilterField struct {
	Name string
	// Type is string, datetime or enum.
	Type      string
	Operators []ticket.Operator
}

// FilterFields are those of QueryTickets; besides them custom fields can be named.
func FilterFields() []FilterField { return filterFields(ticketFields()) }

// OrderFields are those that QueryTickets can order by; besides them custom
// fields, as in FilterFields.
func OrderFields() []string { return slices.Sorted(maps.Keys(ticketFields())) }

// PolicyFilterFields are those of QueryEscalationPolicies.
func PolicyFilterFields() []FilterField { return filterFields(policyFields()) }

// PolicyOrderFields are those that QueryEscalationPolicies can order by.
func PolicyOrderFields() []string { return slices.Sorted(maps.Keys(policyFields())) }

func filterFields[T any](fields map[string]field[T]) []FilterField {
	var out []FilterField
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, FilterField{name, fields[name].kind.name, ticket.Operators()})
	}
	return out
}
