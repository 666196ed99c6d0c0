package provider

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// source is what the API made.
type source map[string]registry.Found

func (s source) Find(_ context.Context, name string) (registry.Found, error) {
	if found, ok := s[name]; ok {
		return found, nil
	}
	return registry.Found{}, operate.ErrNotFound
}

func managed() *config.Config {
	return &config.Config{Callers: []config.Caller{{Name: "boss", Admin: true}}}
}

func TestAClientLastsUntilItsIntegrationChanges(t *testing.T) {
	made := source{"try": {Integration: config.Integration{Name: "try", Type: config.TypeMock}, Print: "1"}}
	set, err := New(managed(), made)
	require.NoError(t, err)
	first, err := set.Integration(t.Context(), "try")
	require.NoError(t, err)
	again, err := set.Integration(t.Context(), "try")
	require.NoError(t, err)
	assert.Same(t, first.Client, again.Client)

	kept, err := first.Client.(activities.TicketCreator).CreateTicket(t.Context(), ticket.New{Name: "kept"})
	require.NoError(t, err)
	made["try"] = registry.Found{Integration: config.Integration{Name: "try", Type: config.TypeMock, DefaultProject: "OPS"}, Print: "2"}
	changed, err := set.Integration(t.Context(), "try")
	require.NoError(t, err)
	assert.NotSame(t, first.Client, changed.Client)
	found, err := changed.Client.(activities.TicketGetter).GetTicket(t.Context(), kept.ID)
	require.NoError(t, err, "a test provider that is configured otherwise keeps its tickets")
	assert.Equal(t, "kept", found.Name)

	delete(made, "try")
	_, err = set.Integration(t.Context(), "try")
	require.ErrorIs(t, err, operate.ErrNotFound)
	assert.Empty(t, set.made)
}

// An integration of any type may come at any time.
func TestWhereIntegrationsAreManagedEveryQueueIsServed(t *testing.T) {
	set, err := New(managed(), source{})
	require.NoError(t, err)
	var queues []string
	for _, r := range all() {
		queues = append(queues, r.queue)
	}
	assert.Subset(t, append(set.Providers(), set.ProvidersInServe()...), queues)
}

func TestTheFileComesFirst(t *testing.T) {
	c := managed()
	c.Integrations = []config.Integration{{Name: "try", Type: config.TypeMock}}
	set, err := New(c, source{"try": {Integration: config.Integration{Name: "try", Type: config.TypeTorq}}})
	require.NoError(t, err)
	_, err = set.Integration(t.Context(), "try")
	assert.NoError(t, err)
}
