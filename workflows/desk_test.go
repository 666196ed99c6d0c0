package workflows

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// desk is a provider in memory. It writes down what is done to it, in order.
type desk struct {
	mu      sync.Mutex
	log     []string
	calls   map[string]int
	tickets []*deskTicket
	// on decides how the nth call of an operation ends: whether it takes effect,
	// and with which error.
	on map[string]func(n int) (effect bool, err error)
	// hang is what a create does after its effect.
	hang func()
	// warnings are those of every patch.
	warnings []string
	// indexed: the index finds tickets.
	indexed bool
	now     func() time.Time
}

type deskTicket struct {
	ticket.Ticket
	marker     ticket.Marker
	operations []string
}

func newDesk(now func() time.Time) *desk {
	return &desk{calls: map[string]int{}, on: map[string]func(int) (bool, error){}, indexed: true, now: now}
}

// begin counts a call and says how it ends; the caller holds the lock.
func (d *desk) begin(operation string) (bool, error) {
	d.calls[operation]++
	if on := d.on[operation]; on != nil {
		return on(d.calls[operation])
	}
	return true, nil
}

func (d *desk) write(format string, args ...any) { d.log = append(d.log, fmt.Sprintf(format, args...)) }

func (d *desk) find(id string) *deskTicket {
	for _, t := range d.tickets {
		if t.ID == id {
			return t
		}
	}
	return nil
}

func (d *desk) CreateTicket(_ context.Context, n ticket.New) (ticket.Ticket, error) {
	if d.hang != nil {
		defer d.hang()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	effect, err := d.begin("create")
	if !effect {
		return ticket.Ticket{}, err
	}
	id := fmt.Sprintf("T%d", len(d.tickets)+1)
	t := &deskTicket{Ticket: ticket.Ticket{ID: id, Key: id, Name: n.Name, CreatedAt: d.now()}, marker: n.Marker}
	d.tickets = append(d.tickets, t)
	d.write("create %s %s: %s", id, n.Name, firstLine(n.Description))
	return t.Ticket, err
}

func (d *desk) RecoverTicket(_ context.Context, n ticket.New, _ ticket.Attempt) (ticket.Ticket, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if effect, err := d.begin("recover"); !effect {
		return ticket.Ticket{}, false, err
	}
	for _, t := range d.tickets {
		if t.marker == n.Marker {
			return t.Ticket, true, nil
		}
	}
	return ticket.Ticket{}, false, nil
}

// Settling lets nothing wait: the workflow's clock, long ago, is not the activities'.
func (d *desk) Settling() time.Duration { return 0 }

func (d *desk) FindTicket(_ context.Context, m ticket.Marker) ([]ticket.Ticket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if effect, err := d.begin("find"); !effect {
		return nil, err
	}
	var found []ticket.Ticket
	for i := len(d.tickets) - 1; i >= 0 && d.indexed; i-- {
		if t := d.tickets[i]; t.marker.Key == m.Key && (m.Request == 0 || t.marker.Request == m.Request) {
			found = append(found, t.Ticket)
		}
	}
	return found, nil
}

func (d *desk) GetTicket(_ context.Context, id string) (ticket.Ticket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if effect, err := d.begin("get"); !effect {
		return ticket.Ticket{}, err
	}
	if t := d.find(id); t != nil {
		return t.Ticket, nil
	}
	return ticket.Ticket{}, &ticket.Error{Kind: ticket.NotFound, Op: "get " + id, Message: "no such ticket"}
}

func (d *desk) PatchTicket(_ context.Context, id string, p ticket.Patch) (ticket.Ticket, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	effect, err := d.begin("patch")
	if !effect {
		return ticket.Ticket{}, err
	}
	t := d.find(id)
	if err := t.refuse(p.UnlessClosedBefore); err != nil {
		return ticket.Ticket{}, err
	}
	if p.KeepClosed && t.Closed {
		p.Status, p.Resolution = nil, nil
	}
	var set []string
	for name, value := range map[string]*string{"name": p.Name, "resolution": p.Resolution, "status": p.Status} {
		if value != nil {
			set = append(set, name+"="+*value)
		}
	}
	if p.Status != nil {
		t.Status, t.Closed = *p.Status, *p.Status == "completed"
		if t.Closed {
			t.CompletionDate = d.now()
		}
	}
	d.write("patch %s %s", id, strings.Join(sorted(set), " "))
	t.Unmapped = map[string]any{ticket.WarningsKey: d.warnings}
	return t.Ticket, err
}

func (d *desk) CreateComment(_ context.Context, id string, c ticket.NewComment) (ticket.Comment, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	effect, err := d.begin("comment")
	if !effect {
		return ticket.Comment{}, err
	}
	t := d.find(id)
	if err := t.refuse(c.UnlessClosedBefore); err != nil {
		return ticket.Comment{}, err
	}
	kind := "comment"
	if c.Internal {
		kind = "note"
	}
	t.operations = append(t.operations, c.Operation)
	d.write("%s %s: %s", kind, id, firstLine(c.Content))
	if _, more, ok := strings.Cut(c.Content, "\n\n- "); ok {
		d.write("  - %s", more)
	}
	return ticket.Comment{ID: fmt.Sprintf("%s-%d", id, len(t.operations))}, err
}

// refuse is how every provider refuses what a closed ticket must not take.
func (t *deskTicket) refuse(before time.Time) error {
	if before.IsZero() || !t.Closed || !t.ClosedSince().Before(before) {
		return nil
	}
	return &ticket.Error{Kind: ticket.Closed, Op: "call", ClosedAt: t.ClosedSince(), Message: "it is closed"}
}

func (d *desk) RecoverComment(_ context.Context, id string, c ticket.NewComment, _ ticket.Attempt) (ticket.Comment, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if effect, err := d.begin("recover comment"); !effect {
		return ticket.Comment{}, false, err
	}
	for _, operation := range d.find(id).operations {
		if operation == c.Operation {
			return ticket.Comment{ID: "found"}, true, nil
		}
	}
	return ticket.Comment{}, false, nil
}

// close is what an agent does.
func (d *desk) close(id string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.find(id)
	t.Closed, t.CompletionDate = true, at
}

// add is a ticket that was there before.
func (d *desk) add(key string, closed time.Time) {
	id := fmt.Sprintf("T%d", len(d.tickets)+1)
	t := &deskTicket{Ticket: ticket.Ticket{ID: id, Key: id}, marker: ticket.Marker{Key: key, Request: 1}}
	t.Closed, t.CompletionDate = !closed.IsZero(), closed
	d.tickets = append(d.tickets, t)
}

func (d *desk) written() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string{}, d.log...)
}

