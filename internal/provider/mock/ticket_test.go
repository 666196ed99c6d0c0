package mock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestATicketHoldsWhatItWasGiven(t *testing.T) {
	c, clock := newWorld(t, Config{DefaultIssueType: "Task"})
	parent := c.must(t, ticket.New{Name: "Parent"})
	asked := ticket.New{
		Name: " Disk full ", Summary: "of db-1", Description: "**no** space", Priority: ticket.High, Status: "In Progress",
		Assignee: "mia@acme.example", Creator: "bot@acme.example", Contact: "jo@acme.example", DueDate: startOfTime().Add(time.Hour),
		Project: "any name/1", IssueType: "Bug", Parent: parent.Key, Tags: []string{"disk", " db ", "disk", ""},
		CustomFields: map[string]any{"site": "Lisbon"}, Marker: marked("op-1"),
	}
	made := c.must(t, asked)
	assert.Equal(t, ticket.Ticket{
		ID: ticket.OperationHash("op-1"), Key: "any name/1-2", Name: "Disk full", Summary: "of db-1", Description: "**no** space", Priority: ticket.High, Status: "In Progress",
		Assignee: "mia@acme.example", Creator: "bot@acme.example", Contact: "jo@acme.example", DueDate: startOfTime().Add(time.Hour),
		Project: "any name/1", IssueType: "Bug", Parent: parent.ID, Tags: []string{"disk", "db"},
		CustomFields: map[string]any{"site": "Lisbon"}, CreatedAt: startOfTime(), UpdatedAt: startOfTime(), Operation: "op-1",
		Unmapped: map[string]any{"key": "any name/1-2", "expires_at": "2026-03-05T12:00:00Z"},
	}, made)
	clock.advance(time.Minute)
	for _, id := range []string{made.ID, made.Key} {
		read, err := c.GetTicket(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, made, read)
	}
	made.Tags[0], made.CustomFields["site"] = "changed", "changed" // what was answered is the caller's
	read, err := c.GetTicket(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"disk", "db"}, read.Tags)
	assert.Equal(t, "Lisbon", read.CustomFields["site"])

	bare := c.must(t, ticket.New{Name: "Bare"})
	assert.Equal(t, []string{"Bare", "Open", "DEMO", "Task", "ticketbridge", "DEMO-3"},
		[]string{bare.Summary, bare.Status, bare.Project, bare.IssueType, bare.Creator, bare.Key})
}

func TestAnOperationMakesOneTicket(t *testing.T) {
	c, _ := newWorld(t, Config{})
	first := c.must(t, ticket.New{Marker: marked("op-1")})
	_, err := c.PatchTicket(t.Context(), first.ID, ticket.Patch{Name: ptr("Disk nearly full")})
	require.NoError(t, err)
	again := c.must(t, ticket.New{Name: "Disk full", Marker: marked("op-1")})
	assert.Equal(t, first.ID, again.ID)
	assert.Equal(t, "Disk nearly full", again.Name, "as it is now")
	other := c.must(t, ticket.New{Marker: marked("op-2")})
	assert.NotEqual(t, first.ID, other.ID)
	assert.NotEqual(t, c.must(t, ticket.New{}).ID, c.must(t, ticket.New{}).ID, "without an operation each is another one")
	assert.Len(t, c.list(t.Context(), t, ticket.Query{}), 4)
}

func TestTicketsAreFoundByTheirMarker(t *testing.T) {
	c, _ := newWorld(t, Config{})
	first := c.must(t, ticket.New{Marker: ticket.Marker{Key: "k", Request: 1, Operation: "a"}})
	second := c.must(t, ticket.New{Marker: ticket.Marker{Key: "k", Request: 2, Operation: "b"}})
	c.must(t, ticket.New{Marker: ticket.Marker{Key: "other", Request: 1, Operation: "c"}})
	for _, r := range []struct {
		marker ticket.Marker
		ids    []string
	}{
		{ticket.Marker{Key: "k"}, []string{second.ID, first.ID}},
		{ticket.Marker{Key: "k", Request: 1}, []string{first.ID}},
		{ticket.Marker{Request: 2}, []string{second.ID}},
		{ticket.Marker{Request: 2, Operation: "a"}, nil},
		{ticket.Marker{Key: "unknown"}, nil},
	} {
		found, err := c.FindTicket(t.Context(), r.marker)
		require.NoError(t, err)
		var ids []string
		for _, f := range found {
			ids = append(ids, f.ID)
		}
		assert.Equal(t, r.ids, ids, "%+v", r.marker)
	}
	_, err := c.FindTicket(t.Context(), ticket.Marker{Operation: "a"})
	requireKind(t, ticket.Permanent, err, "neither key nor request")

	found, ok, err := c.RecoverTicket(t.Context(), ticket.New{Marker: ticket.Marker{Operation: "a"}}, ticket.Attempt{})
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, first.ID, found.ID)
	_, ok, err = c.RecoverTicket(t.Context(), ticket.New{Marker: ticket.Marker{Operation: "z"}}, ticket.Attempt{})
	require.NoError(t, err)
	assert.False(t, ok)
	_, _, err = c.RecoverTicket(t.Context(), ticket.New{}, ticket.Attempt{})
	requireKind(t, ticket.Permanent, err, "no operation")
	assert.Equal(t, DefaultSettling, c.Settling())
}

