package mock

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"mime"
	"path"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// file is an attachment with its content, which nothing changes.
type file struct {
	ticket.Attachment
	content []byte
}

const fileKind = "file"

// CreateAttachment adds a file; one of the same operation is added once only.
func (c *Client) CreateAttachment(ctx context.Context, ticketID string, n ticket.NewAttachment) (ticket.Attachment, error) {
	a := writing(opCreateFile, "attach %s to ticket %s", n.FileName, ticketID)
	if n.FileName == "" {
		return ticket.Attachment{}, a.permanent("file_name: empty")
	}
	room, err := c.reserve(a, n.Size)
	if err != nil {
		return ticket.Attachment{}, err
	}
	kept := int64(0)
	defer func() { c.release(room - kept) }()
	content, err := read(ctx, a, n, room)
	if err != nil {
		return ticket.Attachment{}, err
	}
	return call(ctx, c, a, func(m *memory) (ticket.Attachment, error) {
		r, err := m.find(a, ticketID)
		if err != nil {
			return ticket.Attachment{}, err
		}
		if there := r.file(idOf(fileKind, r.id, n.Operation)); there != nil {
			return there.Attachment, nil
		}
		if len(r.files) >= MaxFiles {
			return ticket.Attachment{}, a.permanent("a test provider keeps at most %d files of a ticket", MaxFiles)
		}
		if err := r.fits(a, recordBytes+len(n.FileName)+len(n.FileType)); err != nil {
			return ticket.Attachment{}, err
		}
		kept = int64(len(content))
		f := &file{content: content, Attachment: ticket.Attachment{
			ID: r.partID(fileKind, n.Operation), TicketID: r.id, FileName: n.FileName, FileType: fileType(n),
			Creator: ourName, CreatedAt: c.time(), Size: kept,
		}}
		r.files = append(r.files, f)
		m.changed(r, f.CreatedAt)
		return f.Attachment, nil
	})
}

// reserve keeps room for a file that is about to be read, so that files on their
// way are bounded, too.
func (c *Client) reserve(a act, size int64) (int64, error) {
	if size < 0 {
		size = MaxFileBytes // it is not known
	}
	if size > MaxFileBytes {
		return 0, a.permanent("a test provider keeps files of at most %d MiB", MaxFileBytes>>20)
	}
	return locked(c, func(m *memory) (int64, error) {
		if m.files+size > MaxAllFileBytes {
			return 0, a.permanent("the files of all tickets would be more than the %d MiB that a test provider keeps: delete some", MaxAllFileBytes>>20)
		}
		m.files += size
		return size, nil
	})
}

func (c *Client) release(bytes int64) {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	c.memory.files -= bytes
}

// read reads a file that is to be added, and no more than there is room for.
func read(ctx context.Context, a act, n ticket.NewAttachment, room int64) ([]byte, error) {
	unread := func(err error) error {
		return &ticket.Error{Kind: ticket.Retry, Op: a.op, Message: "its content cannot be read", Err: err}
	}
	if err := ctx.Err(); err != nil {
		return nil, unread(err)
	}
	body, err := n.Open()
	if err != nil {
		return nil, unread(err)
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, room+1))
	switch {
	case err != nil:
		return nil, unread(err)
	case int64(len(content)) > room, n.Size >= 0 && int64(len(content)) != n.Size:
		return nil, a.permanent("its content is not as long as was said")
	}
	return bytes.Clone(content), nil // without what ReadAll had to spare
}

func fileType(n ticket.NewAttachment) string {
	return cmp.Or(n.FileType, mime.TypeByExtension(path.Ext(n.FileName)), "application/octet-stream")
}

func (r *record) file(id string) *file {
	i := slices.IndexFunc(r.files, func(f *file) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return r.files[i]
}

// RecoverAttachment finds the file of an operation.
func (c *Client) RecoverAttachment(ctx context.Context, ticketID string, n ticket.NewAttachment, _ ticket.Attempt) (ticket.Attachment, bool, error) {
	a := reading(opListFiles, "look for a lost file of ticket %s", ticketID)
	if n.Operation == "" {
		return ticket.Attachment{}, false, a.permanent("it bears no operation to find it by")
	}
	f, err := call(ctx, c, a, func(m *memory) (*file, error) {
		r, err := m.find(a, ticketID)
		if err != nil {
			return nil, err
		}
		return r.file(idOf(fileKind, r.id, n.Operation)), nil
	})
	if err != nil || f == nil {
		return ticket.Attachment{}, false, err
	}
	return f.Attachment, true, nil
}

// ListAttachments lists a ticket's files, oldest first.
func (c *Client) ListAttachments(ctx context.Context, ticketID string) ([]ticket.Attachment, error) {
	a := reading(opListFiles, "list files of ticket %s", ticketID)
	return call(ctx, c, a, func(m *memory) ([]ticket.Attachment, error) {
		r, err := m.find(a, ticketID)
		if err != nil {
			return nil, err
		}
		out := []ticket.Attachment{}
		for _, f := range r.files {
			out = append(out, f.Attachment)
		}
		return out, nil
	})
}

// DownloadAttachment opens a file.
func (c *Client) DownloadAttachment(ctx context.Context, ticketID, attachmentID string) (ticket.Download, error) {
	a := reading(opDownloadFile, "download file %s of ticket %s", attachmentID, ticketID)
	return call(ctx, c, a, func(m *memory) (ticket.Download, error) {
		_, f, err := m.fileOf(a, ticketID, attachmentID)
		if err != nil {
			return ticket.Download{}, err
		}
		return ticket.Download{Attachment: f.Attachment, Body: io.NopCloser(bytes.NewReader(f.content))}, nil
	})
}

// DeleteAttachment deletes a file.
func (c *Client) DeleteAttachment(ctx context.Context, ticketID, attachmentID string) error {
	a := writing(opDeleteFile, "delete file %s of ticket %s", attachmentID, ticketID)
	_, err := call(ctx, c, a, func(m *memory) (struct{}, error) {
		r, f, err := m.fileOf(a, ticketID, attachmentID)
		if err != nil {
			return struct{}{}, err
		}
		r.files = slices.DeleteFunc(r.files, func(other *file) bool { return other == f })
		m.files -= f.Size
		m.changed(r, c.time())
		return struct{}{}, nil
	})
	return err
}

func (m *memory) fileOf(a act, ticketID, id string) (*record, *file, error) {
	r, err := m.find(a, ticketID)
	if err != nil {
		return nil, nil, err
	}
	f := r.file(id)
	if f == nil {
		return nil, nil, a.notFound("there is no such file")
	}
	return r, f, nil
}
