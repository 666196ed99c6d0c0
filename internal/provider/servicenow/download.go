package servicenow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// maxDownload bounds a file whose size the instance does not say.
	maxDownload = 2 << 30
	// maxRefusal bounds what is read of an answer that is no file.
	maxRefusal = 64 << 10
	// lookBack allows for clocks that differ: ours and the instance's.
	lookBack = 5 * time.Minute
)

// DownloadAttachment opens a file of a ticket; the caller closes Body. The content
// comes as it is read; it ends with an error where it is not as long as ServiceNow
// said.
func (c *Client) DownloadAttachment(ctx context.Context, ticketID, attachmentID string) (ticket.Download, error) {
	t, err := c.begin("download attachment " + attachmentID + " of " + c.app.table + " " + ticketID)
	if err != nil {
		return ticket.Download{}, err
	}
	defer t.end()
	meta, err := t.attachment(ctx, ticketID, attachmentID)
	if err != nil {
		return ticket.Download{}, err
	}
	body, err := t.content(ctx, meta)
	if err != nil {
		return ticket.Download{}, err
	}
	return ticket.Download{Attachment: meta, Body: body}, nil
}

// content opens a file, again and again as any other read.
func (t *turn) content(ctx context.Context, meta ticket.Attachment) (io.ReadCloser, error) {
	body, err := t.contentOnce(ctx, meta)
	for try := 1; try < readTries && t.again(ctx, err, try); try++ {
		body, err = t.contentOnce(ctx, meta)
	}
	return body, err
}

func (t *turn) contentOnce(ctx context.Context, meta ticket.Attachment) (io.ReadCloser, error) {
	k := call{method: http.MethodGet, at: "attachment/" + meta.ID + "/file", table: files, id: meta.ID}
	if err := t.authorise(ctx); err != nil {
		return nil, err
	}
	answer, err := t.open(ctx, k, meta)
	if err == nil && answer.Status == http.StatusUnauthorized && t.dropToken(ctx) {
		answer.Body.Close()
		if err := t.authorise(ctx); err != nil {
			return nil, err
		}
		answer, err = t.open(ctx, k, meta)
	}
	switch {
	case err != nil:
		return nil, err
	case answer.Status != http.StatusOK || !isFile(answer, meta):
		return nil, t.noFile(k, answer)
	}
	t.c.pace.Passed(t.c.now(), endpoint)
	if meta.Size < 0 {
		return answer.Body, nil
	}
	return &sized{ReadCloser: answer.Body, left: meta.Size}, nil
}

func (t *turn) open(ctx context.Context, k call, meta ticket.Attachment) (*rest.Download, error) {
	if err := t.admit(); err != nil {
		return nil, err
	}
	request, err := t.request(k)
	if err != nil {
		return nil, err
	}
	request.Header = request.Header.Clone()
	request.Header.Set("Accept", "*/*")
	request.Header.Set("Accept-Encoding", "identity") // the size is that of the file as it is kept
	limit := int64(maxDownload)
	if meta.Size >= 0 {
		limit = meta.Size
	}
	answer, err := t.rest.Open(ctx, request, max(limit, maxRefusal))
	if err != nil {
		return nil, t.lost(k, err)
	}
	return answer, nil
}

// isFile tells the file from the pages and errors that come with a 200 too: it is
// answered with its description in a header, and with its own type.
func isFile(answer *rest.Download, meta ticket.Attachment) bool {
	var described struct {
		ID string `json:"sys_id"`
	}
	if text := answer.Header.Get("X-Attachment-Metadata"); text != "" && json.Unmarshal([]byte(text), &described) == nil {
		return described.ID == meta.ID
	}
	have, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil {
		return false
	}
	want, _, _ := mime.ParseMediaType(meta.FileType) // empty where it is none
	return have == want || have != "text/html" && have != "application/json"
}

