package jira

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"
)

// attach takes one or more files, in parts named "file".
func (s *Simulator) attach(x *exchange) answer {
	i := s.issue(x.r.PathValue("issue"))
	kind, params, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	switch {
	case x.r.Header.Get("X-Atlassian-Token") != "no-check":
		return refuse(http.StatusForbidden, nil, "XSRF check failed")
	case i == nil:
		return absent("Issue")
	case err != nil || kind != "multipart/form-data":
		return refuse(http.StatusUnsupportedMediaType, nil, "Expected a multipart/form-data request.")
	}
	files, refusal := s.files(x, params["boundary"])
	if refusal != nil {
		return *refusal
	}
	return answer{status: http.StatusOK, commit: func(at time.Time) any {
		views := []any{}
		for _, a := range files {
			a.ID, a.Created = s.nextID(), at.Truncate(time.Millisecond)
			i.Attachments = append(slices.Clone(i.Attachments), a)
			views = append(views, s.attachmentView(a))
		}
		i.Updated = at
		return views
	}}
}

func (s *Simulator) files(x *exchange, boundary string) ([]*Attachment, *answer) {
	refused := func(status int, text string) ([]*Attachment, *answer) {
		a := refuse(status, nil, text)
		return nil, &a
	}
	var files []*Attachment
	form := multipart.NewReader(bytes.NewReader(x.body), boundary)
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return refused(http.StatusBadRequest, "The form cannot be read.")
		}
		content, err := io.ReadAll(part)
		switch {
		case err != nil:
			return refused(http.StatusBadRequest, "The form cannot be read.")
		case part.FormName() != "file" || part.FileName() == "":
			return refused(http.StatusBadRequest, "The part must be named file.")
		case int64(len(content)) > s.options.UploadLimit:
			return refused(http.StatusRequestEntityTooLarge, "The file exceeds its maximum permitted size.")
		}
		files = append(files, &Attachment{Name: part.FileName(), Author: "acc-bridge", MimeType: part.Header.Get("Content-Type"), Content: content})
	}
	if len(files) == 0 || len(files) > 60 {
		return refused(http.StatusBadRequest, "One to 60 files are wanted.")
	}
	return files, nil
}

func (s *Simulator) attachmentView(a *Attachment) map[string]any {
	return map[string]any{
		"id": a.ID, "filename": a.Name, "author": s.userView(a.Author), "created": stamp(a.Created), "size": len(a.Content),
		"mimeType": a.MimeType, "content": "/rest/api/3/attachment/content/" + a.ID,
	}
}

func (s *Simulator) attachmentViews(i *Issue) []any {
	out := []any{}
	for _, a := range i.Attachments {
		out = append(out, s.attachmentView(a))
	}
	return out
}

func (s *Simulator) attachmentMeta(*exchange) answer {
	return ok(map[string]any{"enabled": true, "uploadLimit": s.options.UploadLimit})
}

// attachmentAt finds the file that a request names.
func (s *Simulator) attachmentAt(x *exchange) (*Issue, *Attachment) {
	for _, i := range s.sorted() {
		for _, a := range i.Attachments {
			if a.ID == x.r.PathValue("attachment") && s.issue(i.ID) != nil {
				return i, a
			}
		}
	}
	return nil, nil
}

// download answers the file, or leads to where it is: to the other host in any
// case, where there is one.
func (s *Simulator) download(x *exchange) answer {
	_, a := s.attachmentAt(x)
	if a == nil {
		return absent("The attachment")
	}
	if s.options.MediaURL != "" {
		return answer{status: http.StatusSeeOther, header: http.Header{"Location": {s.options.MediaURL + "/" + a.ID + "?token=media"}}}
	}
	if x.r.URL.Query().Get("redirect") != "false" {
		here := strings.TrimSuffix(x.r.URL.Path, "/"+a.ID)
		return answer{status: http.StatusSeeOther, header: http.Header{"Location": {here + "/" + a.ID + "?redirect=false"}}}
	}
	return answer{status: http.StatusOK, body: file{a.MimeType, a.Name, a.Content}}
}

// file is a body that is no JSON.
type file struct {
	mimeType, name string
	content        []byte
}

func (f file) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", f.mimeType)
	w.Header().Set("Content-Length", fmt.Sprint(len(f.content)))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(f.content) // the caller may be gone: its loss
}

// cut writes the first half of a file and drops the connection.
func (f file) cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", fmt.Sprint(len(f.content)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(f.content[:len(f.content)/2]) // the connection is dropped in any case
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func (s *Simulator) detach(x *exchange) answer {
	i, a := s.attachmentAt(x)
	if a == nil {
		return absent("The attachment")
	}
	return answer{status: http.StatusNoContent, commit: func(at time.Time) any {
		i.Attachments = slices.DeleteFunc(slices.Clone(i.Attachments), func(other *Attachment) bool { return other.ID == a.ID })
		i.Updated = at
		return nil
	}}
}

// searchProjects lists the projects that are there.
func (s *Simulator) searchProjects(x *exchange) answer {
	query := x.r.URL.Query()
	var all []*Project
	for _, p := range s.state.Projects {
		if !p.Deleted {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *Project) int {
		if query.Get("orderBy") == "name" {
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		}
		return strings.Compare(a.Key, b.Key)
	})
	if len(all) == 0 {
		return refuse(http.StatusNotFound, nil, "No projects were found.")
	}
	start, size := atoi(query.Get("startAt"), 0), min(atoi(query.Get("maxResults"), 50), 100)
	values := []any{}
	for n := start; n < len(all) && n < start+size; n++ {
		p := all[n]
		values = append(values, map[string]any{"id": p.ID, "key": p.Key, "name": p.Name, "projectTypeKey": p.Type, "style": "classic"})
	}
	return ok(map[string]any{"values": values, "startAt": start, "maxResults": size, "total": len(all), "isLast": start+size >= len(all)})
}
