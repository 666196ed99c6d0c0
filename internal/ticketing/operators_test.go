package ticketing_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// What writes ask of a provider is what this package says that it may implement:
// a name that means two things would make an operator silently unsupported.
var (
	_ activities.TicketCreator       = ticketing.TicketCreator(nil)
	_ ticketing.TicketRecoverer      = activities.TicketRecoverer(nil)
	_ activities.TicketPatcher       = ticketing.TicketPatcher(nil)
	_ activities.CommentCreator      = ticketing.CommentCreator(nil)
	_ ticketing.CommentRecoverer     = activities.CommentRecoverer(nil)
	_ activities.CommentDeleter      = ticketing.CommentDeleter(nil)
	_ activities.NoteCreator         = ticketing.NoteCreator(nil)
	_ activities.NoteRecoverer       = ticketing.NoteRecoverer(nil)
	_ activities.NotePatcher         = ticketing.NotePatcher(nil)
	_ activities.NoteDeleter         = ticketing.NoteDeleter(nil)
	_ activities.AttachmentCreator   = ticketing.AttachmentCreator(nil)
	_ activities.AttachmentRecoverer = ticketing.AttachmentRecoverer(nil)
	_ activities.AttachmentDeleter   = ticketing.AttachmentDeleter(nil)
)

// The operators that change something have the same names on both sides.
func TestWritesAreNamedLikeTheirOperators(t *testing.T) {
	var names []string
	for _, operator := range []ticketing.Operator{
		ticketing.CreateTicket, ticketing.PatchTicket, ticketing.CreateComment, ticketing.DeleteComment,
		ticketing.CreateNote, ticketing.PatchNote, ticketing.DeleteNote, ticketing.CreateAttachment, ticketing.DeleteAttachment,
	} {
		names = append(names, string(operator))
	}
	assert.Equal(t, contract.WriteOperators(), names)
}
