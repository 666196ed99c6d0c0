package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// createTicketRequest is the connector's; members that it has not are ignored,
// because newer clients of it send more.
type createTicketRequest struct {
	Name           string          `json:"name" doc:"The title. The only one that every provider needs."`
	Summary        string          `json:"summary,omitempty"`
	Description    string          `json:"description,omitempty" doc:"Markdown."`
	Creator        string          `json:"creator,omitempty"`
	Assignee       string          `json:"assignee,omitempty" doc:"An e-mail address, or the provider's own id."`
	Contact        string          `json:"contact,omitempty"`
	Priority       ticket.Priority `json:"priority,omitempty" doc:"URGENT, CRITICAL, HIGH, MEDIUM, MODERATE, LOW or PLANNING."`
	DueDate        moment          `json:"due_date,omitzero"`
	CompletionDate moment          `json:"completion_date,omitzero"`
	Status         string          `json:"status,omitempty"`
	Project        string          `json:"project,omitempty" doc:"Absent: the integration's default_project."`
	IssueType      string          `json:"issue_type,omitempty" doc:"Absent: the integration's default_issue_type."`
	Parent         string          `json:"parent,omitempty"`
	Tags           []string        `json:"tags,omitempty"`
	CustomFields   map[string]any  `json:"custom_fields,omitempty" doc:"By the names of custom_field_mappings, or the provider's own ids."`
}

func (c createTicketRequest) ticket() (ticket.New, error) {
	if strings.TrimSpace(c.Name) == "" {
		return ticket.New{}, bodyError("/name", "missing")
	}
	if err := ticketing.CheckPriority(c.Priority); err != nil {
		return ticket.New{}, bodyError("/priority", err.Error())
	}
	return ticket.New{
		Name: c.Name, Summary: c.Summary, Description: c.Description, Creator: c.Creator, Assignee: c.Assignee, Contact: c.Contact,
		Priority: c.Priority, DueDate: c.DueDate.Time, CompletionDate: c.CompletionDate.Time, Status: c.Status,
		Project: c.Project, IssueType: c.IssueType, Parent: c.Parent, Tags: c.Tags, CustomFields: c.CustomFields,
	}, nil
}

type createCommentRequest struct {
	Content string `json:"content" doc:"Markdown."`
	Creator string `json:"creator,omitempty" doc:"Who wrote it, where the provider takes that."`
}

func (c createCommentRequest) comment() (ticket.NewComment, error) {
	if strings.TrimSpace(c.Content) == "" {
		return ticket.NewComment{}, bodyError("/content", "missing")
	}
	return ticket.NewComment{Content: c.Content, Creator: c.Creator}, nil
}

type createNoteRequest struct {
	Title   string `json:"title"`
	Content string `json:"content" doc:"Markdown."`
}

func (c createNoteRequest) note() (ticket.NewNote, error) {
	switch {
	case strings.TrimSpace(c.Title) == "":
		return ticket.NewNote{}, bodyError("/title", "missing")
	case strings.TrimSpace(c.Content) == "":
		return ticket.NewNote{}, bodyError("/content", "missing")
	}
	return ticket.NewNote{Title: c.Title, Content: c.Content}, nil
}

type createAttachmentRequest struct {
	FileName string `json:"file_name"`
	Content  string `json:"content" doc:"The bytes in base64."`
}

// patchOperationShape is how the document shows an operation of a JSON Patch.
type patchOperationShape struct {
	Op    string `json:"op" doc:"add, remove, replace, move, copy or test"`
	Path  string `json:"path" doc:"A JSON Pointer, like /status or /custom_fields/colour."`
	From  string `json:"from,omitempty" doc:"For move and copy."`
	Value any    `json:"value,omitempty" doc:"For add, replace and test."`
}

// bodyError is a 400 about a member of the body; "" is all of it.
func bodyError(pointer, message string) error {
	about := "the body "
	if member := strings.TrimPrefix(pointer, "/"); member != "" {
		about = member + ": "
	}
	return badParameter("body", pointer, "", errors.New(about+message))
}

// readPatch reads a JSON Patch of the members named; it may look at the others, too.
func (a *api) readPatch(w http.ResponseWriter, r *http.Request, members []string, others ...string) (patch ticketing.Patch, said []byte, err error) {
	if said, err = a.readJSON(w, r); err != nil {
		return patch, nil, err
	}
	patch, err = ticketing.ParsePatch(said, members, others...)
	return patch, said, patchRefusal(err)
}

// failedTest is the answer to a patch that holds for another state.
func failedTest(err error) error {
	return &refusal{status: http.StatusConflict, message: "A test of the patch does not hold", detail: err.Error(), err: err}
}

// patchRefusal is the answer to a patch that cannot be done.
func patchRefusal(err error) error {
	bad, ok := errors.AsType[*ticketing.PatchError](err)
	switch {
	case !ok:
		return err
	case bad.Failed:
		return failedTest(errors.New(bad.Message))
	default:
		return badParameter("body", bad.Pointer, "", errors.New(strings.TrimPrefix(err.Error(), "/: ")))
	}
}
