package servicenow

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// attachmentTable describes attachments.
const attachmentTable = "sys_attachment"

func (s *Simulator) attachmentRoutes() {
	for _, version := range []string{"", "/v1"} {
		base := "/api/now" + version + "/attachment"
		s.handleFile("GET "+base, opFiles, s.list)
		s.handleFile("POST "+base+"/file", opAttach, s.attach)
		s.handleFile("GET "+base+"/{id}", opFiles, s.get)
		s.handleFile("GET "+base+"/{id}/file", opDownload, s.download)
		s.handleFile("DELETE "+base+"/{id}", opDetach, s.detach)
	}
}

func (s *Simulator) handleFile(pattern, op string, handle func(*exchange) answer) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.serveAs(w, r, exchange{table: attachmentTable, id: r.PathValue("id"), op: op}, handle)
	})
}

// attach takes a file for a record that the API's user sees in this very table.
func (s *Simulator) attach(x *exchange) answer {
	given := x.r.URL.Query()
	table, to, name := given.Get("table_name"), given.Get("table_sys_id"), given.Get("file_name")
	limit := s.options.UploadLimit
	if limit == 0 {
		limit = maxBody
	}
	r := s.record(table, to)
	extension := strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".")
	switch {
	case name == "" || table == "":
		return refuse(http.StatusBadRequest, "Invalid parameters", "table_name, table_sys_id and file_name are mandatory")
	case r == nil || r.Class != table:
		return noRecord()
	case int64(len(x.body)) > limit:
		return refuse(http.StatusBadRequest, "Failed to create the attachment", fmt.Sprintf("File size exceeds the maximum of %d bytes", limit))
	case len(s.options.Extensions) > 0 && !slices.Contains(s.options.Extensions, extension):
		return refuse(http.StatusForbidden, "Failed to create the attachment", "File type is not allowed")
	}
	kind, content := x.r.Header.Get("Content-Type"), x.body
	parameters, base := x.r.URL.Query(), x.base()
	return answer{commit: func(at time.Time) answer {
		made := s.put(attachmentTable, "", map[string]string{
			"file_name": name, "content_type": kind, "table_name": table, "table_sys_id": to, "size_bytes": strconv.Itoa(len(content)),
			"hash": s.hash(content), "sys_created_on": stamp(at), "sys_created_by": s.userName(),
		})
		made.Fields["download_link"] = base + "/api/now/attachment/" + made.ID + "/file"
		s.state.Files[made.ID] = content
		a := ok(s.view(made, viewingOf(parameters, base, attachmentTable)))
		a.status = http.StatusCreated
		return a
	}}
}

func (s *Simulator) hash(content []byte) string {
	if s.options.FileHash != nil {
		return s.options.FileHash(content)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func (s *Simulator) download(x *exchange) answer {
	r := s.record(attachmentTable, x.id)
	if r == nil {
		return noRecord()
	}
	meta, err := json.Marshal(s.view(r, viewing{display: stored, base: x.base(), table: attachmentTable}))
	if err != nil {
		return refuse(http.StatusInternalServerError, err.Error(), "")
	}
	return answer{status: http.StatusOK, body: file{r.Fields["content_type"], string(meta), s.state.Files[r.ID]}}
}

func (s *Simulator) detach(x *exchange) answer {
	a := s.remove(x)
	if erase := a.commit; erase != nil {
		a.commit = func(at time.Time) answer {
			delete(s.state.Files, x.id)
			return erase(at)
		}
	}
	return a
}

// file is a body that is no JSON.
type file struct {
	contentType, meta string
	content           []byte
}

func (f file) head(w http.ResponseWriter) {
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("X-Attachment-Metadata", f.meta)
	w.Header().Set("Content-Length", strconv.Itoa(len(f.content)))
	w.WriteHeader(http.StatusOK)
}

func (f file) write(w http.ResponseWriter) {
	f.head(w)
	_, _ = w.Write(f.content) // the caller may be gone: its loss
}

// cut writes the first half of a file and drops the connection.
func (f file) cut(w http.ResponseWriter) {
	f.head(w)
	_, _ = w.Write(f.content[:len(f.content)/2]) // the connection is dropped in any case
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// Attachment is a file of a record, for tests.
type Attachment struct {
	ID, Name, Type, Table string
	Content               []byte
}

// Attachments are the files of a record, oldest first.
func (s *Simulator) Attachments(record string) []Attachment {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.options.Now())
	var out []Attachment
	for _, r := range s.rows(attachmentTable) {
		if r.Fields["table_sys_id"] == record {
			f := r.Fields
			out = append(out, Attachment{ID: r.ID, Name: f["file_name"], Type: f["content_type"], Table: f["table_name"], Content: s.state.Files[r.ID]})
		}
	}
	return out
}
