package jira

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// comment is a comment as Jira answers it.
type comment struct {
	ID         string          `json:"id"`
	Author     named           `json:"author"`
	Body       json.RawMessage `json:"body"`
	Created    string          `json:"created"`
	Updated    string          `json:"updated"`
	Public     *bool           `json:"jsdPublic"`
	Visibility *visibility     `json:"visibility"`
	Properties []struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
}

type visibility struct {
	Type       string `json:"type"`
	Value      string `json:"value"`
	Identifier string `json:"identifier,omitempty"`
}

type newComment struct {
	Body       document    `json:"body"`
	Visibility *visibility `json:"visibility,omitempty"`
	Properties []property  `json:"properties,omitempty"`
}

// publicKey is the property by which service desk projects hide a comment from
// customers.
const publicKey = "sd.public.comment"

func (k comment) model(ticketID string) ticket.Comment {
	return ticket.Comment{
		ID: k.ID, TicketID: ticketID, Creator: k.Author.person(), Content: richText(k.Body),
		CreatedAt: parseTime(k.Created), UpdatedAt: parseTime(k.Updated),
		Internal: k.internal(),
	}
}

func (k comment) internal() bool { return k.Visibility != nil || k.Public != nil && !*k.Public }

// hidden is the property of comments that customers do not see.
func hidden() property { return property{Key: publicKey, Value: map[string]any{"internal": true}} }

// creatorTitle begins the line that tells who wrote a comment, as in descriptions:
// the comment itself is always our account's.
const creatorTitle = "Creator"

// commentDocument is a comment as it is sent: who wrote it, where it says so, and
// its text, cut to what that leaves. Empty where there is no text.
func commentDocument(n ticket.NewComment) document {
	creator := oneLine(n.Creator)
	if creator == "" {
		return toADF(fitText(n.Content))
	}
	line := creatorTitle + ": " + creator
	doc := toADF(cutUTF16(n.Content, maxText-units(line)-2, cutNotice))
	if len(doc.Content) == 0 {
		return doc
	}
	return newDocument(append([]node{paragraph([]node{{Type: "text", Text: line}})}, doc.Content...))
}

// CreateComment makes a comment with one POST; the operation goes with it as a
// property. Who wrote it is its first line, where the comment says so. Kind
// OutcomeUnknown asks for RecoverComment.
//
// An internal one is hidden from customers where the project is a service desk,
// and shown to the role InternalRole elsewhere. It is never sent in a form that
// could be public: when the project's type is not known, nothing is sent.
func (c *Client) CreateComment(ctx context.Context, ticketID string, n ticket.NewComment) (ticket.Comment, error) {
	t, err := c.begin("comment on issue "+ticketID, endComment, ticketID)
	if err != nil {
		return ticket.Comment{}, err
	}
	defer t.end()
	if err := t.stillOpen(ctx, ticketID, n.UnlessClosedBefore); err != nil {
		return ticket.Comment{}, err
	}
	made, err := t.createComment(ctx, ticketID, commentDocument(n), n)
	if err != nil {
		return ticket.Comment{}, err
	}
	out := made.model(ticketID)
	out.Internal = n.Internal
	return out, nil
}

// createComment makes a comment of doc; n.Content is left to doc.
func (t *turn) createComment(ctx context.Context, ticketID string, doc document, n ticket.NewComment) (comment, error) {
	body, err := t.newComment(ctx, ticketID, doc, n)
	if err != nil {
		return comment{}, err
	}
	var made comment
	path := "/issue/" + url.PathEscape(ticketID) + "/comment"
	err = t.do(ctx, call{endpoint: endComment, path: path, body: body, creates: true, issue: ticketID}, &made)
	if err != nil {
		return comment{}, err
	}
	if made.ID == "" {
		return comment{}, &ticket.Error{Kind: ticket.OutcomeUnknown, Op: t.op, Status: 201, Message: "Jira answered a comment without id"}
	}
	return made, nil
}

func (t *turn) newComment(ctx context.Context, ticketID string, doc document, n ticket.NewComment) (newComment, error) {
	body := newComment{Body: doc}
	if len(body.Body.Content) == 0 {
		return newComment{}, t.permanent("content: empty: Jira takes no empty comment")
	}
	if n.Operation != "" {
		body.Properties = append(body.Properties, property{Key: propertyKey, Value: stamp{Operation: n.Operation}})
	}
	if !n.Internal {
		return body, nil
	}
	desk, err := t.onServiceDesk(ctx, ticketID)
	switch {
	case err != nil:
		return newComment{}, err
	case desk:
		body.Properties = append(body.Properties, hidden())
	default:
		body.Visibility = &visibility{Type: "role", Value: t.c.config.InternalRole}
	}
	return body, nil
}

// onServiceDesk reads the issue's project each time: the issue may have moved
// to a project whose customers read along.
func (t *turn) onServiceDesk(ctx context.Context, ticketID string) (bool, error) {
	var found issue
	err := t.do(ctx, call{
		endpoint: endGet, path: "/issue/" + url.PathEscape(ticketID), query: url.Values{"fields": {"project"}},
	}, &found)
	if err != nil {
		return false, err
	}
	in := found.value("project")
	if in.ID == "" {
		return false, t.nonsense("an issue without project")
	}
	p, err := t.project(ctx, in.ID)
	return p.Type == serviceDesk, err
}

const (
	commentPage = 100
	// commentOverlap is how many comments may be deleted between two pages
	// without one being missed: they move the others up.
	commentOverlap = 10
	// maxCommentPages bounds a listing: Jira holds at most 5,000 comments an issue.
	maxCommentPages = 57
)

