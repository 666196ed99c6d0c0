package acronis

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// parseDuration reads an ISO 8601 duration of weeks, days, hours, minutes and
// seconds. Years and months have no fixed length, and are refused.
func parseDuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no ISO 8601 duration such as PT30S, PT5M or P7D", text)
	rest, ok := strings.CutPrefix(text, "P")
	date, clock, timed := strings.Cut(rest, "T")
	if !ok || rest == "" || timed && clock == "" {
		return 0, bad
	}
	days, ok1 := sum(date, "WD", []time.Duration{7 * day, day})
	hours, ok2 := sum(clock, "HMS", []time.Duration{time.Hour, time.Minute, time.Second})
	total := days + hours
	if !ok1 || !ok2 || total >= math.MaxInt64 {
		return 0, bad
	}
	return time.Duration(total), nil
}

// sum adds numbers that are each followed by one of units, in that order.
func sum(text, units string, lengths []time.Duration) (total float64, ok bool) {
	for text != "" {
		at := strings.IndexAny(text, units)
		if at < 0 {
			return 0, false
		}
		n, err := strconv.ParseFloat(text[:at], 64)
		if err != nil || strings.Trim(text[:at], "0123456789.") != "" {
			return 0, false
		}
		unit := strings.IndexByte(units, text[at])
		total += n * float64(lengths[unit])
		units, lengths, text = units[unit+1:], lengths[unit+1:], text[at+1:]
	}
	return total, true
}

// formatDuration writes whole days as such, all else in seconds.
func formatDuration(d time.Duration) string {
	if d > 0 && d%day == 0 {
		return fmt.Sprintf("P%dD", d/day)
	}
	return "PT" + strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "S"
}
