package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/singleflight"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// What a write cannot be started with. The text around them is for the user.
var (
	// ErrInvalid: it is no write; the text names the member that is wrong.
	ErrInvalid = errors.New("not valid")
	// ErrKeyReused: the Idempotency-Key stands for another write already.
	ErrKeyReused = errors.New("this Idempotency-Key was used for another write; use a new one")
)

// Writes make the writes of the unified ticketing API durable.
type Writes struct {
	temporal client.Client
	provider func(ctx context.Context, integration string) (string, error)
	gates    gates
	// asking makes one question of many about the same write.
	asking singleflight.Group
}

// NewWrites makes Writes; provider is the short name of an integration's provider.
func NewWrites(c client.Client, provider func(ctx context.Context, integration string) (string, error)) *Writes {
	return &Writes{temporal: c, provider: provider}
}

// WriteRequest is a write as a caller asks for it.
type WriteRequest struct {
	Integration string
	// Operator is one of contract.WriteOperators; TicketID and PartID are the ids
	// of its path.
	Operator string
	TicketID string
	PartID   string
	// Body is a ticket.New, ticket.Patch, ticket.NewComment, ticket.NewNote,
	// ticket.NotePatch or contract.NewAttachment; nil for a delete.
	Body any
	// Derive, where given, makes Body of Said, JSON that the caller sent, and of what
	// is there now: only where no write that says the same is to be joined, which may
	// have changed it. Its errors are Start's.
	Derive func(context.Context) (any, error)
	Said   json.RawMessage
	// HeldBy is the task queue of the process that holds the file to be attached,
	// where Body names one by its SHA-256.
	HeldBy string
	// Came is when the caller began to ask, where that is long ago: a write that has
	// ended since then is joined as one that runs. Zero: now.
	Came time.Time
	// IdempotencyKey is what the caller calls the write; empty: a write is known
	// by what it says.
	IdempotencyKey string
}

// memoBody is the name of the memo that tells what a key stands for, also while
// no worker runs.
const memoBody = "BodyHash"

// Start starts a write, or joins one that runs: one with the same key, or one
// that says the same and is under way, or ended less than 2 minutes ago without a
// 2xx. When it returns, the write is durable, with or without a worker. Errors
// are ErrInvalid, ErrKeyReused and those of Temporal.
//
// The caller closes what it gets.
func (w *Writes) Start(ctx context.Context, r WriteRequest) (*Write, error) {
	if r.Derive != nil {
		return w.startDerived(ctx, r)
	}
	in, id, err := w.input(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := w.gates.wait(ctx, id); err != nil {
		return nil, err
	}
	h, err := w.startOrRejoin(ctx, r, in, id)
	if err != nil || in.HeldBy == "" {
		return h, err
	}
	// A run that was joined may know of another holder only, who may be gone.
	if err := h.signal(ctx, contract.SignalHeld, heldSignal(in)); err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	return h, nil
}

// start starts a run, or joins one.
func (w *Writes) start(ctx context.Context, r WriteRequest, in contract.WriteTicketInput, id string) (*Write, error) {
	options := client.StartWorkflowOptions{
		ID: id, TaskQueue: contract.QueueWorkflows,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            writeSummary(r), StaticDetails: writeDetails(r),
		TypedSearchAttributes: writeAttributes(r),
		Memo:                  map[string]any{memoBody: in.BodyHash},
	}
	if in.Keyed {
		options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	}
	for {
		run, err := w.temporal.ExecuteWorkflow(ctx, options, contract.WriteTicket, in)
		if err == nil {
			return &Write{of: w, id: id, run: run.GetRunID(), keyed: in.Keyed}, nil
		}
		started, ok := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err)
		if !ok {
			return nil, fmt.Errorf("start %s: %w", id, classify(err))
		}
		joined := &Write{of: w, id: id, run: started.RunId, keyed: in.Keyed}
		if in.Keyed {
			return joined, w.sameBody(ctx, id, started.RunId, in.BodyHash)
		}
		if over, err := joined.overSoon(ctx); err != nil || !over {
			return joined, err
		}
	}
}

// answeredSoon is how long an equal write waits for whether the answer of one that is
// made was written in full, by whatever process.
const answeredSoon = time.Second

// overSoon: the run that was joined had made its write before, and ends, as it does
// when its caller has the answer. Whoever came before that is another write.
func (h *Write) overSoon(ctx context.Context) (bool, error) {
	described, err := h.of.temporal.DescribeWorkflowExecution(ctx, h.id, h.run)
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", h.id, classify(err))
	}
	info := described.GetWorkflowExecutionInfo()
	if info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return true, nil
	}
	if keyword(info, contract.AttributeState) != contract.StateClosed {
		return false, nil
	}
	waiting, cancel := context.WithTimeout(ctx, answeredSoon)
	defer cancel()
	err = h.of.temporal.GetWorkflow(waiting, h.id, h.run).Get(waiting, nil)
	return err == nil, ctx.Err()
}