// ListComments lists a ticket's comments, oldest first. Notes are among them,
// with Internal set; ListNotes has them with their titles.
func (c *Client) ListComments(ctx context.Context, ticketID string) ([]ticket.Comment, error) {
	all, err := c.allComments(ctx, "list comments of issue "+ticketID, ticketID)
	if err != nil {
		return nil, err
	}
	var out []ticket.Comment
	for _, k := range all {
		out = append(out, k.model(ticketID))
	}
	return out, nil
}

// allComments are a ticket's comments and notes, oldest first.
func (c *Client) allComments(ctx context.Context, op, ticketID string) ([]comment, error) {
	t, err := c.begin(op, endComments, "")
	if err != nil {
		return nil, err
	}
	defer t.end()
	var out []comment
	err = t.comments(ctx, ticketID, "created", func(k comment) (bool, error) {
		out = append(out, k)
		return true, nil
	})
	return out, err
}

// DeleteComment deletes a comment. One that is gone is NotFound.
//
// Jira answers 400 where the account lacks the permission (its OpenAPI document,
// "Delete comment").
func (c *Client) DeleteComment(ctx context.Context, ticketID, commentID string) error {
	t, err := c.begin("delete comment "+commentID+" of issue "+ticketID, endCommentDelete, ticketID)
	if err != nil {
		return err
	}
	defer t.end()
	if ticketID == "" || commentID == "" {
		return t.permanent("the ticket's and the comment's id are needed")
	}
	return t.deleteComment(ctx, ticketID, commentID)
}

func (t *turn) deleteComment(ctx context.Context, ticketID, commentID string) error {
	return t.do(ctx, call{endpoint: endCommentDelete, path: commentPath(ticketID, commentID), issue: ticketID}, nil)
}

// comments gives each comment to take, once, until it says no more.
func (t *turn) comments(ctx context.Context, ticketID, order string, take func(comment) (bool, error)) error {
	seen := map[string]bool{}
	for start, n := 0, 0; n < maxCommentPages; n++ {
		var page struct {
			Comments *[]comment `json:"comments"`
			Total    int        `json:"total"`
		}
		err := t.do(ctx, call{
			endpoint: endComments, path: "/issue/" + url.PathEscape(ticketID) + "/comment",
			query: url.Values{"startAt": {strconv.Itoa(start)}, "maxResults": {strconv.Itoa(commentPage)}, "orderBy": {order}},
		}, &page)
		if err != nil {
			return err
		}
		if page.Comments == nil {
			return t.nonsense("a list of comments without comments")
		}
		for _, k := range *page.Comments {
			if seen[k.ID] {
				continue
			}
			seen[k.ID] = true
			if more, err := take(k); err != nil || !more {
				return err
			}
		}
		end := start + len(*page.Comments)
		if end >= page.Total || end <= start+commentOverlap {
			return nil
		}
		start = end - commentOverlap
	}
	return nil
}

// RecoverComment looks for a comment whose create had no answer: newest first,
// back to lookBack before the operation was first scheduled, by its property.
// Call it no sooner than Settling after the connection ended.
func (c *Client) RecoverComment(ctx context.Context, ticketID string, n ticket.NewComment, a ticket.Attempt) (ticket.Comment, bool, error) {
	t, err := c.begin("look for a comment on issue "+ticketID, endComments, "")
	if err != nil {
		return ticket.Comment{}, false, err
	}
	defer t.end()
	hit, found, err := t.recoverComment(ctx, ticketID, n.Operation, a)
	if err != nil || !found {
		return ticket.Comment{}, false, err
	}
	return hit.model(ticketID), true, nil
}

func (t *turn) recoverComment(ctx context.Context, ticketID, operation string, a ticket.Attempt) (hit comment, found bool, err error) {
	if operation == "" {
		return comment{}, false, t.permanent("the comment bears no operation to find it by")
	}
	err = t.comments(ctx, ticketID, "-created", func(k comment) (bool, error) {
		created := parseTime(k.Created)
		if !created.IsZero() && created.Before(a.FirstScheduledAt.Add(-lookBack)) {
			return false, nil
		}
		s, err := t.commentStamp(ctx, k)
		if err != nil {
			return false, err
		}
		if s.Operation == operation {
			hit, found = k, true
		}
		return !found, nil
	})
	return hit, found && err == nil, err
}

// commentStamp reads a comment's property: from the listing where Jira put it
// there, else by a read of its own, which the vendor documents.
func (t *turn) commentStamp(ctx context.Context, k comment) (stamp, error) {
	var s stamp
	for _, p := range k.Properties {
		if p.Key == propertyKey && json.Unmarshal(p.Value, &s) == nil && s.Operation != "" {
			return s, nil
		}
	}
	var answer struct {
		Value json.RawMessage `json:"value"`
	}
	err := t.do(ctx, call{
		endpoint: endCommentMark, path: "/comment/" + url.PathEscape(k.ID) + "/properties/" + propertyKey,
	}, &answer)
	if err != nil && ticket.KindOf(err) == ticket.NotFound {
		return stamp{}, nil // somebody else's comment
	}
	if err != nil {
		return stamp{}, err
	}
	if json.Unmarshal(answer.Value, &s) != nil {
		return stamp{}, nil
	}
	return s, nil
}

// lookBack allows for clocks that differ: ours and Jira's.
const lookBack = 5 * time.Minute
