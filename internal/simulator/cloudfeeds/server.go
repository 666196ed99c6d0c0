// Package cloudfeeds simulates Rackspace Cloud Feeds and its identity service,
// as read from the public sources of its server ("Atom Hopper", both
// branches) and its documentation: both server generations, their faults, late
// entries, and the failures that the proxy in front of them adds.
package cloudfeeds

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Mode is a server generation.
type Mode string

const (
	// JDBC is the PostgreSQL server: forward pages exclude the marker, and
	// entries younger than the head delay are hidden.
	JDBC Mode = "jdbc"
	// DDB is the DynamoDB server, asked without a tenant filter: forward pages
	// include the marker and its ties, backward pages and "next" are broken.
	DDB Mode = "ddb"
	// DDBBrokenForward is the same with the filter of a tenant: every page with
	// a marker is empty.
	DDBBrokenForward Mode = "ddb-broken-forward"
)

// Options of a Server. Zero values mean the documented defaults.
type Options struct {
	Mode Mode
	// Now is the server's clock.
	Now func() time.Time
	// HeadDelay hides young entries (JDBC only): 2 s, negative for none.
	HeadDelay time.Duration
	// Retention is how long entries are kept: 3 days.
	Retention time.Duration
	// RatePerMinute limits GETs a user; 0 means no limit, the real one is 10.
	RatePerMinute int
	// RateStatus is 413 (the proxy's default) or 429.
	RateStatus int
	// TokenLife is how long a token is valid: 24 h.
	TokenLife time.Duration
	// Seed makes faults and ids repeatable.
	Seed uint64
}

// User may log in at the identity endpoint.
type User struct {
	Name   string `json:"name"`
	APIKey string `json:"api_key"`
	// MFA makes every login a challenge.
	MFA bool `json:"mfa,omitempty"`
	// NoRole makes the feeds answer 403.
	NoRole bool `json:"no_role,omitempty"`
}

// Server is the simulator, an http.Handler for feeds, /v2.0/tokens and /_control/.
type Server struct {
	mu      sync.Mutex
	opts    Options
	rng     *rand.Rand
	entries []stored
	nextSeq int64
	users   map[string]User
	tokens  map[string]token
	faults  []Fault
	gone    map[string]bool
	calls   map[string][]time.Time // GETs of the last minute, by user
	stats   Stats
	log     []Request
}

// Stats count what the server was asked since it started (or was restored).
type Stats struct {
	Heads       int            `json:"heads"`
	Walks       int            `json:"walks"`
	Entries     int            `json:"entries"`
	Logins      int            `json:"logins"`
	NotModified int            `json:"not_modified"`
	ByStatus    map[int]int    `json:"by_status"`
	ByFault     map[string]int `json:"by_fault"`
	Published   int            `json:"published"`
}

// Request is a line of the log.
type Request struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	User   string    `json:"user,omitempty"`
	Status int       `json:"status"`
}

const maxLog = 2000

// New makes a server without entries and without users. While it has no users,
// it takes every token and every login.
func New(opts Options) *Server {
	if opts.Mode == "" {
		opts.Mode = JDBC
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.HeadDelay == 0 {
		opts.HeadDelay = 2 * time.Second
	}
	if opts.Retention == 0 {
		opts.Retention = 72 * time.Hour
	}
	if opts.TokenLife == 0 {
		opts.TokenLife = 24 * time.Hour
	}
	if opts.RateStatus == 0 {
		opts.RateStatus = http.StatusRequestEntityTooLarge
	}
	return &Server{
		opts: opts, rng: rand.New(rand.NewPCG(opts.Seed, 1)),
		users: map[string]User{}, tokens: map[string]token{}, gone: map[string]bool{}, calls: map[string][]time.Time{},
		stats: Stats{ByStatus: map[int]int{}, ByFault: map[string]int{}},
	}
}

// AddUser adds or replaces a user.
func (s *Server) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.Name] = u
}

// SetMode changes the server's behaviour from the next request on.
func (s *Server) SetMode(m Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Mode = m
}

// SetRate changes the limit of GETs a minute; 0 switches it off.
func (s *Server) SetRate(perMinute int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.RatePerMinute = perMinute
}

// ServeHTTP routes a request, after a fault may have taken it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_control/") {
		s.control(w, r)
		return
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	defer s.note(rec, r, s.opts.Now())
	login := strings.HasSuffix(r.URL.Path, "/v2.0/tokens")
	if s.fault(rec, r, login) {
		return
	}
	if login {
		s.identity(rec, r)
		return
	}
	s.feeds(rec, r)
}

type recorder struct {
	http.ResponseWriter
	status int
	user   string
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a fault flush half an answer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (s *Server) note(rec *recorder, r *http.Request, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.ByStatus[rec.status]++
	s.log = append(s.log, Request{at, r.Method, r.URL.Path, r.URL.RawQuery, rec.user, rec.status})
	if len(s.log) > maxLog {
		s.log = s.log[len(s.log)-maxLog:]
	}
}

// Stats returns the counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats.clone()
}

// Log returns the last requests, at most 2,000, oldest first.
func (s *Server) Log() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.log...)
}

func (s Stats) clone() Stats {
	byStatus, byFault := map[int]int{}, map[string]int{}
	for k, v := range s.ByStatus {
		byStatus[k] = v
	}
	for k, v := range s.ByFault {
		byFault[k] = v
	}
	s.ByStatus, s.ByFault = byStatus, byFault
	return s
}
