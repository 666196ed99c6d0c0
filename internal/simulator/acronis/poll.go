package acronis

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// query is a validated request for events.
type query struct {
	subscription, consumer string
	offset                 int64
	limit                  int
	timeout                time.Duration
}

const maxPage = 100

func parseQuery(v url.Values) (q query, err error) {
	q = query{subscription: v.Get("subscription_id"), consumer: v.Get("consumer_id")}
	if !isUUID(q.subscription) {
		return q, fmt.Errorf("subscription_id: %q is no UUID", q.subscription)
	}
	if !isUUID(q.consumer) {
		return q, fmt.Errorf("consumer_id: %q is no UUID", q.consumer)
	}
	if q.offset, err = strconv.ParseInt(v.Get("offset"), 10, 64); err != nil || q.offset < 0 {
		return q, fmt.Errorf("offset: %q is no number from 0 on", v.Get("offset"))
	}
	if q.limit, err = strconv.Atoi(cmp.Or(v.Get("limit"), strconv.Itoa(maxPage))); err != nil || q.limit < 1 || q.limit > maxPage {
		return q, fmt.Errorf("limit: want 1 to %d", maxPage)
	}
	if q.timeout, err = parseDuration(cmp.Or(v.Get("timeout"), "PT30S")); err != nil {
		return q, fmt.Errorf("timeout: %w", err)
	}
	return q, nil
}

// poll answers GET /events.
func (s *Server) poll(c *call) answer {
	q, err := parseQuery(c.URL.Query())
	if err != nil {
		return badRequest(err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Stats.Polls++
	now := s.opts.Now()
	sub := s.find(q.subscription, now)
	if sub == nil {
		return s.unknown()
	}
	if !sub.lead(q.consumer, now) {
		s.kept.Stats.NotLeader++
		return s.later(http.StatusTooManyRequests)
	}
	s.acknowledge(sub, s.position(q.offset), now)
	sub.running++
	defer func() {
		sub.running--
		sub.Heard = s.opts.Now()
		sub.Used = sub.Heard
	}()
	return s.wait(c, sub, q, now.Add(min(q.timeout, sub.session())))
}

// lead makes the consumer the leader, unless another one is alive.
func (sub *subscription) lead(consumer string, now time.Time) bool {
	alive := sub.running > 0 || now.Sub(sub.Heard) < sub.session()
	if sub.Leader != "" && sub.Leader != consumer && alive {
		return false
	}
	sub.Leader, sub.Heard, sub.Used = consumer, now, now
	return true
}

// acknowledge takes a poll as the word that all before it was handled.
func (s *Server) acknowledge(sub *subscription, position int64, now time.Time) {
	sub.Acknowledged = position
	every, err := parseDuration(sub.AutoCommitInterval)
	if err != nil {
		every = commitInterval
	}
	if sub.AutoCommit && now.Sub(sub.CommittedAt) >= every {
		s.autoCommit(sub, now)
	}
}

// wait looks for events until there are some, or a deadline; the server is
// locked but for the waiting itself. A token that ends meanwhile ends it too. A
// timer that rang counts also where the clock stands still.
func (s *Server) wait(c *call, sub *subscription, q query, deadline time.Time) answer {
	now := s.opts.Now()
	over := time.NewTimer(deadline.Sub(now))
	defer over.Stop()
	var expiry <-chan time.Time // none for a token without end
	if !c.expires.IsZero() {
		timer := time.NewTimer(c.expires.Sub(now))
		defer timer.Stop()
		expiry = timer.C
	}
	released, position, ended, expired := s.released, s.position(q.offset), false, false
	for {
		now := s.opts.Now()
		if a, stopped := s.stopped(c, sub, now); stopped {
			return a
		}
		if expired {
			return s.unauthorized()
		}
		t := s.kept.Topics[sub.TopicID]
		t.expire(now)
		var events []stored
		events, position = t.read(position, q.limit, func(e stored) bool { return s.wants(sub, e) })
		ended = ended || s.closed || released != s.released || !now.Before(deadline)
		if len(events) > 0 || ended {
			return s.found(sub, q, t, events, position)
		}
		wake := s.wake
		s.mu.Unlock()
		select {
		case <-wake:
		case <-over.C:
			ended = true
		case <-expiry:
			expired = true
		case <-c.Context().Done():
		}
		s.mu.Lock()
	}
}

// stopped answers a poll that may not go on.
func (s *Server) stopped(c *call, sub *subscription, now time.Time) (answer, bool) {
	if c.Context().Err() != nil {
		return answer{status: statusGone}, true
	}
	if _, valid := s.holder(c.bearer, now); !valid {
		return s.unauthorized(), true
	}
	if s.kept.Subscriptions[sub.ID] != sub {
		return s.unknown(), true
	}
	return answer{}, false
}

// found answers a poll at its end. Without events, an offset that moved is news
// too; otherwise the dialects differ.
func (s *Server) found(sub *subscription, q query, t *topic, events []stored, position int64) answer {
	if len(events) == 0 && position <= s.position(q.offset) {
		sub.Quiet++
		if s.opts.Dialect == Tutorial || s.opts.Dialect == Both && sub.Quiet%2 == 1 {
			return s.later(http.StatusAccepted)
		}
	}
	s.delivering(sub.ID, events)
	body := []byte(`{"events":[`)
	for i, e := range events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, e.render(t.Ordering != orderingNone)...)
	}
	body = fmt.Appendf(body, `],"offset":%d}`, s.offset(position))
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}
