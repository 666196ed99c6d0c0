package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// reading is one look at the worker's metrics: a value for each series, written
// as name{labels}.
type reading map[string]float64

// counters sum up readings over restarts of the worker, which begins at 0 again.
type counters struct {
	last  reading
	total reading
}

// add takes a reading in and returns how much each counter grew.
func (c *counters) add(now reading) reading {
	grown := reading{}
	if c.total == nil {
		c.total = reading{}
	}
	for series, value := range now {
		by := value - c.last[series]
		if by < 0 {
			by = value
		}
		if by > 0 {
			grown[series] = by
			c.total[series] += by
		}
	}
	c.last = now
	return grown
}

// sum adds up the series of a metric that have all these labels.
func (r reading) sum(name string, labels ...string) float64 {
	sum := 0.0
	for series, value := range r {
		if nameOf(series) == name && hasAll(series, labels) {
			sum += value
		}
	}
	return sum
}

func hasAll(series string, labels []string) bool {
	for _, label := range labels {
		if !strings.Contains(series, label) {
			return false
		}
	}
	return true
}

func nameOf(series string) string {
	name, _, _ := strings.Cut(series, "{")
	return name
}

// label is the value of a series' label, as written.
func label(series, name string) string {
	_, rest, found := strings.Cut(series, name+`="`)
	if !found {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

const ours = "ticketbridge_"

// parseMetrics reads our own series of Prometheus' text format.
func parseMetrics(r io.Reader) (reading, error) {
	out := reading{}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := scanner.Text()
		cut := strings.LastIndexByte(line, ' ')
		if !strings.HasPrefix(line, ours) || cut < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[cut+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("metrics: %q: %w", line, err)
		}
		out[line[:cut]] = value
	}
	return out, scanner.Err()
}

const maxMetrics = 16 << 20

func fetchMetrics(ctx context.Context, url string) (reading, error) {
	body, err := get(ctx, url+"/metrics")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return parseMetrics(io.LimitReader(body, maxMetrics))
}

// get asks a program of ours; every answer but 200 is an error.
func get(ctx context.Context, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s answered %s", url, response.Status), response.Body.Close())
	}
	return response.Body, nil
}
