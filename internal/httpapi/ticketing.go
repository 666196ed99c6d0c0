package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// Ticketing reads at the provider of a caller's integration. Errors are
// *ticket.Error; kind NotSupported where the provider has no such operation.
type Ticketing interface {
	// Supports is nil where the integration's provider has the operation.
	Supports(ctx context.Context, integration string, op ticketing.Operator) error
	QueryTickets(ctx context.Context, integration string, q ticket.Query) (ticket.Page[ticket.Ticket], error)
	GetTicket(ctx context.Context, integration, id string) (ticket.Ticket, error)
	ListComments(ctx context.Context, integration, ticketID string) ([]ticket.Comment, error)
	ListNotes(ctx context.Context, integration, ticketID string) ([]ticket.Note, error)
	ListAttachments(ctx context.Context, integration, ticketID string) ([]ticket.Attachment, error)
	DownloadAttachment(ctx context.Context, integration, ticketID, id string) (ticket.Download, error)
	ListProjects(ctx context.Context, integration, cursor string, limit int) (ticket.Page[ticket.Project], error)
	ListRemoteFields(ctx context.Context, integration string) ([]ticket.RemoteField, error)
	QueryEscalationPolicies(ctx context.Context, integration string, q ticket.Query) (ticket.Page[ticket.EscalationPolicy], error)
	ListOnCall(ctx context.Context, integration, policyID string) ([]ticket.Agent, error)
}

const (
	ticketsTag = "Ticketing"
	// Limits of a page: what is taken when none is named, and the most.
	ticketsPage  = 100
	projectsPage = 50
	mostOfAPage  = 500
	// transferWithin is how long a file may take.
	transferWithin = 10 * time.Minute
)

// reading is a route of the unified ticketing API that changes nothing.
func reading(path, summary string, result any, parameters []parameter, handle handler) route {
	return route{
		method: http.MethodGet, path: ticketingPath + path, tag: ticketsTag, summary: summary, parameters: parameters,
		answers: append([]answer{{status: http.StatusOK, about: "What the provider answers.", body: result}}, ticketingErrors()...),
		handle:  handle,
	}
}

// does names the operator that a route is. It is asked for only where the provider
// of the caller's integration has it.
func (rt route) does(op ticketing.Operator) route {
	rt.operator = op
	return rt
}

// transfer lets a route take as long as a file takes, and answer with the file itself.
func transfer(rt route) route {
	rt.within = transferWithin
	rt.answers[0].media = []media{{"application/octet-stream", nil}, {"*/*", nil}}
	return rt
}

// ticketingErrors are the answers of the unified ticketing API when the provider
// is the reason.
func ticketingErrors() []answer {
	return []answer{
		{status: 400, about: "The provider cannot do what was asked, or a parameter is wrong.", body: problem{}},
		{status: 404, about: "There is no such thing, or the integration's account cannot see it.", body: problem{}},
		{status: 501, about: "The provider has no such operation.", body: problem{}},
		{status: 502, about: "The provider refuses the integration's credentials.", body: problem{}},
	}
}

func (a *api) ticketingRoutes() []route {
	if a.Ticketing == nil {
		return nil
	}
	ticketID := parameter{"ticketId", "path", "The ticket's id, or the name that people know it by."}
	list := []parameter{
		{"cursor", "query", "Where to go on: what the answer before gave. Empty: the first page."},
		{"limit", "query", "The most of a page: 1 to 500; 100 where none is named."},
		{"filter", "query", "field[operator]value, more than one joined by AND; operators eq, ne, gt, gte, lt, lte, in, not_in, like, not_like. A value may stand in double quotes."},
		{"order", "query", "field, field[asc] or field[desc]; more than one, the first decides."},
	}
	policyID := []parameter{{"escalationPolicyId", "path", "The policy's id."}}
	fileID := parameter{"attachmentId", "path", "The file's id."}
	return []route{
		reading("tickets", "List tickets", ticketList{}, list, a.queryTickets).does(ticketing.QueryTickets),
		reading("tickets/{ticketId}", "A ticket", ticketAnswer{}, []parameter{ticketID}, a.getTicket).does(ticketing.GetTicket),
		reading("tickets/{ticketId}/comments", "A ticket's comments", commentList{}, []parameter{ticketID}, a.listComments).does(ticketing.ListComments),
		reading("tickets/{ticketId}/notes", "A ticket's notes", noteList{}, []parameter{ticketID}, a.listNotes).does(ticketing.ListNotes),
		reading("attachments/{ticketId}", "A ticket's files", attachmentList{}, []parameter{ticketID}, a.listAttachments).does(ticketing.ListAttachments),
		transfer(reading("attachments/{ticketId}/{attachmentId}/download", "A file with its content: base64 in JSON, or the bytes themselves where Accept does not take JSON",
			attachmentAnswer{}, []parameter{ticketID, fileID}, a.downloadAttachment)).does(ticketing.DownloadAttachment),
		reading("projects", "List projects", projectList{}, []parameter{list[0], {"limit", "query", "The most of a page: 1 to 500; 50 where none is named."}}, a.listProjects).does(ticketing.ListProjects),
		reading("remote-fields", "The fields that tickets have at the provider", remoteFieldList{}, nil, a.listRemoteFields).does(ticketing.ListRemoteFields),
		reading("escalation-policies", "List escalation policies", policyList{}, list[:3], a.queryPolicies).does(ticketing.QueryEscalationPolicies),
		reading("escalation-policies/{escalationPolicyId}/on-call", "Who is on call", onCallList{}, policyID, a.listOnCall).does(ticketing.ListOnCall),
	}
}
