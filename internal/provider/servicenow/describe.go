package servicenow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// describing is what a patch makes of the description, which holds the tags, too.
type describing struct {
	text, tags string
	width      int
}

// maxCommented is how long a text can be that becomes a comment, whole: the mark
// ends it.
const maxCommented = maxJournal - 40

// editDescription works out the description: a new text above the tags that the
// record has, new tags below the text that it has, or both new.
func (t *turn) editDescription(p ticket.Patch, width int, e *edit) error {
	if p.Description == nil && p.Tags == nil {
		return nil
	}
	text, tags := takeTags(e.now.text("description"))
	d := &describing{text, tagsLine(tags), width}
	if p.Tags != nil {
		var warnings []string
		d.tags, warnings = writeTags(*p.Tags, tagsRoom(width))
		e.warnings = append(e.warnings, warnings...)
	}
	if p.Description != nil {
		d.text = clean(*p.Description)
		if bare, own := takeTags(d.text); p.Tags == nil && slices.Equal(own, tags) {
			d.text = bare // as it is stored, or was read before tags were taken out
		}
		if long := utf8.RuneCountInString(journalText(d.text)); long > maxCommented {
			return t.permanent("description: %d characters: ServiceNow takes %d, and a comment %d: make it shorter", long, width, maxCommented)
		}
		e.warnings = append(e.warnings, t.c.linesLost(e.now, text, d.text)...)
	} else if d.isLong() {
		return t.permanent("tags: they are a line of the description, which leaves no room for them: make it shorter")
	}
	e.description = d
	return nil
}

// room is how much of the column the tags leave.
func (d *describing) room() int {
	if d.tags == "" {
		return d.width
	}
	return d.width - utf8.RuneCountInString(d.tags) - 2
}

func (d *describing) isLong() bool { return utf8.RuneCountInString(d.text) > d.room() }

// describe sets the description. The whole of a text that does not fit becomes a
// comment first, as on creation. That text is what the comment is found by, so that
// a patch that is made again does not double it.
func (t *turn) describe(ctx context.Context, in row, e *edit) error {
	d := e.description
	if d == nil {
		return nil
	}
	notice := cutNotice
	if d.isLong() {
		told := fmt.Sprintf("description: %d characters: cut at the %d that ServiceNow takes: the whole text is a comment", utf8.RuneCountInString(d.text), d.room())
		switch err := t.commentOnce(ctx, in, d.text); {
		case err == nil:
			notice = commentNotice
		case ticket.KindOf(err) == ticket.Permanent:
			told = strings.Replace(told, "is a comment", "is no comment either: "+err.Error(), 1)
		default:
			return err
		}
		e.warnings = append(e.warnings, told)
	}
	want := fitAbove(d.text, d.tags, d.width, notice)
	haveText, haveTags := takeTags(e.now.text("description"))
	if text, tags := takeTags(want); !sameText(text, haveText) || !slices.Equal(tags, haveTags) {
		e.set("description", want)
	}
	return nil
}

// commentOnce writes a text as a comment, unless it is one of the ticket. Whether a
// call without an answer wrote it shows itself when it has settled.
func (t *turn) commentOnce(ctx context.Context, in row, text string) error {
	n := ticket.NewComment{Content: text, Operation: "text of " + in.text("sys_id") + " " + ticket.OperationHash(text)}
	_, there, err := t.entry(ctx, in, n)
	if err != nil || there {
		return err
	}
	if err = t.append(ctx, in, entryText(n), n); err == nil {
		_, err = t.written(ctx, in, n)
	}
	if failed, ok := errors.AsType[*ticket.Error](err); ok && failed.Kind == ticket.OutcomeUnknown {
		failed.Kind, failed.RetryAfter = ticket.Retry, t.c.config.Settling
	}
	return err
}

// linesLost tells of the lines that creating wrote below the description of a ticket
// of ours, and that a new text does not have.
func (c *Client) linesLost(now record, have, want string) []string {
	if _, ours := readStamp(now.text("correlation_id")); !ours {
		return nil
	}
	var warnings []string
	have = strings.ReplaceAll(have, "\r\n", "\n")
	last := have[strings.LastIndex(have, "\n\n")+1:]
	for line := range strings.SplitSeq(strings.TrimSpace(last), "\n") {
		title, _, ok := strings.Cut(line, ": ")
		if ok && c.isNoteTitle(title) && !slices.Contains(strings.Split(want, "\n"), line) {
			warnings = append(warnings, fmt.Sprintf("description: the line %q, which it held since the ticket was made, is not in the new text", line))
		}
	}
	return warnings
}

// isNoteTitle: creating begins lines with it.
func (c *Client) isNoteTitle(title string) bool {
	return slices.Contains([]string{"Assignee", "Contact", "Creator"}, title) || isOwn(title) ||
		slices.ContainsFunc(c.config.CustomFieldMappings, func(m CustomFieldMapping) bool { return m.Name == title })
}
