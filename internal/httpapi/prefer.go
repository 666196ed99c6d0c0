package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// preference is what a caller's Prefer header (RFC 7240) asks for.
type preference struct {
	// wait is how long the caller gladly waits; waits is false where it did not say.
	wait  time.Duration
	waits bool
	// async: the caller does not need the outcome in this answer.
	async bool
}

// preferenceOf reads wait=N and respond-async, and ignores the rest as the RFC
// wants it. A longer wait is cut to AnswerWithin.
func preferenceOf(h http.Header) preference {
	var p preference
	for part := range strings.SplitSeq(strings.Join(h.Values("Prefer"), ","), ",") {
		part, _, _ = strings.Cut(part, ";")
		name, value, _ := strings.Cut(part, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "respond-async":
			p.async = true
		case "wait":
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			if err == nil && !p.waits {
				p.wait, p.waits = min(time.Duration(seconds)*time.Second, AnswerWithin), true
			}
		}
	}
	return p
}

// applied tells the caller which preferences were understood.
func (p preference) applied(h http.Header) {
	if p.async {
		h.Add("Preference-Applied", "respond-async")
	}
	if p.waits {
		h.Add("Preference-Applied", "wait="+strconv.Itoa(int(p.wait.Seconds())))
	}
}

// forDecision is how long to wait for the recorded decision. Only a caller that
// is content with the receipt waits less than the full time.
func (p preference) forDecision() time.Duration {
	switch {
	case p.async && p.waits:
		return min(p.wait, DecideWithin)
	case p.async:
		return 0
	default:
		return DecideWithin
	}
}

// forWrite is how long to wait for what becomes of a write: as long as there is
// time, or less where the caller says so.
func (p preference) forWrite(left time.Duration) time.Duration {
	if p.waits {
		return min(p.wait, left)
	}
	return left
}
