package jira

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// attachment is a file as Jira answers it.
type attachment struct {
	ID       string `json:"id"`
	Name     string `json:"filename"`
	Author   named  `json:"author"`
	Created  string `json:"created"`
	Size     *int64 `json:"size"`
	MimeType string `json:"mimeType"`
	Content  string `json:"content"`
}

func (a attachment) model(ticketID string) ticket.Attachment {
	out := ticket.Attachment{
		ID: a.ID, TicketID: ticketID, FileName: a.Name, FileType: a.MimeType, Creator: a.Author.person(),
		CreatedAt: parseTime(a.Created), Size: -1, Unmapped: map[string]any{},
	}
	if a.Size != nil {
		out.Size = *a.Size
	}
	for name, value := range map[string]string{"creator_account_id": a.Author.AccountID, "content": a.Content} {
		if value != "" {
			out.Unmapped[name] = value
		}
	}
	return out
}

// CreateAttachment sends a file with one POST, without holding it in memory.
// Kind OutcomeUnknown asks for RecoverAttachment: Jira has no place for the
// operation on a file. Content that is not Size bytes long, or larger than the
// site takes, is a Permanent error, and nothing is attached.
//
// The call is POST /rest/api/3/issue/{issueIdOrKey}/attachments of Jira Cloud's
// REST API, which wants the header X-Atlassian-Token.
func (c *Client) CreateAttachment(ctx context.Context, ticketID string, a ticket.NewAttachment) (ticket.Attachment, error) {
	t, err := c.begin("attach a file to issue "+ticketID, endAttach, ticketID)
	if err != nil {
		return ticket.Attachment{}, err
	}
	defer t.end()
	if err := t.attachable(ctx, ticketID, a); err != nil {
		return ticket.Attachment{}, err
	}
	stream, contentType, err := form(a)
	if err != nil {
		return ticket.Attachment{}, t.permanent("the form cannot be written: %v", err)
	}
	var made []attachment
	err = t.do(ctx, call{
		endpoint: endAttach, path: "/issue/" + url.PathEscape(ticketID) + "/attachments", creates: true, issue: ticketID,
		stream: stream, header: map[string]string{"Content-Type": contentType, "X-Atlassian-Token": "no-check"},
	}, &made)
	if err != nil {
		return ticket.Attachment{}, err
	}
	if len(made) != 1 || made[0].ID == "" {
		return ticket.Attachment{}, &ticket.Error{Kind: ticket.OutcomeUnknown, Op: t.op, Status: 200, Message: "Jira did not answer one attachment with an id"}
	}
	return made[0].model(ticketID), nil
}

// attachable tells beforehand what Jira would tell after the whole file was sent.
func (t *turn) attachable(ctx context.Context, ticketID string, a ticket.NewAttachment) error {
	switch {
	case ticketID == "":
		return t.permanent("no ticket id was given")
	case fileName(a.FileName) == "":
		return t.permanent("file_name: %q names no file", a.FileName)
	case a.Open == nil || a.Size < 0:
		return t.permanent("content: missing, or its size is not known")
	}
	limits, err := t.c.uploads.Get("", func() (uploadLimits, error) {
		var limits uploadLimits
		err := t.do(ctx, call{endpoint: endAttachLimits, path: "/attachment/meta"}, &limits)
		return limits, err
	})
	switch {
	case err != nil && ticket.KindOf(err) == ticket.RateLimited:
		return err
	case err != nil:
		return nil // Jira's answer to the file tells the same
	case limits.Enabled != nil && !*limits.Enabled:
		return t.permanent("attachments are switched off on this Jira site: an administrator can switch them on")
	case limits.Limit > 0 && a.Size > limits.Limit:
		return t.permanent("content: the file has %d bytes, this Jira site takes at most %d", a.Size, limits.Limit)
	}
	return nil
}

// uploadLimits are the site's settings.
type uploadLimits struct {
	Enabled *bool `json:"enabled"`
	Limit   int64 `json:"uploadLimit"`
}

