// Package jira is a stand-in for Jira Cloud: as much of its REST API (version 3)
// as ticketbridge uses, with Jira's own validation, a search index that lags,
// and faults that can be switched on. It shares nothing with the client.
//
// Everything that takes time goes by the simulator's clock and is caught up on
// with each request; the simulator has no goroutines of its own.
package jira

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options of a Simulator. The zero value has three projects, takes any
// credential and has an index that does not lag.
type Options struct {
	// Now is the clock.
	Now func() time.Time
	// IndexLag is how long the search index takes to see a change.
	IndexLag time.Duration
	// Users that can be assigned; empty takes a few.
	Users []User
	// Username and Secret, where set, are the only credential that is taken.
	Username, Secret string
	// Seed makes faults by probability repeatable.
	Seed uint64
	// CreatesPerSecond, where set, answers 429 to more creates than that in
	// any one second; every other one of these names a date where RetryDates is set.
	CreatesPerSecond int
	RetryDates       bool
	// BaseURL is what serverInfo answers; empty takes the request's own host.
	BaseURL string
	// Zone is the time zone of the caller's profile, by which JQL reads times; nil
	// takes Berlin's, winter and summer.
	Zone *time.Location
	// UploadLimit is the largest attachment in bytes; 0 takes 10 MB.
	UploadLimit int64
	// MediaURL, where set, is another host to which downloads are redirected.
	MediaURL string
}

// User is an account of the site.
type User struct {
	AccountID string `json:"accountId"`
	Email     string `json:"emailAddress,omitempty"`
	Name      string `json:"displayName"`
	Active    bool   `json:"active"`
	// HideEmail: the account does not show its address; it is found by it.
	HideEmail bool `json:"hideEmail,omitempty"`
}

// Project is a project of the site.
type Project struct {
	ID         string   `json:"id"`
	Key        string   `json:"key"`
	Name       string   `json:"name"`
	Type       string   `json:"projectTypeKey"`
	IssueTypes []string `json:"issueTypes"`
	// Last is the highest number given to a key.
	Last int `json:"last"`
	// Deleted projects answer 404.
	Deleted bool `json:"deleted,omitempty"`
	// OffScreen are fields that its create screen lacks, OffEdit its edit screen.
	OffScreen []string     `json:"offScreen,omitempty"`
	OffEdit   []string     `json:"offEdit,omitempty"`
	Workflow  []Transition `json:"workflow"`
}

// Simulator is the stand-in. Its methods may be called at any time.
type Simulator struct {
	mu      sync.Mutex
	options Options
	random  *rand.Rand
	mux     *http.ServeMux
	state   state
	faults  []*Fault
	pending []pending
	creates []time.Time // within the last second
	stats   Stats
}

// pending is a commit that happens after its connection was dropped.
type pending struct {
	at     time.Time
	commit func(at time.Time)
}

// New makes a simulator.
func New(options Options) *Simulator {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Zone == nil {
		options.Zone = berlin()
	}
	if options.UploadLimit == 0 {
		options.UploadLimit = 10 << 20
	}
	if len(options.Users) == 0 {
		options.Users = defaultUsers()
	}
	s := &Simulator{
		options: options, random: rand.New(rand.NewPCG(options.Seed, 1)),
		mux: http.NewServeMux(), state: newState(), stats: newStats(),
	}
	s.routes()
	return s
}

func berlin() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil { // a machine without time zones
		return time.FixedZone("Europe/Berlin", 3600)
	}
	return zone
}

func defaultUsers() []User {
	return []User{
		{AccountID: "acc-bridge", Email: "bridge@acme.example", Name: "ticketbridge", Active: true},
		{AccountID: "acc-mia", Email: "mia@acme.example", Name: "Mia Krystof", Active: true},
		{AccountID: "acc-noor", Email: "noor@acme.example", Name: "Noor Haddad", Active: true, HideEmail: true},
		{AccountID: "acc-gone", Email: "gone@acme.example", Name: "Former Colleague", Active: false},
	}
}

