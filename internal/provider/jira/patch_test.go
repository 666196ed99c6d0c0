package jira

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// A priority is understood however it is written; a word that is none is refused,
// with those that there are.
func TestAPatchOfThePriority(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) { c.PriorityMap = map[ticket.Priority]string{ticket.High: "Highest"} })
	made := w.create(newTicket(1))
	patch := func(p ticket.Priority) (ticket.Ticket, error) {
		return w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Priority: &p})
	}
	_, err := patch("Sev1")
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, `priority: "Sev1": want one of [URGENT CRITICAL HIGH`)
	_, err = patch(" high")
	assert.NoError(t, err)
	assert.Equal(t, "Highest", w.stored(made.ID).Priority)
	_, err = patch("lowest")
	assert.NoError(t, err, "the site's own name")
}

// What Jira has no room for is told, never cut in silence.
func TestAPatchWithTextsThatAreTooLong(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	long, fits, title := strings.Repeat("é", maxText+1), strings.Repeat("é", maxText), strings.Repeat("n", 400)
	_, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Description: &long})
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "description: 32768 characters: Jira takes 32767")
	out, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Description: &fits, Name: &title})
	assert.NoError(t, err)
	assert.Equal(t, fits, out.Description)
	assert.Equal(t, []string{"name: 400 characters: cut at the 254 that Jira takes"}, out.Warnings())
}
