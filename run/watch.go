package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	lookEvery    = 500 * time.Millisecond
	countEvery   = 2 * time.Second
	lookTimeout  = 3 * time.Second
	maxActivity  = 4 << 20
	usuallyWaits = "Ctrl-C stops, Enter shows the links again"
)

// activity is a line of the simulators; see their GET /activity.
type activity struct {
	N      int64     `json:"n"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Ticket string    `json:"ticket"`
	Text   string    `json:"text"`
	URL    string    `json:"url"`
}

// watch shows what happens until ctx ends.
func (l *launcher) watch(ctx context.Context) {
	look, count := time.NewTicker(lookEvery), time.NewTicker(countEvery)
	defer look.Stop()
	defer count.Stop()
	var seen int64
	var c counters
	l.out.show(l.status(c.total, nil))
	for {
		select {
		case <-ctx.Done():
			l.out.show("")
			return
		case <-look.C:
			if !l.demo() {
				continue
			}
			before := seen
			if seen = l.lookAt(ctx, seen); seen > before {
				l.count(ctx, &c) // so that the live line does not lag behind the lines above it
			}
		case <-count.C:
			l.count(ctx, &c)
		}
	}
}

// lookAt shows what is new in the simulators, and returns up to where. One that
// is just being started again is asked the next time.
func (l *launcher) lookAt(ctx context.Context, seen int64) int64 {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	body, err := get(ctx, l.simulatorURL()+"/activity?after="+url.QueryEscape(strconv.FormatInt(seen, 10)))
	if err != nil {
		return seen
	}
	defer body.Close()
	var lines []activity
	if err := json.NewDecoder(body).Decode(&lines); err != nil {
		return seen
	}
	for _, a := range lines {
		style, kind, text := describe(a)
		l.out.happened(a.At, style, kind, a.Ticket, text, a.link())
		seen = max(seen, a.N)
	}
	return seen
}

// written is the time in a comment's first line, which the line has anyway.
var written = regexp.MustCompile(` wrote at \S+ \S+ UTC:`)

// describe puts an activity into a word, its colour and a text.
func describe(a activity) (style, kind, text string) {
	switch a.Kind {
	case "entry":
		return blue, "event", a.Text
	case "ticket":
		return green, "ticket", "created: " + a.Text
	case "comment":
		return cyan, "comment", written.ReplaceAllString(a.Text, ":")
	case "status":
		return yellow, "status", a.Text
	default:
		return yellow, "changed", a.Text
	}
}

// link is worth its place only where a ticket is new.
func (a activity) link() string {
	if a.Kind == "ticket" {
		return a.URL
	}
	return ""
}

// count reads the worker's metrics: into the live line and, where there is no
// simulator to look at, into lines.
func (l *launcher) count(ctx context.Context, c *counters) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	now, err := fetchMetrics(ctx, l.metricsURL())
	if err != nil {
		return // the worker is being started again
	}
	grown := c.add(now)
	for _, t := range tell(grown, !l.demo()) {
		l.out.happened(time.Now(), t.style, t.kind, t.who, t.text, "")
	}
	l.out.show(l.status(c.total, now))
}

// told is a line made of metrics.
type told struct{ style, kind, who, text string }

// tell puts what grew into lines: trouble always, everything if all.
func tell(grown reading, all bool) []told {
	var out []told
	for _, series := range slices.Sorted(maps.Keys(grown)) {
		n := int(grown[series])
		switch name := strings.TrimPrefix(nameOf(series), ours); {
		case name == "events_total" && all && label(series, "outcome") == "handed_over":
			out = append(out, told{blue, "event", label(series, "source"), many(n, "event") + " read"})
		case name == "tickets_created_total" && all:
			out = append(out, told{green, "ticket", label(series, "integration"), many(n, "ticket") + " created"})
		case name == "comments_created_total" && all:
			out = append(out, told{cyan, "comment", label(series, "integration"), many(n, "comment") + " added"})
		case name == "feed_gaps_total":
			out = append(out, told{red, "gap", label(series, "feed"), "events may have been missed; starter feed state " + label(series, "feed") + " says when"})
		case name == "parked_total":
			out = append(out, told{red, "parked", "", many(n, "item") + " (" + label(series, "kind") + ") waits for you: starter parked list"})
		}
	}
	return out
}

func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// status is the live line.
func (l *launcher) status(total, now reading) string {
	parts := []string{
		many(int(total.sum(ours+"events_total", `outcome="handed_over"`)), "event"),
		many(int(total.sum(ours+"tickets_created_total")), "ticket"),
		many(int(total.sum(ours+"comments_created_total")), "comment"),
	}
	if n := total.sum(ours+"parked_total") - total.sum(ours+"unparked_total"); n > 0 {
		parts = append(parts, fmt.Sprintf("%d parked", int(n)))
	}
	for _, series := range slices.Sorted(maps.Keys(now)) {
		if nameOf(series) == ours+"integration_up" && now[series] == 0 && now.sum(ours+"provider_calls_total", `integration="`+label(series, "integration")+`"`) > 0 {
			parts = append(parts, label(series, "integration")+" does not answer")
		}
	}
	if pid := l.workerProcess(); pid != 0 {
		parts = append(parts, fmt.Sprintf("worker is process %d", pid))
	} else {
		parts = append(parts, "worker does not run")
	}
	return "  " + strings.Join(append(parts, usuallyWaits), " · ")
}
