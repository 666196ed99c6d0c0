package provider

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
)

// Matching needs all of these of every provider.
func TestEveryProviderDoesWhatMatchingNeeds(t *testing.T) {
	for _, r := range registrations() {
		in := config.Integration{
			Name: "x", Type: r.kind, URL: "https://x.example",
			Credential: config.Credential{Type: config.CredentialBasic, Username: "u", Secret: config.NewSecret("hunter2")},
		}
		set, err := New(&config.Config{Integrations: []config.Integration{in}})
		require.NoError(t, err, r.kind)
		found, err := set.Integration("x")
		require.NoError(t, err)
		assert.Equal(t, Short(r.kind), found.Provider)
		assert.Equal(t, []string{found.Provider}, set.Providers())
		assert.Implements(t, (*activities.TicketCreator)(nil), found.Client)
		assert.Implements(t, (*activities.TicketRecoverer)(nil), found.Client)
		assert.Implements(t, (*activities.TicketFinder)(nil), found.Client)
		assert.Implements(t, (*activities.TicketGetter)(nil), found.Client)
		assert.Implements(t, (*activities.TicketPatcher)(nil), found.Client)
		assert.Implements(t, (*activities.CommentCreator)(nil), found.Client)
		assert.Implements(t, (*activities.CommentRecoverer)(nil), found.Client)
	}
}

func TestATypeToComeIsNotAvailable(t *testing.T) {
	_, err := New(&config.Config{Integrations: []config.Integration{{Name: "x", Type: config.TypeTorq}}})
	assert.ErrorContains(t, err, "type ticketing_torq is not available in this version")
}