// ID is the workflow id that a write has, or is going to have; ErrInvalid where it
// is none.
func (w *Writes) ID(ctx context.Context, r WriteRequest) (string, error) {
	_, id, err := w.input(ctx, r)
	return id, err
}

// input is what the workflow starts with, and the id that belongs to it.
func (w *Writes) input(ctx context.Context, r WriteRequest) (contract.WriteTicketInput, string, error) {
	in := contract.WriteTicketInput{
		Integration: r.Integration, Operator: r.Operator, TicketID: r.TicketID, PartID: r.PartID, Keyed: r.IdempotencyKey != "",
		HeldBy: r.HeldBy,
	}
	invalid := func(err error) error { return fmt.Errorf("%s: %w: %w", r.Operator, ErrInvalid, err) }
	var err error
	if r.Body != nil {
		if in.Body, err = json.Marshal(r.Body); err != nil {
			return in, "", invalid(err)
		}
	}
	in.Derived = r.Derive != nil
	id, hash, err := r.identity(in.Body)
	if err != nil {
		return in, "", invalid(err)
	}
	in.BodyHash = hash
	if err := in.Validate(id); err != nil {
		return in, "", invalid(err)
	}
	in.Provider, err = w.provider(ctx, r.Integration)
	return in, id, err
}

// identity is the workflow id of a write, and the hash of what it says.
func (r WriteRequest) identity(body json.RawMessage) (id, hash string, err error) {
	if r.Derive != nil {
		body = r.Said
	}
	if hash, err = contract.WriteHash(r.Operator, r.TicketID, r.PartID, body); err != nil {
		return "", "", err
	}
	if r.IdempotencyKey != "" {
		return contract.WriteID(r.Integration, contract.KeyedHash(r.IdempotencyKey)), hash, nil
	}
	return contract.WriteID(r.Integration, hash), hash, nil
}

// sameBody refuses a key that stands for something else.
func (w *Writes) sameBody(ctx context.Context, id, run, hash string) error {
	described, err := w.temporal.DescribeWorkflowExecution(ctx, id, run)
	if err != nil {
		return fmt.Errorf("look at %s: %w", id, classify(err))
	}
	var have string
	payload := described.GetWorkflowExecutionInfo().GetMemo().GetFields()[memoBody]
	if payload != nil { // a person who started it gave none
		if err := Converter().FromPayload(payload, &have); err != nil {
			return fmt.Errorf("memo of %s: %w", id, err)
		}
	}
	if have != hash {
		return fmt.Errorf("%s: %w", id, ErrKeyReused)
	}
	return nil
}

// Outcome tells, without waiting, what has become of an integration's write, by
// the OperationID of the one who started it, or by its workflow id, which means
// the last run. ErrNotFound where there is no such write.
func (w *Writes) Outcome(ctx context.Context, integration, operationID string) (contract.WriteOutcome, error) {
	id, run, _ := strings.Cut(operationID, operationMark)
	if of, ok := contract.WriteIntegration(id); !ok || of != integration {
		return contract.WriteOutcome{}, fmt.Errorf("operation %s: %w", operationID, ErrNotFound)
	}
	h := &Write{of: w, id: id, run: run}
	defer h.Close()
	outcome, _, err := h.look(ctx)
	return outcome, err
}

const maxWriteSummary = 200 // bytes; the server's limit

func writeSummary(r WriteRequest) string {
	text := r.Operator
	if r.TicketID != "" {
		text += " " + r.TicketID
	}
	if asked, ok := r.Body.(ticket.New); ok {
		text += ": " + asked.Name
	}
	return cutSummary(text)
}

func cutSummary(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxWriteSummary)], "")
}

func writeDetails(r WriteRequest) string {
	return fmt.Sprintf("One write of the unified ticketing API: **%s** at **%s**. Signals: `retry`, `amend`, `discard`; queries `state`, `outcome`.", r.Operator, r.Integration)
}

func writeAttributes(r WriteRequest) temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		temporal.NewSearchAttributeKeyKeyword(contract.AttributeState).ValueSet(contract.StateDelivering),
		temporal.NewSearchAttributeKeyKeyword(contract.AttributeIntegration).ValueSet(r.Integration),
	}
	if r.TicketID != "" {
		updates = append(updates, temporal.NewSearchAttributeKeyKeyword(contract.AttributeTicket).ValueSet(cutSummary(r.TicketID)))
	}
	return temporal.NewSearchAttributes(updates...)
}
