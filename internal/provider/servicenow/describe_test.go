package servicenow

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// The description column holds the tags, too. Each of the two is what was written,
// whichever is patched, and the same patch again changes nothing.
func TestDescriptionAndTagsArePatchedEachForItself(t *testing.T) {
	for _, application := range []func(*sim.Options, *Config){func(*sim.Options, *Config) {}, security} {
		w := newWorld(t, application)
		n := newTicket(1)
		n.Description, n.Tags = "d1", []string{"a", "rack 7"}
		made := w.create(n)
		read := func() [2]any {
			got, err := w.client.GetTicket(context.Background(), made.ID)
			require.NoError(t, err)
			return [2]any{got.Description, got.Tags}
		}
		assert.Equal(t, "d1\n\nTags: a, rack 7", w.stored(made.ID).Fields["description"], "people see the tags")
		assert.Equal(t, [2]any{"d1", n.Tags}, read())
		for _, c := range []struct {
			patch  ticket.Patch
			text   string
			tags   []string
			column string
		}{
			{ticket.Patch{Description: to("d2\n\nmore")}, "d2\n\nmore", n.Tags, "d2\n\nmore\n\nTags: a, rack 7"},
			{ticket.Patch{Tags: &[]string{"b"}}, "d2\n\nmore", []string{"b"}, "d2\n\nmore\n\nTags: b"},
			{ticket.Patch{Description: to("d3\n\nTags: b")}, "d3", []string{"b"}, "d3\n\nTags: b"},
			{ticket.Patch{Description: to("d3\n\nTags: x")}, "d3\n\nTags: x", []string{"b"}, "d3\n\nTags: x\n\nTags: b"},
			{ticket.Patch{Description: to("")}, "", []string{"b"}, "Tags: b"},
			{ticket.Patch{Description: to("d4"), Tags: &[]string{"c", "d"}}, "d4", []string{"c", "d"}, "d4\n\nTags: c, d"},
			{ticket.Patch{Tags: &[]string{}}, "d4", nil, "d4"},
		} {
			out := w.patch(made.ID, c.patch)
			assert.Empty(t, out.Warnings(), c.column)
			assert.Equal(t, [2]any{c.text, c.tags}, [2]any{out.Description, out.Tags}, c.column)
			assert.Equal(t, [2]any{c.text, c.tags}, read(), c.column)
			assert.Equal(t, c.column, w.stored(made.ID).Fields["description"])
			sent := w.sim.Stats().Requests["patch"]
			w.patch(made.ID, c.patch)
			assert.Equal(t, sent, w.sim.Stats().Requests["patch"], "nothing differs")
		}
	}
}

func TestTagsThatOneLineCannotHold(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Tags = []string{"one, two", " x "}
	made := w.create(n)
	assert.Equal(t, []string{"one,two", "x"}, made.Tags)
	assert.Contains(t, strings.Join(made.Warnings(), "\n"), `tags: kept as ["one,two" "x"]`)
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprintf("tag-%05d", i)
	}
	out := w.patch(made.ID, ticket.Patch{Tags: &many})
	assert.Equal(t, many[:len(out.Tags)], out.Tags, "none is cut in two")
	assert.Greater(t, len(out.Tags), 100)
	assert.Len(t, out.Warnings(), 1)

	full := strings.Repeat("x", widthText)
	require.NoError(t, w.sim.SetByAgent(made.ID, map[string]string{"description": full}))
	_, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Tags: &[]string{"a"}})
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "tags: ")
	assert.Equal(t, full, w.stored(made.ID).Fields["description"], "what people wrote is not cut for a tag")
}

// Creating wrote below the description what found no column. A text without that is
// written as it is given, and told.
func TestAPatchTellsOfLinesThatItTakesAway(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Assignee, n.Tags = "nobody@acme.example", []string{"a"}
	made := w.create(n)
	require.Equal(t, "The disk is full.\n\nAssignee: nobody@acme.example", made.Description)
	kept := w.patch(made.ID, ticket.Patch{Description: to("new\n\nAssignee: nobody@acme.example")})
	assert.Empty(t, kept.Warnings())
	out := w.patch(made.ID, ticket.Patch{Description: to("new")})
	assert.Equal(t, "new", out.Description)
	assert.Equal(t, []string{"a"}, out.Tags)
	assert.Contains(t, strings.Join(out.Warnings(), "\n"), `the line "Assignee: nobody@acme.example"`)
}

