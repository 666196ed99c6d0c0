package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
)

// cost is what something took of Temporal.
type cost struct {
	events  float64
	actions float64
}

func (c cost) String() string {
	return fmt.Sprintf("%.2f actions, %.1f history events", c.actions, c.events)
}

func (c cost) per(n float64) cost { return cost{events: c.events / n, actions: c.actions / n} }

func (c cost) minus(d cost) cost {
	return cost{events: c.events - d.events, actions: c.actions - d.actions}
}

// count counts history events and actions from a time on, by the rules of
// Temporal's own price list ("Temporal Cloud Actions"): a start, a signal (one
// with start is one action), each attempt of an activity, a timer, an upsert of
// search attributes, an accepted update, a local activity or side effect, a
// run that continues as new. Heartbeats and queries are not in a history.
func (s *stack) count(ctx context.Context, workflowID string, from, to time.Time) (cost, error) {
	var c cost
	iterator := s.client.GetWorkflowHistory(ctx, workflowID, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var previous *history.HistoryEvent
	for iterator.HasNext() {
		e, err := iterator.Next()
		if err != nil {
			return c, fmt.Errorf("history of %s: %w", workflowID, err)
		}
		if at := e.GetEventTime().AsTime(); !at.Before(from) && (to.IsZero() || at.Before(to)) {
			c.events++
			c.actions += actions(e, previous)
		}
		previous = e
	}
	return c, nil
}

func actions(e, previous *history.HistoryEvent) float64 {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
		if previous.GetEventType() == enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED {
			return 0 // signal with start, counted as the start
		}
		return 1
	case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		return float64(e.GetActivityTaskStartedEventAttributes().GetAttempt() - 1)
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
		enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
		enums.EVENT_TYPE_TIMER_STARTED,
		enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
		enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
		enums.EVENT_TYPE_MARKER_RECORDED:
		return 1
	default:
		return 0
	}
}

// countAll adds up whole histories.
func (s *stack) countAll(ctx context.Context, workflowIDs []string) (cost, error) {
	var sum cost
	for _, id := range workflowIDs {
		c, err := s.count(ctx, id, time.Time{}, time.Time{})
		if err != nil {
			return sum, err
		}
		sum.events += c.events
		sum.actions += c.actions
	}
	return sum, nil
}
