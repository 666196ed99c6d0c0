package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// TicketWrite is a write of the unified ticketing API as a caller asks for it.
type TicketWrite struct {
	Integration string
	Operator    ticketing.Operator
	// TicketID and PartID are the ids of its path.
	TicketID, PartID string
	// Body is a ticket.New, ticket.Patch, ticket.NewComment, ticket.NewNote,
	// ticket.NotePatch or contract.NewAttachment; nil for a delete.
	Body any
	// Derive, where given, makes Body of Said, JSON that the caller sent, and of what
	// is there now; only where no equal write is joined, which may have changed that.
	// Its errors are Start's.
	Derive func(context.Context) (any, error)
	Said   json.RawMessage
	// File is the file that Body names by its SHA-256, nil where it names none.
	File SpooledFile
	// Came is when the call began to come, where it took long to; zero: just now.
	Came time.Time
	// Key is the Idempotency-Key; empty: the write is known by what it says.
	Key string
}

// TicketWrites make writes durable. Start's errors are ErrInvalidWrite,
// ErrKeyReused and ErrUnavailable.
type TicketWrites interface {
	Start(ctx context.Context, w TicketWrite) (StartedWrite, error)
	// Outcome tells how a write stands; ErrNotFound where the integration has no such.
	Outcome(ctx context.Context, integration, operationID string) (contract.WriteOutcome, error)
}

// StartedWrite is durable, whatever becomes of the call.
type StartedWrite interface {
	OperationID() string
	// Wait waits for its end; false where it is still on its way.
	Wait(ctx context.Context, wait time.Duration) (contract.WriteOutcome, bool, error)
	// Answered: a 2xx was written to the caller in full.
	Answered(ctx context.Context) error
	// Async: the caller takes a 202. Where it has ended meanwhile, true.
	Async(ctx context.Context) (contract.WriteOutcome, bool, error)
	// Trouble is why the last attempt failed; empty where none did.
	Trouble(ctx context.Context) string
	Close()
}

// What a write cannot be started with; the text around them is for the user.
var (
	ErrInvalidWrite = errors.New("not valid")
	ErrKeyReused    = errors.New("this Idempotency-Key was used for another write")
)

// retryWrite is when a caller whose write goes on should ask again: it joins.
const retryWrite = time.Second

// fromHere is a call whose body was read: from here on it has as long as any other,
// or as is left of that.
func fromHere(r *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(r.Context(), AnswerWithin)
	return r.WithContext(ctx), cancel
}

// leftToDecide is how much of DecideWithin is left of a call's time.
func leftToDecide(ctx context.Context) time.Duration {
	end, _ := ctx.Deadline() // every call has one
	return max(time.Until(end)-(AnswerWithin-DecideWithin), 0)
}

// write makes a write and answers with what the provider made of it, DecideWithin
// after its body was read, or sooner where the caller prefers that. Later it goes on
// all the same: 202 for who asked for that, else 503, because a 2xx without a result
// would be taken for success.
func (a *api) write(w http.ResponseWriter, r *http.Request, c Caller, asked TicketWrite, answer envelope) error {
	r, cancel := fromHere(r)
	defer cancel()
	asked.Integration, asked.Key = c.Integration, r.Header.Get("Idempotency-Key")
	started, err := a.Writes.Start(r.Context(), asked)
	if err != nil {
		return writeRefusal(err)
	}
	defer started.Close()
	w.Header().Set(operationHeader, started.OperationID())
	prefers := preferenceOf(r.Header)
	outcome, ended, err := started.Wait(r.Context(), prefers.forWrite(leftToDecide(r.Context())))
	if err != nil {
		return err
	}
	// A 202 could not be forgotten while the file is on this machine's disk only.
	if !ended && prefers.async && asked.File == nil {
		if outcome, ended, err = started.Async(r.Context()); err != nil {
			return err
		}
		if !ended {
			w.Header().Set("Location", operationPath(started.OperationID()))
			w.Header().Set("Preference-Applied", "respond-async")
			writeJSON(w, http.StatusAccepted, ticketOperation{ID: started.OperationID(), Status: contract.WritePending})
			return nil
		}
	}
	switch {
	case !ended:
		return underWay(started, asked.File, "It is safe, and goes on without you. "+started.Trouble(r.Context()))
	case outcome.Status == contract.WriteParked:
		return underWay(started, asked.File, "It waits for a person (starter parked list): "+reasonOf(outcome))
	case outcome.Status != contract.WriteOK:
		return notWritten(started.OperationID(), outcome)
	}
	return a.written(w, r, started, outcome, answer)
}

