package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Events take events in. Errors wrap ErrUnavailable where Temporal cannot be reached.
type Events interface {
	// Submit resolves the event for the caller and hands it over durably: without
	// an error nothing can lose it any more. *InvalidEvent answers 422.
	Submit(ctx context.Context, c Caller, e event.Event) (Receipt, error)
	// Outcome waits up to wait for the recorded decision. False: not decided yet,
	// ask again. An answer that is not Known, or ErrNotFound: no such event.
	Outcome(ctx context.Context, r Receipt, wait time.Duration) (contract.OutcomeAnswer, bool, error)
	// Current is a request as it is now, asked of the receipt's own workflow, so
	// that no index decides whether it is found.
	Current(ctx context.Context, r Receipt, request int64) (contract.RequestView, error)
}

// outcome is the body of GET /v1/events/{receipt}, and of an event that was
// ignored: it has no request to answer with.
type outcome struct {
	Outcome   event.Outcome `json:"outcome" doc:"created, updated, unchanged, rejected, or decided: so many events ago that no more is known."`
	NoteAdded bool          `json:"note_added"`
	Repeat    bool          `json:"repeat" doc:"The event was taken for a re-post of the one before."`
	Errors    [][2]string   `json:"errors,omitempty" doc:"Why it was rejected: pairs of field and text."`
	Request   *request      `json:"request"`
}

func outcomeOf(answer contract.OutcomeAnswer) outcome {
	return outcome{Outcome: answer.Outcome, NoteAdded: answer.NoteAdded, Repeat: answer.Repeat, Errors: answer.Errors}
}

// accepted is the body of 202: the event is durable, but not decided yet.
type accepted struct {
	Status   string `json:"status" doc:"Always accepted."`
	Receipt  string `json:"receipt"`
	Location string `json:"location" doc:"Where to ask for the outcome; also the Location header."`
	Info     string `json:"info"`
}

func (a *api) eventRoutes() []route {
	requestHeaders := []string{"Location", "ETag", "X-Request-Id"}
	return []route{{
		method: http.MethodPost, path: "/v1/events", tag: "Events API",
		summary: "Submit an event",
		detail: "Creates a request, adds to an open one, or changes nothing, by R-Service's event matching. " +
			"Parameters may come in the query string, as a JSON object or as a form; the body wins. " +
			"The answer is the recorded decision and never waits for the provider: ticket is null until it exists, unless the call has Prefer: wait=N.",
		parameters: []parameter{
			{"parameters", "query", "Any of the event's parameters, each under its own name."},
			{"Idempotency-Key", "header", "The event's identity: a call with the same key gets the first one's outcome."},
			{"Prefer", "header", "wait=N: wait up to N seconds (24 at most) for the ticket. respond-async: answer 202 at once, or after wait=N."},
			{"X-RService-Account", "header", "The account to work in; also X-R-Service-Account, X-Xurrent-Account, X-4me-Account."},
		},
		body:  event.Params{},
		media: []media{{"application/x-www-form-urlencoded", event.Params{}}, {"multipart/form-data", event.Params{}}},
		answers: []answer{
			{status: 200, about: "An open request matched; this is it. An event that the configuration ignores (ignore_orphan_recovery) is answered with outcome unchanged and request null.", body: request{}, or: outcome{}, headers: requestHeaders},
			{status: 201, about: "A request was created.", body: request{}, headers: requestHeaders},
			{status: 202, about: "The event is durable, but no worker has decided yet.", body: accepted{}, headers: []string{"Location", "Retry-After"}},
			{status: 400, about: "The body is not JSON, or a header is wrong.", body: failure{}},
			{status: 403, about: "The account header names another account than the token's.", body: failure{}},
			{status: 408, about: "The body did not arrive in time.", body: failure{}},
			{status: 413, about: "The body is too large.", body: failure{}},
			{status: 415, about: "The body is neither JSON nor a form.", body: failure{}},
			{status: 422, about: "The event cannot create a request.", body: failure{}},
		},
		handle: a.postEvent,
	}, {
		method: http.MethodGet, path: "/v1/events/{receipt}", tag: "Events API",
		summary:    "Ask for an event's outcome",
		detail:     "For events that were answered with 202. Waits up to 5 seconds, or as long as Prefer: wait=N says.",
		parameters: []parameter{{"receipt", "path", "The receipt."}, {"Prefer", "header", "wait=N: wait up to N seconds."}},
		answers: []answer{
			{status: 200, about: "The event was decided.", body: outcome{}, headers: []string{"X-Request-Id"}},
			{status: 202, about: "Not decided yet.", body: accepted{}, headers: []string{"Location", "Retry-After"}},
			{status: 404, about: "There is no such receipt.", body: failure{}},
		},
		handle: a.getOutcome,
	}}
}

