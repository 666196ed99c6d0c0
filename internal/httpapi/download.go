package httpapi

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// maxBase64 is the largest file that is answered in JSON; larger ones are
// streamed to who takes bytes.
const maxBase64 = 32 << 20

func (a *api) downloadAttachment(w http.ResponseWriter, r *http.Request, c Caller) error {
	found, err := a.Ticketing.DownloadAttachment(r.Context(), c.Integration, r.PathValue("ticketId"), r.PathValue("attachmentId"))
	if err != nil {
		return err
	}
	defer found.Body.Close()
	if takesJSON(r) {
		return streamJSON(w, found)
	}
	return stream(w, found)
}

// takesJSON: everybody but who names media types without JSON among them.
func takesJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return accept == "" || strings.Contains(accept, "json") || strings.Contains(accept, "*/*") || strings.Contains(accept, "application/*")
}

// streamJSON passes a file on in base64 as it comes. One that is said to be too
// large, or breaks off before its first byte, is refused. What shows only later
// cuts the connection: the status is sent.
func streamJSON(w http.ResponseWriter, d ticket.Download) error {
	if d.Size > maxBase64 {
		return &refusal{
			status:      http.StatusBadRequest,
			detail:      fmt.Sprintf("The file is larger than %d MB.", maxBase64>>20),
			remediation: "Ask with `Accept: application/octet-stream`, which gives the bytes themselves.",
		}
	}
	body := bufio.NewReader(d.Body)
	if _, err := body.Peek(1); err != nil && err != io.EOF {
		return &ticket.Error{Kind: ticket.Retry, Op: "download " + d.FileName, Message: "the provider's answer broke off", Err: err}
	}
	head, err := encode(attachmentAnswer{Result: attachmentContent{FileName: d.FileName, FileType: d.FileType}})
	if err != nil {
		return err
	}
	const tail = "\"}}\n" // of an answer whose content, its last member, is empty
	head = head[:len(head)-len(tail)]
	jsonHeaders(w.Header())
	if d.Size >= 0 {
		size := int64(len(head)+len(tail)) + (d.Size+2)/3*4
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	w.WriteHeader(http.StatusOK)
	if err := writeBase64(w, head, body, d.Size, tail); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// writeBase64 writes a file between head and tail. The tail is written only when
// the file was whole, and not too large.
func writeBase64(w io.Writer, head []byte, body io.Reader, size int64, tail string) error {
	if _, err := w.Write(head); err != nil {
		return err
	}
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	n, err := io.Copy(encoder, io.LimitReader(body, maxBase64+1))
	switch {
	case err != nil:
		return err
	case n > maxBase64, size >= 0 && n != size:
		return fmt.Errorf("%d bytes came; want %d, at most %d", n, size, maxBase64)
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	_, err = io.WriteString(w, tail)
	return err
}

// stream passes a file on as it comes.
func stream(w http.ResponseWriter, d ticket.Download) error {
	h := w.Header()
	kind := d.FileType
	if _, _, err := mime.ParseMediaType(kind); err != nil {
		kind = "application/octet-stream"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.FileName}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if d.Size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	}
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, d.Body); err != nil {
		panic(http.ErrAbortHandler) // the status is sent: only a cut connection says that it is not whole
	}
	return nil
}
