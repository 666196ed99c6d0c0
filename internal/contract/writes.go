package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Operators of the unified ticketing API that change something; WriteTicket makes
// one of them durable.
const (
	WriteCreateTicket     = "create_ticket"
	WritePatchTicket      = "patch_ticket"
	WriteCreateComment    = "create_comment"
	WriteDeleteComment    = "delete_comment"
	WriteCreateNote       = "create_note"
	WritePatchNote        = "patch_note"
	WriteDeleteNote       = "delete_note"
	WriteCreateAttachment = "create_attachment"
	WriteDeleteAttachment = "delete_attachment"
)

// WriteOperators are all of them.
func WriteOperators() []string {
	return []string{
		WriteCreateTicket, WritePatchTicket, WriteCreateComment, WriteDeleteComment,
		WriteCreateNote, WritePatchNote, WriteDeleteNote, WriteCreateAttachment, WriteDeleteAttachment,
	}
}

// WriteTicketInput starts WriteTicket.
type WriteTicketInput struct {
	Integration string `json:"integration"`
	// Provider is the short name of the integration's provider, e.g. "jira".
	// Without it an activity looks it up.
	Provider string `json:"provider,omitempty"`
	// Operator is one of WriteOperators. TicketID is the ticket that it is about,
	// but for a new one, PartID the comment, note or attachment that it patches
	// or deletes.
	Operator string `json:"operator"`
	TicketID string `json:"ticket_id,omitempty"`
	PartID   string `json:"part_id,omitempty"`
	// Body is a ticket.New, ticket.Patch, ticket.NewComment, ticket.NewNote,
	// ticket.NotePatch or NewAttachment; deletes have none.
	Body json.RawMessage `json:"body,omitempty"`
	// Keyed: the caller named the write by an Idempotency-Key, so the workflow id
	// comes from that, and not from what is written.
	Keyed bool `json:"keyed,omitempty"`
	// BodyHash is the WriteHash of what the caller asked for. It stays when a
	// person amends the body.
	BodyHash string `json:"body_hash,omitempty"`
	// Derived: Body was made of what the caller asked for and of what was there then,
	// as by a JSON Patch with tests. BodyHash is then given, and not of Body.
	Derived bool `json:"derived,omitempty"`
	// HeldBy is the task queue of the process that holds the file to be attached,
	// where the body has its SHA-256 in place of the content. It is no part of what
	// is written: another process may come to hold the same file.
	HeldBy string `json:"held_by,omitempty"`
	// FirstScheduledAt is when the write's first run began, and State what that
	// run has come to; a run hands both to the next one.
	FirstScheduledAt time.Time       `json:"first_scheduled_at,omitzero"`
	State            json.RawMessage `json:"state,omitempty"`
}

// Validate checks the input and that workflowID is the one it belongs to.
func (in WriteTicketInput) Validate(workflowID string) error {
	switch {
	case in.Integration == "":
		return errors.New("integration: missing")
	case strings.Contains(in.Integration, ":"):
		return fmt.Errorf("integration: %q must not contain a colon", in.Integration)
	}
	if len(in.State) == 0 { // a person may have amended the body since
		if err := CheckWrite(in.Operator, in.TicketID, in.PartID, in.Body); err != nil {
			return err
		}
		hash, err := WriteHash(in.Operator, in.TicketID, in.PartID, in.Body)
		switch {
		case err != nil:
			return err
		case in.Derived && !isHash(in.BodyHash):
			return errors.New("body_hash: want the WriteHash of what a derived write was asked for")
		case in.Derived:
			hash = in.BodyHash
		case in.BodyHash != "" && in.BodyHash != hash:
			return fmt.Errorf("body_hash: %q is not that of this write, %q", in.BodyHash, hash)
		}
		in.BodyHash = hash
	}
	if file := in.File(); file.Held() != (in.HeldBy != "") {
		return errors.New("held_by: want the task queue of who holds the file, where the body has its sha256, and only there")
	}
	if in.HeldBy != "" && !isUploadQueue(in.HeldBy) {
		return fmt.Errorf("held_by: %q is not the task queue of a process that holds files", in.HeldBy)
	}
	if !in.Keyed {
		if want := WriteID(in.Integration, in.BodyHash); want != workflowID {
			return fmt.Errorf("this write belongs to the workflow id %q, not %q; start it there", want, workflowID)
		}
		return nil
	}
	if hash, ours := strings.CutPrefix(workflowID, WriteID(in.Integration, "")); !ours || !isHash(hash) {
		return fmt.Errorf("this write belongs to a workflow id like %q, ending in the KeyedHash of its Idempotency-Key, not %q; start it there",
			WriteID(in.Integration, strings.Repeat("x", hashLength)), workflowID)
	}
	return nil
}

// File is the file that is to be attached; without a name where it is none.
func (in WriteTicketInput) File() NewAttachment {
	var file NewAttachment
	if in.Operator != WriteCreateAttachment || json.Unmarshal(in.Body, &file) != nil {
		return NewAttachment{}
	}
	return file
}

// HeldSignal tells WriteTicket who holds the file that it is to attach.
type HeldSignal struct {
	// By is the task queue of that process, SHA256 what it holds.
	By     string `json:"by"`
	SHA256 string `json:"sha256"`
}

// Validate refuses what names nobody.
func (s HeldSignal) Validate() error {
	if !isUploadQueue(s.By) {
		return fmt.Errorf("by: %q is not the task queue of a process that holds files", s.By)
	}
	return nil
}

func isUploadQueue(name string) bool {
	return strings.HasPrefix(name, queueUploads) && name != queueUploads
}

func isHash(text string) bool {
	return len(text) == hashLength && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// CheckWrite refuses what no provider could do, and names the member that is wrong.
func CheckWrite(operator, ticketID, partID string, body json.RawMessage) error {
	if !slices.Contains(WriteOperators(), operator) {
		return fmt.Errorf("operator: %q is none of %s", operator, strings.Join(WriteOperators(), ", "))
	}
	_, kind, _ := strings.Cut(operator, "_")
	changes := !strings.HasPrefix(operator, "create_")
	switch {
	case operator == WriteCreateTicket && ticketID != "":
		return errors.New("ticket_id: a new ticket has none yet")
	case operator != WriteCreateTicket && ticketID == "":
		return errors.New("ticket_id: missing")
	case kind != "ticket" && changes && partID == "":
		return fmt.Errorf("part_id: missing: the id of the %s", kind)
	case (kind == "ticket" || !changes) && partID != "":
		return fmt.Errorf("part_id: %s has none", operator)
	}
	return checkBody(operator, body)
}

// WriteOutcomeRequest is the argument of WriteTicket's "outcome" update.
type WriteOutcomeRequest struct {
	// Wait is how long to wait at most, e.g. "20s", which is also the default.
	Wait string `json:"wait,omitempty"`
}

// LongestWriteWait is how long WriteTicket keeps who asks for its outcome waiting.
const LongestWriteWait = 20 * time.Second

// Validate refuses what is no duration.
func (r WriteOutcomeRequest) Validate() error {
	_, err := r.Duration()
	return err
}

// Duration reads Wait.
func (r WriteOutcomeRequest) Duration() (time.Duration, error) {
	if r.Wait == "" {
		return LongestWriteWait, nil
	}
	wait, err := time.ParseDuration(r.Wait)
	if err != nil || wait < 0 || wait > LongestWriteWait {
		return 0, fmt.Errorf("wait: %q: want a duration up to %q", r.Wait, LongestWriteWait)
	}
	return wait, nil
}
