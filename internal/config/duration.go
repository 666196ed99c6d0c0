package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written "10s", "1h30m" or "7d" (a day is
// 24 hours) in files, JSON and the environment.
type Duration time.Duration

// Std is the standard library's form.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String leaves out what is zero: 72h, not 72h0m0s.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText never quotes the text in its error.
func (d *Duration) UnmarshalText(text []byte) error {
	bad := errors.New(`want a duration like "10s", "5m", "1h30m" or "7d"`)
	var total time.Duration
	rest := string(text)
	days, after, hasDays := strings.Cut(rest, "d")
	if hasDays {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return bad
		}
		total, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest != "" || !hasDays {
		part, err := time.ParseDuration(rest)
		if err != nil {
			return bad
		}
		total += part
	}
	*d = Duration(total)
	return nil
}