// Operations by which faults and statistics are told apart.
const (
	opCreate      = "create"
	opGet         = "get"
	opEdit        = "edit"
	opComment     = "comment"
	opComments    = "comments"
	opProperty    = "property"
	opTransitions = "transitions"
	opTransition  = "transition"
	opSearch      = "search"
	opBulkfetch   = "bulkfetch"
	opUsers       = "users"
	opMyself      = "myself"
	opProject     = "project"
	opMeta        = "meta"
	opProjects    = "projects"
	opFields      = "fields"

	opCommentGet    = "comment-get"
	opCommentEdit   = "comment-edit"
	opCommentDelete = "comment-delete"

	opAttach     = "attach"
	opAttachMeta = "attach-meta"
	opDownload   = "download"
	opDetach     = "detach"
)

func (s *Simulator) routes() {
	const base = "/rest/api/3"
	for pattern, route := range map[string]struct {
		op     string
		handle func(*exchange) answer
	}{
		"POST " + base + "/issue":                                 {opCreate, s.createIssue},
		"GET " + base + "/issue/{issue}":                          {opGet, s.getIssue},
		"PUT " + base + "/issue/{issue}":                          {opEdit, s.editIssue},
		"POST " + base + "/issue/bulkfetch":                       {opBulkfetch, s.bulkfetch},
		"GET " + base + "/issue/{issue}/comment":                  {opComments, s.listComments},
		"POST " + base + "/issue/{issue}/comment":                 {opComment, s.createComment},
		"GET " + base + "/comment/{comment}/properties/{key}":     {opProperty, s.commentProperty},
		"GET " + base + "/issue/{issue}/transitions":              {opTransitions, s.listTransitions},
		"POST " + base + "/issue/{issue}/transitions":             {opTransition, s.doTransition},
		"POST " + base + "/search/jql":                            {opSearch, s.search},
		"GET " + base + "/user/search":                            {opUsers, s.searchUsers},
		"GET " + base + "/myself":                                 {opMyself, s.myself},
		"GET " + base + "/serverInfo":                             {opMeta, s.serverInfo},
		"GET " + base + "/field":                                  {opFields, s.listFields},
		"GET " + base + "/project/search":                         {opProjects, s.searchProjects},
		"GET " + base + "/issue/{issue}/comment/{comment}":        {opCommentGet, s.getComment},
		"PUT " + base + "/issue/{issue}/comment/{comment}":        {opCommentEdit, s.editComment},
		"DELETE " + base + "/issue/{issue}/comment/{comment}":     {opCommentDelete, s.deleteComment},
		"POST " + base + "/issue/{issue}/attachments":             {opAttach, s.attach},
		"GET " + base + "/attachment/meta":                        {opAttachMeta, s.attachmentMeta},
		"GET " + base + "/attachment/content/{attachment}":        {opDownload, s.download},
		"DELETE " + base + "/attachment/{attachment}":             {opDetach, s.detach},
		"GET " + base + "/priority":                               {opMeta, s.listPriorities},
		"GET " + base + "/project/{project}":                      {opProject, s.getProject},
		"GET " + base + "/createmeta/{project}/issuetypes":        {opMeta, s.createTypes},
		"GET " + base + "/createmeta/{project}/issuetypes/{type}": {opMeta, s.createFields},
		"/rest/api/3/search":                                      {opSearch, removedAPI},
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, route.op, route.handle) })
	}
	s.control()
	s.pages()
}

// ServeHTTP answers below the root, and below any path prefix.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if i := strings.Index(r.URL.Path, "/rest/api/"); i > 0 {
		r2 := r.Clone(r.Context())
		r2.URL.Path, r2.URL.RawPath = r.URL.Path[i:], ""
		r = r2
	}
	// The multiplexer could not tell "createmeta" from an issue's key.
	if rest, ok := strings.CutPrefix(r.URL.Path, "/rest/api/3/issue/createmeta/"); ok {
		r2 := r.Clone(r.Context())
		r2.URL.Path, r2.URL.RawPath = "/rest/api/3/createmeta/"+rest, ""
		r = r2
	}
	s.mux.ServeHTTP(w, r)
}

// settle makes the commits whose time has come. The lock is held.
func (s *Simulator) settle(now time.Time) {
	var later []pending
	for _, p := range s.pending {
		if p.at.After(now) {
			later = append(later, p)
			continue
		}
		p.commit(p.at)
	}
	s.pending = later
}
