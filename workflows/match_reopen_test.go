package workflows

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Nothing but a person opens a ticket again that an agent closed.
func (s *matchSuite) TestATimerDoesNotOpenATicketAgain() {
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b", "status", "waiting_for", "waiting_until", s.begin.Add(3*time.Hour).Format(time.RFC3339)))
	s.at(time.Hour, func() { s.desk.close("T1", s.env.Now()) })
	s.run()
	s.True(s.desk.tickets[0].Closed, "%s", s.desk.written())
}

func (s *matchSuite) TestAReplayDoesNotOpenATicketAgain() {
	e1, e2 := s.foreign("e1", "in progress", "first", 0), s.foreign("e2", "open", "second", time.Second)
	e1.Replayed, e2.Replayed = true, true
	s.desk.add(contract.KeyHash(e1.Resolved.Key), s.begin.Add(-time.Hour))
	s.send(0, e1, e2)
	s.run()
	s.True(s.desk.tickets[0].Closed, "%s", s.desk.written())
}

// Received before the close and delivered after it.
func (s *matchSuite) TestALatePatchDoesNotOpenATicketAgain() {
	s.desk.on["patch"] = upTo(1, false, down(2*time.Hour))
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b", "status", "in_progress"))
	s.at(time.Hour, func() { s.desk.close("T1", s.env.Now()) })
	s.run()
	s.True(s.desk.tickets[0].Closed, "%s", s.desk.written())
}

// A worker dies while it looks for the ticket of a replayed entry. The search
// that follows finds an old ticket, which may hold what is replayed next.
func (s *matchSuite) TestATicketFoundAfterALostAdoptionIsNotToldTwice() {
	e1, e2 := s.foreign("e1", "open", "first", 0), s.foreign("e2", "open", "second", time.Second)
	e1.Replayed, e2.Replayed = true, true
	id := contract.MatchID(integrationName, e1.Resolved.Key)
	s.desk.add(contract.KeyHash(e1.Resolved.Key), time.Time{})
	old := s.desk.tickets[0]
	old.marker.Request, old.marker.Operation, old.Operation = contract.RequestID(id, "e1"), id+"/e1", id+"/e1"
	old.operations = []string{id + "/comment/c-second"}
	s.desk.on["find"] = func(n int) (bool, error) {
		if n == 1 {
			panic("as good as a worker that died: the outcome is unknown")
		}
		return true, nil
	}
	s.send(0, e1, e2)
	s.signal(time.Minute, contract.SignalRetry, map[string]any{})
	s.run()
	s.Empty(s.desk.written(), "the ticket has all of it")
}

// Whoever got a receipt learns what became of the event, or at least that it was
// decided, however much came after it.
func (s *matchSuite) TestEveryDecidedEventIsKnown() {
	const n = 2 * keptOutcomes
	events := make([]event.Event, n)
	for i := range events {
		events[i] = s.alarm(fmt.Sprint("e", i), fmt.Sprint("note ", i))
	}
	s.send(0, events...)
	s.at(time.Minute, func() {
		for i := range n {
			s.True(s.answer(fmt.Sprint("e", i)).Known, "event %d", i)
		}
		s.Equal(event.Decided, s.answer("e0").Outcome)
		s.Equal(event.Updated, s.answer(fmt.Sprint("e", n-1)).Outcome)
		s.False(s.answer("never sent").Known)
	})
	s.run()
}

// A window that only waits until the feed may be asked again ends no replay.
func TestARewindThatHasToWaitStillCreates(t *testing.T) {
	s := feedState{Create: true, CatchingUp: true}
	later := time.Now().Add(2 * time.Minute)
	s.take(activities.ReadFeedResult{Error: "429", NotBefore: later}, nil)
	s.take(activities.ReadFeedResult{NotBefore: later}, nil)
	assert.True(t, s.Create)
	assert.True(t, s.CatchingUp)
	s.take(activities.ReadFeedResult{Polls: 1}, nil)
	assert.False(t, s.Create, "all is read")
	assert.False(t, s.CatchingUp)
}
