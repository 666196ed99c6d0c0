package ticketing

import "github.com/ticketbridge/ticketbridge/internal/ticket"

// Provider says what a kind of integration is, and what it can do.
type Provider struct {
	// ID is the integration's type, as the configuration names it.
	ID string
	// FullName is the product's name, Vendor who makes it.
	FullName, Vendor, Description string
	// Client is a nil pointer of its client's type.
	Client any
	// RequiredFields are those of a new ticket that it refuses to do without, where
	// the integration has no default for them.
	RequiredFields []string
	// Lists say how the lists that can be selected from are.
	Lists map[Operator]List
	// Test: it keeps nothing that anybody relies on.
	Test bool
	// Config describes the integration's keys, as JSON Schema.
	Config any
}

// List says what a list can be filtered and ordered by.
type List struct {
	Filters []FilterField
	Orders  []string
}

// FilterField is a field that a list can be filtered by.
type FilterField struct {
	Name string
	// Type is string, datetime, enum or number.
	Type      string
	Operators []ticket.Operator
}
