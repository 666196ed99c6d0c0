package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// Spool keeps files that are too large for Temporal until they are at the provider.
type Spool interface {
	// Receive reads a file to its end. size is how long it is said to be, -1 where
	// nobody knows, most how long it may be. Errors are ErrTooLarge, ErrNoRoom,
	// and those of the content.
	Receive(content io.Reader, size, most int64) (SpooledFile, error)
}

// SpooledFile is a file that was received whole.
type SpooledFile interface {
	Size() int64
	// SHA256 is in hex.
	SHA256() string
	// Discard removes it, unless a write was started with it.
	Discard()
}

// What a file cannot be received for.
var (
	ErrTooLarge = errors.New("the file is too large")
	ErrNoRoom   = errors.New("there is no room for the file now")
)

const (
	// DefaultMaxUpload is the largest file that is taken, in bytes.
	DefaultMaxUpload = 256 << 20
	// uploadWithin is how long a call with a file may take, its answer included.
	uploadWithin = 30 * time.Minute
	// soonRead is how long a file may come before it counts when it began to.
	soonRead = time.Second
	// retryNoRoom is when there may be room in the spool again.
	retryNoRoom = time.Minute
)

func (a *api) createAttachment(w http.ResponseWriter, r *http.Request, c Caller) error {
	came := a.Now()
	asked, file, err := a.readAttachment(w, r)
	if err != nil {
		return err
	}
	write := TicketWrite{Operator: ticketing.CreateAttachment, TicketID: r.PathValue("ticketId"), Body: asked}
	if file != nil {
		defer file.Discard()
		write.File = file
	}
	if a.Now().Sub(came) > soonRead {
		write.Came = came
	}
	return a.write(w, r, c, write, attachmentEnvelope())
}

// readAttachment reads a file that comes as it is, or in base64 within JSON. A
// small one is whole in what it answers, a large one is in the spool.
func (a *api) readAttachment(w http.ResponseWriter, r *http.Request) (asked contract.NewAttachment, file SpooledFile, err error) {
	if err := plainEncoding(r); err != nil {
		return asked, nil, err
	}
	body := &unhurried{ctx: r.Context(), body: r.Body, connection: http.NewResponseController(w), patience: a.patience}
	name, kind, raw, err := rawUpload(r)
	switch {
	case err != nil:
		return asked, nil, err
	case !raw:
		said, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		return a.readAttachmentJSON(http.MaxBytesReader(w, io.NopCloser(body), 2*maxBase64), isJSON(said))
	}
	asked.FileName, asked.FileType = name, kind
	file, err = a.take(&asked, body, r.ContentLength, a.MaxUpload)
	return asked, file, err
}

// rawUpload tells a file that comes as it is from one in JSON. Some clients send
// JSON under a form's or a text's type, so of these only what has a name is a file.
func rawUpload(r *http.Request) (name, kind string, raw bool, err error) {
	name = r.URL.Query().Get("file_name")
	if _, disposition, err := mime.ParseMediaType(r.Header.Get("Content-Disposition")); err == nil && name == "" {
		name = disposition["filename"]
	}
	kind, _, err = mime.ParseMediaType(r.Header.Get("Content-Type"))
	unsaid := err != nil || kind == "application/x-www-form-urlencoded" // which curl says of everything
	wrong := goodFileName(name)
	switch {
	case !unsaid && isJSON(kind):
		return "", "", false, nil
	case strings.HasPrefix(kind, "multipart/"):
		return "", "", false, &refusal{
			status: http.StatusUnsupportedMediaType, detail: "A form with parts is not taken.",
			remediation: "Send the bytes of the file as the body (application/octet-stream, ?file_name=), or JSON with base64.",
		}
	case name == "" && (unsaid || kind == "text/plain"):
		return "", "", false, nil
	case wrong != nil:
		return "", "", true, badParameter("query", "file_name", "", fmt.Errorf("file_name: %w", wrong))
	case unsaid || kind == "application/octet-stream":
		return name, "", true, nil // the name decides
	default:
		return name, r.Header.Get("Content-Type"), true, nil
	}
}

// take reads a file's content into what is asked for, or, where it is large, into
// the spool.
func (a *api) take(asked *contract.NewAttachment, content io.Reader, size, most int64) (SpooledFile, error) {
	if size > most {
		return nil, fileTooLarge(most)
	}
	head, err := io.ReadAll(io.LimitReader(content, contract.MaxAttachment+1))
	switch {
	case err != nil:
		return nil, unreadFile(err, most)
	case len(head) <= contract.MaxAttachment:
		asked.Content = head
		return nil, nil
	case a.Spool == nil:
		return nil, fileTooLarge(contract.MaxAttachment)
	}
	file, err := a.Spool.Receive(io.MultiReader(bytes.NewReader(head), content), size, most)
	if err != nil {
		return nil, unreadFile(err, most)
	}
	asked.Content, asked.Size, asked.SHA256 = nil, file.Size(), file.SHA256()
	return file, nil
}

func fileTooLarge(most int64) error {
	return &refusal{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("The file is larger than %d MB.", most>>20), err: ErrTooLarge}
}

// unreadFile is the answer to a file that could not be received.
func unreadFile(err error, most int64) error {
	known, tooLong := &refusal{}, &http.MaxBytesError{}
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, ErrTooLarge), errors.As(err, &tooLong):
		return fileTooLarge(most)
	case errors.Is(err, ErrNoRoom):
		return &refusal{
			status: http.StatusInsufficientStorage, retryAfter: retryNoRoom, err: err,
			message: "There is no room for the file now", detail: "No room: files on their way to providers and files that are arriving fill it.",
			remediation: "Send it again later. Where it stays like this: starter parked list, or a larger TICKETBRIDGE_SPOOL_LIMIT.",
		}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &refusal{status: http.StatusRequestTimeout, err: err, detail: "The file did not arrive in time."}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &refusal{status: http.StatusBadRequest, err: err, detail: "The file did not arrive whole."}
	default:
		return err
	}
}

// unhurried is a body that may take long, as long as something comes: the
// connection's own limit is for all of a small one.
type unhurried struct {
	ctx        context.Context
	body       io.Reader
	connection *http.ResponseController
	// patience is how long nothing may come.
	patience time.Duration
	// err is what ended it. net/http ends the context of a call, too, whose sender
	// is out of time, so that what comes after the first error says less.
	err error
}

func (u *unhurried) Read(p []byte) (int, error) {
	if u.err == nil {
		u.err = u.ctx.Err()
	}
	if u.err != nil {
		return 0, u.err
	}
	_ = u.connection.SetReadDeadline(time.Now().Add(u.patience)) // where there is no connection, nothing is slow
	n, err := u.body.Read(p)
	if u.err = err; err != nil && err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) && u.ctx.Err() != nil {
		u.err = u.ctx.Err()
	}
	return n, u.err
}