func (a *api) postEvent(w http.ResponseWriter, r *http.Request, c Caller) error {
	received := a.Now().UTC()
	c, err := c.inAccount(r.Header)
	if err != nil {
		return err
	}
	e := event.Event{ReceivedAt: received, Caller: c.Name}
	if e.ID, e.Unkeyed, err = a.identityOf(r.Header, c); err != nil {
		return err
	}
	if e.Params, err = a.readParams(w, r); err != nil {
		return err
	}
	if err := c.mayNoteIn(e.Params["support_domain"]); err != nil {
		return err
	}
	receipt, err := a.submit(r.Context(), c, e)
	if err != nil {
		return err
	}
	p := preferenceOf(r.Header)
	p.applied(w.Header())
	arrived := time.Now()
	answer, decided := a.decision(r.Context(), receipt, p.forDecision())
	if !decided {
		writeAccepted(w, receipt)
		return nil
	}
	if answer.Outcome == event.Rejected {
		return &InvalidEvent{Errors: answer.Errors}
	}
	if answer.Request == nil {
		writeJSON(w, http.StatusOK, outcomeOf(answer))
		return nil
	}
	view := *answer.Request
	if p.waits && !p.async {
		view = a.awaitTicket(r.Context(), receipt, view, arrived.Add(p.wait))
	}
	return writeRequest(w, r, statusOf(answer), view)
}

// identityOf is the event's id: the sender's Idempotency-Key within the
// caller's own names, or a new one for an event that has none.
func (a *api) identityOf(h http.Header, c Caller) (id string, unkeyed bool, err error) {
	const maxID = 255
	key := h.Get("Idempotency-Key")
	switch room := maxID - len(c.Name) - 1; {
	case key == "":
		return a.NewID(), true, nil
	case len(key) > room:
		return "", false, badHeader(fmt.Sprintf("The Idempotency-Key is longer than %d bytes.", room))
	case !utf8.ValidString(key):
		return "", false, badHeader("The Idempotency-Key is not UTF-8.")
	}
	return c.Name + ":" + key, false, nil
}

func badHeader(detail string) error {
	return &refusal{status: http.StatusBadRequest, detail: detail}
}

func (a *api) submit(ctx context.Context, c Caller, e event.Event) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, submitWithin)
	defer cancel()
	return a.Events.Submit(ctx, c, e)
}

// decision waits for the recorded decision. The event is durable already, so
// whatever goes wrong here is no reason to call it refused.
func (a *api) decision(ctx context.Context, receipt Receipt, wait time.Duration) (contract.OutcomeAnswer, bool) {
	if wait <= 0 {
		return contract.OutcomeAnswer{}, false
	}
	answer, decided, err := a.outcome(ctx, receipt, wait)
	if err != nil {
		a.Logger.Warn("no outcome yet for an accepted event", "request_id", lineOf(ctx).id, "workflow", receipt.WorkflowID, "event", receipt.EventID, "error", err)
	}
	if err != nil || !decided || !answer.Known {
		return contract.OutcomeAnswer{}, false
	}
	return answer, true
}

