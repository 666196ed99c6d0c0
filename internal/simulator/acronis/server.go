// Package acronis simulates the Acronis Event Manager API v1 and the token
// endpoint before it, as read from Acronis' tutorial and from its published
// OpenAPI document, which disagree: both dialects, sessions of consumers, long
// polls, retention, and the failures of the proxy in front.
package acronis

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Dialect is one of the two descriptions of the API.
type Dialect string

const (
	// Both serves the paths of both descriptions; polls without news answer 202
	// and 200 in turn, 202 first.
	Both Dialect = "both"
	// Tutorial has /topics/{topic_id}/offsets, POST /subscriptions/offset, 202
	// for a poll without news, and sessions of 5 minutes.
	Tutorial Dialect = "tutorial"
	// OpenAPI has /topics/offsets, no commit, 200 with an empty list for a poll
	// without news, and sessions of 30 seconds.
	OpenAPI Dialect = "openapi"
)

// Options of a Server. Zero values mean the documented defaults.
type Options struct {
	Dialect Dialect
	// Now is the server's clock. Waiting polls use real timers besides; who moves
	// the clock by hand calls Wake.
	Now func() time.Time
	// TokenLife is how long a token is valid: 2 h.
	TokenLife time.Duration
	// Retention is how long the events of every topic are kept. When 0, each
	// topic's own text decides, and a topic without text keeps them for 7 days.
	Retention time.Duration
	// MaxSession cuts the session timeouts of subscriptions; 0 means no limit.
	MaxSession time.Duration
	// EvictAfter is when an unused subscription vanishes; 0 means never.
	EvictAfter time.Duration
	// RetryAfter is the seconds said with 202 and 429: 5, negative for none.
	RetryAfter int
	// UnknownStatus answers for a subscription that is not there: 404.
	UnknownStatus int
	// JSON401 answers 401 in the API's JSON instead of the proxy's HTML page.
	JSON401 bool
	// Inclusive reads return sequence >= offset instead of sequence > offset.
	Inclusive bool
	// Base is the number before the first event's: 0. Above 1<<53 it finds
	// readers that keep numbers as floats.
	Base int64
	// Seed makes faults and ids repeatable.
	Seed uint64
}

// Server is the simulator, an http.Handler for /api/event_manager/v1/,
// /api/2/idp/token, /bc/idp/token and /_control/.
type Server struct {
	mu   sync.Mutex
	opts Options
	rng  *rand.Rand
	// kept is what a snapshot holds.
	kept   state
	faults []Fault
	log    []Request
	// wake is closed, and replaced, when waiting polls have to look again.
	wake chan struct{}
	// released counts the calls of CloseWaiters.
	released int
	closed   bool
}

// New makes a server with a few topics, without events and without clients.
// While it has no clients, it takes every login and every foreign token; while
// it has no tenants, a subscription sees the events of all.
func New(opts Options) *Server {
	opts.Dialect = cmp.Or(opts.Dialect, Both)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.TokenLife = cmp.Or(opts.TokenLife, 2*time.Hour)
	opts.RetryAfter = cmp.Or(opts.RetryAfter, 5)
	opts.UnknownStatus = cmp.Or(opts.UnknownStatus, http.StatusNotFound)
	s := &Server{opts: opts, rng: rand.New(rand.NewPCG(opts.Seed, 1)), kept: newState(), wake: make(chan struct{})}
	for _, t := range builtInTopics() {
		s.addTopic(t)
	}
	s.kept.Types = builtInTypes()
	return s
}

// CloseWaiters ends the polls that wait now, as at the end of their time.
func (s *Server) CloseWaiters() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released++
	s.rouse()
}

// Close ends the polls that wait, and lets no later one wait, so that a server
// around it can stop.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.rouse()
}

// Wake lets waiting polls look at the clock again.
func (s *Server) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rouse()
}

