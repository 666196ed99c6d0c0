package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// MaxAttachment is the largest file that a write carries, in bytes: it goes
// through Temporal, whose limit for all of an input is 2 MB. Of a larger one it
// carries what tells it from others.
const MaxAttachment = 1 << 20

// NewAttachment is the body of create_attachment.
type NewAttachment struct {
	FileName string `json:"file_name"`
	// FileType is a media type; empty lets the name decide.
	FileType string `json:"file_type,omitempty"`
	Content  []byte `json:"content,omitzero"`
	// Size in bytes and SHA256 in hex stand for a content that is not here:
	// WriteTicketInput.HeldBy has it.
	Size   int64  `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// Held: the content is not here.
func (n NewAttachment) Held() bool { return n.SHA256 != "" }

// Asked is the attachment as providers are asked for it; open gives the content
// of one that is held.
func (n NewAttachment) Asked(operation string, open func() (io.ReadCloser, error)) ticket.NewAttachment {
	asked := ticket.NewAttachment{FileName: n.FileName, FileType: n.FileType, Operation: operation, Size: n.Size, Open: open}
	if !n.Held() {
		asked.Size = int64(len(n.Content))
		asked.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(n.Content)), nil }
	}
	return asked
}

func (n NewAttachment) check() error {
	sum, err := hex.DecodeString(n.SHA256)
	switch {
	case len(n.Content) > MaxAttachment:
		return fmt.Errorf("body.content: %d bytes; want at most %d", len(n.Content), MaxAttachment)
	case n.Held() && (err != nil || len(sum) != sha256.Size || strings.ToLower(n.SHA256) != n.SHA256):
		return fmt.Errorf("body.sha256: %q: want 64 hexadecimal digits in lower case", n.SHA256)
	case n.Held() && n.Content != nil:
		return errors.New("body.content: there is a sha256, which stands for content that is elsewhere")
	case n.Size < 0, n.Size > 0 && !n.Held():
		return fmt.Errorf("body.size: %d: want the size of the file that sha256 is of", n.Size)
	}
	return required("file_name", n.FileName)
}

// AmendBody is a body with members set to texts, as a person amends it.
func AmendBody(body json.RawMessage, set map[string]string) (json.RawMessage, error) {
	if len(set) == 0 {
		return body, nil
	}
	amended, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	for _, text := range []json.RawMessage{body, amended} { // the second adds to the first
		if err := json.Unmarshal(text, &members); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
	}
	return json.Marshal(members)
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
		return check(body, NewAttachment.check)
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