func TestPatch(t *testing.T) {
	c, clock := newWorld(t, Config{})
	parent := c.must(t, ticket.New{Name: "Parent"})
	due := startOfTime().Add(time.Hour)
	for _, r := range []struct {
		name  string
		patch ticket.Patch
		wants func(*ticket.Ticket)
	}{
		{"name", ticket.Patch{Name: ptr("New")}, func(x *ticket.Ticket) { x.Name = "New" }},
		{"summary", ticket.Patch{Summary: ptr("New")}, func(x *ticket.Ticket) { x.Summary = "New" }},
		{"summary cleared", ticket.Patch{Summary: ptr("")}, func(x *ticket.Ticket) { x.Summary = "Disk full" }},
		{"description", ticket.Patch{Description: ptr("")}, func(x *ticket.Ticket) { x.Description = "" }},
		{"priority", ticket.Patch{Priority: ptr(ticket.Low)}, func(x *ticket.Ticket) { x.Priority = ticket.Low }},
		{"status", ticket.Patch{Status: ptr("Waiting")}, func(x *ticket.Ticket) { x.Status = "Waiting" }},
		{"status cleared", ticket.Patch{Status: ptr("")}, func(x *ticket.Ticket) { x.Status = "Open" }},
		{"resolution", ticket.Patch{Resolution: ptr("Fixed")}, func(x *ticket.Ticket) { x.Unmapped["resolution"] = "Fixed" }},
		{"people", ticket.Patch{Assignee: ptr("a"), Creator: ptr("b"), Contact: ptr("c")}, func(x *ticket.Ticket) { x.Assignee, x.Creator, x.Contact = "a", "b", "c" }},
		{"due", ticket.Patch{DueDate: &due}, func(x *ticket.Ticket) { x.DueDate = due }},
		{"completion", ticket.Patch{CompletionDate: &due}, func(x *ticket.Ticket) { x.CompletionDate = due }},
		{"project", ticket.Patch{Project: ptr("HELP")}, func(x *ticket.Ticket) { x.Project = "HELP" }},
		{"type", ticket.Patch{IssueType: ptr("Bug")}, func(x *ticket.Ticket) { x.IssueType = "Bug" }},
		{"parent", ticket.Patch{Parent: &parent.Key}, func(x *ticket.Ticket) { x.Parent = parent.ID }},
		{"tags", ticket.Patch{Tags: &[]string{"b"}}, func(x *ticket.Ticket) { x.Tags = []string{"b"} }},
		{"no tags", ticket.Patch{Tags: &[]string{}}, func(x *ticket.Ticket) { x.Tags = nil }},
		{"custom", ticket.Patch{CustomFields: map[string]any{"site": nil, "floor": "2"}}, func(x *ticket.Ticket) { x.CustomFields = map[string]any{"floor": "2"} }},
	} {
		t.Run(r.name, func(t *testing.T) {
			before := c.must(t, ticket.New{Description: "d", Summary: "s", Status: "Doing", Tags: []string{"a"}, CustomFields: map[string]any{"site": "Lisbon"}})
			clock.advance(time.Minute)
			after, err := c.PatchTicket(t.Context(), before.ID, r.patch)
			require.NoError(t, err)
			want := before
			r.wants(&want)
			want.UpdatedAt, want.Unmapped["expires_at"] = clock.at, after.Unmapped["expires_at"]
			assert.Equal(t, want, after)
			clock.advance(time.Minute)
			again, err := c.PatchTicket(t.Context(), before.ID, r.patch)
			require.NoError(t, err)
			assert.Equal(t, after, again, "twice is once")
		})
	}
}

