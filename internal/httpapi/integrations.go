package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Integrations manages integrations: those of the file can be looked at, those
// made here changed. Errors are ErrNotFound, ErrUnavailable, operate.ErrConflict,
// operate.ErrInvalid and registry.ErrReadOnly, wrapped.
type Integrations interface {
	List(ctx context.Context) ([]registry.Integration, error)
	Get(ctx context.Context, name string) (registry.Integration, error)
	Create(ctx context.Context, by, name string, want registry.Wanted, expires time.Time) (registry.Integration, string, error)
	Edit(ctx context.Context, by, name, seen string, edit func(registry.Integration) (registry.Wanted, error)) (registry.Integration, error)
	Delete(ctx context.Context, by, name, seen string, force bool) error
	Check(ctx context.Context, name string, want *registry.Wanted) error
	AddToken(ctx context.Context, by, name, label string, expires time.Time) (string, contract.IntegrationToken, error)
	RevokeToken(ctx context.Context, by, name, id string) error
}

// Paths of the management, as the Synqly connector's management API has them.
const (
	integrationsPath = "/v1/integrations"
	tokensPath       = "/v1/tokens"
	accountsPath     = "/v1/accounts"
	integrationsTag  = "Integrations"
)

func (a *api) integrationRoutes() []route {
	if a.Integrations == nil {
		return nil
	}
	account := parameter{"accountId", "path", "The account that the integration belongs to; `default` where none was named."}
	id := parameter{"integrationId", "path", "The integration's name."}
	version := parameter{"If-Match", "header", "The state that the change is made for, as in ETag; it is refused when there is a newer one."}
	one := integrationsPath + "/{accountId}/{integrationId}"
	managing := func(method, path, summary string, rt route) route {
		rt.method, rt.path, rt.tag, rt.summary, rt.admin = method, path, integrationsTag, summary, true
		rt.answers = append(rt.answers, managementErrors()...)
		return rt
	}
	shown := []answer{{status: 200, about: "The integration.", body: integrationAnswer{}, headers: []string{"ETag"}}}
	made := []answer{{status: 201, about: "The integration, and its first token, which is never shown again.", body: integrationCreated{}, headers: []string{"ETag"}}}
	return []route{
		managing(http.MethodGet, accountsPath, "List accounts: groups of integrations", route{
			answers: []answer{{status: 200, about: "The accounts.", body: accountList{}}}, handle: a.listAccounts,
		}),
		managing(http.MethodGet, integrationsPath, "List integrations: those of the configuration file, and those made here", route{
			answers: []answer{{status: 200, about: "The integrations.", body: integrationList{}}}, handle: a.listIntegrations,
		}),
		managing(http.MethodPost, integrationsPath, "Make an integration", route{
			body: createIntegrationRequest{}, answers: made, handle: a.createIntegration,
		}),
		managing(http.MethodGet, integrationsPath+"/{accountId}", "List the integrations of an account", route{
			parameters: []parameter{account}, answers: []answer{{status: 200, about: "The integrations.", body: integrationList{}}}, handle: a.listIntegrations,
		}),
		managing(http.MethodPost, integrationsPath+"/{accountId}", "Make an integration in an account", route{
			parameters: []parameter{account}, body: createIntegrationRequest{}, answers: made, handle: a.createIntegration,
		}),
		managing(http.MethodPost, integrationsPath+"/{accountId}/verify", "Would this integration work? Asks the provider, and keeps nothing", route{
			parameters: []parameter{account}, body: createIntegrationRequest{},
			answers: []answer{{status: 200, about: "It would.", body: verifyAnswer{}}}, handle: a.verifyNewIntegration,
		}),
		managing(http.MethodGet, one, "An integration", route{parameters: []parameter{account, id}, answers: shown, handle: a.getIntegration}),
		managing(http.MethodPut, one, "Replace what an integration is made of", route{
			parameters: []parameter{account, id, version}, body: replaceIntegrationRequest{}, answers: shown, handle: a.replaceIntegration,
		}),
		managing(http.MethodPatch, one, "Change an integration by JSON Patch (a list of operations, RFC 6902), or by JSON Merge Patch (an object, RFC 7396)", route{
			parameters: []parameter{account, id, version}, answers: shown, handle: a.patchIntegration,
			body: []patchOperationShape{}, or: mergeIntegrationRequest{},
			media:  []media{{jsonPatchType, []patchOperationShape{}}, {mergePatchType, mergeIntegrationRequest{}}},
			detail: "The body decides which of the two it is: a list or an object.",
		}),
		managing(http.MethodDelete, one, "Delete an integration and its tokens", route{
			parameters: []parameter{account, id, version, {"force", "query", "true: also while requests and writes of it are open; they are then left waiting."}},
			answers:    []answer{{status: 204, about: "It is gone."}}, handle: a.deleteIntegration,
		}),
		managing(http.MethodPost, one+"/verify", "Does the integration work? Asks the provider", route{
			parameters: []parameter{account, id}, answers: []answer{{status: 200, about: "It does.", body: verifyAnswer{}}}, handle: a.verifyIntegration,
		}),
		managing(http.MethodGet, one+"/changes", "Its last 200 changes, newest first: who, when, which keys", route{
			parameters: []parameter{account, id}, answers: []answer{{status: 200, about: "The changes.", body: changeList{}}}, handle: a.listIntegrationChanges,
		}),
	}
}

