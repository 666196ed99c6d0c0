package jira

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (s *Simulator) createComment(x *exchange) answer {
	i := s.issue(x.r.PathValue("issue"))
	if i == nil {
		return absent("Issue")
	}
	var body struct {
		issueBody
		Body       json.RawMessage `json:"body"`
		Visibility *Visibility     `json:"visibility"`
	}
	if x.decode(&body) != nil {
		return refuse(http.StatusBadRequest, nil, "There was an error parsing JSON. Check that your request body is valid.")
	}
	if err := CheckDocument(body.Body); err != nil {
		return refuseField("comment", err.Error())
	}
	if Text(body.Body) == "" {
		return refuseField("comment", "Comment body can not be empty!")
	}
	if v := body.Visibility; v != nil && (v.Type != "role" && v.Type != "group" || !slices.Contains([]string{"Administrators", "Developers"}, v.Value)) {
		return refuseField("commentLevel", "The role or group does not exist: "+v.Value)
	}
	c := &Comment{Author: "acc-bridge", Body: body.Body, Visibility: body.Visibility}
	if err := setProperties(&c.Properties, body.issueBody); err != nil {
		return refuse(http.StatusBadRequest, nil, err.Error())
	}
	return answer{status: http.StatusCreated, commit: func(at time.Time) any {
		s.comment(i, c, at)
		return s.commentView(c)
	}}
}

func (s *Simulator) comment(i *Issue, c *Comment, at time.Time) {
	c.ID, c.Created = s.nextID(), at.Truncate(time.Millisecond)
	i.Comments = append(i.Comments, c)
	i.Updated = at
}

// commentView leaves the properties out: whether Jira lists them is not known.
func (s *Simulator) commentView(c *Comment) map[string]any {
	out := map[string]any{
		"id": c.ID, "body": c.Body, "author": s.userView(c.Author), "updateAuthor": s.userView(c.Author),
		"created": stamp(c.Created), "updated": stamp(c.Created), "jsdPublic": !c.Internal(),
	}
	if c.Visibility != nil {
		out["visibility"] = c.Visibility
	}
	return out
}

func (s *Simulator) listComments(x *exchange) answer {
	i := s.issue(x.r.PathValue("issue"))
	if i == nil {
		return absent("Issue")
	}
	query := x.r.URL.Query()
	comments := slices.Clone(i.Comments)
	switch query.Get("orderBy") {
	case "", "created", "+created":
	case "-created":
		slices.Reverse(comments)
	default:
		return refuse(http.StatusBadRequest, nil, "orderBy must be created")
	}
	start, size := atoi(query.Get("startAt"), 0), min(atoi(query.Get("maxResults"), 100), 100)
	page := []any{}
	for n := start; n < len(comments) && n < start+size; n++ {
		page = append(page, s.commentView(comments[n]))
	}
	return ok(map[string]any{"comments": page, "startAt": start, "maxResults": size, "total": len(comments)})
}

func atoi(text string, absent int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return absent
	}
	return n
}

func (s *Simulator) commentProperty(x *exchange) answer {
	id, key := x.r.PathValue("comment"), x.r.PathValue("key")
	for _, i := range s.state.Issues {
		for _, c := range i.Comments {
			if c.ID != id || s.issue(i.ID) == nil {
				continue
			}
			if value, ok := c.Properties[key]; ok {
				return answer{status: http.StatusOK, body: map[string]any{"key": key, "value": value}}
			}
		}
	}
	return absent("The comment or the property")
}
