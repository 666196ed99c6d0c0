package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// maxParameters bounds all parameters of one event together, in bytes, so that
// an event always fits into one signal.
const maxParameters = 256 << 10

// readBody reads the whole body within the size limit.
func (a *api) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return readUpTo(w, r, a.MaxBody)
}

// readUpTo reads a body of at most limit bytes.
func readUpTo(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if err := plainEncoding(r); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		return body, nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(fmt.Sprintf("The body is larger than %d bytes.", limit))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, &refusal{status: http.StatusRequestTimeout, err: err, detail: "The body did not arrive in time."}
	}
	return nil, &refusal{status: http.StatusBadRequest, err: err, detail: "The body could not be read to its end."}
}

// plainEncoding refuses a body that is packed.
func plainEncoding(r *http.Request) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &refusal{status: http.StatusUnsupportedMediaType, detail: "Send the body without Content-Encoding."}
	}
	return nil
}

func tooLarge(detail string) error {
	return &refusal{status: http.StatusRequestEntityTooLarge, detail: detail}
}

// readParams reads an event's parameters from query and body; the body wins.
func (a *api) readParams(w http.ResponseWriter, r *http.Request) (event.Params, error) {
	body, err := a.readBody(w, r)
	if err != nil {
		return nil, err
	}
	fromBody, err := bodyParams(r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, err
	}
	given := formParams(r.URL.RawQuery)
	maps.Copy(given, fromBody)
	return known(given)
}

// known keeps the Events API's own parameters that have a value.
func known(given event.Params) (event.Params, error) {
	names, size := knownParameters(), 0
	kept := event.Params{}
	for name, value := range given {
		value = cleanText(value)
		if !names[name] || value == "" {
			continue
		}
		kept[name] = value
		size += len(name) + len(value)
	}
	if size > maxParameters {
		return nil, tooLarge(fmt.Sprintf("The parameters together are larger than %d bytes.", maxParameters))
	}
	return kept, nil
}

// cleanText takes out what stores and providers behind us cannot hold: bytes
// that are not UTF-8, and NUL.
func cleanText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\x00", "")
}

// bodyParams is lenient about the content type: many tools send JSON under a
// form's type, or under none, so that a body that looks like JSON is JSON.
func bodyParams(contentType string, body []byte) (event.Params, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(body) == 0 {
		return nil, nil
	}
	media, attributes, _ := mime.ParseMediaType(contentType) // an unreadable one is as none
	switch {
	case body[0] == '{', body[0] == '[', media == "application/json", strings.HasSuffix(media, "+json"):
		return jsonParams(body)
	case media == "application/x-www-form-urlencoded":
		return formParams(string(body)), nil
	case media == "multipart/form-data":
		return multipartParams(body, attributes["boundary"])
	case media == "" || media == "text/plain" || media == "application/octet-stream":
		if bytes.ContainsRune(body, '=') {
			return formParams(string(body)), nil
		}
		return nil, errInvalidJSON()
	default:
		return nil, &refusal{
			status: http.StatusUnsupportedMediaType,
			detail: "Send application/json, application/x-www-form-urlencoded, or everything in the query string.",
		}
	}
}

func errInvalidJSON() error {
	return &refusal{status: http.StatusBadRequest, message: "Invalid JSON string posted"}
}

func jsonParams(body []byte) (event.Params, error) {
	var params event.Params
	if err := json.Unmarshal(body, &params); err != nil {
		return nil, errInvalidJSON()
	}
	return params, nil
}

// formParams reads key=value pairs the way senders really write them. Only "&"
// parts pairs: the standard library's parser drops a pair with a semicolon,
// and notes have semicolons. Of equal keys the last one counts.
func formParams(text string) event.Params {
	params := event.Params{}
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = unescape(name); name != "" {
			params[name] = unescape(value)
		}
	}
	return params
}

// unescape decodes a form value. A percent sign that escapes nothing ("disk
// 100% full") stands for itself.
func unescape(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '+':
			b.WriteByte(' ')
		case text[i] == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			b.WriteByte(hexValue(text[i+1])<<4 | hexValue(text[i+2]))
			i += 2
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// multipartParams reads the text fields of a multipart form; files are ignored.
func multipartParams(body []byte, boundary string) (event.Params, error) {
	if boundary == "" {
		return nil, &refusal{status: http.StatusBadRequest, detail: "The multipart form has no boundary."}
	}
	form, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(int64(len(body)))
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, err: err, detail: "The multipart form cannot be read: " + err.Error()}
	}
	defer form.RemoveAll()
	params := event.Params{}
	for name, values := range form.Value {
		params[name] = values[len(values)-1]
	}
	return params, nil
}
