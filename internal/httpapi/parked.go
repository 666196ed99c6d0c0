package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Parked shows and settles what waits for a person, of a caller's integration.
// ErrNotFound: no such workflow, or another integration's. An action for all
// reports how many workflows it was passed on to.
type Parked interface {
	List(ctx context.Context, c Caller, f ParkedFilter) ([]ParkedView, error)
	Retry(ctx context.Context, c Caller, workflowID, item string) error
	Discard(ctx context.Context, c Caller, workflowID, item string) error
	Amend(ctx context.Context, c Caller, workflowID string, change contract.AmendSignal) error
	RetryAll(ctx context.Context, c Caller, f ParkedFilter) (int, error)
	DiscardAll(ctx context.Context, c Caller, f ParkedFilter) (int, error)
}

// ParkedFilter narrows what is listed or settled; empty members do not.
type ParkedFilter struct {
	Integration string `json:"integration"`
	Feed        string `json:"feed,omitempty"`
}

// ParkedView is one parked operation, event or entry.
type ParkedView struct {
	Workflow    string    `json:"workflow" doc:"The workflow's id; with item it names the thing to settle."`
	Item        string    `json:"item"`
	Integration string    `json:"integration,omitempty"`
	Feed        string    `json:"feed,omitempty"`
	Request     int64     `json:"request,omitempty"`
	Kind        string    `json:"kind" doc:"create, comment, note, patch, event or entry."`
	Reason      string    `json:"reason"`
	Since       time.Time `json:"since"`
	Set         []string  `json:"set,omitempty" doc:"What amend can change."`
}

// amendment is the body of amend; the path names the item.
type amendment struct {
	Set map[string]string `json:"set" doc:"New values, of the names in the item's own set."`
}

func (a *api) parkedRoutes() []route {
	one := []parameter{{"workflow", "path", "The workflow's id, path-escaped."}, {"item", "path", "The item, path-escaped."}}
	missing := answer{status: 404, about: "There is no such workflow or item.", body: failure{}}
	passedOn := answer{status: 202, about: "Passed on to the workflow.", body: done{}}
	badJSON := answer{status: 400, about: "The body is not JSON, or has an unknown member.", body: failure{}}
	foreign := answer{status: 403, about: "The integration is another one than the token's.", body: failure{}}
	missingField := answer{status: 422, about: "A member is missing.", body: failure{}}
	const path, onePath = "/v1/parked", "/v1/parked/{workflow}/{item}/"
	settle := func(action, summary string, do func(context.Context, Caller, string, string) error) route {
		return route{
			method: http.MethodPost, path: onePath + action, tag: "Parked", summary: summary, parameters: one,
			answers: []answer{passedOn, missing}, handle: a.settle(action, do),
		}
	}
	settleAll := func(action, summary string, do func(context.Context, Caller, ParkedFilter) (int, error)) route {
		return route{
			method: http.MethodPost, path: path + "/" + action, tag: "Parked", summary: summary, body: ParkedFilter{},
			detail:  "The body names the integration, so that nothing is settled by an empty call; feed narrows it to one feed's.",
			answers: []answer{passedOn, badJSON, foreign, missingField}, handle: a.settleAll(action, do),
		}
	}
	return []route{{
		method: http.MethodGet, path: path, tag: "Parked", summary: "List what waits for a person",
		parameters: []parameter{{"integration", "query", "Only of this integration."}, {"feed", "query", "Only of this feed."}},
		answers:    []answer{{status: 200, about: "Everything parked of the token's integration.", body: []ParkedView{}}, foreign},
		handle:     a.listParked,
	},
		settle(contract.SignalRetry, "Try a parked item again", a.Parked.Retry),
		settle(contract.SignalDiscard, "Give a parked item up", a.Parked.Discard),
		{
			method: http.MethodPost, path: onePath + contract.SignalAmend, tag: "Parked", summary: "Change a parked item and try it again",
			parameters: one, body: amendment{}, answers: []answer{passedOn, badJSON, missing, missingField}, handle: a.amend,
		},
		settleAll(contract.SignalRetry, "Try everything parked of an integration again", a.Parked.RetryAll),
		settleAll(contract.SignalDiscard, "Give everything parked of an integration up", a.Parked.DiscardAll),
	}
}

func (a *api) listParked(w http.ResponseWriter, r *http.Request, c Caller) error {
	query := formParams(r.URL.RawQuery)
	f := ParkedFilter{Integration: query["integration"], Feed: query["feed"]}
	if f.Integration == "" {
		f.Integration = c.Integration
	}
	if err := c.mayOperate(f.Integration); err != nil {
		return err
	}
	items, err := a.Parked.List(r.Context(), c, f)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, append([]ParkedView{}, items...))
	return nil
}

func (c Caller) mayOperate(integration string) error {
	if integration == c.Integration {
		return nil
	}
	return &refusal{
		status: http.StatusForbidden,
		detail: fmt.Sprintf("This token operates the integration %q, not %q. Use a token of that integration.", c.Integration, integration),
	}
}

// parkedPath reads and checks the ids in the path. Whose a feed's workflow is
// only the injected part knows; the integration of a match or write is in its id.
func parkedPath(r *http.Request, c Caller) (workflowID, item string, err error) {
	workflowID, item = r.PathValue("workflow"), r.PathValue("item")
	feed := strings.HasPrefix(workflowID, contract.FeedID(""))
	integration, write := contract.WriteIntegration(workflowID)
	ownWrite := write && c.Integration != "" && integration == c.Integration
	if !feed && !ownWrite && !c.Owns(workflowID) {
		return "", "", ErrNotFound
	}
	return workflowID, item, nil
}

func (a *api) settle(action string, do func(context.Context, Caller, string, string) error) handler {
	return func(w http.ResponseWriter, r *http.Request, c Caller) error {
		workflowID, item, err := parkedPath(r, c)
		if err != nil {
			return err
		}
		if err := do(r.Context(), c, workflowID, item); err != nil {
			return err
		}
		return writeDone(w, done{Action: action, Workflow: workflowID, Item: item})
	}
}

func (a *api) amend(w http.ResponseWriter, r *http.Request, c Caller) error {
	workflowID, item, err := parkedPath(r, c)
	if err != nil {
		return err
	}
	var body amendment
	if err := a.readOperation(w, r, &body); err != nil {
		return err
	}
	change := contract.AmendSignal{Item: item, Set: body.Set}
	if err := change.Validate(); err != nil {
		return fieldError(err)
	}
	if err := a.Parked.Amend(r.Context(), c, workflowID, change); err != nil {
		return err
	}
	return writeDone(w, done{Action: contract.SignalAmend, Workflow: workflowID, Item: item})
}

func (a *api) settleAll(action string, do func(context.Context, Caller, ParkedFilter) (int, error)) handler {
	return func(w http.ResponseWriter, r *http.Request, c Caller) error {
		var f ParkedFilter
		if err := a.readOperation(w, r, &f); err != nil {
			return err
		}
		if f.Integration == "" {
			return invalid([2]string{"integration", "missing; name the integration whose parked items are meant"})
		}
		if err := c.mayOperate(f.Integration); err != nil {
			return err
		}
		count, err := do(r.Context(), c, f)
		if err != nil {
			return err
		}
		return writeDone(w, done{Action: action, Integration: f.Integration, Feed: f.Feed, Count: &count})
	}
}