// managementErrors are the answers that managing can give beside the usual ones.
func managementErrors() []answer {
	return []answer{
		{status: 400, about: "Something is wrong with what was sent, or with the integration.", body: problem{}},
		{status: 404, about: "There is no such integration or token.", body: problem{}},
		{status: 409, about: "It is there already, was changed meanwhile, a test of the patch does not hold, it is in use, or stands in the configuration file.", body: problem{}},
	}
}

// managementError turns an error of Integrations into the answer to it.
func managementError(err error) error {
	if bad, ok := errors.AsType[*registry.Invalid](err); ok {
		return &refusal{
			status: http.StatusBadRequest, detail: bad.Error(), err: err,
			context: &problemContext{Parameter: &problemParameter{ID: bad.Fields[0][0], Location: "body"}},
		}
	}
	var status int
	switch {
	case errors.Is(err, ErrUnavailable):
		return &refusal{
			status: http.StatusServiceUnavailable, retryAfter: retryUnavailable, err: err,
			detail: "No worker answered in time. A change that was asked for may still be made when one runs: look before you send it again.",
		}
	case errors.Is(err, operate.ErrInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, registry.ErrReadOnly), errors.Is(err, operate.ErrConflict):
		status = http.StatusConflict
	default:
		return err
	}
	detail := err.Error()
	for _, sentinel := range []error{operate.ErrInvalid, operate.ErrConflict, registry.ErrReadOnly} {
		detail = strings.TrimPrefix(strings.TrimSuffix(detail, ": "+sentinel.Error()), sentinel.Error()+": ")
	}
	return &refusal{status: status, detail: detail, err: err}
}

