package workflows

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// fullDesk is a desk that can do all that WriteTicket asks of a provider.
type fullDesk struct {
	*desk
	parts map[string]string // operation → id
	gone  map[string]bool
	// lacks: it can no more than what MatchEvents needs.
	lacks bool
}

func newFullDesk(now func() time.Time) *fullDesk { return fullDeskOf(newDesk(now)) }

func fullDeskOf(d *desk) *fullDesk {
	return &fullDesk{desk: d, parts: map[string]string{}, gone: map[string]bool{}}
}

func (d *fullDesk) Integration(ctx context.Context, name string) (activities.Integration, error) {
	in, err := d.desk.Integration(ctx, name)
	if !d.lacks {
		in.Client = d
	}
	return in, err
}

// make is a note or file that is made.
func (d *fullDesk) make(kind, ticketID, operation, text string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	effect, err := d.begin(kind)
	if !effect {
		return "", err
	}
	id := fmt.Sprintf("%s-%s%d", ticketID, kind, len(d.parts)+1)
	d.parts[operation] = id
	d.write("%s %s: %s", kind, ticketID, text)
	return id, err
}

func (d *fullDesk) recover(kind, operation string) (string, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if effect, err := d.begin("recover " + kind); !effect {
		return "", false, err
	}
	id, ok := d.parts[operation]
	return id, ok, nil
}

func (d *fullDesk) remove(kind, ticketID, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	effect, err := d.begin("delete " + kind)
	if !effect {
		return err
	}
	if d.gone[id] {
		return &ticket.Error{Kind: ticket.NotFound, Op: "delete " + kind, Status: 404, Message: "no such " + kind}
	}
	d.gone[id] = true
	d.write("delete %s %s of %s", kind, id, ticketID)
	return err
}

func (d *fullDesk) DeleteComment(_ context.Context, ticketID, id string) error {
	return d.remove("comment", ticketID, id)
}

func (d *fullDesk) CreateNote(_ context.Context, ticketID string, n ticket.NewNote) (ticket.Note, error) {
	id, err := d.make("note", ticketID, n.Operation, n.Title+", "+n.Content)
	return ticket.Note{ID: id, TicketID: ticketID, Title: n.Title, Content: n.Content}, err
}

func (d *fullDesk) RecoverNote(_ context.Context, ticketID string, n ticket.NewNote, _ ticket.Attempt) (ticket.Note, bool, error) {
	id, ok, err := d.recover("note", n.Operation)
	return ticket.Note{ID: id, TicketID: ticketID, Title: n.Title, Content: n.Content}, ok, err
}

func (d *fullDesk) PatchNote(_ context.Context, ticketID, id string, p ticket.NotePatch) (ticket.Note, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	effect, err := d.begin("patch note")
	if effect {
		d.write("patch note %s of %s: %s", id, ticketID, *p.Content)
	}
	return ticket.Note{ID: id, TicketID: ticketID, Content: *p.Content}, err
}

func (d *fullDesk) DeleteNote(_ context.Context, ticketID, id string) error {
	return d.remove("note", ticketID, id)
}

func (d *fullDesk) CreateAttachment(_ context.Context, ticketID string, n ticket.NewAttachment) (ticket.Attachment, error) {
	file, err := n.Open()
	if err != nil {
		return ticket.Attachment{}, err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return ticket.Attachment{}, err
	}
	id, err := d.make("file", ticketID, n.Operation, n.FileName+", "+string(content))
	return ticket.Attachment{ID: id, TicketID: ticketID, FileName: n.FileName, Size: n.Size}, err
}

func (d *fullDesk) RecoverAttachment(_ context.Context, ticketID string, n ticket.NewAttachment, _ ticket.Attempt) (ticket.Attachment, bool, error) {
	id, ok, err := d.recover("file", n.Operation)
	return ticket.Attachment{ID: id, TicketID: ticketID, FileName: n.FileName}, ok, err
}

func (d *fullDesk) DeleteAttachment(_ context.Context, ticketID, id string) error {
	return d.remove("file", ticketID, id)
}
