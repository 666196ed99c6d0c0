package scenario

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// file is a scenario file after reading.
type file struct {
	source
	t0      time.Time
	catalog catalog.Catalog
	cases   []scenarioCase
	// ignored tells members that nobody reads, which may be misspelt.
	ignored []string
}

type scenarioCase struct {
	name        string
	currentUser *value
	requests    []value
	events      []timedEvent
	expect      []value
	after       *value
}

// timedEvent is an event and when it is received.
type timedEvent struct {
	at      time.Time
	feed    string
	params  event.Params
	foreign *event.Foreign
}

// defaultStart is the first instant of events that are timed in seconds, in
// files that name none.
func defaultStart() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

// plainEvents is the case name of events that stand in no case.
const plainEvents = "events"

// read understands a scenario file, one case, a list, and values one after the
// other (JSON Lines).
func read(data []byte, fallback *catalog.Catalog) (*file, error) {
	f := &file{source: source{data}, t0: defaultStart()}
	if fallback != nil {
		f.catalog = *fallback
	}
	values, err := f.values()
	if err != nil {
		return nil, err
	}
	if len(values) == 1 && values[0].kind() == '[' {
		if values, err = f.elements(values[0]); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		return nil, errors.New("no events: want a scenario, a JSON list of events, or one event a line")
	}
	for _, v := range values {
		if err := f.item(v); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// item reads a scenario, a case, or one event.
func (f *file) item(v value) error {
	members, err := f.members(v)
	if err != nil {
		return err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(members, func(m member) bool { return m.name == name })
	}
	switch {
	case has("cases") || has("proposed"):
		return f.scenario(members)
	case has("events"):
		return f.scenarioCase(v, members)
	}
	if len(f.cases) == 0 || f.cases[len(f.cases)-1].name != plainEvents {
		f.cases = append(f.cases, scenarioCase{name: plainEvents})
	}
	return f.event(&f.cases[len(f.cases)-1], v, members)
}

func (f *file) scenario(members []member) error {
	if err := f.fixture(members); err != nil {
		return err
	}
	for _, m := range members {
		switch m.name {
		case "cases", "proposed":
			cases, err := f.elements(m.value)
			if err != nil {
				return err
			}
			for _, v := range cases {
				inner, err := f.members(v)
				if err != nil {
					return err
				}
				if err := f.scenarioCase(v, inner); err != nil {
					return err
				}
			}
		case "fixture", "about", "conventions", "rules":
		default:
			f.ignore(m)
		}
	}
	return nil
}

// fixture is the catalog, and the instant that seconds count from.
func (f *file) fixture(members []member) error {
	for _, m := range members {
		if m.name != "fixture" {
			continue
		}
		fixture := struct {
			T0 *string `json:"t0"`
			catalog.Catalog
		}{}
		if err := f.decode(m.value, &fixture); err != nil {
			return fmt.Errorf("fixture: %w", err)
		}
		if errs := fixture.Validate(); len(errs) > 0 {
			return f.wrong(m.value, fmt.Errorf("fixture: %w", errors.Join(errs...)))
		}
		f.catalog = fixture.Catalog
		if fixture.T0 != nil {
			t0, err := matching.ParseTime(*fixture.T0)
			if err != nil {
				return f.wrong(m.value, fmt.Errorf("fixture.t0 %w", err))
			}
			f.t0 = t0
		}
	}
	return nil
}

func (f *file) scenarioCase(at value, members []member) error {
	if err := f.fixture(members); err != nil {
		return err
	}
	c := scenarioCase{name: plainEvents}
	for _, m := range members {
		var err error
		switch m.name {
		case "id":
			err = f.decode(m.value, &c.name)
		case "given":
			err = f.given(&c, m.value)
		case "events":
			err = f.events(&c, m.value)
		case "expect":
			c.expect, err = f.elements(m.value)
		case "after":
			c.after = &m.value
		case "fixture", "name", "rules", "assumes":
		default:
			f.ignore(m)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	if len(c.expect) > 0 && len(c.expect) != len(c.events) {
		return f.wrong(at, fmt.Errorf("case %s: %d events but %d entries in expect; want one each", c.name, len(c.events), len(c.expect)))
	}
	f.cases = append(f.cases, c)
	return nil
}

func (f *file) given(c *scenarioCase, v value) error {
	members, err := f.members(v)
	if err != nil {
		return err
	}
	for _, m := range members {
		switch m.name {
		case "current_user":
			c.currentUser = &m.value
		case "requests":
			if c.requests, err = f.elements(m.value); err != nil {
				return err
			}
		default:
			f.ignore(m)
		}
	}
	return nil
}

func (f *file) events(c *scenarioCase, v value) error {
	events, err := f.elements(v)
	if err != nil {
		return err
	}
	for _, e := range events {
		members, err := f.members(e)
		if err != nil {
			return err
		}
		if err := f.event(c, e, members); err != nil {
			return err
		}
	}
	return nil
}

// event reads one event. Its parameters stand under "params" (and "query", over
// which "params" win, as a body does over the query string), or beside the time.
func (f *file) event(c *scenarioCase, at value, members []member) error {
	e := timedEvent{at: f.t0, feed: "feed", params: event.Params{}}
	if len(c.events) > 0 {
		e.at = c.events[len(c.events)-1].at
	}
	var query event.Params
	wrapped := false
	for _, m := range members {
		var err error
		switch m.name {
		case "at_s":
			e.at, err = f.seconds(m.value)
		case "at", "received_at":
			e.at, err = f.time(m.value)
		case "feed":
			err = f.decode(m.value, &e.feed)
		case "params":
			wrapped, err = true, f.decode(m.value, &e.params)
		case "query":
			wrapped, err = true, f.decode(m.value, &query)
		case "foreign":
			wrapped, err = true, f.decode(m.value, &e.foreign)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	for name, text := range query {
		if _, given := e.params[name]; !given {
			e.params[name] = text
		}
	}
	if !wrapped {
		if err := f.decode(at, &e.params); err != nil {
			return err
		}
		for _, name := range []string{"at_s", "at", "received_at", "feed", "id", "caller"} {
			delete(e.params, name)
		}
		if len(e.params) == 0 {
			return f.wrong(at, errors.New("the event has neither params nor foreign"))
		}
	}
	if e.foreign != nil && e.foreign.TicketID == "" {
		return f.wrong(at, errors.New("foreign.ticket_id: missing"))
	}
	c.events = append(c.events, e)
	return nil
}

// seconds are counted from t0; a century is enough.
func (f *file) seconds(v value) (time.Time, error) {
	var s float64
	if err := f.decode(v, &s); err != nil {
		return time.Time{}, err
	}
	const century = 100 * 366 * 24 * 3600
	if math.Abs(s) > century {
		return time.Time{}, f.wrong(v, fmt.Errorf("%v seconds are more than a century", s))
	}
	return f.t0.Add(time.Duration(s * float64(time.Second))), nil
}

func (f *file) time(v value) (time.Time, error) {
	var text string
	if err := f.decode(v, &text); err != nil {
		return time.Time{}, err
	}
	at, err := matching.ParseTime(text)
	if err != nil {
		return time.Time{}, f.wrong(v, fmt.Errorf("%q %w", text, err))
	}
	return at, nil
}

func (f *file) ignore(m member) {
	f.ignored = append(f.ignored, fmt.Sprintf("line %d: %q is not known and was ignored", f.line(m.offset), m.name))
}
