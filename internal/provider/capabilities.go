package provider

import (
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// Capabilities say what each provider of this version can do, made from what its
// client implements.
func Capabilities() []ticketing.Provider {
	var all []ticketing.Provider
	for _, r := range registrations() {
		p := r.about()
		p.ID, p.Config = r.kind, config.IntegrationSchema(r.kind)
		all = append(all, p)
	}
	return all
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