func (d *desk) count(operation string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls[operation]
}

// Integration makes the desk the only integration.
func (d *desk) Integration(_ context.Context, name string) (activities.Integration, error) {
	if name != integrationName {
		return activities.Integration{}, fmt.Errorf("unknown integration %q", name)
	}
	return activities.Integration{Name: name, Provider: "desk", Client: d}, nil
}

const integrationName = "desk-ops"

// silent drops what activities count.
type silent struct{}

func (silent) ProviderCall(string, string, string, time.Duration) {}
func (silent) TicketCreated(string)                               {}
func (silent) CommentCreated(string)                              {}

// Debug and the like drop the SDK's log lines.
func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// always ends every call in the same way; upTo only the first n.
func always(effect bool, err error) func(int) (bool, error) {
	return func(int) (bool, error) { return effect, err }
}

func upTo(n int, effect bool, err error) func(int) (bool, error) {
	return func(call int) (bool, error) {
		if call > n {
			return true, nil
		}
		return effect, err
	}
}

func refused(message string) error {
	return &ticket.Error{Kind: ticket.Permanent, Op: "call", Status: 422, Message: message}
}

func unanswered() error {
	return &ticket.Error{Kind: ticket.OutcomeUnknown, Op: "call", Message: "connection closed"}
}

// down names a delay, because the test environment gives up after ten attempts.
func down(retryAfter time.Duration) error {
	return &ticket.Error{Kind: ticket.Retry, Op: "call", Status: 503, Message: "down", RetryAfter: retryAfter}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
