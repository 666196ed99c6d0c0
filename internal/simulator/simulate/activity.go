package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// maxLines bounds what is remembered for those who watch.
const maxLines = 1000

// line is something that a person who watches likes to see.
type line struct {
	// N grows from line to line, also over restarts.
	N  int64     `json:"n"`
	At time.Time `json:"at"`
	// Kind is entry (a feed has it), ticket, comment, status or edit (Jira has it).
	Kind   string `json:"kind"`
	Ticket string `json:"ticket"`
	Text   string `json:"text"`
	URL    string `json:"url,omitempty"`
}

// activity tells what happens in the simulators. What happens in Jira it finds
// by comparing, when asked.
type activity struct {
	issues func() []jira.Issue
	browse string
	now    func() time.Time

	mu    sync.Mutex
	n     int64
	lines []line
	seen  map[string]look
}

// look is what was known of an issue.
type look struct {
	summary, status string
	comments        int
}

func newActivity(issues func() []jira.Issue, browse string, now func() time.Time) *activity {
	return &activity{issues: issues, browse: browse, now: now, n: now().UnixMilli(), seen: map[string]look{}}
}

// published adds an entry of the feed.
func (a *activity) published(e cloudfeeds.Entry) {
	text := e.Subject + " · " + e.Status
	for _, c := range e.Comments {
		text += " · " + c.Author + ": " + c.Text
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(line{At: e.Updated, Kind: "entry", Ticket: e.TicketID, Text: text})
}

// happened adds an event of Acronis.
func (a *activity) happened(at time.Time, h happening) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(line{At: at, Kind: "entry", Ticket: h.about, Text: h.text})
}

// know takes all issues as known.
func (a *activity) know() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, i := range a.issues() {
		a.seen[i.ID] = lookAt(i)
	}
}

// since are the lines after number n.
func (a *activity) since(n int64) []line {
	a.mu.Lock()
	defer a.mu.Unlock()
	var fresh []line
	for _, i := range a.issues() {
		fresh = append(fresh, a.compare(i)...)
	}
	slices.SortStableFunc(fresh, func(x, y line) int { return x.At.Compare(y.At) })
	for _, l := range fresh {
		a.add(l)
	}
	out := []line{}
	for _, l := range a.lines {
		if l.N > n {
			out = append(out, l)
		}
	}
	return out
}

// compare tells what is new about an issue.
func (a *activity) compare(i jira.Issue) (fresh []line) {
	before, known := a.seen[i.ID]
	now := lookAt(i)
	a.seen[i.ID] = now
	tell := func(at time.Time, kind, text string) {
		fresh = append(fresh, line{At: at, Kind: kind, Ticket: i.Key, Text: text, URL: a.browse + i.Key})
	}
	switch {
	case !known:
		tell(i.Created, "ticket", i.Summary)
	case before.summary != now.summary:
		tell(i.Updated, "edit", i.Summary)
	}
	for _, c := range i.Comments[min(before.comments, now.comments):] {
		tell(c.Created, "comment", jira.Text(c.Body))
	}
	if known && before.status != now.status {
		tell(i.Updated, "status", before.status+" → "+now.status)
	}
	return fresh
}

func lookAt(i jira.Issue) look {
	return look{summary: i.Summary, status: i.Status, comments: len(i.Comments)}
}

func (a *activity) add(l line) {
	a.n++
	l.N = a.n
	l.Text = strings.Join(strings.Fields(l.Text), " ")
	a.lines = append(a.lines, l)
	if len(a.lines) > maxLines {
		a.lines = a.lines[len(a.lines)-maxLines:]
	}
}

// ServeHTTP answers the lines after ?after=N as a JSON array.
func (a *activity) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseInt(r.FormValue("after"), 10, 64)
	if err != nil && r.FormValue("after") != "" {
		http.Error(w, "after: want a number", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a.since(after)) // the watcher may be gone
}
