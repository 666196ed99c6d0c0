package mock

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

func startOfTime() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

// newWorld is an integration with a clock that stands; without a rate, because no
// time passes in which it could recover.
func newWorld(t testing.TB, config Config) (*Client, *clock) {
	t.Helper()
	own := &clock{at: startOfTime()}
	config.Name, config.Now = "try", own.now
	config.Rate.PerSecond, config.Rate.Concurrency = 1e9, 1000
	c, err := New(config)
	require.NoError(t, err)
	return c, own
}

func (c *Client) must(t testing.TB, n ticket.New) ticket.Ticket {
	t.Helper()
	if n.Name == "" {
		n.Name = "Disk full"
	}
	made, err := c.CreateTicket(t.Context(), n)
	require.NoError(t, err)
	return made
}

func marked(operation string) ticket.Marker {
	return ticket.Marker{Key: "key-1", Request: 7, Operation: operation}
}

func ptr[T any](value T) *T { return &value }

func requireKind(t testing.TB, kind ticket.Kind, err error, says string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, ticket.KindOf(err), "%v", err)
	require.ErrorContains(t, err, says)
}

func TestItDoesEverything(t *testing.T) {
	c, _ := newWorld(t, Config{})
	for _, operator := range []any{
		(*activities.TicketCreator)(nil), (*activities.TicketRecoverer)(nil), (*activities.TicketFinder)(nil), (*activities.TicketGetter)(nil),
		(*activities.TicketPatcher)(nil), (*activities.CommentCreator)(nil), (*activities.CommentRecoverer)(nil),
		(*ticketing.TicketQuerier)(nil), (*ticketing.TicketGetter)(nil), (*ticketing.CommentLister)(nil), (*ticketing.CommentDeleter)(nil),
		(*ticketing.NoteLister)(nil), (*ticketing.NoteCreator)(nil), (*ticketing.NoteRecoverer)(nil), (*ticketing.NotePatcher)(nil), (*ticketing.NoteDeleter)(nil),
		(*ticketing.AttachmentCreator)(nil), (*ticketing.AttachmentRecoverer)(nil), (*ticketing.AttachmentLister)(nil),
		(*ticketing.AttachmentDownloader)(nil), (*ticketing.AttachmentDeleter)(nil),
		(*ticketing.ProjectLister)(nil), (*ticketing.RemoteFieldLister)(nil), (*ticketing.PolicyQuerier)(nil), (*ticketing.OnCallLister)(nil),
	} {
		assert.Implements(t, operator, c)
	}
}

func TestFaultsNameTheOperatorsOfTheAPI(t *testing.T) {
	want := []string{}
	for _, o := range []ticketing.Operator{
		ticketing.QueryTickets, ticketing.CreateTicket, ticketing.GetTicket, ticketing.PatchTicket,
		ticketing.ListComments, ticketing.CreateComment, ticketing.DeleteComment,
		ticketing.ListNotes, ticketing.CreateNote, ticketing.PatchNote, ticketing.DeleteNote,
		ticketing.CreateAttachment, ticketing.ListAttachments, ticketing.DownloadAttachment, ticketing.DeleteAttachment,
		ticketing.ListProjects, ticketing.ListRemoteFields, ticketing.QueryEscalationPolicies, ticketing.ListOnCall,
	} {
		want = append(want, string(o))
	}
	assert.ElementsMatch(t, want, operators())
}

func TestAWrongConfigurationIsNamed(t *testing.T) {
	_, err := New(Config{
		Name: "try", Latency: -1, CustomFieldMappings: []CustomFieldMapping{{Name: "a", ProjectID: "*", ProviderFieldPath: "/."}},
		Faults: []Fault{{Kind: "mood"}, {Kind: Slow, Share: 2}, {Kind: Slow, Delay: -1}, {Kind: Slow, Operators: []string{"sing"}}},
	})
	for _, says := range []string{
		"integration try", "mock.latency: negative", "custom_field_mappings[0]", `mock.faults[0]: kind: "mood"`, "mock.faults[1]: share",
		"mock.faults[2]: delay", `mock.faults[3]: operators: there is no operator "sing"`,
	} {
		assert.ErrorContains(t, err, says)
	}
}

// assertCounted: the memory counts the texts that it holds.
func (c *Client) assertCounted(t testing.TB) {
	t.Helper()
	sum := 0
	for _, r := range c.memory.all() {
		entries := 0
		for _, e := range r.entries {
			entries += e.size()
		}
		assert.Equal(t, entries, r.entryBytes)
		sum += r.size()
	}
	assert.Equal(t, sum, c.memory.bytes)
}

// list reads all pages of a query.
func (c *Client) list(ctx context.Context, t testing.TB, q ticket.Query) []ticket.Ticket {
	t.Helper()
	var out []ticket.Ticket
	for {
		page, err := c.QueryTickets(ctx, q)
		require.NoError(t, err)
		out = append(out, page.Items...)
		if page.Cursor == "" {
			return out
		}
		q.Cursor = page.Cursor
	}
}

func names(tickets []ticket.Ticket) []string {
	out := []string{}
	for _, t := range tickets {
		out = append(out, t.Name)
	}
	return out
}