// form is the file as multipart/form-data, with its media type.
func form(a ticket.NewAttachment) (*rest.Stream, string, error) {
	var frame bytes.Buffer
	w := multipart.NewWriter(&frame)
	_, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("file", fileName(a.FileName))},
		"Content-Type":        {fileType(a)},
	})
	if err != nil {
		return nil, "", err
	}
	head := frame.Len()
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	before, after := frame.Bytes()[:head], frame.Bytes()[head:]
	open := func() (io.ReadCloser, error) {
		content, err := a.Open()
		if err != nil {
			return nil, err
		}
		return framed{io.MultiReader(bytes.NewReader(before), content, bytes.NewReader(after)), content}, nil
	}
	return &rest.Stream{Open: open, Size: int64(frame.Len()) + a.Size}, w.FormDataContentType(), nil
}

type framed struct {
	io.Reader
	io.Closer
}

func fileType(a ticket.NewAttachment) string {
	for _, kind := range []string{a.FileType, mime.TypeByExtension(path.Ext(a.FileName))} {
		if _, _, err := mime.ParseMediaType(kind); err == nil {
			return kind
		}
	}
	return "application/octet-stream"
}

// maxFileName is what most file systems take, and Jira's own column.
const maxFileName = 250

// fileName is a name without folders and without what Jira or file systems
// refuse; empty where nothing is left. An extension survives the cutting.
func fileName(name string) string {
	name = clean(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune("\n\t:*?\"<>|%", r) {
			return '_'
		}
		return r
	}, name[strings.LastIndex(name, "/")+1:])
	name = strings.TrimSpace(name)
	if strings.Trim(name, ".") == "" {
		return ""
	}
	extension := path.Ext(name)
	if units(extension) > 20 {
		extension = ""
	}
	return cutUTF16(strings.TrimSuffix(name, extension), maxFileName-units(extension), "…") + extension
}

// ListAttachments lists a ticket's files, oldest first.
func (c *Client) ListAttachments(ctx context.Context, ticketID string) ([]ticket.Attachment, error) {
	t, err := c.begin("list attachments of issue "+ticketID, endGet, "")
	if err != nil {
		return nil, err
	}
	defer t.end()
	return t.attachments(ctx, ticketID)
}

func (t *turn) attachments(ctx context.Context, ticketID string) ([]ticket.Attachment, error) {
	if ticketID == "" {
		return nil, t.permanent("no ticket id was given")
	}
	var found issue
	err := t.do(ctx, call{
		endpoint: endGet, path: "/issue/" + url.PathEscape(ticketID), query: url.Values{"fields": {"attachment"}},
	}, &found)
	switch {
	case err != nil:
		return nil, err
	case found.ID == "":
		return nil, t.nonsense("an issue without id")
	}
	return found.attachments(ticketID), nil
}

func (i issue) attachments(ticketID string) []ticket.Attachment {
	var list []attachment
	if json.Unmarshal(i.Fields["attachment"], &list) != nil {
		return nil
	}
	var out []ticket.Attachment
	for _, a := range list {
		out = append(out, a.model(ticketID))
	}
	slices.SortStableFunc(out, func(a, b ticket.Attachment) int {
		if order := a.CreatedAt.Compare(b.CreatedAt); order != 0 {
			return order
		}
		return compareIDs(a.ID, b.ID)
	})
	return out
}

// attachment finds a file of that very ticket.
func (t *turn) attachment(ctx context.Context, ticketID, attachmentID string) (ticket.Attachment, error) {
	all, err := t.attachments(ctx, ticketID)
	if err != nil {
		return ticket.Attachment{}, err
	}
	i := slices.IndexFunc(all, func(a ticket.Attachment) bool { return a.ID == attachmentID })
	if i < 0 {
		return ticket.Attachment{}, t.absent("issue %s has no attachment %s", ticketID, attachmentID)
	}
	return all[i], nil
}

// DeleteAttachment deletes a file of a ticket. One that is gone, or is another
// ticket's, is NotFound.
func (c *Client) DeleteAttachment(ctx context.Context, ticketID, attachmentID string) error {
	t, err := c.begin("delete attachment "+attachmentID+" of issue "+ticketID, endDetach, ticketID)
	if err != nil {
		return err
	}
	defer t.end()
	if _, err := t.attachment(ctx, ticketID, attachmentID); err != nil {
		return err
	}
	return t.do(ctx, call{endpoint: endDetach, path: "/attachment/" + url.PathEscape(attachmentID), issue: ticketID}, nil)
}
