package servicenow

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func to[T any](v T) *T { return &v }

func (w *world) patch(id string, p ticket.Patch) ticket.Ticket {
	w.t.Helper()
	out, err := w.client.PatchTicket(context.Background(), id, p)
	require.NoError(w.t, err)
	return out
}

// Every status of a request leads somewhere, at both applications.
func TestStatusesLeadToTheTenantsStates(t *testing.T) {
	for status, want := range map[string][2]string{
		"declined": {"New", "Draft"}, "on_backlog": {"New", "Draft"}, "assigned": {"New", "Draft"},
		"accepted": {"In Progress", "Analysis"}, "in_progress": {"In Progress", "Analysis"},
		"waiting_for": {"On Hold", "Analysis"}, "waiting_for_customer": {"On Hold", "Analysis"},
		"reservation_pending": {"On Hold", "Analysis"}, "workflow_pending": {"On Hold", "Analysis"}, "project_pending": {"On Hold", "Analysis"},
		"completed": {"Resolved", "Closed"}, "Closed": {"Closed", "Closed"}, "18": {"", "Contain"}, "canceled": {"Canceled", "Cancelled"},
	} {
		for i, application := range []func(*sim.Options, *Config){func(*sim.Options, *Config) {}, security} {
			if want[i] == "" {
				continue
			}
			w := newWorld(t, application)
			made := w.create(newTicket(1))
			got := w.patch(made.ID, ticket.Patch{Status: &status})
			assert.Equal(t, want[i], got.Status, status)
			assert.Equal(t, strings.Contains("Resolved Closed Canceled Cancelled", want[i]), got.Closed, status)
			sent := w.sim.Stats().Requests["patch"]
			w.clock.move(time.Minute)
			again := w.patch(made.ID, ticket.Patch{Status: &status})
			assert.Equal(t, got.UpdatedAt, again.UpdatedAt, "the same patch again changes nothing")
			assert.Equal(t, sent, w.sim.Stats().Requests["patch"], status)
		}
	}
}

func TestStatusMapGoesFirst(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.StatusMap = map[string]string{"completed": "closed", "waiting_for": "On Hold/Awaiting Change", "accepted": "2", "declined": "On Hold / Moon"}
	})
	require.ErrorContains(t, w.client.Check(context.Background()), `there is no on-hold reason "Moon"`)
	made := w.create(newTicket(1))
	assert.Equal(t, "Awaiting Change", w.patch(made.ID, ticket.Patch{Status: to("waiting_for")}).Unmapped["hold_reason"])
	assert.Equal(t, "In Progress", w.patch(made.ID, ticket.Patch{Status: to("accepted")}).Status)
	assert.Equal(t, "Awaiting Caller", w.patch(made.ID, ticket.Patch{Status: to("waiting_for_customer")}).Unmapped["hold_reason"])
	done := w.patch(made.ID, ticket.Patch{Status: to("completed")})
	assert.Equal(t, "Closed", done.Status)
	_, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Status: to("elsewhere")})
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "On Hold (3)")
}

// The tenant's own choices are read: values that are not the baseline's, labels
// that are not either.
func TestChoicesAreTheTenants(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) { c.DefaultProject = "u_ops_incident" })
	for _, pair := range [][2]string{{"1", "Opened"}, {"2", "Being worked on"}, {"6", "Fixed"}} {
		w.sim.Add("sys_choice", map[string]string{"name": "u_ops_incident", "element": "state", "value": pair[0], "label": pair[1], "language": "en", "inactive": "false"})
	}
	w.sim.Add("sys_choice", map[string]string{"name": "u_ops_incident", "element": "close_code", "value": "4711", "label": "Duplicate", "language": "en", "inactive": "false"})
	made := w.create(newTicket(1))
	assert.Equal(t, "Being worked on", w.patch(made.ID, ticket.Patch{Status: to("in_progress")}).Status)
	done := w.patch(made.ID, ticket.Patch{Status: to("completed"), Resolution: to("duplicate")})
	assert.Equal(t, "6", w.stored(made.ID).Fields["state"])
	assert.Equal(t, "4711", w.stored(made.ID).Fields["close_code"])
	assert.True(t, done.Closed, "under whatever name")
}

