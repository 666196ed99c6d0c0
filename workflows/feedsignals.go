package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// feedSignals are the channels of PollFeed.
type feedSignals struct {
	pause, resume, rewind, pollNow, retry, discard, amend workflow.ReceiveChannel
}

func openFeedSignals(ctx workflow.Context) feedSignals {
	return feedSignals{
		pause:   workflow.GetSignalChannel(ctx, contract.SignalPause),
		resume:  workflow.GetSignalChannel(ctx, contract.SignalResume),
		rewind:  workflow.GetSignalChannel(ctx, contract.SignalRewind),
		pollNow: workflow.GetSignalChannel(ctx, contract.SignalPollNow),
		retry:   workflow.GetSignalChannel(ctx, contract.SignalRetry),
		discard: workflow.GetSignalChannel(ctx, contract.SignalDiscard),
		amend:   workflow.GetSignalChannel(ctx, contract.SignalAmend),
	}
}

func (s feedSignals) pending() bool {
	return s.pause.Len()+s.resume.Len()+s.rewind.Len()+s.pollNow.Len()+s.retry.Len()+s.discard.Len()+s.amend.Len() > 0
}

// receive handles every buffered signal and reports whether one of them changes
// what is to be done next, so that a running ReadFeed must give way.
func (f *feed) receive(ctx workflow.Context) (interrupts bool) {
	s := &f.state
	each(f.signals.pause, f.reject(contract.SignalPause), func(nothing) {
		s.Paused, interrupts = true, true
	})
	each(f.signals.resume, f.reject(contract.SignalResume), func(nothing) {
		s.Paused, s.Blocked, s.BlockedTimes = false, "", 0
		s.AtOnce, interrupts = true, true
	})
	each(f.signals.pollNow, f.reject(contract.SignalPollNow), func(nothing) {
		s.AtOnce, interrupts = true, true
	})
	each(f.signals.rewind, f.reject(contract.SignalRewind), func(to contract.RewindSignal) {
		s.Rewind, s.Create, s.AtOnce, interrupts = &to, to.Create, true, true
	})
	each(f.signals.discard, f.reject(contract.SignalDiscard), func(item contract.ItemSignal) {
		n := s.discard(item.Item)
		if n == 0 {
			s.reject(contract.SignalDiscard, fmt.Errorf("item %q: %w", item.Item, errNoSuchItem))
		}
		for range n {
			countParked(ctx, contract.MetricUnparked, kindEntry)
		}
	})
	each(f.signals.retry, f.reject(contract.SignalRetry), func(item contract.ItemSignal) {
		interrupts = s.redeliver(contract.SignalRetry, item.Item, nil) || interrupts
	})
	each(f.signals.amend, f.reject(contract.SignalAmend), func(a contract.AmendSignal) {
		interrupts = s.redeliver(contract.SignalAmend, a.Item, a.Set) || interrupts
	})
	return interrupts
}

func (f *feed) reject(signal string) func(error) {
	return func(err error) { f.state.reject(signal, err) }
}

func (s *feedState) isParked(item string) bool {
	return slices.ContainsFunc(s.Parked, func(p contract.ParkedItem) bool { return p.Item == item })
}

// redeliver asks for parked entries to be handed over again; no item means all.
func (s *feedState) redeliver(signal, item string, set map[string]string) bool {
	found := false
	for _, parked := range s.Parked {
		if item == "" || parked.Item == item {
			s.Redeliver = slices.DeleteFunc(s.Redeliver, func(a contract.AmendSignal) bool { return a.Item == parked.Item })
			s.Redeliver = append(s.Redeliver, contract.AmendSignal{Item: parked.Item, Set: set})
			found = true
		}
	}
	if !found {
		s.reject(signal, fmt.Errorf("item %q: %w", item, errNoSuchItem))
	}
	return found
}