func (s *Server) rouse() {
	close(s.wake)
	s.wake = make(chan struct{})
}

// call is a request on its way through the server.
type call struct {
	*http.Request
	// topic is the one that the path names, if it names one.
	topic string
	// bearer is the caller's token, expires its end; zero for a foreign one.
	bearer  string
	expires time.Time
	client  Client
	line    *Request
}

// ServeHTTP answers a request; a fault may take or spoil it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_control/") {
		s.control(w, r)
		return
	}
	q := r.URL.Query()
	line := Request{
		At: s.opts.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		SubscriptionID: q.Get("subscription_id"), ConsumerID: q.Get("consumer_id"), Offset: q.Get("offset"),
	}
	c := &call{Request: r, line: &line}
	a := s.answerTo(c)
	line.Status, line.Took = a.status, s.opts.Now().Sub(line.At)
	s.note(line)
	a.send(w)
}

func (s *Server) answerTo(c *call) answer {
	place, do := s.route(c)
	fault := s.pick(place)
	if a, taken := s.spoil(fault, c); taken {
		return a
	}
	a := do(c)
	a.cut = fault.Kind == FaultCut
	return a
}

const (
	tokenPath     = "/api/2/idp/token"
	cyberAppToken = "/bc/idp/token"
	base          = "/api/event_manager/v1"
)

// Places of the API, for Fault.Path.
const (
	PlaceToken         = "token"
	PlaceTopics        = "topics"
	PlaceTypes         = "types"
	PlaceOffsets       = "offsets" // of topics and of subscriptions
	PlaceSubscriptions = "subscriptions"
	PlaceCommit        = "commit"
	PlaceEvents        = "events"
)

// route finds the place and what to do there, be it to refuse.
func (s *Server) route(c *call) (place string, do func(*call) answer) {
	get, post := http.MethodGet, http.MethodPost
	switch c.URL.Path {
	case tokenPath, cyberAppToken:
		return PlaceToken, only(post, s.login)
	case base + "/topics":
		return PlaceTopics, s.guarded(get, s.listTopics)
	case base + "/types":
		return PlaceTypes, s.guarded(get, s.listTypes)
	case base + "/events":
		return PlaceEvents, s.guarded(get, s.poll)
	case base + "/subscriptions":
		return PlaceSubscriptions, s.guarded(post, s.subscribe)
	case base + "/subscriptions/offset":
		if c.Method == post && s.opts.Dialect != OpenAPI {
			return PlaceCommit, s.guarded(post, s.commit)
		}
		return PlaceOffsets, s.guarded(get, s.subscriptionOffset)
	case base + "/topics/offsets":
		if s.opts.Dialect != Tutorial {
			c.topic = c.URL.Query().Get("topic_id")
			return PlaceOffsets, s.guarded(get, s.topicOffset)
		}
	}
	topic, found := strings.CutPrefix(c.URL.Path, base+"/topics/")
	topic, ends := strings.CutSuffix(topic, "/offsets")
	if found && ends && !strings.Contains(topic, "/") && s.opts.Dialect != OpenAPI {
		c.topic = topic
		return PlaceOffsets, s.guarded(get, s.topicOffset)
	}
	return "", func(*call) answer { return failure(http.StatusNotFound, "notFound", "no such path: "+c.URL.Path) }
}

// only refuses other methods.
func only(method string, do func(*call) answer) func(*call) answer {
	return func(c *call) answer {
		if c.Method == method {
			return do(c)
		}
		a := failure(http.StatusMethodNotAllowed, "methodNotAllowed", c.Method+" is not allowed here")
		a.header.Set("Allow", method)
		return a
	}
}

// guarded refuses other methods, and callers who may not read.
func (s *Server) guarded(method string, do func(*call) answer) func(*call) answer {
	allowed := only(method, do)
	return func(c *call) answer {
		if a, refused := s.refuse(c); refused {
			return a
		}
		return allowed(c)
	}
}
