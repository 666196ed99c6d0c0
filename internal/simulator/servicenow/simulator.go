// Package servicenow is a stand-in for a ServiceNow instance: as much of its
// Table, Attachment and Import Set APIs as ticketbridge uses, over tables that
// inherit, with the platform's own habits (fields that are dropped without a word, queries whose invalid terms
// are ignored, journals, computed priorities, data policies) and faults that can
// be switched on. It shares nothing with the client.
//
// Everything that takes time goes by the simulator's clock and is caught up on
// with each request; the simulator has no goroutines of its own.
package servicenow

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options of a Simulator. The zero value takes any credential, keeps a sys_id
// that the client chose, and lets security incidents go from any state to any.
type Options struct {
	// Now is the clock.
	Now func() time.Time
	// Username and Secret, APIKey, or ClientID and ClientSecret are the only
	// credential that is taken, where set.
	Username, Secret       string
	APIKey                 string
	ClientID, ClientSecret string
	// TokenLife is how long an access token is good; 0 is 30 minutes.
	TokenLife time.Duration
	// Seed makes faults by probability repeatable.
	Seed uint64
	// CreatesPerSecond, where set, answers 429 to more inserts than that in any
	// one second.
	CreatesPerSecond int
	// IgnoreSysID gives every insert a sys_id of the instance's own.
	IgnoreSysID bool
	// UniqueCorrelation is a unique index on correlation_id.
	UniqueCorrelation bool
	// DuplicateStatus answers an insert that an index refuses; 0 is 403.
	DuplicateStatus int
	// StatefulProcess lets security incidents only forward, step by step.
	StatefulProcess bool
	// InvalidQueryReturnsNothing is glide.invalid_query.returns_no_rows.
	InvalidQueryReturnsNothing bool
	// UploadLimit is the largest attachment in bytes (0: 10 MB, the most), Extensions
	// are those that are taken (empty: all).
	UploadLimit int64
	Extensions  []string
	// FileHash is what the instance calls an attachment's hash; nil is SHA-256.
	FileHash func(content []byte) string
	// CountsVisible counts in X-Total-Count only what the API's user sees.
	CountsVisible bool
	// Reading is how the instance reads what is compared in queries.
	Reading Reading
	// Language of the API's user: labels are shown in it where it has any.
	Language string
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
	tokens  map[string]time.Time
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
	if options.TokenLife == 0 {
		options.TokenLife = 30 * time.Minute
	}
	if options.DuplicateStatus == 0 {
		options.DuplicateStatus = http.StatusForbidden
	}
	s := &Simulator{
		options: options, random: rand.New(rand.NewPCG(options.Seed, 1)), mux: http.NewServeMux(),
		state: newState(), tokens: map[string]time.Time{}, stats: newStats(),
	}
	s.furnish()
	s.routes()
	return s
}

// Operations by which faults and statistics are told apart.
const (
	opCreate  = "create"  // an insert into a table of tickets
	opGet     = "get"     // one ticket
	opList    = "list"    // a query of tickets
	opPatch   = "patch"   // an update of a ticket
	opComment = "comment" // an update that adds to a journal
	opJournal = "journal" // a query of sys_journal_field
	opUsers   = "users"   // a query of people
	opErase   = "erase"   // a deletion from sys_journal_field
	opMeta    = "meta"    // dictionary, choices, tables
	opAttach  = "attach"  // an upload
	opFiles   = "files"   // descriptions of attachments
	opDetach  = "detach"  // a deletion of an attachment
	opImport  = "import"  // a row for a staging table
	opStaged  = "staged"  // a read of what became of a row
	opToken   = "token"
	opOther   = "other"

	opDownload = "download"
)

func (s *Simulator) routes() {
	for _, version := range []string{"", "/v1", "/v2"} {
		base := "/api/now" + version + "/table/{table}"
		s.handleTable("GET "+base, version, s.list)
		s.handleTable("POST "+base, version, s.create)
		s.handleTable("GET "+base+"/{id}", version, s.get)
		s.handleTable("PATCH "+base+"/{id}", version, s.update)
		s.handleTable("PUT "+base+"/{id}", version, s.update)
		s.handleTable("DELETE "+base+"/{id}", version, s.remove)
	}
	s.attachmentRoutes()
	s.importRoutes()
	s.mux.HandleFunc("POST /oauth_token.do", s.token)
	s.control()
	s.mux.HandleFunc("/api/now/", func(w http.ResponseWriter, _ *http.Request) {
		write(w, refuse(http.StatusBadRequest, "Requested URI does not represent any resource", ""))
	})
}

func (s *Simulator) handleTable(pattern, version string, handle func(*exchange) answer) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, strings.TrimPrefix(version, "/"), handle)
	})
}

// ServeHTTP answers below the root.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

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
