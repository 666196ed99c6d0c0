package provider

import "github.com/ticketbridge/ticketbridge/internal/config"

// mappings are the custom_field_mappings of an integration; each package of a
// provider has a type of its own for one.
func mappings[M ~struct {
	Name              string
	ProjectID         string
	ProviderFieldPath string
}](in config.Integration) []M {
	out := make([]M, len(in.CustomFieldMappings))
	for i, m := range in.CustomFieldMappings {
		out[i] = M{Name: m.Name, ProjectID: m.ProjectID, ProviderFieldPath: m.ProviderFieldPath}
	}
	return out
}
