package httpapi

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func (a *api) queryTickets(w http.ResponseWriter, r *http.Request, c Caller) error {
	q, err := queryOf(r, ticketsPage)
	if err != nil {
		return err
	}
	page, err := a.Ticketing.QueryTickets(r.Context(), c.Integration, q)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, ticketList{Result: list(page.Items), Cursor: page.Cursor})
	return nil
}

func (a *api) getTicket(w http.ResponseWriter, r *http.Request, c Caller) error {
	t, err := a.Ticketing.GetTicket(r.Context(), c.Integration, r.PathValue("ticketId"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, ticketAnswer{Result: t})
	return nil
}

func (a *api) listComments(w http.ResponseWriter, r *http.Request, c Caller) error {
	comments, err := a.Ticketing.ListComments(r.Context(), c.Integration, r.PathValue("ticketId"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, commentList{Result: list(comments)})
	return nil
}

func (a *api) listNotes(w http.ResponseWriter, r *http.Request, c Caller) error {
	notes, err := a.Ticketing.ListNotes(r.Context(), c.Integration, r.PathValue("ticketId"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, noteList{Result: list(notes)})
	return nil
}

func (a *api) listAttachments(w http.ResponseWriter, r *http.Request, c Caller) error {
	found, err := a.Ticketing.ListAttachments(r.Context(), c.Integration, r.PathValue("ticketId"))
	if err != nil {
		return err
	}
	answer := attachmentList{Result: make([]attachmentMetadata, len(found))}
	for i, each := range found {
		answer.Result[i] = metadataOf(each)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// maxBase64 is the largest file that is answered in JSON; larger ones are
// streamed to who takes bytes.
const maxBase64 = 32 << 20

func (a *api) downloadAttachment(w http.ResponseWriter, r *http.Request, c Caller) error {
	found, err := a.Ticketing.DownloadAttachment(r.Context(), c.Integration, r.PathValue("ticketId"), r.PathValue("attachmentId"))
	if err != nil {
		return err
	}
	defer found.Body.Close()
	if !takesJSON(r) {
		return stream(w, found)
	}
	if found.Size > maxBase64 {
		return tooLargeForJSON()
	}
	content, err := io.ReadAll(io.LimitReader(found.Body, maxBase64+1))
	if err != nil {
		return &ticket.Error{Kind: ticket.Retry, Op: "download " + found.FileName, Message: "the provider's answer broke off", Err: err}
	}
	if len(content) > maxBase64 {
		return tooLargeForJSON()
	}
	writeJSON(w, http.StatusOK, attachmentAnswer{Result: attachmentContent{
		FileName: found.FileName, FileType: found.FileType, Content: base64.StdEncoding.EncodeToString(content),
	}})
	return nil
}

func tooLargeForJSON() error {
	return &refusal{
		status:      http.StatusBadRequest,
		detail:      fmt.Sprintf("The file is larger than %d MB.", maxBase64>>20),
		remediation: "Ask with `Accept: application/octet-stream`, which gives the bytes themselves.",
	}
}

// takesJSON: everybody but who names media types without JSON among them.
func takesJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return accept == "" || strings.Contains(accept, "json") || strings.Contains(accept, "*/*") || strings.Contains(accept, "application/*")
}

// stream passes a file on as it comes.
func stream(w http.ResponseWriter, d ticket.Download) error {
	h := w.Header()
	kind := d.FileType
	if _, _, err := mime.ParseMediaType(kind); err != nil {
		kind = "application/octet-stream"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.FileName}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if d.Size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	}
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, d.Body); err != nil {
		panic(http.ErrAbortHandler) // the status is sent: only a cut connection says that it is not whole
	}
	return nil
}

func (a *api) listProjects(w http.ResponseWriter, r *http.Request, c Caller) error {
	limit, err := limitOf(r.URL.Query().Get("limit"), projectsPage)
	if err != nil {
		return err
	}
	page, err := a.Ticketing.ListProjects(r.Context(), c.Integration, r.URL.Query().Get("cursor"), limit)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, projectList{Result: list(page.Items), Cursor: page.Cursor})
	return nil
}

func (a *api) listRemoteFields(w http.ResponseWriter, r *http.Request, c Caller) error {
	fields, err := a.Ticketing.ListRemoteFields(r.Context(), c.Integration)
	if err != nil {
		return err
	}
	answer := remoteFieldList{Result: make([]remoteField, len(fields))}
	for i, f := range fields {
		answer.Result[i] = remoteFieldOf(f)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (a *api) queryPolicies(w http.ResponseWriter, r *http.Request, c Caller) error {
	q, err := queryOf(r, projectsPage)
	if err != nil {
		return err
	}
	page, err := a.Ticketing.QueryEscalationPolicies(r.Context(), c.Integration, q)
	if err != nil {
		return err
	}
	answer := policyList{Result: make([]escalationPolicy, len(page.Items)), Cursor: page.Cursor}
	for i, p := range page.Items {
		answer.Result[i] = policyOf(p)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (a *api) listOnCall(w http.ResponseWriter, r *http.Request, c Caller) error {
	agents, err := a.Ticketing.ListOnCall(r.Context(), c.Integration, r.PathValue("escalationPolicyId"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, onCallList{Result: list(agents)})
	return nil
}

// list is never null in JSON.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
