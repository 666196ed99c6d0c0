package scenario

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// note is a note of a request; a file may write a public one as mere text.
type note struct {
	Text     string `json:"text"`
	Internal bool   `json:"internal"`
}

func (n *note) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &n.Text)
	}
	type plain note
	return json.Unmarshal(data, (*plain)(n))
}

// reference is a record's id, or the name or e-mail address of one that has none.
type reference event.Ref

func (r *reference) UnmarshalJSON(data []byte) error {
	var given any
	if err := json.Unmarshal(data, &given); err != nil {
		return err
	}
	switch v := given.(type) {
	case nil:
	case float64:
		id, err := strconv.ParseInt(string(data), 10, 64)
		if err != nil {
			return fmt.Errorf("%s is not an id", data)
		}
		r.ID = id
	case string:
		r.Email = v
	case map[string]any:
		return json.Unmarshal(data, (*event.Ref)(r))
	default:
		return fmt.Errorf("%s is not a reference", data)
	}
	return nil
}

// givenRequest is a request that exists before the first event.
type givenRequest struct {
	Ref                 string     `json:"ref"`
	ID                  int64      `json:"id"`
	CreatedS            float64    `json:"created_s"`
	UpdatedS            *float64   `json:"updated_s"`
	Subject             string     `json:"subject"`
	Category            string     `json:"category"`
	Impact              string     `json:"impact"`
	Status              string     `json:"status"`
	CompletionReason    string     `json:"completion_reason"`
	Account             string     `json:"account"`
	Source              string     `json:"source"`
	SourceID            string     `json:"sourceID"`
	CI                  reference  `json:"ci"`
	ServiceInstance     reference  `json:"service_instance"`
	Team                reference  `json:"team"`
	Member              reference  `json:"member"`
	CreatedBy           *reference `json:"created_by"`
	RequestedBy         *reference `json:"requested_by"`
	RequestedFor        *reference `json:"requested_for"`
	Supplier            reference  `json:"supplier"`
	SupplierRequestID   string     `json:"supplier_requestID"`
	Problem             reference  `json:"problem"`
	Workflow            reference  `json:"workflow"`
	Template            reference  `json:"template"`
	DesiredCompletionAt dateTime   `json:"desired_completion_at"`
	WaitingUntil        dateTime   `json:"waiting_until"`
	DowntimeStartAt     dateTime   `json:"downtime_start_at"`
	DowntimeEndAt       dateTime   `json:"downtime_end_at"`
	Notes               []note     `json:"notes"`
	Archived            bool       `json:"archived"`
	Trashed             bool       `json:"trashed"`
}

// dateTime takes the forms that events may use.
type dateTime struct{ time.Time }

func (d *dateTime) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil || text == nil {
		return err
	}
	at, err := matching.ParseTime(*text)
	if err != nil {
		return fmt.Errorf("%q %w", *text, err)
	}
	d.Time = at
	return nil
}

// record makes the request, with what is not given as an event would have it.
func (g givenRequest) record(t0 time.Time, account string, me catalog.Person) *record {
	created := t0.Add(time.Duration(g.CreatedS * float64(time.Second)))
	updated := created
	if g.UpdatedS != nil {
		updated = t0.Add(time.Duration(*g.UpdatedS * float64(time.Second)))
	}
	user := reference{ID: me.ID, Name: me.Name, Email: me.Email}
	requestedBy := or(g.RequestedBy, user)
	r := &record{label: g.Ref, notes: g.Notes, Request: matching.Request{
		ID: g.ID, CreatedAt: created, UpdatedAt: updated, Archived: g.Archived || g.Trashed,
		Fields: event.Fields{
			Subject: g.Subject, Category: g.Category, Impact: g.Impact, Status: g.Status,
			CompletionReason: g.CompletionReason, Account: g.Account, Source: g.Source, SourceID: g.SourceID,
			CI: event.Ref(g.CI), ServiceInstance: event.Ref(g.ServiceInstance),
			Team: event.Ref(g.Team), Member: event.Ref(g.Member),
			CreatedBy: event.Ref(or(g.CreatedBy, user)), RequestedBy: event.Ref(requestedBy),
			RequestedFor: event.Ref(or(g.RequestedFor, requestedBy)),
			Supplier:     event.Ref(g.Supplier), SupplierRequestID: g.SupplierRequestID,
			Problem: event.Ref(g.Problem), Workflow: event.Ref(g.Workflow), Template: event.Ref(g.Template),
			DesiredCompletionAt: g.DesiredCompletionAt.Time, WaitingUntil: g.WaitingUntil.Time,
			DowntimeStartAt: g.DowntimeStartAt.Time, DowntimeEndAt: g.DowntimeEndAt.Time,
		},
	}}
	if r.Fields.Account == "" {
		r.Fields.Account = account
	}
	if r.Fields.Status == "" {
		r.Fields.Status = "assigned"
	}
	r.index()
	return r
}

func or(given *reference, fallback reference) reference {
	if given == nil {
		return fallback
	}
	return *given
}

// currentUser is the case's: the fixture's with some members replaced, or
// another person of the catalog by id or e-mail address.
func (f *file) currentUser(v *value, ix *catalog.Index) (catalog.Person, error) {
	base := catalog.Person{}
	if ix.CurrentUser() != nil {
		base = *ix.CurrentUser()
	}
	if v == nil || v.null() {
		return base, nil
	}
	if v.kind() != '{' {
		var named reference
		if err := f.decode(*v, &named); err != nil {
			return base, fmt.Errorf("given.current_user: %w", err)
		}
		return f.person(ix, base, named.ID, named.Email), nil
	}
	var named struct {
		ID    int64  `json:"id"`
		Email string `json:"email"`
	}
	if err := f.decode(*v, &named); err != nil {
		return base, fmt.Errorf("given.current_user: %w", err)
	}
	user := f.person(ix, base, named.ID, named.Email)
	shared := user.Teams
	user.Teams = nil // decoding into the catalog's own list would change it
	if err := f.decode(*v, &user); err != nil {
		return base, fmt.Errorf("given.current_user: %w", err)
	}
	if user.Teams == nil {
		user.Teams = shared
	}
	return user, nil
}

// person starts from the catalog's person of that id or address; an unknown one
// only shares the account.
func (f *file) person(ix *catalog.Index, base catalog.Person, id int64, email string) catalog.Person {
	switch {
	case id == 0 && email == "", id != 0 && id == base.ID:
		return base
	case id != 0 && ix.Person(id) != nil:
		return *ix.Person(id)
	case id == 0 && ix.PersonByEmail(email) != nil:
		return *ix.PersonByEmail(email)
	}
	return catalog.Person{ID: id, Email: email, Account: base.Account}
}