func TestPatchRefusesWhatNoTicketMayBe(t *testing.T) {
	c, _ := newWorld(t, Config{})
	made := c.must(t, ticket.New{Name: "Disk full"})
	for says, patch := range map[string]ticket.Patch{
		"name: empty":                   {Name: ptr(" "), Status: ptr("Done")},
		"project: empty":                {Project: ptr("")},
		`priority: "ASAP"`:              {Priority: ptr(ticket.Priority("ASAP"))},
		`parent: there is no ticket "x`: {Parent: ptr("x")},
		"cannot be its own":             {Parent: &made.ID},
		`custom_fields.site`:            {CustomFields: map[string]any{"site": func() {}}},
	} {
		_, err := c.PatchTicket(t.Context(), made.ID, patch)
		requireKind(t, ticket.Permanent, err, says)
	}
	after, err := c.GetTicket(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, after, "nothing of it was done")
	_, err = c.CreateTicket(t.Context(), ticket.New{})
	requireKind(t, ticket.Permanent, err, "name: empty")
	for _, call := range []func() error{
		func() error { _, err := c.GetTicket(t.Context(), "gone"); return err },
		func() error { _, err := c.PatchTicket(t.Context(), "gone", ticket.Patch{}); return err },
	} {
		requireKind(t, ticket.NotFound, call(), `there is no ticket "gone"`)
	}
}

func TestClosing(t *testing.T) {
	c, clock := newWorld(t, Config{StatusMap: map[string]string{"completed": "Erledigt", "in_progress": "Resolved"}})
	for status, closed := range map[string]bool{
		"Done": true, "done": true, "CLOSED": true, "Won't Do": true, "won’t do": true, "Confirmed Solved": true, "closed - duplicate": true,
		"Open": false, "Pending Customer": false, "Not done": false, "undone": false, "In-Progress": true /* mapped */, "completed": false, /* mapped */
	} {
		made := c.must(t, ticket.New{Status: status})
		assert.Equal(t, closed, made.Closed, "%q is %q", status, made.Status)
		assert.Equal(t, closed, !made.CompletionDate.IsZero(), status)
	}
	patch := func(id, status string) ticket.Ticket {
		clock.advance(time.Minute)
		out, err := c.PatchTicket(t.Context(), id, ticket.Patch{Status: &status})
		require.NoError(t, err)
		return out
	}
	made := c.must(t, ticket.New{})
	closed := patch(made.ID, "Done")
	assert.Equal(t, clock.at, closed.CompletionDate)
	assert.Equal(t, closed.CompletionDate, patch(made.ID, "Closed").CompletionDate, "it was closed before")
	open := patch(made.ID, "Reopened")
	assert.False(t, open.Closed)
	assert.Zero(t, open.CompletionDate)
}

func TestClosedTicketsAreLeftAlone(t *testing.T) {
	c, clock := newWorld(t, Config{})
	made := c.must(t, ticket.New{})
	clock.advance(time.Minute)
	closedAt := clock.at
	_, err := c.PatchTicket(t.Context(), made.ID, ticket.Patch{Status: ptr("Done"), CompletionDate: ptr(closedAt.Add(time.Hour))})
	require.NoError(t, err)

	kept, err := c.PatchTicket(t.Context(), made.ID, ticket.Patch{Status: ptr("Open"), Resolution: ptr("Fixed"), Name: ptr("New"), KeepClosed: true})
	require.NoError(t, err)
	assert.Equal(t, "Done", kept.Status)
	assert.NotContains(t, kept.Unmapped, "resolution")
	assert.Equal(t, "New", kept.Name)

	later := closedAt.Add(time.Second)
	_, err = c.PatchTicket(t.Context(), made.ID, ticket.Patch{Name: ptr("Newer"), UnlessClosedBefore: later})
	requireKind(t, ticket.Closed, err, "DEMO-1 is closed since")
	_, comment := c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "x", UnlessClosedBefore: later})
	for _, err := range []error{err, comment} {
		var failed *ticket.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, ticket.Closed, failed.Kind)
		assert.Equal(t, closedAt, failed.ClosedAt, "whatever completion date it was given")
	}
	_, err = c.PatchTicket(t.Context(), made.ID, ticket.Patch{Name: ptr("Newer"), UnlessClosedBefore: closedAt})
	require.NoError(t, err, "it was not closed before that")
	_, err = c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "x", UnlessClosedBefore: closedAt})
	require.NoError(t, err)
}
