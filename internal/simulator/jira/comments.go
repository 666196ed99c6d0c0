package jira

import (
	"encoding/json"
	"maps"
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
	if refusal := checkComment(body.Body, body.Visibility); refusal != nil {
		return *refusal
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

// checkComment is Jira's refusal of a comment, nil for a good one.
func checkComment(body json.RawMessage, v *Visibility) *answer {
	var refusal answer
	switch err := CheckDocument(body); {
	case err != nil:
		refusal = refuseField("comment", err.Error())
	case Text(body) == "":
		refusal = refuseField("comment", "Comment body can not be empty!")
	case v != nil && (v.Type != "role" && v.Type != "group" || !slices.Contains([]string{"Administrators", "Developers"}, v.Value)):
		refusal = refuseField("commentLevel", "The role or group does not exist: "+v.Value)
	default:
		return nil
	}
	return &refusal
}

// commentAt finds the comment that a request names.
func (s *Simulator) commentAt(x *exchange) (*Issue, *Comment) {
	i := s.issue(x.r.PathValue("issue"))
	if i == nil {
		return nil, nil
	}
	for _, c := range i.Comments {
		if c.ID == x.r.PathValue("comment") {
			return i, c
		}
	}
	return i, nil
}

func (s *Simulator) getComment(x *exchange) answer {
	_, c := s.commentAt(x)
	if c == nil {
		return absent("The comment")
	}
	return ok(s.commentView(c))
}

// editComment takes a comment without a visibility for a public one: whoever
// leaves it out shows it to everybody.
func (s *Simulator) editComment(x *exchange) answer {
	i, c := s.commentAt(x)
	if c == nil {
		return absent("The comment")
	}
	var body struct {
		issueBody
		Body       json.RawMessage `json:"body"`
		Visibility *Visibility     `json:"visibility"`
	}
	if x.decode(&body) != nil {
		return refuse(http.StatusBadRequest, nil, "There was an error parsing JSON. Check that your request body is valid.")
	}
	if refusal := checkComment(body.Body, body.Visibility); refusal != nil {
		return *refusal
	}
	if c.Author != "acc-bridge" {
		return refuse(http.StatusBadRequest, nil, "You do not have the permission to edit this comment.")
	}
	properties := maps.Clone(c.Properties)
	delete(properties, hiddenKey)
	if err := setProperties(&properties, body.issueBody); err != nil {
		return refuse(http.StatusBadRequest, nil, err.Error())
	}
	return answer{status: http.StatusOK, commit: func(at time.Time) any {
		c.Body, c.Visibility, c.Properties, c.Updated = body.Body, body.Visibility, properties, at
		i.Updated = at
		return s.commentView(c)
	}}
}

func (s *Simulator) deleteComment(x *exchange) answer {
	i, c := s.commentAt(x)
	switch {
	case c == nil:
		return absent("The comment")
	case c.Author != "acc-bridge":
		return refuse(http.StatusBadRequest, nil, "You do not have the permission to delete this comment.")
	}
	return answer{status: http.StatusNoContent, commit: func(at time.Time) any {
		i.Comments = slices.DeleteFunc(slices.Clone(i.Comments), func(other *Comment) bool { return other.ID == c.ID })
		i.Updated = at
		return nil
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
		"created": stamp(c.Created), "updated": stamp(c.updated()), "jsdPublic": !c.hidden(),
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
	return ok(s.pageOf(comments, start, size))
}

// commentPage is the begin of an issue's comments.
func (s *Simulator) commentPage(i *Issue, start, size int) map[string]any {
	return s.pageOf(i.Comments, start, size)
}

func (s *Simulator) pageOf(comments []*Comment, start, size int) map[string]any {
	page := []any{}
	for n := start; n < len(comments) && n < start+size; n++ {
		page = append(page, s.commentView(comments[n]))
	}
	return map[string]any{"comments": page, "startAt": start, "maxResults": size, "total": len(comments)}
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