// A ticket cannot be closed without code and notes: both are given, the code from
// the tenant's list.
func TestClosingGivesCodeAndNotes(t *testing.T) {
	for reason, want := range map[string]string{
		"": "Solution provided", "solved": "Solution provided", "workaround": "Workaround provided", "duplicate": "Duplicate",
		"gone": "No resolution provided", "withdrawn": "Resolved by caller", "Known error": "Known error", "new word": "Solution provided",
	} {
		w := newWorld(t)
		made := w.create(newTicket(1))
		patch := ticket.Patch{Status: to("completed")}
		if reason != "" {
			patch.Resolution = &reason
		}
		done := w.patch(made.ID, patch)
		f := w.stored(made.ID).Fields
		assert.Equal(t, want, f["close_code"], reason)
		assert.Contains(t, f["close_notes"], reason)
		assert.NotEmpty(t, f["close_notes"])
		assert.Equal(t, w.clock.now(), done.ClosedSince())
		assert.Empty(t, done.Warnings(), reason)
	}
	w := newWorld(t, func(*sim.Options, *Config) {})
	made := w.create(newTicket(1))
	require.NoError(t, w.sim.SetByAgent(made.ID, map[string]string{"close_notes": "by hand", "close_code": "Known error"}))
	w.patch(made.ID, ticket.Patch{Status: to("completed")})
	assert.Equal(t, "by hand", w.stored(made.ID).Fields["close_notes"], "what an agent wrote stays")
}

// A process that goes forward only, step by step, is gone through.
func TestAProcessIsGoneThroughStepByStep(t *testing.T) {
	w := newWorld(t, security, func(o *sim.Options, _ *Config) { o.StatefulProcess = true })
	made := w.create(newTicket(1))
	done := w.patch(made.ID, ticket.Patch{Status: to("completed"), Resolution: to("solved")})
	assert.Equal(t, "Closed", done.Status)
	assert.Equal(t, "investigation_completed", w.stored(made.ID).Fields["close_code"])

	forward := w.create(newTicket(2))
	assert.Equal(t, "Contain", w.patch(forward.ID, ticket.Patch{Status: to("Contain")}).Status)
	sent := w.sim.Stats().Requests["patch"]
	assert.Equal(t, "Contain", w.patch(forward.ID, ticket.Patch{Status: to("assigned")}).Status, "it is not sent back")
	assert.Equal(t, sent, w.sim.Stats().Requests["patch"])
	_, err := w.client.PatchTicket(context.Background(), forward.ID, ticket.Patch{Status: to("Draft")})
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "named, it is tried, and refused")
}

// The account's language is that of what it is shown, not of what is decided.
func TestAnAccountOfAnotherLanguage(t *testing.T) {
	german := map[string][][2]string{
		"incident":       {{"1", "Neu"}, {"2", "In Bearbeitung"}, {"6", "Gelöst"}},
		"sn_si_incident": {{"10", "Entwurf"}, {"16", "Analyse"}, {"18", "Eindämmen"}, {"3", "Abgeschlossen"}},
	}
	for _, application := range []func(*sim.Options, *Config){func(*sim.Options, *Config) {}, security} {
		w := newWorld(t, application, func(o *sim.Options, _ *Config) { o.StatefulProcess, o.Language = true, "de" })
		for table, pairs := range german {
			for _, pair := range pairs {
				w.sim.Add("sys_choice", map[string]string{"name": table, "element": "state", "value": pair[0], "label": pair[1], "language": "de", "inactive": "false"})
			}
		}
		made := w.create(newTicket(1))
		assert.Contains(t, []string{"Neu", "Entwurf"}, made.Status)
		assert.Contains(t, []string{"In Bearbeitung", "Analyse"}, w.patch(made.ID, ticket.Patch{Status: to("in_progress")}).Status)
		done := w.patch(made.ID, ticket.Patch{Status: to("completed")})
		assert.Contains(t, []string{"Gelöst", "Abgeschlossen"}, done.Status)
		assert.True(t, done.Closed)
	}
}

func TestAPatchSendsWhatDiffers(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	due := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)
	p := ticket.Patch{
		Name: to("another title"), Description: to("another text"), Priority: to(ticket.Low), Assignee: to("mia.krystof"),
		Contact: to("mia@acme.example"), DueDate: &due, IssueType: to("Software"), Tags: &[]string{"x"}, CompletionDate: &due,
	}
	out := w.patch(made.ID, p)
	assert.Equal(t, map[string]any{
		"short_description": "another title", "description": "another text\n\nTags: x", "impact": "2", "assigned_to": sim.UserMia,
		"caller_id": sim.UserMia, "due_date": "2026-03-09 08:00:00", "category": "software",
	}, w.seen.last("PATCH").body)
	assert.Equal(t, ticket.Low, out.Priority)
	assert.Equal(t, due, out.DueDate)
	assert.Len(t, out.Warnings(), 1)
	sent := w.sim.Stats().Requests["patch"]
	w.patch(made.ID, p)
	assert.Equal(t, sent, w.sim.Stats().Requests["patch"], "nothing differs")
	w.patch(made.ID, ticket.Patch{Assignee: to(""), DueDate: &time.Time{}})
	assert.Equal(t, map[string]any{"assigned_to": "", "due_date": ""}, w.seen.last("PATCH").body)
	for field, wrong := range map[string]ticket.Patch{
		"project": {Project: to("problem")}, "creator": {Creator: to("mia@acme.example")}, "name": {Name: to(" ")}, "parent": {Parent: to("INC0099999")},
	} {
		_, err := w.client.PatchTicket(context.Background(), made.ID, wrong)
		assert.Equal(t, ticket.Permanent, kindOf(t, err), field)
		assert.ErrorContains(t, err, field)
	}
}

