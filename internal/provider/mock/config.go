// Package mock is the test provider: a ticketing system in the memory of the
// process, with every operator, so that people can try what happens without an
// account anywhere. What goes wrong elsewhere can be switched on (see Fault).
//
// It is bounded (see the constants), and it forgets: a ticket TicketLife after its
// last change, and everything when the process ends.
package mock

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// Bounds of the memory of one integration.
const (
	// TicketLife is how long a ticket is kept after its last change.
	TicketLife = 24 * time.Hour
	// MaxTickets are kept, of MaxBytes of text; for more, those that are longest
	// unchanged go early.
	MaxTickets = 10_000
	MaxBytes   = 128 << 20
	// MaxTicketBytes bounds the text of a ticket with its comments and notes,
	// MaxEntries the number of these. Beyond it, a call is refused.
	MaxTicketBytes = 4 << 20
	MaxEntries     = 6_000
	// MaxFileBytes bounds a file, MaxFiles those of a ticket, MaxAllFileBytes those
	// of all tickets together. Beyond it, a call is refused.
	MaxFileBytes    = 16 << 20
	MaxFiles        = 100
	MaxAllFileBytes = 64 << 20
	// MaxLists are kept for their next pages, each for ListLife after it was begun.
	MaxLists = 100
	ListLife = 15 * time.Minute
	// MaxPage is the largest page; DefaultPage is that of a query without a limit.
	MaxPage     = 1000
	DefaultPage = 100
)

// Defaults of a Config.
const (
	DefaultPerSecond   = 1000
	DefaultConcurrency = 100
	// DefaultSettling is short: nothing is carried out after its call has ended.
	DefaultSettling   = time.Second
	DefaultProject    = "DEMO"
	DefaultRetryAfter = 5 * time.Second
)

// CustomFieldMapping gives a field a name of its own.
type CustomFieldMapping struct {
	Name string
	// ProjectID is a project, or "*" for every one; a mapping for the very project
	// goes before one for every project.
	ProjectID string
	// ProviderFieldPath is any path; steps are separated by "/" or ".".
	ProviderFieldPath string
}

// Config is one integration.
type Config struct {
	// Name is the integration's, for error texts.
	Name                string
	DefaultProject      string
	DefaultIssueType    string
	CustomFieldMappings []CustomFieldMapping
	// StatusMap gives the status to set for a request's or a ticket's.
	StatusMap map[string]string
	// Rate: 0 takes DefaultPerSecond and DefaultConcurrency.
	Rate     rest.Rate
	Settling time.Duration // 0 takes DefaultSettling
	// Latency is how long each call takes before it is carried out.
	Latency time.Duration
	Faults  []Fault
	// Seed makes the faults fall in the same order again.
	Seed uint64
	Now  func() time.Time
}

// Client is the memory of one integration and its operators. It is safe for
// concurrent use.
type Client struct {
	config Config
	pace   *rest.Pace
	faults *faults
	now    func() time.Time

	memory *memory
}

// Inherit goes on with the tickets of a client of the same integration that was
// configured otherwise. It must be called before anything else.
func (c *Client) Inherit(before any) {
	if old, ok := before.(*Client); ok {
		c.memory = old.memory
	}
}

// New checks config and makes an empty memory. The error names every wrong member.
func New(config Config) (*Client, error) {
	var errs []error
	if config.Rate.PerSecond < 0 || config.Rate.Concurrency < 0 || config.Settling < 0 || config.Latency < 0 {
		errs = append(errs, errors.New("rate, settling, mock.latency: negative"))
	}
	for i, m := range config.CustomFieldMappings {
		if m.Name == "" || m.ProjectID == "" || pathOf(m.ProviderFieldPath) == "" {
			errs = append(errs, fmt.Errorf(`custom_field_mappings[%d]: name, project_id (or "*") and provider_field_path are all needed`, i))
		}
	}
	for i, f := range config.Faults {
		if err := f.check(); err != nil {
			errs = append(errs, fmt.Errorf("mock.faults[%d]: %w", i, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("integration %s: %w", config.Name, err)
	}
	config.Rate.PerSecond = cmp.Or(config.Rate.PerSecond, DefaultPerSecond)
	config.Rate.Concurrency = cmp.Or(config.Rate.Concurrency, DefaultConcurrency)
	config.Settling = cmp.Or(config.Settling, DefaultSettling)
	config.DefaultProject = cmp.Or(config.DefaultProject, DefaultProject)
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Client{
		config: config, now: config.Now, pace: rest.NewPace(config.Rate),
		faults: newFaults(config.Faults, config.Seed),
		memory: newMemory(config.Now()),
	}, nil
}

// Settling is how long after the end of a call its effect may still appear.
func (c *Client) Settling() time.Duration { return c.config.Settling }

// time is now as tickets tell it.
func (c *Client) time() time.Time { return stamp(c.now()) }

// stamp is a time as tickets hold it: as JSON tells it again.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
