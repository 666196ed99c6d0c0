package httpapi

import "net/http"

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
