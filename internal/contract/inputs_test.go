package contract

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// wants checks an error's text; empty wants none.
func wants(t *testing.T, want string, err error) {
	t.Helper()
	if want == "" {
		assert.NoError(t, err)
		return
	}
	require.Error(t, err)
	assert.Contains(t, err.Error(), want)
}

func TestAWrongStartOfMatchEventsNamesWhatIsWrong(t *testing.T) {
	good := MatchEventsInput{Integration: "ops", Key: withCI()}
	id := MatchID("ops", withCI())
	for name, c := range map[string]struct {
		change func(*MatchEventsInput)
		id     string
		want   string
	}{
		"nothing wrong":  {func(*MatchEventsInput) {}, id, ""},
		"no integration": {func(in *MatchEventsInput) { in.Integration = "" }, id, "integration: missing"},
		"a colon":        {func(in *MatchEventsInput) { in.Integration = "a:b" }, id, "colon"},
		"no policy":      {func(in *MatchEventsInput) { in.Key.Policy = "" }, id, "key.policy"},
		"bad memory":     {func(in *MatchEventsInput) { in.Memory = "a week" }, id, `memory: "a week"`},
		"no memory":      {func(in *MatchEventsInput) { in.Memory = "-1h" }, id, "memory"},
		"wrong id":       {func(*MatchEventsInput) {}, "my-workflow", `"` + id + `", not "my-workflow"`},
	} {
		in := good
		c.change(&in)
		t.Run(name, func(t *testing.T) { wants(t, c.want, in.Validate(c.id)) })
	}
	memory, err := good.MemoryDuration()
	require.NoError(t, err)
	assert.Equal(t, 7*24*time.Hour, memory)
}

func TestWrongSignalsNameWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		value interface{ Validate() error }
		want  string
	}{
		{PollFeedInput{Feed: "lon"}, ""},
		{PollFeedInput{}, "feed: missing"},
		{EventsSignal{}, "events: missing"},
		{EventsSignal{Events: []event.Event{{}}}, ""},
		{RewindSignal{To: "oldest"}, ""},
		{RewindSignal{}, "to: missing"},
		{RewindSignal{To: strings.Repeat("x", 501)}, "to: longer"},
		{AmendSignal{Item: "1", Set: map[string]string{"text": ""}}, ""},
		{AmendSignal{Set: map[string]string{"text": ""}}, "item: missing"},
		{AmendSignal{Item: "1"}, "set: missing"},
		{TicketChangedSignal{Ticket: "1"}, ""},
		{TicketChangedSignal{}, "ticket: missing"},
		{OutcomeRequest{EventID: "1"}, ""},
		{OutcomeRequest{}, "event_id: missing"},
	} {
		wants(t, c.want, c.value.Validate())
	}
}

func TestEachEventIsCheckedByItself(t *testing.T) {
	s := EventsSignal{Events: []event.Event{
		{ID: "1", Params: event.Params{"subject": "x"}},
		{Params: event.Params{"subject": "x"}},
		{ID: "3"},
		{ID: strings.Repeat("x", MaxEventID+1), Params: event.Params{"subject": "x"}},
		{ID: "5", Resolved: &event.Resolved{}},
		{ID: "6", Foreign: &event.Foreign{TicketID: "1"}},
	}}
	for i, want := range []string{"", "events[1].id: missing", "events[2]: has neither", "events[3].id: longer", "", ""} {
		wants(t, want, s.Check(i))
	}
}
