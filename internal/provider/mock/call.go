package mock

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Operators, as faults name them.
const (
	opQueryTickets     = "query_tickets"
	opCreateTicket     = "create_ticket"
	opGetTicket        = "get_ticket"
	opPatchTicket      = "patch_ticket"
	opListComments     = "list_comments"
	opCreateComment    = "create_comment"
	opDeleteComment    = "delete_comment"
	opListNotes        = "list_notes"
	opCreateNote       = "create_note"
	opPatchNote        = "patch_note"
	opDeleteNote       = "delete_note"
	opCreateFile       = "create_attachment"
	opListFiles        = "list_attachments_metadata"
	opDownloadFile     = "download_attachment"
	opDeleteFile       = "delete_attachment"
	opListProjects     = "list_projects"
	opListRemoteFields = "list_remote_fields"
	opQueryPolicies    = "query_escalation_policies"
	opListOnCall       = "list_on_call"
)

func operators() []string {
	return []string{
		opQueryTickets, opCreateTicket, opGetTicket, opPatchTicket,
		opListComments, opCreateComment, opDeleteComment,
		opListNotes, opCreateNote, opPatchNote, opDeleteNote,
		opCreateFile, opListFiles, opDownloadFile, opDeleteFile,
		opListProjects, opListRemoteFields, opQueryPolicies, opListOnCall,
	}
}

// act is one call, as faults and errors speak of it.
type act struct {
	operator string
	// op is what is tried, with its object.
	op     string
	writes bool
}

func reading(operator, format string, args ...any) act {
	return act{operator: operator, op: fmt.Sprintf(format, args...)}
}

func writing(operator, format string, args ...any) act {
	return act{operator: operator, op: fmt.Sprintf(format, args...), writes: true}
}

// call carries out do as a provider would a request: at the integration's rate,
// after its latency, and with the faults that it is to have. The memory is locked
// while do runs.
func call[T any](ctx context.Context, c *Client, a act, do func(m *memory) (T, error)) (T, error) {
	var none T
	entered := c.now()
	if wait := c.pace.Enter(entered, "", ""); wait > 0 {
		return none, &ticket.Error{Kind: ticket.RateLimited, Op: a.op, RetryAfter: wait, Message: "the integration's rate is used up"}
	}
	defer func() { c.pace.Leave(c.now(), entered) }()
	drawn := c.faults.draw(a.operator)
	if !sleep(ctx, c.config.Latency) {
		return none, &ticket.Error{Kind: ticket.Retry, Op: a.op, Message: "given up before it was done", Err: ctx.Err()}
	}
	if drawn.before != nil {
		return none, a.fail(*drawn.before)
	}
	out, err := locked(c, do)
	if err != nil {
		return none, err
	}
	if !sleep(ctx, drawn.delay) {
		return none, a.lost(0, "the answer came too late", ctx.Err())
	}
	if drawn.after {
		return none, a.lost(http.StatusInternalServerError, "a fault that the configuration asks for (mock.faults): an error behind the deed", nil)
	}
	return out, nil
}

// locked runs do on the memory, without what has expired.
func locked[T any](c *Client, do func(m *memory) (T, error)) (T, error) {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	c.memory.expire(c.now())
	return do(c.memory)
}

// sleep reports false when ctx ended first.
func sleep(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	return rest.Sleep(ctx, wait)
}

// lost is a call whose answer did not arrive: a read may simply be made again.
func (a act) lost(status int, message string, cause error) error {
	kind := ticket.Retry
	if a.writes {
		kind = ticket.OutcomeUnknown
	}
	return &ticket.Error{Kind: kind, Op: a.op, Status: status, Message: message, Err: cause}
}

func (a act) permanent(format string, args ...any) error {
	return &ticket.Error{Kind: ticket.Permanent, Op: a.op, Message: fmt.Sprintf(format, args...)}
}

func (a act) notFound(format string, args ...any) error {
	return &ticket.Error{Kind: ticket.NotFound, Op: a.op, Message: fmt.Sprintf(format, args...)}
}