// outcome asks, and takes a decision without the request that it made or changed
// for none at all. An event that was ignored, or decided too long ago, has none.
func (a *api) outcome(ctx context.Context, receipt Receipt, wait time.Duration) (contract.OutcomeAnswer, bool, error) {
	answer, decided, err := a.Events.Outcome(ctx, receipt, wait)
	if err != nil || !decided || answer.Again {
		return contract.OutcomeAnswer{}, false, err
	}
	needsRequest := answer.Outcome == event.Created || answer.Outcome == event.Updated
	if answer.Known && needsRequest && answer.Request == nil {
		return contract.OutcomeAnswer{}, false, fmt.Errorf("the outcome %q came without its request", answer.Outcome)
	}
	return answer, true, nil
}

// statusOf tells the decision. What a re-post would create exists already.
func statusOf(answer contract.OutcomeAnswer) int {
	if answer.Repeat && answer.Outcome == event.Created {
		return http.StatusOK
	}
	return answer.Outcome.Status()
}

// First and longest time between two looks for a ticket.
const (
	firstLook   = 50 * time.Millisecond
	longestLook = time.Second
)

// awaitTicket asks for the request until it has a ticket, until a person is
// needed to get one, or until the time is up.
func (a *api) awaitTicket(ctx context.Context, receipt Receipt, view contract.RequestView, until time.Time) contract.RequestView {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for pause := firstLook; view.Ticket == nil && !stuck(view); pause = min(2*pause, longestLook) {
		select {
		case <-ctx.Done():
			return view
		case <-time.After(pause):
		}
		now, err := a.Events.Current(ctx, receipt, view.ID)
		if err != nil {
			continue
		}
		view = now
	}
	return view
}

// stuck reports whether the ticket's creation is parked.
func stuck(view contract.RequestView) bool {
	for _, p := range view.Pending {
		if p.Kind == "create" && p.Parked != "" {
			return true
		}
	}
	return false
}

const askAgain = time.Second

func writeAccepted(w http.ResponseWriter, receipt Receipt) {
	w.Header().Set("Location", receipt.path())
	w.Header().Set("Retry-After", wholeSeconds(askAgain))
	writeJSON(w, http.StatusAccepted, accepted{
		Status: "accepted", Receipt: receipt.Text(), Location: receipt.path(),
		Info: "The event is safe and will be decided as soon as a worker runs. Do not send it again; ask at location for the outcome.",
	})
}

// writeRequest answers with a request and the headers R-Service has beside it.
func writeRequest(w http.ResponseWriter, r *http.Request, status int, view contract.RequestView) error {
	data, err := encode(requestOf(view))
	if err != nil {
		return fmt.Errorf("request %d: %w", view.ID, err)
	}
	sum := sha256.Sum256(data)
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Location", "/v1/requests/"+strconv.FormatInt(view.ID, 10))
	if r.Method != http.MethodPost && r.Header.Get("If-None-Match") == tag {
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeBytes(w, status, data)
	return nil
}

// outcomeWait is how long a question for an outcome waits by itself.
const outcomeWait = 5 * time.Second

func (a *api) getOutcome(w http.ResponseWriter, r *http.Request, c Caller) error {
	receipt, err := readReceipt(c, r.PathValue("receipt"))
	if err != nil {
		return err
	}
	p, wait := preferenceOf(r.Header), outcomeWait
	p.applied(w.Header())
	if p.waits {
		wait = min(max(p.wait, time.Second), DecideWithin)
	}
	arrived := time.Now()
	answer, decided, err := a.outcome(r.Context(), receipt, wait)
	switch {
	case err != nil:
		return err
	case !decided:
		writeAccepted(w, receipt)
		return nil
	case !answer.Known:
		return ErrNotFound
	}
	body := outcomeOf(answer)
	if answer.Request != nil {
		view := a.newest(r.Context(), receipt, *answer.Request)
		if p.waits {
			view = a.awaitTicket(r.Context(), receipt, view, arrived.Add(wait))
		}
		shaped := requestOf(view)
		body.Request = &shaped
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// newest is the request as it is now, where that can be had: the recorded
// decision may be older than the ticket.
func (a *api) newest(ctx context.Context, receipt Receipt, decided contract.RequestView) contract.RequestView {
	now, err := a.Events.Current(ctx, receipt, decided.ID)
	if err != nil {
		return decided
	}
	return now
}
