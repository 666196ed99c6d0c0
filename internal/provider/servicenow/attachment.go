package servicenow

import (
	"cmp"
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// files is the table of attachments: rights are about it.
const files = "sys_attachment"

// CreateAttachment sends a file with one POST, without holding it in memory. It
// goes to the record's own table, whatever the integration's default project is.
// Kind OutcomeUnknown asks for RecoverAttachment: ServiceNow has no place for the
// operation on a file. Content that is not Size bytes long, a type or a size that
// the instance does not take, are Permanent errors.
//
// The call is POST /api/now/attachment/file (ServiceNow's "Attachment API").
func (c *Client) CreateAttachment(ctx context.Context, ticketID string, a ticket.NewAttachment) (ticket.Attachment, error) {
	t, err := c.begin("attach a file to " + c.app.table + " " + ticketID)
	if err != nil {
		return ticket.Attachment{}, err
	}
	defer t.end()
	switch {
	case fileName(a.FileName) == "":
		return ticket.Attachment{}, t.permanent("file_name: %q names no file", a.FileName)
	case a.Open == nil || a.Size < 0:
		return ticket.Attachment{}, t.permanent("content: missing, or its size is not known")
	}
	in, err := t.record(ctx, ticketID)
	if err != nil {
		return ticket.Attachment{}, err
	}
	id := in.text("sys_id")
	var made record
	_, err = t.do(ctx, call{
		method: http.MethodPost, at: "attachment/file", table: files, id: id, creates: true,
		query:  url.Values{"table_name": {in.class()}, "table_sys_id": {id}, "file_name": {fileName(a.FileName)}},
		stream: &rest.Stream{Open: a.Open, Size: a.Size}, mediaType: fileType(a),
	}, &made)
	if err != nil {
		return ticket.Attachment{}, refusedFile(err)
	}
	out := attachmentOf(made)
	switch {
	case !isID(out.ID):
		return ticket.Attachment{}, &ticket.Error{Kind: ticket.OutcomeUnknown, Op: t.op, Status: http.StatusCreated, Message: "ServiceNow answered an attachment without sys_id"}
	case out.Size >= 0 && out.Size != a.Size:
		return ticket.Attachment{}, t.permanent("ServiceNow kept %d bytes of %d, as attachment %s", out.Size, a.Size, out.ID)
	}
	out.TicketID = id
	return out, nil
}

// class is the record's own table.
func (r row) class() string { return cmp.Or(r.text("sys_class_name"), r.table) }

// refusedFile says what to do about a file that the instance takes from nobody; a
// 403 for that would else be waited for, as one for a right.
func refusedFile(err error) error {
	failed, ok := errors.AsType[*ticket.Error](err)
	if !ok || failed.Status/100 != 4 || failed.Kind != ticket.Permanent && failed.Status != http.StatusForbidden {
		return err
	}
	_, said, found := strings.Cut(failed.Message, " ServiceNow says: ")
	if !found {
		said = failed.Message
	}
	text := strings.ToLower(said)
	for _, word := range []string{"file type", "extension", "mime", "size", "too large", "exceed"} {
		if strings.Contains(text, word) && !rightsPattern.MatchString(text) {
			failed.Kind = ticket.Permanent
			failed.Message = "The instance takes no such file (properties glide.attachment.extensions and com.glide.attachment.max_size). ServiceNow says: " + said
			break
		}
	}
	return err
}

// attachmentOf is a file's description in the unified model.
func attachmentOf(r record) ticket.Attachment {
	out := ticket.Attachment{
		ID: r.text("sys_id"), TicketID: r.text("table_sys_id"), FileName: r.text("file_name"), FileType: r.text("content_type"),
		Creator: r.text("sys_created_by"), CreatedAt: r.time("sys_created_on"), Size: -1, Unmapped: map[string]any{},
	}
	if size, err := strconv.ParseInt(r.text("size_bytes"), 10, 64); err == nil && size >= 0 {
		out.Size = size
	}
	for _, name := range []string{"hash", "table_name", "download_link"} {
		if text := r.text(name); text != "" {
			out.Unmapped[name] = text
		}
	}
	return out
}

// maxFiles bounds a listing.
const maxFiles = 2000

// ListAttachments lists a ticket's files, oldest first.
func (c *Client) ListAttachments(ctx context.Context, ticketID string) ([]ticket.Attachment, error) {
	t, err := c.begin("list attachments of " + c.app.table + " " + ticketID)
	if err != nil {
		return nil, err
	}
	defer t.end()
	return t.attachments(ctx, ticketID)
}

func (t *turn) attachments(ctx context.Context, ticketID string) ([]ticket.Attachment, error) {
	in, err := t.record(ctx, ticketID)
	if err != nil {
		return nil, err
	}
	id := in.text("sys_id")
	q := query{}.where("table_sys_id", "=", id)
	if q.err != nil || !isID(id) {
		return nil, t.nonsense("a record with a sys_id that is none")
	}
	rows, hidden, err := t.pages(ctx, call{
		method: http.MethodGet, at: "attachment", table: files, query: url.Values{"sysparm_query": {q.text()}},
	}, maxFiles)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 && hidden > 0 {
		return nil, t.permanent("the ticket has attachments, and the account of integration %s may not see them: give it a role that reads %s", t.c.config.Name, files)
	}
	out := []ticket.Attachment{}
	for _, r := range rows {
		if r.text("table_sys_id") != id {
			return nil, t.permanent("the instance ignored the query for table_sys_id of %s", files)
		}
		out = append(out, attachmentOf(r))
	}
	slices.SortStableFunc(out, func(a, b ticket.Attachment) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// attachment describes a file of that very ticket.
func (t *turn) attachment(ctx context.Context, ticketID, attachmentID string) (ticket.Attachment, error) {
	none := t.absent("%s %s has no attachment %s that the account may see", t.c.app.table, ticketID, attachmentID)
	in, err := t.record(ctx, ticketID)
	switch {
	case err != nil:
		return ticket.Attachment{}, err
	case !isID(attachmentID):
		return ticket.Attachment{}, none
	}
	var found record
	_, err = t.do(ctx, call{method: http.MethodGet, at: "attachment/" + attachmentID, table: files, id: attachmentID}, &found)
	switch {
	case err != nil:
		return ticket.Attachment{}, err
	case found.text("sys_id") != attachmentID:
		return ticket.Attachment{}, t.nonsense("another attachment than the one that was asked for")
	case found.text("table_sys_id") != in.text("sys_id"):
		return ticket.Attachment{}, none
	}
	return attachmentOf(found), nil
}

// DeleteAttachment deletes a file of a ticket. One that is gone, or is another
// record's, is NotFound.
func (c *Client) DeleteAttachment(ctx context.Context, ticketID, attachmentID string) error {
	t, err := c.begin("delete attachment " + attachmentID + " of " + c.app.table + " " + ticketID)
	if err != nil {
		return err
	}
	defer t.end()
	if _, err := t.attachment(ctx, ticketID, attachmentID); err != nil {
		return err
	}
	_, err = t.do(ctx, call{method: http.MethodDelete, at: "attachment/" + attachmentID, table: files, id: attachmentID}, nil)
	if err != nil && ticket.KindOf(err) == ticket.NotFound { // gone meanwhile, or a missing right
		if _, still := t.attachment(ctx, ticketID, attachmentID); still == nil {
			return t.permanent("the instance keeps the file: a rule, or a missing right to delete records of %s, is against it", files)
		}
	}
	return t.deletion(err, "delete records of "+files)
}

func fileType(a ticket.NewAttachment) string {
	for _, kind := range []string{a.FileType, mime.TypeByExtension(path.Ext(a.FileName))} {
		if _, _, err := mime.ParseMediaType(kind); err == nil {
			return kind
		}
	}
	return "application/octet-stream"
}

// maxFileName is the width of the baseline's column: what the platform cuts off is
// the extension, by which it decides whether it takes a file.
const maxFileName = 100

// fileName is a name without folders and without what file systems refuse; empty
// where nothing is left. An extension survives the cutting.
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
	if utf8.RuneCountInString(extension) > 20 {
		extension = ""
	}
	return cut(strings.TrimSuffix(name, extension), maxFileName-utf8.RuneCountInString(extension), "…") + extension
}
