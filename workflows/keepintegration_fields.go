package workflows

import (
	"encoding/json"
	"reflect"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// maxChangedFields are named of one change of an integration.
const maxChangedFields = 20

// changedFields names the keys that differ between two specs, sorted; no values.
func changedFields(before, after contract.IntegrationSpec) []string {
	a, b := specFields(before), specFields(after)
	var changed []string
	for _, path := range workflow.DeterministicKeys(a) {
		if other, ok := b[path]; !ok || !reflect.DeepEqual(a[path], other) {
			changed = append(changed, path)
		}
	}
	for _, path := range workflow.DeterministicKeys(b) {
		if _, ok := a[path]; !ok {
			changed = append(changed, path)
		}
	}
	slices.Sort(changed)
	if len(changed) > maxChangedFields {
		changed = append(changed[:maxChangedFields], "...")
	}
	return changed
}

// specFields are the values of a spec by their paths; a list is one value.
func specFields(s contract.IntegrationSpec) map[string]any {
	fields := map[string]any{
		"account_id": s.Account, "fullname": s.Fullname, "catalog_account": s.CatalogAccount, "person": s.Person,
	}
	var config map[string]any
	// It was valid JSON when it was taken in.
	_ = json.Unmarshal(s.ProviderConfig, &config)
	walkSpec(fields, "provider_config", config)
	return fields
}

func walkSpec(fields map[string]any, path string, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		fields[path] = value
		return
	}
	for _, key := range workflow.DeterministicKeys(object) {
		walkSpec(fields, path+"."+key, object[key])
	}
}