func (a *api) listAccounts(w http.ResponseWriter, r *http.Request, _ Caller) error {
	all, err := a.Integrations.List(r.Context())
	if err != nil {
		return managementError(err)
	}
	answer := accountList{Result: []accountShape{}}
	at := map[string]int{}
	for _, in := range all {
		i, ok := at[in.Account]
		if !ok {
			i = len(answer.Result)
			at[in.Account] = i
			answer.Result = append(answer.Result, accountShape{ID: in.Account, Name: in.Account, Fullname: in.Account})
		}
		answer.Result[i].Integrations++
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (a *api) listIntegrations(w http.ResponseWriter, r *http.Request, _ Caller) error {
	all, err := a.Integrations.List(r.Context())
	if err != nil {
		return managementError(err)
	}
	answer := integrationList{Result: []integrationShape{}}
	for _, in := range all {
		if account := r.PathValue("accountId"); account == "" || account == in.Account {
			answer.Result = append(answer.Result, integrationOf(in))
		}
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (a *api) createIntegration(w http.ResponseWriter, r *http.Request, c Caller) error {
	asked, err := a.readIntegration(w, r)
	if err != nil {
		return err
	}
	if asked.Name == "" {
		return bodyError("/name", "missing")
	}
	expires, err := a.expiry(asked.TokenTTL)
	if err != nil {
		return err
	}
	made, token, err := a.Integrations.Create(r.Context(), c.Name, asked.Name, asked.wanted(), expires)
	if err != nil {
		return managementError(err)
	}
	answer := integrationCreated{}
	answer.Result.Integration = integrationOf(made)
	answer.Result.Token = tokenSecret{Access: accessOf(token, expires)}
	if len(made.Tokens) > 0 {
		answer.Result.Token.ID = made.Tokens[0].ID
	}
	w.Header().Set("Location", integrationsPath+"/"+url.PathEscape(made.Account)+"/"+url.PathEscape(made.Name))
	w.Header().Set("ETag", etag(made))
	writeJSON(w, http.StatusCreated, answer)
	return nil
}

// readIntegration reads what an integration is to be; the path may name its account.
func (a *api) readIntegration(w http.ResponseWriter, r *http.Request) (createIntegrationRequest, error) {
	var asked createIntegrationRequest
	if err := a.readStrictly(w, r, &asked); err != nil {
		return asked, err
	}
	switch account := r.PathValue("accountId"); {
	case account != "" && asked.Account != "" && asked.Account != account:
		return asked, bodyError("/account_id", fmt.Sprintf("%q is not the %q of the path", asked.Account, account))
	case account != "":
		asked.Account = account
	}
	if len(asked.ProviderConfig) == 0 {
		return asked, bodyError("/provider_config", "missing")
	}
	return asked, nil
}

// integrationInAccount finds an integration in the account of the path.
func (a *api) integrationInAccount(r *http.Request) (registry.Integration, error) {
	found, err := a.Integrations.Get(r.Context(), r.PathValue("integrationId"))
	if err != nil {
		return found, managementError(err)
	}
	if account := r.PathValue("accountId"); found.Account != account {
		return found, fmt.Errorf("integration %s is in the account %s, not in %s: %w", found.Name, found.Account, account, ErrNotFound)
	}
	return found, nil
}

func showIntegration(w http.ResponseWriter, in registry.Integration) error {
	if !in.ReadOnly {
		w.Header().Set("ETag", etag(in))
	}
	writeJSON(w, http.StatusOK, integrationAnswer{Result: integrationOf(in)})
	return nil
}

func (a *api) getIntegration(w http.ResponseWriter, r *http.Request, _ Caller) error {
	found, err := a.integrationInAccount(r)
	if err != nil {
		return err
	}
	return showIntegration(w, found)
}

func (a *api) listIntegrationChanges(w http.ResponseWriter, r *http.Request, _ Caller) error {
	found, err := a.integrationInAccount(r)
	if err != nil {
		return err
	}
	if found.Partial {
		return managementError(fmt.Errorf("%w: the changes of integration %s", ErrUnavailable, found.Name))
	}
	writeJSON(w, http.StatusOK, changeList{Result: list(found.Changes)})
	return nil
}

func (a *api) deleteIntegration(w http.ResponseWriter, r *http.Request, c Caller) error {
	found, err := a.integrationInAccount(r)
	if err != nil {
		return err
	}
	if err := a.Integrations.Delete(r.Context(), c.Name, found.Name, ifMatch(r), r.URL.Query().Get("force") == "true"); err != nil {
		return managementError(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) verifyIntegration(w http.ResponseWriter, r *http.Request, _ Caller) error {
	found, err := a.integrationInAccount(r)
	if err != nil {
		return err
	}
	return a.verify(w, r, found.Name, nil)
}

// unnamed is what an integration is called that is only tried: none that is made
// has this name, so that it is given no other's secrets.
const unnamed = "verify"

func (a *api) verifyNewIntegration(w http.ResponseWriter, r *http.Request, _ Caller) error {
	asked, err := a.readIntegration(w, r)
	if err != nil {
		return err
	}
	want := asked.wanted()
	return a.verify(w, r, cmp.Or(asked.Name, unnamed), &want)
}

func (a *api) verify(w http.ResponseWriter, r *http.Request, name string, want *registry.Wanted) error {
	err := a.Integrations.Check(r.Context(), name, want)
	if said, ok := errors.AsType[*ticket.Error](err); ok && (said.Kind == ticket.Credentials || said.Kind == ticket.Permanent || said.Kind == ticket.NotFound) {
		return &refusal{status: http.StatusBadRequest, message: "The integration does not work", detail: said.Op + ": " + said.Message, err: err}
	}
	if err != nil {
		return managementError(err)
	}
	writeJSON(w, http.StatusOK, verifyAnswer{Result: verifyShape{Verified: true}})
	return nil
}

func etag(in registry.Integration) string { return `"` + in.Tag + `"` }

// ifMatch is the state that a caller has seen; empty for whichever.
func ifMatch(r *http.Request) string {
	text := strings.Trim(strings.TrimPrefix(strings.TrimSpace(r.Header.Get("If-Match")), "W/"), `"`)
	if text == "*" {
		return ""
	}
	return text
}
