package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/ticketbridge/ticketbridge/internal/registry"
)

// maxIntegrationPatch bounds the operations of one patch.
const maxIntegrationPatch = 1000

func (a *api) replaceIntegration(w http.ResponseWriter, r *http.Request, c Caller) error {
	var asked replaceIntegrationRequest
	if err := a.readStrictly(w, r, &asked); err != nil {
		return err
	}
	if asked.Account == "" {
		asked.Account = r.PathValue("accountId")
	}
	return a.editIntegration(w, r, c, func(registry.Integration) (registry.Wanted, error) { return wantedFor(r, asked) })
}

// patchIntegration takes a JSON Patch (RFC 6902) or a JSON Merge Patch (RFC 7396):
// the one is a list, the other an object.
func (a *api) patchIntegration(w http.ResponseWriter, r *http.Request, c Caller) error {
	body, err := a.readJSON(w, r)
	if err != nil {
		return err
	}
	return a.editIntegration(w, r, c, func(in registry.Integration) (registry.Wanted, error) {
		before, err := json.Marshal(documentOf(in))
		if err != nil {
			return registry.Wanted{}, err
		}
		after, err := patched(before, body)
		if err != nil {
			return registry.Wanted{}, err
		}
		var asked replaceIntegrationRequest
		if err := decodeStrictly(after, &asked); err != nil {
			return registry.Wanted{}, err
		}
		return wantedFor(r, asked)
	})
}

// wantedFor refuses to give an integration another name.
func wantedFor(r *http.Request, asked replaceIntegrationRequest) (registry.Wanted, error) {
	if name := r.PathValue("integrationId"); asked.Name != "" && asked.Name != name {
		return registry.Wanted{}, bodyError("/name", fmt.Sprintf("%q: an integration keeps its name, %q; make another one", asked.Name, name))
	}
	if len(asked.ProviderConfig) == 0 {
		return registry.Wanted{}, bodyError("/provider_config", "missing")
	}
	return asked.wanted(), nil
}

func patched(document, patch []byte) ([]byte, error) {
	if trimmed := bytes.TrimSpace(patch); len(trimmed) > 0 && trimmed[0] == '{' {
		after, err := jsonpatch.MergePatch(document, patch)
		if err != nil {
			return nil, badParameter("body", "", "", errors.New("want a JSON Merge Patch: an object"))
		}
		return after, nil
	}
	operations, err := jsonpatch.DecodePatch(patch)
	switch {
	case err != nil:
		return nil, badParameter("body", "", "", errors.New("want a list of JSON Patch operations, or an object to merge"))
	case len(operations) == 0 || len(operations) > maxIntegrationPatch:
		return nil, badParameter("body", "", "", fmt.Errorf("want 1 to %d operations", maxIntegrationPatch))
	}
	options := jsonpatch.NewApplyOptions()
	options.AccumulatedCopySizeLimit = DefaultMaxBody
	after, err := operations.ApplyWithOptions(document, options)
	switch {
	case errors.Is(err, jsonpatch.ErrTestFailed):
		return nil, failedTest(err)
	case err != nil:
		return nil, badParameter("body", "", "", err)
	}
	return after, nil
}

func (a *api) editIntegration(w http.ResponseWriter, r *http.Request, c Caller, edit func(registry.Integration) (registry.Wanted, error)) error {
	found, err := a.integrationInAccount(r)
	if err != nil {
		return err
	}
	changed, err := a.Integrations.Edit(r.Context(), c.Name, found.Name, ifMatch(r), edit)
	if err != nil {
		return managementError(err)
	}
	return showIntegration(w, changed)
}
