// Package httpapi is ticketbridge's HTTP side: the Events API as R-Service has
// it, and the operating endpoints. What happens behind it is injected.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// Limits of one call. An answer is given within AnswerWithin of the call's
// arrival; the Events API's clients give up after 25 to 30 seconds.
const (
	AnswerWithin   = 24 * time.Second
	DecideWithin   = 20 * time.Second
	submitWithin   = 10 * time.Second
	DefaultMaxBody = 1 << 20
	maxQuery       = 64 << 10
)

// Options are what New needs. Callers, Events, Requests, Feeds and Parked are
// required, everything else has a default.
type Options struct {
	Callers  Callers
	Events   Events
	Requests Requests
	Feeds    Feeds
	Parked   Parked
	// Ticketing answers the unified ticketing API; without it there is none.
	Ticketing Ticketing
	// Writes make the writes of that API; without it there are none.
	Writes TicketWrites
	// Integrations are managed by callers that may; without it they cannot be.
	Integrations Integrations
	// Providers are what this version can speak to; without it there are no
	// capabilities to ask for.
	Providers []ticketing.Provider
	// Spool keeps large files on their way; without it files are at most 1 MB.
	Spool Spool
	// MaxUpload is the largest file in bytes.
	MaxUpload int64
	// Health answers /readyz; without it the program is always ready.
	Health Health
	// Metrics answers /metrics; without it there is no such path.
	Metrics http.Handler
	// Observe is told of every call that was answered; absent: nobody is.
	Observe func(route string, status int, took time.Duration)
	// Limiter bounds the calls of each caller; absent: NewLimiter's default rate.
	Limiter Limiter
	Logger  *slog.Logger
	// Now is the clock that stamps events, NewID makes ids of calls and of
	// events whose sender gave none.
	Now   func() time.Time
	NewID func() string
	// MaxBody is the largest body in bytes.
	MaxBody int64
	// Version is shown in the OpenAPI document.
	Version string

	// patience is how long the sender of a file may send nothing.
	patience time.Duration
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = uuid.NewString
	}
	if o.Limiter == nil {
		o.Limiter = NewLimiter(Rate{}, o.Now)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.MaxUpload <= 0 {
		o.MaxUpload = DefaultMaxUpload
	}
	if o.patience <= 0 {
		o.patience = readTimeout
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return o
}

type api struct {
	Options
	document  document
	operators []route
}

// New builds the handler of all paths.
func New(o Options) http.Handler {
	a := &api{Options: o.withDefaults()}
	return a.handler(a.routes())
}

// NewTicketing builds the handler of the unified ticketing API alone. Of the
// options it needs Callers, Ticketing and Writes.
func NewTicketing(o Options) http.Handler {
	a := &api{Options: o.withDefaults()}
	return a.handler(append(a.ticketingRoutes(), a.ticketWriteRoutes()...))
}

func (a *api) handler(routes []route) http.Handler {
	a.document, a.operators = newDocument(routes, a.Version), operatorRoutes(routes)
	return a.identify(a.record(cleanPath(a.mux(routes))))
}

// routes is the one list of what is served; the OpenAPI document is made from it.
func (a *api) routes() []route {
	var all []route
	all = append(all, a.eventRoutes()...)
	all = append(all, a.requestRoutes()...)
	all = append(all, a.feedRoutes()...)
	all = append(all, a.parkedRoutes()...)
	all = append(all, a.ticketingRoutes()...)
	all = append(all, a.ticketWriteRoutes()...)
	all = append(all, a.integrationRoutes()...)
	all = append(all, a.tokenRoutes()...)
	all = append(all, a.capabilityRoutes()...)
	all = append(all, a.healthRoutes()...)
	return append(all, a.documentRoutes()...)
}

// handler answers one call. A returned error is answered by fail.
type handler func(w http.ResponseWriter, r *http.Request, c Caller) error

// serve wraps a route's handler into what all calls need: who calls, how
// often, and how long it may take.
func (a *api) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		line := lineOf(r.Context())
		line.route = rt.method + " " + rt.path
		if len(r.URL.RawQuery) > maxQuery {
			a.fail(w, r, &refusal{status: http.StatusRequestURITooLong, detail: "The query string is larger than 64 KB; send the parameters in the body."})
			return
		}
		var c Caller
		if !rt.public {
			var err error
			if c, err = a.admit(w, r, rt); err != nil {
				a.fail(w, r, err)
				return
			}
			line.caller = c.Name
		}
		within := AnswerWithin
		if rt.within > 0 {
			within = rt.within
			// The connection's own limit is for answers that are made at once.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(within + writeGrace))
		}
		ctx, cancel := context.WithTimeout(r.Context(), within)
		defer cancel()
		r = r.WithContext(ctx)
		if rt.operator != "" {
			if err := a.Ticketing.Supports(ctx, c.Integration, rt.operator); err != nil {
				a.fail(w, r, err)
				return
			}
		}
		if err := rt.handle(w, r, c); err != nil {
			a.fail(w, r, err)
		}
	}
}

// admit finds out who calls, whether it may, and whether it is too often.
func (a *api) admit(w http.ResponseWriter, r *http.Request, rt route) (Caller, error) {
	asking, cancel := context.WithTimeout(r.Context(), AnswerWithin)
	defer cancel()
	c, ok, err := a.Callers.CallerByToken(asking, tokenOf(r))
	if err != nil {
		return Caller{}, err
	}
	if !ok {
		w.Header().Add("WWW-Authenticate", `Bearer realm="ticketbridge"`)
		w.Header().Add("WWW-Authenticate", `Basic realm="ticketbridge"`)
		return Caller{}, &refusal{status: http.StatusUnauthorized}
	}
	quota := a.Limiter.Take(c.Name)
	quota.writeHeaders(w.Header())
	if !quota.Allowed {
		return Caller{}, &refusal{status: http.StatusTooManyRequests, retryAfter: quota.RetryAfter}
	}
	switch {
	case rt.admin && !c.Admin:
		return c, &refusal{status: http.StatusForbidden, detail: "Only a caller with `admin: true` in the configuration may manage integrations."}
	case !rt.admin && !rt.general && c.Integration == "":
		return c, &refusal{status: http.StatusForbidden, detail: "This token manages integrations and has none itself; use a token of an integration."}
	}
	return c, nil
}
