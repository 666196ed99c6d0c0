package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// MaxAttachment is the largest file that a write carries, in bytes: it goes
// through Temporal, whose limit for all of an input is 2 MB.
const MaxAttachment = 1 << 20

// NewAttachment is the body of create_attachment.
type NewAttachment struct {
	FileName string `json:"file_name"`
	// FileType is a media type; empty lets the name decide.
	FileType string `json:"file_type,omitempty"`
	Content  []byte `json:"content"`
}

// Asked is the attachment as providers are asked for it.
func (n NewAttachment) Asked(operation string) ticket.NewAttachment {
	return ticket.NewAttachment{
		FileName: n.FileName, FileType: n.FileType, Operation: operation, Size: int64(len(n.Content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(n.Content)), nil },
	}
}

// checkBody reads a body as strictly as it was typed: a misspelt member must not
// be left out without a word.
func checkBody(operator string, body json.RawMessage) error {
	switch operator {
	case WriteCreateTicket:
		return check(body, func(n ticket.New) error { return required("name", n.Name) })
	case WritePatchTicket:
		return check(body, func(ticket.Patch) error { return notEmpty(body) })
	case WriteCreateComment:
		return check(body, func(n ticket.NewComment) error { return required("content", n.Content) })
	case WriteCreateNote:
		return check(body, func(n ticket.NewNote) error { return required("content", n.Content) })
	case WritePatchNote:
		return check(body, func(ticket.NotePatch) error { return notEmpty(body) })
	case WriteCreateAttachment:
		return check(body, func(n NewAttachment) error {
			if len(n.Content) > MaxAttachment {
				return fmt.Errorf("body.content: %d bytes; want at most %d", len(n.Content), MaxAttachment)
			}
			return required("file_name", n.FileName)
		})
	}
	if len(body) > 0 {
		return fmt.Errorf("body: %s has none", operator)
	}
	return nil
}

func check[T any](body json.RawMessage, good func(T) error) error {
	if len(body) == 0 {
		return errors.New("body: missing")
	}
	var value T
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return good(value)
}

func required(member, value string) error {
	if value == "" {
		return fmt.Errorf("body.%s: missing", member)
	}
	return nil
}

func notEmpty(body json.RawMessage) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || len(members) == 0 {
		return errors.New("body: names nothing to change")
	}
	return nil
}
