package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
)

// account is whose tickets the feed carries.
const account = "faws:902210447318"

// world is all vendors, and how far the story has been told.
type world struct {
	jira       *jira.Simulator
	servicenow *servicenow.Simulator
	feeds      *cloudfeeds.Server
	acronis    *acronis.Server
	now        func() time.Time
	log        *activity

	mu sync.Mutex
	// told counts the entries published by the player.
	told int
	// changed: there is something that was not saved.
	changed bool
}

// newWorld makes a world whose Jira is reached at baseURL.
func newWorld(baseURL string, now func() time.Time) *world {
	w := &world{
		jira:       jira.New(jira.Options{BaseURL: baseURL + "/jira", Now: now}),
		servicenow: servicenow.New(servicenow.Options{Now: now}),
		feeds:      cloudfeeds.New(cloudfeeds.Options{Now: now}),
		acronis:    acronis.New(acronis.Options{Now: now}),
		now:        now,
	}
	w.log = newActivity(w.jira.Issues, baseURL+"/jira/browse/", now)
	return w
}

func (w *world) position() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told
}

// publish puts the next entry of the story into the feed, at the present time,
// and now and then an event of Acronis beside it.
func (w *world) publish(entry func(n int) cloudfeeds.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := entry(w.told)
	e.Account = account
	e.Updated = w.now()
	for i := range e.Comments {
		e.Comments[i].Created = e.Updated
	}
	w.feeds.Publish(e)
	w.log.published(e)
	if number, due := estateEvent(w.told); due {
		h := happen(number)
		w.acronis.Publish(h.event)
		w.log.happened(w.now(), h)
	}
	w.told++
	w.changed = true
}

// touch notes that something may have changed.
func (w *world) touch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed = true
}

// watch notes the requests that may change something.
func (w *world) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			defer w.touch() // also when a fault cuts the connection
		}
		next.ServeHTTP(rw, r)
	})
}

// saved is the state file.
type saved struct {
	Jira       json.RawMessage `json:"jira"`
	CloudFeeds json.RawMessage `json:"cloudfeeds"`
	// Acronis and ServiceNow are missing in files of a time before they were simulated.
	Acronis    json.RawMessage `json:"acronis,omitempty"`
	ServiceNow json.RawMessage `json:"servicenow,omitempty"`
	Told       int             `json:"told"`
}

// load goes on from a state file; a missing one is a new world.
func (w *world) load(file string) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%s is no state of the simulators; delete it to start anew: %w", file, err)
	}
	err = errors.Join(w.jira.Restore(bytes.NewReader(s.Jira)), w.feeds.Restore(s.CloudFeeds))
	if len(s.Acronis) > 0 {
		err = errors.Join(err, w.acronis.Restore(s.Acronis))
	}
	if len(s.ServiceNow) > 0 {
		err = errors.Join(err, w.servicenow.Restore(bytes.NewReader(s.ServiceNow)))
	}
	if err != nil {
		return fmt.Errorf("%s does not fit this version of the simulators; delete it to start anew: %w", file, err)
	}
	w.told = s.Told
	w.log.know()
	return nil
}

// save writes the state where it changed since the last time. A crash leaves
// the old file or the new one, never a part.
func (w *world) save(file string) error {
	data, changed, err := w.snapshot()
	if err != nil || !changed {
		return err
	}
	if err := replace(file, data); err != nil {
		w.touch()
		return fmt.Errorf("save the state: %w", err)
	}
	return nil
}

func (w *world) snapshot() (data []byte, changed bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.changed {
		return nil, false, nil
	}
	w.changed = false
	var issues, records bytes.Buffer
	if err := errors.Join(w.jira.Snapshot(&issues), w.servicenow.Snapshot(&records)); err != nil {
		return nil, false, err
	}
	entries, err := w.feeds.Snapshot()
	if err != nil {
		return nil, false, err
	}
	events, err := w.acronis.Snapshot()
	if err != nil {
		return nil, false, err
	}
	data, err = json.Marshal(saved{Jira: issues.Bytes(), CloudFeeds: entries, Acronis: events, ServiceNow: records.Bytes(), Told: w.told})
	return data, true, err
}

func replace(file string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