// written answers with the result, and says so to the write once it is out.
func (a *api) written(w http.ResponseWriter, r *http.Request, started StartedWrite, outcome contract.WriteOutcome, answer envelope) error {
	said := a.warningsOf(r, outcome)
	status, body := http.StatusOK, any(gone{said})
	if answer != nil {
		var err error
		if body, err = answer(outcome.Result, said); err != nil {
			return fmt.Errorf("result of %s: %w", started.OperationID(), err)
		}
		if r.Method == http.MethodPost {
			status = http.StatusCreated
		}
	}
	data, err := encode(body)
	if err != nil {
		return err
	}
	if err := r.Context().Err(); errors.Is(err, context.Canceled) {
		return err // the caller is gone: sent again, it is the same write
	}
	// Without its length the end of the body would go out only when we return.
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	whole := &wholeWriter{ResponseWriter: w}
	writeBytes(whole, status, data)
	if err := http.NewResponseController(w).Flush(); whole.err != nil || err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil // the caller did not get it: sent again, it is the same write
	}
	// The caller may go before we are done, and still has its answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), submitWithin)
	defer cancel()
	if err := started.Answered(ctx); err != nil {
		a.Logger.Warn("an equal write joins this one for two minutes more", "operation", started.OperationID(), "error", err)
	}
	return nil
}

// wholeWriter remembers whether everything was written.
type wholeWriter struct {
	http.ResponseWriter
	err error
}

func (w *wholeWriter) Write(data []byte) (int, error) {
	n, err := w.ResponseWriter.Write(data)
	w.err = errors.Join(w.err, err)
	return n, err
}

// underWay is the answer to a write that may still be made. A large file is much to
// send again, and need not be.
func underWay(started StartedWrite, file SpooledFile, detail string) error {
	ask := "GET " + operationPath(started.OperationID())
	remediation := "Send the same call again: it joins this write, and nothing is made twice. Or ask " + ask + "."
	if file != nil {
		remediation = "Ask " + ask + ": as long as it knows the write, and does not say that the file is missing, " +
			"the file need not be sent again. Sent again, it joins this write, and nothing is made twice."
	}
	return &refusal{
		status: http.StatusServiceUnavailable, message: "The write is still under way", retryAfter: retryWrite,
		detail: strings.TrimSpace(detail), remediation: remediation,
		context: &problemContext{Operation: started.OperationID()},
	}
}

// notWritten is the answer to a write that the provider, or a person, refused.
func notWritten(operation string, outcome contract.WriteOutcome) error {
	if outcome.Status == contract.WriteDiscarded {
		return &refusal{
			status: http.StatusConflict, message: "A person discarded the write", detail: reasonOf(outcome),
			context: &problemContext{Operation: operation},
		}
	}
	if outcome.Error == nil {
		return refusedWrite(ticket.Permanent, 0, reasonOf(outcome))
	}
	return refusedWrite(cmp.Or(ticket.Kind(outcome.Error.Kind), ticket.Permanent), outcome.Error.Status, outcome.Error.Message)
}

func reasonOf(outcome contract.WriteOutcome) string {
	if outcome.Error == nil {
		return "no reason is known"
	}
	return outcome.Error.Message
}

func writeRefusal(err error) error {
	switch {
	case errors.Is(err, ErrInvalidWrite):
		return badParameter("body", "", "", err)
	case errors.Is(err, ErrKeyReused):
		return &refusal{status: http.StatusConflict, message: "Idempotency-Key was used before", err: err,
			detail:  "It stands for another write: use a new one.",
			context: &problemContext{Parameter: &problemParameter{ID: "Idempotency-Key", Location: "header"}}}
	default:
		return err
	}
}

func operationPath(id string) string { return ticketingPath + "operations/" + url.PathEscape(id) }

// gone answers a delete.
type gone struct{ warned }

// ticketOperation is a write that is, or was, under way.
type ticketOperation struct {
	ID       string          `json:"id"`
	Status   string          `json:"status" doc:"pending, ok, refused, parked or discarded"`
	Result   json.RawMessage `json:"result,omitempty" doc:"What was made, as the write answers it."`
	Warnings []string        `json:"warnings,omitempty" doc:"What was asked for and could not be done as it was asked."`
	Reason   string          `json:"reason,omitempty" doc:"Why it was refused or is parked."`
}

// resultOf is what a write made, as the write itself is answered. Of what workflows
// keep, only files have another shape.
func resultOf(outcome contract.WriteOutcome) (json.RawMessage, error) {
	if len(outcome.Result) == 0 || !madeFile(outcome) {
		return outcome.Result, nil
	}
	var file ticket.Attachment
	if err := json.Unmarshal(outcome.Result, &file); err != nil {
		return nil, err
	}
	return json.Marshal(metadataOf(file))
}

// madeFile: an outcome of an older worker does not say what was asked for, but only
// files have such a member.
func madeFile(outcome contract.WriteOutcome) bool {
	if outcome.Operator != "" {
		return outcome.Operator == contract.WriteCreateAttachment
	}
	var members map[string]json.RawMessage
	return json.Unmarshal(outcome.Result, &members) == nil && members["FileName"] != nil
}

func (a *api) getOperation(w http.ResponseWriter, r *http.Request, c Caller) error {
	id := r.PathValue("operation")
	outcome, err := a.Writes.Outcome(r.Context(), c.Integration, id)
	if err != nil {
		return err
	}
	op := ticketOperation{ID: id, Status: outcome.Status, Warnings: outcome.Warnings}
	if op.Result, err = resultOf(outcome); err != nil {
		return fmt.Errorf("result of %s: %w", id, err)
	}
	if outcome.Error != nil {
		op.Reason = reasonOf(outcome)
	}
	writeJSON(w, http.StatusOK, op)
	return nil
}
