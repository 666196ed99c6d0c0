package rest

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxRetryAfter bounds a wait that the other side asks for; a longer one is
// taken for a mistake and cut.
const MaxRetryAfter = 24 * time.Hour

// RetryAfter reads the Retry-After header, which holds seconds or an HTTP date
// (RFC 9110, 10.2.3). It is 0 when the header is absent, unreadable or past.
// Seconds with a fraction are rounded up.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && !math.IsNaN(seconds) {
		if seconds > MaxRetryAfter.Seconds() {
			return MaxRetryAfter
		}
		wait = time.Duration(math.Ceil(max(seconds, 0))) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), MaxRetryAfter)
}

// Redact cuts the client's secrets out of a text that a person will see.
func (c *Client) Redact(text string) string {
	for _, secret := range c.Secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[redacted]")
		}
	}
	return text
}

// Truncate cuts text to at most n bytes without splitting a character, and
// says so with an ellipsis.
func Truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	ellipsis := "…"
	if n < len(ellipsis) {
		ellipsis = ""
	}
	cut := max(n-len(ellipsis), 0)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + ellipsis
}
