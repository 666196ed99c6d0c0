package workflows

import (
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Whoever types an event by hand may mistype its time of receipt, or leave it
// out. A window in the future would never end, so the event is received now; a
// clock that is a few minutes fast is believed.
func (s *matchSuite) TestATimeOfReceiptInTheFutureIsNow() {
	for name, c := range map[string]struct{ typed, want time.Duration }{
		"a year":             {365 * 24 * time.Hour, 0},
		"beyond the skew":    {clockSkew + time.Second, 0},
		"as far as the skew": {clockSkew, clockSkew},
		"a fast clock":       {clockSkew - time.Minute, clockSkew - time.Minute},
		"the past":           {-time.Hour, -time.Hour},
	} {
		s.Run(name, func() {
			s.SetupTest()
			e := s.alarm("e1", "a")
			e.ReceivedAt = s.begin.Add(c.typed)
			s.send(0, e)
			s.look(time.Minute, func(v contract.MatchView) {
				s.Require().Len(v.Requests, 1)
				s.WithinDuration(s.begin.Add(c.want), v.Requests[0].CreatedAt, 5*time.Second)
			})
			// A day after the window of the request would have begun.
			s.send(c.want+24*time.Hour+time.Minute, s.alarm("e2", "b"))
			s.run()
			s.Equal([]string{"create T1 Server down: a", "create T2 Server down: b"}, s.desk.written())
		})
	}
}

func (s *matchSuite) TestAnEventWithoutATimeOfReceiptIsReceivedNow() {
	e := s.alarm("e1", "a")
	s.key = e.Resolved.Key
	s.signal(time.Minute, contract.SignalEvent, contract.EventsSignal{Events: []event.Event{e}})
	s.look(2*time.Minute, func(v contract.MatchView) {
		s.Require().Len(v.Requests, 1)
		s.WithinDuration(s.begin.Add(time.Minute), v.Requests[0].CreatedAt, time.Second)
	})
	s.run()
}