// A text that is too long is told of, and kept whole in one comment, however often
// the patch is made.
func TestAPatchWithTextsThatAreTooLong(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Tags = []string{"a"}
	made := w.create(n)
	long := strings.Repeat("description ", 500) + "end"
	p := ticket.Patch{Description: &long, Name: to(strings.Repeat("n", 400))}
	for _, lost := range []struct {
		op   string
		wait time.Duration
	}{{"comment", w.client.Settling()}, {"patch", 0}} {
		w.fail(sim.Fault{Kind: sim.DropAfter, Op: lost.op, Times: 1})
		_, err := w.client.PatchTicket(context.Background(), made.ID, p)
		assert.Equal(t, ticket.Retry, kindOf(t, err))
		assert.Equal(t, lost.wait, retryAfter(t, err), "the comment may still come")
	}
	for range 2 {
		out := w.patch(made.ID, p)
		told := strings.Join(out.Warnings(), "\n")
		assert.Contains(t, told, "name: 400 characters: cut at the 160")
		assert.Contains(t, told, "description: 6003 characters: cut at the 3991 that ServiceNow takes: the whole text is a comment")
		assert.Equal(t, []string{"a"}, out.Tags)
		assert.True(t, strings.HasSuffix(out.Description, commentNotice))
		assert.True(t, strings.HasPrefix(long, strings.TrimSuffix(out.Description, commentNotice)))
		comments, err := w.client.ListComments(context.Background(), made.ID)
		require.NoError(t, err)
		require.Len(t, comments, 1)
		assert.Equal(t, long, comments[0].Content)
	}
	other := long + " of another text that begins alike"
	w.patch(made.ID, ticket.Patch{Description: &other})
	comments, err := w.client.ListComments(context.Background(), made.ID)
	require.NoError(t, err)
	require.Len(t, comments, 2)

	huge := strings.Repeat("x", 40_000)
	_, err = w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Description: &huge})
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "description: 40000 characters: ServiceNow takes 4000, and a comment 31960")
}

// An account that sees no comments writes none: it could be there already. What was
// cut off is told to be lost.
func TestATextThatIsTooLongForAnAccountWithoutComments(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	w.sim.Deny("sys_journal_field")
	w.sim.Restrict("task", "comments", false, true)
	out := w.patch(made.ID, ticket.Patch{Description: to(strings.Repeat("x", 5000))})
	assert.Contains(t, strings.Join(out.Warnings(), "\n"), "description: 5000 characters: cut at the 4000 that ServiceNow takes: the whole text is no comment either: ")
	assert.True(t, strings.HasSuffix(out.Description, cutNotice))
	assert.Empty(t, w.sim.Journal(made.ID))
}

// A line of tags that people wrote stays as they wrote it.
func TestTagsThatPeopleWroteStayAsTheyAre(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	tags := "Tags: a,  b, " + strings.Repeat("c", 3000)
	require.NoError(t, w.sim.SetByAgent(made.ID, map[string]string{"description": "by hand\r\n\r\n" + tags}))
	out := w.patch(made.ID, ticket.Patch{Description: to("new")})
	assert.Equal(t, "new", out.Description)
	assert.Empty(t, out.Warnings())
	assert.Equal(t, "new\n\n"+tags, w.stored(made.ID).Fields["description"])
}

// Creating cuts the text above the tags, never the tags.
func TestALongTextDoesNotCostTheTags(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Description, n.Tags, n.Assignee = strings.Repeat("x", 5000), []string{"a", "b"}, "nobody@acme.example"
	made := w.create(n)
	assert.Equal(t, n.Tags, made.Tags)
	assert.Contains(t, made.Description, "Assignee: nobody")
	assert.Contains(t, strings.Join(made.Warnings(), "\n"), "cut at the 4000 that ServiceNow takes")
}
