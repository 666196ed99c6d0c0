package acronis

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
)

// answer is what goes back, so that nothing is written while the server is locked.
type answer struct {
	status int
	header http.Header
	body   []byte
	// drop closes the connection instead; cut closes it in the body's middle.
	drop, cut bool
}

// statusGone is noted for callers who left before their answer.
const statusGone = 499

func inJSON(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		return failure(http.StatusInternalServerError, "internal", err.Error())
	}
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

func inHTML(status int, page string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"text/html"}}, body: []byte(page)}
}

// failure is an error in the API's form.
func failure(status int, code, message string) answer {
	return inJSON(status, map[string]any{"error": map[string]any{
		"domain": "EventManager", "code": code, "error": http.StatusText(status), "message": message,
	}})
}

func badRequest(message string) answer {
	return failure(http.StatusBadRequest, "invalidRequest", message)
}

// later is an answer without a body that says when to come again.
func (s *Server) later(status int) answer {
	a := answer{status: status, header: http.Header{}}
	if s.opts.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(s.opts.RetryAfter))
	}
	return a
}

const nginxPage = "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n" +
	"<center><h1>401 Authorization Required</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"

func (s *Server) unauthorized() answer {
	if s.opts.JSON401 {
		return failure(http.StatusUnauthorized, "unauthorized", "the token is missing, unknown or expired")
	}
	return inHTML(http.StatusUnauthorized, nginxPage)
}

// send writes the answer, or as much of it as its fault leaves; net/http then
// closes the connection.
func (a answer) send(w http.ResponseWriter) {
	if a.drop {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.header)
	if !a.cut {
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body) // the caller may be gone
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)+1))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// decode reads a body that must be one JSON object with known members only.
func (c *call) decode(into any) (a answer, bad bool) {
	if kind := c.Header.Get("Content-Type"); !isJSON(kind) {
		return failure(http.StatusUnsupportedMediaType, "unsupportedMediaType", "want application/json, not "+strconv.Quote(kind)), true
	}
	d := json.NewDecoder(http.MaxBytesReader(nil, c.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badRequest(err.Error()), true
	}
	if _, err := d.Token(); err != io.EOF {
		return badRequest("there is something after the object"), true
	}
	return answer{}, false
}
