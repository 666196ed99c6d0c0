package mock

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Many callers at once, all with the same operations: everything is there once, and
// the memory counts what it holds.
func TestManyAtOnce(t *testing.T) {
	c, _ := newWorld(t, Config{})
	const callers, tickets = 8, 20
	var group errgroup.Group
	for caller := range callers {
		group.Go(func() error {
			for n := range tickets {
				if err := c.busy(t, caller, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	all := c.list(t.Context(), t, ticket.Query{Limit: 3})
	assert.Len(t, all, tickets)
	for _, one := range all {
		comments, err := c.ListComments(t.Context(), one.ID)
		require.NoError(t, err)
		assert.Len(t, comments, 2, "one comment, one note")
		files, err := c.ListAttachments(t.Context(), one.ID)
		require.NoError(t, err)
		assert.Len(t, files, 1)
		assert.Len(t, one.Tags, 1)
	}
	c.assertCounted(t)
	assert.EqualValues(t, tickets*len("content"), c.memory.files)
}

// busy does a bit of everything with one ticket.
func (c *Client) busy(t *testing.T, caller, n int) error {
	ctx, operation := t.Context(), fmt.Sprintf("op-%d", n)
	made, err := c.CreateTicket(ctx, ticket.New{Name: operation, Marker: marked(operation), CustomFields: map[string]any{"n": n}})
	if err != nil {
		return err
	}
	made.CustomFields["n"] = "the caller's" // nobody else sees it
	_, err = c.CreateComment(ctx, made.ID, ticket.NewComment{Content: "comment", Operation: operation})
	if err != nil {
		return err
	}
	note, err := c.CreateNote(ctx, made.ID, ticket.NewNote{Content: "note", Operation: operation + "/note"})
	if err != nil {
		return err
	}
	if _, err = c.PatchNote(ctx, made.ID, note.ID, ticket.NotePatch{Title: ptr(fmt.Sprint(caller))}); err != nil {
		return err
	}
	file := upload("a.txt", "content")
	file.Operation = operation
	added, err := c.CreateAttachment(ctx, made.ID, file)
	if err != nil {
		return err
	}
	down, err := c.DownloadAttachment(ctx, made.ID, added.ID)
	if err != nil {
		return err
	}
	if _, err = io.Copy(io.Discard, down.Body); err != nil {
		return err
	}
	_, err = c.PatchTicket(ctx, made.ID, ticket.Patch{
		Tags: &[]string{fmt.Sprint(caller)}, CustomFields: map[string]any{fmt.Sprint("c", caller): caller},
	})
	if err != nil {
		return err
	}
	if _, err = c.QueryTickets(ctx, ticket.Query{Limit: 1, Filters: []ticket.Filter{{Field: "custom_fields.n", Op: ticket.Equal, Values: []string{fmt.Sprint(n)}}}}); err != nil {
		return err
	}
	_, err = c.FindTicket(ctx, ticket.Marker{Key: "key-1"})
	return err
}
