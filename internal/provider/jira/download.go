package jira

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// maxHops is how many redirects lead to a file at most.
	maxHops = 3
	// maxDownload bounds a file whose size Jira does not say.
	maxDownload = 2 << 30
	// maxRefusal bounds what is read of an answer that is no file.
	maxRefusal = 64 << 10
)

// DownloadAttachment opens a file of a ticket; the caller closes Body. The
// content comes as it is read; it ends with an error where it is not as long as
// Jira said. Jira is asked to answer itself; where it redirects all the same,
// another host gets no credential.
func (c *Client) DownloadAttachment(ctx context.Context, ticketID, attachmentID string) (ticket.Download, error) {
	t, err := c.begin("download attachment "+attachmentID+" of issue "+ticketID, endDownload, "")
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
	k := call{endpoint: endDownload, path: "/attachment/content/" + url.PathEscape(meta.ID), query: url.Values{"redirect": {"false"}}}
	body, err := t.contentOnce(ctx, k, meta)
	for try := 1; try < readTries && t.again(ctx, err, try); try++ {
		body, err = t.contentOnce(ctx, k, meta)
	}
	return body, err
}

func (t *turn) contentOnce(ctx context.Context, k call, meta ticket.Attachment) (io.ReadCloser, error) {
	if err := t.admit(k); err != nil {
		return nil, err
	}
	request, err := t.request(k)
	if err != nil {
		return nil, err
	}
	request.Header = without(request.Header, "Content-Type")
	request.Header.Set("Accept", "*/*")
	request.Header.Set("Accept-Encoding", "identity") // the size is that of the file as it is kept
	limit := int64(maxDownload)
	if meta.Size >= 0 {
		limit = meta.Size
	}
	for hop := 0; ; hop++ {
		answer, err := t.c.rest.Open(ctx, request, max(limit, maxRefusal))
		if err != nil {
			return nil, t.lost(k, err)
		}
		if answer.Status == http.StatusOK {
			t.c.pace.Passed(t.c.now(), k.endpoint)
			return t.file(answer, meta)
		}
		to := answer.Header.Get("Location")
		if !redirects(answer.Status) || to == "" || hop == maxHops {
			return nil, t.noFile(k, answer)
		}
		answer.Body.Close()
		if request, err = follow(request, to); err != nil {
			return nil, t.permanent("Jira redirects to an address that is not followed: %v", err)
		}
	}
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// follow goes where a redirect leads; to another host without what proves us.
func follow(from rest.Request, to string) (rest.Request, error) {
	base, err := url.Parse(from.URL)
	if err != nil {
		return from, err
	}
	next, err := base.Parse(to)
	if err != nil {
		return from, errors.New("it cannot be read")
	}
	if next.Scheme != base.Scheme && next.Scheme != "https" || next.Host == "" || next.User != nil {
		return from, fmt.Errorf("%s://%s", next.Scheme, next.Host)
	}
	if next.Host != base.Host || next.Scheme != base.Scheme {
		from.Header = without(from.Header, "Authorization")
	}
	from.URL = next.String()
	return from, nil
}

func without(header http.Header, name string) http.Header {
	header = header.Clone()
	header.Del(name)
	return header
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
		return t.limited(k, response)
	}
	return t.refused(k, response)
}

// file is the body of a file, if it is the file: a login page is none.
func (t *turn) file(answer *rest.Download, meta ticket.Attachment) (io.ReadCloser, error) {
	if reason := answer.Header.Get("X-Seraph-LoginReason"); strings.HasPrefix(reason, "AUTHENTICAT") && !strings.Contains(reason, "OK") {
		answer.Body.Close()
		return nil, t.failure(ticket.Credentials, &rest.Response{Status: answer.Status}, anonymous)
	}
	if meta.Size < 0 {
		return answer.Body, nil
	}
	return &sized{ReadCloser: answer.Body, left: meta.Size}, nil
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
		return 0, errors.New("the file is larger than Jira said")
	case err == io.EOF && s.left > 0:
		return n, fmt.Errorf("the file ends %d bytes too early: %w", s.left, io.ErrUnexpectedEOF)
	}
	return n, err
}

// RecoverAttachment looks for a file whose creation had no answer: one that is
// not older than the operation, bears its name, and has its content to the last
// byte, which is read and compared. Two operations that add the very same file
// under the same name may take one for both; nobody misses a file then.
// Call it no sooner than Settling after the connection ended.
func (c *Client) RecoverAttachment(ctx context.Context, ticketID string, n ticket.NewAttachment, a ticket.Attempt) (ticket.Attachment, bool, error) {
	t, err := c.begin("look for an attachment of issue "+ticketID, endGet, "")
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
		have, err := digest(func() (io.ReadCloser, error) { return t.content(ctx, found) })
		if err != nil {
			return ticket.Attachment{}, false, t.unread(err)
		}
		if string(have) == string(want) {
			return found, true, nil
		}
	}
	return ticket.Attachment{}, false, nil
}

// unread: a file that could not be read to its end is not known to be another.
func (t *turn) unread(err error) error {
	if _, classified := errors.AsType[*ticket.Error](err); classified {
		return err
	}
	return &ticket.Error{Kind: ticket.Retry, Op: t.op, Message: t.c.rest.Redact(err.Error()), Err: err}
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

// plainName is what a name is compared by: Jira may change signs in it.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-…+()[]{}'&,;=#@!$^~`", r) {
			return '_'
		}
		return r
	}, strings.ToLower(fileName(name)))
}