func TestAClosedTicketIsLeftAlone(t *testing.T) {
	for _, application := range []func(*sim.Options, *Config){func(*sim.Options, *Config) {}, security} {
		w := newWorld(t, application)
		made := w.create(newTicket(1))
		open := time.Time{}
		assert.Equal(t, open, made.ClosedSince())
		w.patch(made.ID, ticket.Patch{Status: to("completed")})
		closedAt := w.clock.now()
		w.clock.move(time.Hour)
		ctx := context.Background()
		late := w.clock.now()
		_, err := w.client.PatchTicket(ctx, made.ID, ticket.Patch{Name: to("x"), UnlessClosedBefore: late})
		require.Equal(t, ticket.Closed, kindOf(t, err))
		var e *ticket.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, closedAt, e.ClosedAt)
		_, err = w.client.CreateComment(ctx, made.ID, ticket.NewComment{Content: "x", Operation: "o", UnlessClosedBefore: late})
		assert.Equal(t, ticket.Closed, kindOf(t, err))
		assert.Empty(t, w.sim.Journal(made.ID))
		kept := w.patch(made.ID, ticket.Patch{Name: to("renamed"), Status: to("assigned"), KeepClosed: true, UnlessClosedBefore: closedAt})
		assert.True(t, kept.Closed)
		assert.Equal(t, "renamed", kept.Name)
	}
}

// The platform's times are whole seconds. A recovery that closes its ticket must
// not find its own comment come too late.
func TestWhatCameWithinTheSecondOfTheClosingIsNotTooLate(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	w.clock.move(700 * time.Millisecond)
	closedAt := w.clock.now()
	w.patch(made.ID, ticket.Patch{Status: to("completed")})
	for offset, want := range map[time.Duration]bool{-500 * time.Millisecond: true, 200 * time.Millisecond: true, time.Second: false} {
		_, err := w.client.CreateComment(context.Background(), made.ID, ticket.NewComment{Content: "x", UnlessClosedBefore: closedAt.Add(offset)})
		assert.Equal(t, want, err == nil, "%s: %v", offset, err)
	}
}

// An interrupted patch is repeated; its effect is the same.
func TestAPatchWithoutAnswerIsRepeated(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	for _, kind := range []string{sim.ErrorAfter, sim.DropAfter, sim.Poisoned, sim.Queued, sim.DropBefore} {
		w.fail(sim.Fault{Kind: kind, Op: "patch", Times: 1})
		p := ticket.Patch{Name: to("renamed by " + kind), Status: to("in_progress")}
		_, err := w.client.PatchTicket(context.Background(), made.ID, p)
		assert.Equal(t, ticket.Retry, kindOf(t, err), kind)
		out := w.patch(made.ID, p)
		assert.Equal(t, "renamed by "+kind, out.Name)
	}
}

// A word that is no priority is refused, not taken for no change.
func TestAPatchOfThePriority(t *testing.T) {
	for _, application := range []func(*sim.Options, *Config){func(*sim.Options, *Config) {}, security} {
		w := newWorld(t, application)
		made := w.create(newTicket(1))
		before := w.sim.Stats().Requests["patch"]
		_, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Priority: to(ticket.Priority("Sev1"))})
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, `priority: "Sev1": want one of [URGENT CRITICAL HIGH MEDIUM MODERATE LOW PLANNING]`)
		kept := w.patch(made.ID, ticket.Patch{Priority: to(ticket.Priority(""))})
		assert.Equal(t, made.Priority, kept.Priority)
		assert.Contains(t, strings.Join(kept.Warnings(), "\n"), "priority: left as it was")
		assert.Equal(t, before, w.sim.Stats().Requests["patch"])
		assert.Equal(t, ticket.High, w.patch(made.ID, ticket.Patch{Priority: to(ticket.Priority(" high"))}).Priority, "lower case is understood")
	}
}
