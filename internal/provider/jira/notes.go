package jira

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// A note is an internal comment. Jira's comments have no title: a note's is the
// heading that it begins with, so that people in Jira see it too.
const titleLevel = 3

// noteDocument is a note as it is sent: the title, and what comes after it.
func noteDocument(title string, content []node) document {
	if title = oneLine(title); title != "" {
		heading := node{Type: "heading", Attrs: map[string]any{"level": titleLevel}, Content: []node{{Type: "text", Text: title}}}
		content = append([]node{heading}, content...)
	}
	return newDocument(content)
}

// readNote takes a comment's document apart.
func readNote(raw json.RawMessage) (title string, content []node) {
	var doc node
	if json.Unmarshal(raw, &doc) != nil {
		return "", toADF(richText(raw)).Content
	}
	if len(doc.Content) > 0 && doc.Content[0].Type == "heading" {
		return strings.TrimSpace(plain(doc.Content[0].Content)), doc.Content[1:]
	}
	return "", doc.Content
}

// noteContent is the content as nodes, cut to what the title leaves of a comment.
func noteContent(title, content string) []node {
	return toADF(cutUTF16(content, maxText-units(oneLine(title))-1, cutNotice)).Content
}

func (k comment) note(ticketID string) ticket.Note {
	title, content := readNote(k.Body)
	out := ticket.Note{
		ID: k.ID, TicketID: ticketID, Title: title, Content: toMarkdown(node{Content: content}),
		Creator: k.Author.person(), CreatedAt: parseTime(k.Created), UpdatedAt: parseTime(k.Updated),
		Unmapped: map[string]any{},
	}
	if k.Visibility != nil {
		out.Unmapped["visibility"] = *k.Visibility
	}
	return out
}

// ListNotes lists a ticket's internal comments, oldest first.
func (c *Client) ListNotes(ctx context.Context, ticketID string) ([]ticket.Note, error) {
	all, err := c.allComments(ctx, "list notes of issue "+ticketID, ticketID)
	if err != nil {
		return nil, err
	}
	var out []ticket.Note
	for _, k := range all {
		if k.internal() {
			out = append(out, k.note(ticketID))
		}
	}
	return out, nil
}

// CreateNote makes an internal comment, as CreateComment does, that begins with
// the title.
func (c *Client) CreateNote(ctx context.Context, ticketID string, n ticket.NewNote) (ticket.Note, error) {
	t, err := c.begin("write a note on issue "+ticketID, endComment, ticketID)
	if err != nil {
		return ticket.Note{}, err
	}
	defer t.end()
	doc := noteDocument(n.Title, noteContent(n.Title, n.Content))
	made, err := t.createComment(ctx, ticketID, doc, ticket.NewComment{Internal: true, Operation: n.Operation})
	if err != nil {
		return ticket.Note{}, err
	}
	return made.note(ticketID), nil
}

// RecoverNote looks for a note whose creation had no answer, as RecoverComment does.
func (c *Client) RecoverNote(ctx context.Context, ticketID string, n ticket.NewNote, a ticket.Attempt) (ticket.Note, bool, error) {
	t, err := c.begin("look for a note on issue "+ticketID, endComments, "")
	if err != nil {
		return ticket.Note{}, false, err
	}
	defer t.end()
	hit, found, err := t.recoverComment(ctx, ticketID, n.Operation, a)
	if err != nil || !found {
		return ticket.Note{}, false, err
	}
	return hit.note(ticketID), true, nil
}

// PatchNote sets title or content of a note; the other stays as it is in Jira,
// rich text included. A note keeps a content: an empty one is refused. The note stays internal: its visibility is sent along.
func (c *Client) PatchNote(ctx context.Context, ticketID, noteID string, p ticket.NotePatch) (ticket.Note, error) {
	t, err := c.begin("change note "+noteID+" of issue "+ticketID, endCommentEdit, ticketID)
	if err != nil {
		return ticket.Note{}, err
	}
	defer t.end()
	if p.Content != nil && strings.TrimSpace(*p.Content) == "" {
		return ticket.Note{}, t.permanent("content: empty: a note needs one")
	}
	now, err := t.noteNow(ctx, ticketID, noteID)
	if err != nil {
		return ticket.Note{}, err
	}
	title, content := readNote(now.Body)
	if p.Title != nil {
		title = *p.Title
	}
	if p.Content != nil {
		content = noteContent(title, *p.Content)
	}
	body := map[string]any{}
	if now.Visibility != nil {
		body["visibility"] = now.Visibility
	}
	if now.Public != nil && !*now.Public {
		body["properties"] = []property{hidden()}
	}
	doc := noteDocument(title, content)
	if len(doc.Content) == 0 {
		return ticket.Note{}, t.permanent("content: empty: Jira takes no empty comment")
	}
	if equalJSON(doc, now.Body) {
		return now.note(ticketID), nil
	}
	body["body"] = doc
	var made comment
	err = t.do(ctx, call{endpoint: endCommentEdit, path: commentPath(ticketID, noteID), body: body, issue: ticketID}, &made)
	if err != nil {
		return ticket.Note{}, err
	}
	if made.ID == "" {
		return ticket.Note{}, t.nonsense("a comment without id")
	}
	return made.note(ticketID), nil
}

// DeleteNote deletes a note. One that is gone, or is no note, is NotFound.
func (c *Client) DeleteNote(ctx context.Context, ticketID, noteID string) error {
	t, err := c.begin("delete note "+noteID+" of issue "+ticketID, endCommentDelete, ticketID)
	if err != nil {
		return err
	}
	defer t.end()
	if _, err := t.noteNow(ctx, ticketID, noteID); err != nil {
		return err
	}
	return t.deleteComment(ctx, ticketID, noteID)
}

// noteNow reads a comment that is a note.
func (t *turn) noteNow(ctx context.Context, ticketID, noteID string) (comment, error) {
	if ticketID == "" || noteID == "" {
		return comment{}, t.permanent("the ticket's and the note's id are needed")
	}
	var now comment
	err := t.do(ctx, call{endpoint: endCommentGet, path: commentPath(ticketID, noteID)}, &now)
	switch {
	case err != nil:
		return comment{}, err
	case now.ID == "":
		return comment{}, t.nonsense("a comment without id")
	case !now.internal():
		return comment{}, t.absent("comment %s of issue %s is public: it is no note", noteID, ticketID)
	}
	return now, nil
}

func commentPath(ticketID, commentID string) string {
	return "/issue/" + url.PathEscape(ticketID) + "/comment/" + url.PathEscape(commentID)
}
