package httpapi

import (
	"context"
	"net/http"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Feeds operate the feeds of a caller's integration. ErrNotFound: no such feed
// in the configuration, or another integration's. ErrConflict: it is not running.
type Feeds interface {
	List(ctx context.Context, c Caller) ([]contract.FeedView, error)
	State(ctx context.Context, c Caller, name string) (contract.FeedView, error)
	// Start is harmless where the feed runs already.
	Start(ctx context.Context, c Caller, name string) error
	Pause(ctx context.Context, c Caller, name string) error
	Resume(ctx context.Context, c Caller, name string) error
	PollNow(ctx context.Context, c Caller, name string) error
	Rewind(ctx context.Context, c Caller, name string, to contract.RewindSignal) error
}

func (a *api) feedRoutes() []route {
	name := parameter{"name", "path", "The feed's name in the configuration."}
	missing := answer{status: 404, about: "There is no such feed.", body: failure{}}
	conflict := answer{status: 409, about: "The feed is not running.", body: failure{}}
	passedOn := answer{status: 202, about: "Passed on to the feed.", body: done{}}
	action := func(name, summary string, do func(context.Context, Caller, string) error) route {
		return route{
			method: http.MethodPost, path: "/v1/feeds/{name}/" + name, tag: "Feeds", summary: summary,
			parameters: []parameter{{"name", "path", "The feed's name in the configuration."}},
			answers:    []answer{passedOn, missing, conflict},
			handle:     feedAction(name, do),
		}
	}
	return []route{{
		method: http.MethodGet, path: "/v1/feeds", tag: "Feeds", summary: "List the feeds and their state",
		answers: []answer{{status: 200, about: "All feeds of the token's integration.", body: []contract.FeedView{}}},
		handle:  a.listFeeds,
	}, {
		method: http.MethodGet, path: "/v1/feeds/{name}", tag: "Feeds", summary: "Get a feed's state", parameters: []parameter{name},
		answers: []answer{{status: 200, about: "The feed's state.", body: contract.FeedView{}}, missing, conflict},
		handle:  a.getFeed,
	},
		action("start", "Start reading a feed", a.Feeds.Start),
		action("pause", "Stop reading a feed for now", a.Feeds.Pause),
		action("resume", "Go on reading a paused feed", a.Feeds.Resume),
		action("poll-now", "Read a feed at once", a.Feeds.PollNow),
		{
			method: http.MethodPost, path: "/v1/feeds/{name}/rewind", tag: "Feeds", summary: "Read a feed again from an earlier position",
			detail:     "Nothing is made twice. With create, events whose ticket is not found make one.",
			parameters: []parameter{name}, body: contract.RewindSignal{},
			answers: []answer{passedOn, {status: 400, about: "The body is not JSON, or has an unknown member.", body: failure{}}, missing, conflict, {status: 422, about: "to is missing.", body: failure{}}},
			handle:  a.rewindFeed,
		},
	}
}

func (a *api) listFeeds(w http.ResponseWriter, r *http.Request, c Caller) error {
	feeds, err := a.Feeds.List(r.Context(), c)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, append([]contract.FeedView{}, feeds...))
	return nil
}

func (a *api) getFeed(w http.ResponseWriter, r *http.Request, c Caller) error {
	state, err := a.Feeds.State(r.Context(), c, r.PathValue("name"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, state)
	return nil
}

func feedAction(action string, do func(context.Context, Caller, string) error) handler {
	return func(w http.ResponseWriter, r *http.Request, c Caller) error {
		name := r.PathValue("name")
		if err := do(r.Context(), c, name); err != nil {
			return err
		}
		return writeDone(w, done{Action: action, Feed: name})
	}
}

func (a *api) rewindFeed(w http.ResponseWriter, r *http.Request, c Caller) error {
	var to contract.RewindSignal
	if err := a.readOperation(w, r, &to); err != nil {
		return err
	}
	if err := to.Validate(); err != nil {
		return fieldError(err)
	}
	name := r.PathValue("name")
	if err := a.Feeds.Rewind(r.Context(), c, name, to); err != nil {
		return err
	}
	return writeDone(w, done{Action: contract.SignalRewind, Feed: name})
}