// noFile is an answer that is not the file.
func (t *turn) noFile(k call, answer *rest.Download) error {
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	if err != nil {
		text = nil // the status says enough
	}
	response := &rest.Response{Status: answer.Status, Header: answer.Header, Body: text, RetryAfter: answer.RetryAfter}
	if answer.Status == http.StatusTooManyRequests {
		return t.limited(response)
	}
	var result json.RawMessage
	if err := t.read(k, response, &result); err != nil {
		return err
	}
	return t.nonsense("something else than the file")
}

// sized is content that must be as long as was said.
type sized struct {
	io.ReadCloser
	left int64
}

func (s *sized) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.left -= int64(n)
	switch {
	case s.left < 0:
		return 0, errors.New("the file is larger than ServiceNow said")
	case err == io.EOF && s.left > 0:
		return n, fmt.Errorf("the file ends %d bytes too early: %w", s.left, io.ErrUnexpectedEOF)
	}
	return n, err
}

// RecoverAttachment looks for a file whose creation had no answer: one that is not
// older than the operation, bears its name and size, and has its content: by the
// hash that the instance gives where that is the content's SHA-256, else by reading
// it to the last byte. Two operations that add the very same file under the same
// name may take one for both; nobody misses a file then.
// Call it no sooner than Settling after the connection ended.
func (c *Client) RecoverAttachment(ctx context.Context, ticketID string, n ticket.NewAttachment, a ticket.Attempt) (ticket.Attachment, bool, error) {
	t, err := c.begin("look for an attachment of " + c.app.table + " " + ticketID)
	if err != nil {
		return ticket.Attachment{}, false, err
	}
	defer t.end()
	if n.Open == nil || a.FirstScheduledAt.IsZero() {
		return ticket.Attachment{}, false, t.permanent("the attempt has no content or no time")
	}
	all, err := t.attachments(ctx, ticketID)
	if err != nil {
		return ticket.Attachment{}, false, err
	}
	var want []byte
	for _, found := range all {
		if found.Size >= 0 && found.Size != n.Size || plainName(found.FileName) != plainName(n.FileName) ||
			found.CreatedAt.Before(a.FirstScheduledAt.Add(-lookBack)) {
			continue
		}
		if want == nil {
			if want, err = digest(n.Open); err != nil {
				return ticket.Attachment{}, false, &ticket.Error{Kind: ticket.Retry, Op: t.op, Message: "the content cannot be read: " + err.Error(), Err: err}
			}
		}
		same, err := t.hasContent(ctx, found, want)
		if err != nil {
			return ticket.Attachment{}, false, t.unread(err)
		}
		if same {
			return found, true, nil
		}
	}
	return ticket.Attachment{}, false, nil
}

// hasContent compares a file. What the instance calls its hash is not documented:
// that it equals the SHA-256 proves what it is, and that it does not proves nothing.
func (t *turn) hasContent(ctx context.Context, found ticket.Attachment, want []byte) (bool, error) {
	if text, _ := found.Unmapped["hash"].(string); strings.EqualFold(text, hex.EncodeToString(want)) {
		return true, nil
	}
	have, err := digest(func() (io.ReadCloser, error) { return t.content(ctx, found) })
	return bytes.Equal(have, want), err
}

// unread: a file that could not be read to its end is not known to be another.
func (t *turn) unread(err error) error {
	if _, classified := errors.AsType[*ticket.Error](err); classified {
		return err
	}
	return &ticket.Error{Kind: ticket.Retry, Op: t.op, Message: t.rest.Redact(err.Error()), Err: err}
}

func digest(open func() (io.ReadCloser, error)) ([]byte, error) {
	content, err := open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, content); err != nil {
		return nil, err
	}
	return sum.Sum(nil), nil
}

// plainName is what a name is compared by: the instance may change signs in it.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-…+()[]{}'&,;=#@!$^~`", r) {
			return '_'
		}
		return r
	}, strings.ToLower(fileName(name)))
}
