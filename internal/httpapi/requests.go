package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Requests find requests. ErrNotFound also where a request is not the caller's.
type Requests interface {
	Request(ctx context.Context, c Caller, id int64) (contract.RequestView, error)
	// Notes are in the order they were written.
	Notes(ctx context.Context, c Caller, id int64) ([]Note, error)
}

// Note is one note of a request. ID is the provider's, or any other text that
// is the same each time.
type Note struct {
	ID        string
	Person    event.Ref
	CreatedAt time.Time
	Text      string
	Internal  bool
	Account   string
}

// requestNote is a note in R-Service's shape.
type requestNote struct {
	ID          int64      `json:"id"`
	Person      *reference `json:"person"`
	CreatedAt   time.Time  `json:"created_at"`
	Text        string     `json:"text"`
	Internal    bool       `json:"internal"`
	Medium      string     `json:"medium"`
	Attachments []any      `json:"attachments"`
	Account     *account   `json:"account"`
}

type account struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (a *api) requestRoutes() []route {
	id := parameter{"id", "path", "The request's number or its nodeID."}
	missing := answer{status: 404, about: "There is no such request.", body: failure{}}
	foreign := answer{status: 403, about: "The account header names another account than the token's.", body: failure{}}
	return []route{{
		method: http.MethodGet, path: "/v1/requests/{id}", tag: "Events API",
		summary: "Get a request", parameters: []parameter{id},
		answers: []answer{{status: 200, about: "The request.", body: request{}, headers: []string{"ETag", "Location", "X-Request-Id"}}, foreign, missing},
		handle:  a.getRequest,
	}, {
		method: http.MethodGet, path: "/v1/requests/{id}/notes", tag: "Events API",
		summary: "List a request's notes", parameters: []parameter{id},
		answers: []answer{{status: 200, about: "All notes, oldest first.", body: []requestNote{}}, foreign, missing},
		handle:  a.getNotes,
	}}
}

func (a *api) getRequest(w http.ResponseWriter, r *http.Request, c Caller) error {
	c, id, err := requestCall(r, c)
	if err != nil {
		return err
	}
	view, err := a.Requests.Request(r.Context(), c, id)
	if err != nil {
		return plainNotFound(err)
	}
	return writeRequest(w, r, http.StatusOK, view)
}

func (a *api) getNotes(w http.ResponseWriter, r *http.Request, c Caller) error {
	c, id, err := requestCall(r, c)
	if err != nil {
		return err
	}
	notes, err := a.Requests.Notes(r.Context(), c, id)
	if err != nil {
		return plainNotFound(err)
	}
	body := make([]requestNote, 0, len(notes))
	for _, n := range notes {
		body = append(body, noteOf(id, n))
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

func requestCall(r *http.Request, c Caller) (Caller, int64, error) {
	c, err := c.inAccount(r.Header)
	if err != nil {
		return c, 0, err
	}
	id, ok := requestID(r.PathValue("id"))
	if !ok {
		return c, 0, ErrNotFound
	}
	return c, id, nil
}

// plainNotFound keeps R-Service's own 404 body.
func plainNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrNotFound
	}
	return err
}

func noteOf(request int64, n Note) requestNote {
	note := requestNote{
		ID: noteID(request, n.ID), Person: ref("Person", n.Person), CreatedAt: *secondOf(n.CreatedAt),
		Text: n.Text, Internal: n.Internal, Medium: "default", Attachments: []any{},
	}
	if n.Account != "" {
		note.Account = &account{ID: n.Account, Name: n.Account}
	}
	return note
}

// noteID is a number, as R-Service's clients expect: the id itself where it is
// one, else a number that is stable for it.
func noteID(request int64, id string) int64 {
	const exact = 1 << 53 // what every JSON reader holds exactly
	if number, err := strconv.ParseInt(id, 10, 64); err == nil && number > 0 && number < exact {
		return number
	}
	return contract.RequestID(strconv.FormatInt(request, 10), id)
}
