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
	told     told
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
	// have changed it, and anew where another one was started meanwhile. Its errors
	// are Start's.
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

// Start starts a write, or joins one: the one with the same key, or one that says the
// same and is under way, or was made less than 2 minutes ago, as long as nobody got a
// 2xx for it. When it returns, the write is durable, with or without a worker. Errors
// are ErrInvalid, ErrKeyReused and those of Temporal.
//
// The caller closes what it gets.
func (w *Writes) Start(ctx context.Context, r WriteRequest) (*Write, error) {
	id, hash, err := r.identity()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	held, err := w.gates.wait(ctx, id)
	if err != nil {
		return nil, err
	}
	if held && r.Came.IsZero() {
		r.Came = began
	}
	h, err := w.startOrJoin(ctx, r, id, hash)
	if err != nil || r.HeldBy == "" {
		return h, err
	}
	// A run that was joined may know of another holder only, who may be gone.
	if err := h.signal(ctx, contract.SignalHeld, heldSignal(r)); err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	return h, nil
}

// startOrJoin starts a run, or joins one. What is made of what is there now is made
// after all that might be joined was looked at: an equal write may have changed it.
func (w *Writes) startOrJoin(ctx context.Context, r WriteRequest, id, hash string) (h *Write, err error) {
	keyed := r.IdempotencyKey != ""
	look := r.Derive != nil || !r.Came.IsZero() && !keyed // else the start tells
	for ran := false; ; ran, look = true, true {
		switch {
		case look && keyed:
			h, err = w.joinableKeyed(ctx, id, hash)
		case look:
			h, err = w.joinable(ctx, id, r.Came, ran)
		}
		if err != nil || h != nil {
			return h, err
		}
		if h, err = w.start(ctx, r, id, hash); err != nil || h != nil {
			return h, err
		}
	}
}

// start starts a run; nil where there is one.
func (w *Writes) start(ctx context.Context, r WriteRequest, id, hash string) (*Write, error) {
	in, err := w.input(ctx, r, id, hash)
	if err != nil {
		return nil, err
	}
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
	run, err := w.temporal.ExecuteWorkflow(ctx, options, contract.WriteTicket, in)
	if errors.As(err, new(*serviceerror.WorkflowExecutionAlreadyStarted)) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", id, classify(err))
	}
	return &Write{of: w, id: id, run: run.GetRunID(), keyed: in.Keyed}, nil
}

// ID is the workflow id that a write has, or is going to have; ErrInvalid where it
// is none.
func (w *Writes) ID(ctx context.Context, r WriteRequest) (string, error) {
	id, hash, err := r.identity()
	if err != nil {
		return "", err
	}
	_, err = w.input(ctx, r, id, hash)
	return id, err
}

// input is what the workflow starts with.
func (w *Writes) input(ctx context.Context, r WriteRequest, id, hash string) (in contract.WriteTicketInput, err error) {
	in = contract.WriteTicketInput{
		Integration: r.Integration, Operator: r.Operator, TicketID: r.TicketID, PartID: r.PartID, Keyed: r.IdempotencyKey != "",
		HeldBy: r.HeldBy, BodyHash: hash, Derived: r.Derive != nil,
	}
	if in.Derived {
		if r.Body, err = r.Derive(ctx); err != nil {
			return in, err
		}
	}
	if in.Body, err = r.body(); err != nil {
		return in, err
	}
	if err := in.Validate(id); err != nil {
		return in, r.invalid(err)
	}
	in.Provider, err = w.provider(ctx, r.Integration)
	return in, err
}

// identity is the workflow id of a write, and the hash of what it says.
func (r WriteRequest) identity() (id, hash string, err error) {
	said := r.Said
	if r.Derive == nil {
		if said, err = r.body(); err != nil {
			return "", "", err
		}
	}
	if hash, err = contract.WriteHash(r.Operator, r.TicketID, r.PartID, said); err != nil {
		return "", "", r.invalid(err)
	}
	if r.IdempotencyKey != "" {
		return contract.WriteID(r.Integration, contract.KeyedHash(r.IdempotencyKey)), hash, nil
	}
	return contract.WriteID(r.Integration, hash), hash, nil
}

func (r WriteRequest) body() (json.RawMessage, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := json.Marshal(r.Body)
	if err != nil {
		return nil, r.invalid(err)
	}
	return body, nil
}

func (r WriteRequest) invalid(err error) error {
	return fmt.Errorf("%s: %w: %w", r.Operator, ErrInvalid, err)
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
