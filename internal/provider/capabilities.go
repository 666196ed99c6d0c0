package provider

import (
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// Capabilities say what each provider of this version can do, made from what its
// client implements.
func Capabilities() []ticketing.Provider { return all().capabilities() }

func (p providers) capabilities() []ticketing.Provider {
	list := make([]ticketing.Provider, len(p))
	for i, r := range p {
		list[i] = r.about
		list[i].ID, list[i].Config = r.kind.Name, r.kind.Schema()
	}
	return list
}

// listed is what a provider's list can be filtered and ordered by; each package
// of a provider has a type of its own for fields.
func listed[F ~struct {
	Name      string
	Type      string
	Operators []ticket.Operator
}](filters []F, orders []string) ticketing.List {
	list := ticketing.List{Orders: orders}
	for _, f := range filters {
		list.Filters = append(list.Filters, ticketing.FilterField(f))
	}
	return list
}
