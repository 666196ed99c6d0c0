package rest

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                                 0,
		"0":                                0,
		"7":                                7 * time.Second,
		" 7 ":                              7 * time.Second,
		"0.2":                              time.Second,
		"1.5":                              2 * time.Second,
		"-5":                               0,
		"86401":                            MaxRetryAfter,
		"1e300":                            MaxRetryAfter,
		"NaN":                              0,
		"soon":                             0,
		"Sat, 21 Nov 2026 12:00:30 GMT":    30 * time.Second,
		"Saturday, 21-Nov-26 12:00:30 GMT": 30 * time.Second,
		"Sat Nov 21 12:00:30 2026":         30 * time.Second,
		"Sat, 21 Nov 2026 11:59:30 GMT":    0,
		"Sat, 21 Nov 2099 12:00:00 GMT":    MaxRetryAfter,
	} {
		assert.Equal(t, want, RetryAfter(http.Header{"Retry-After": {value}}, now), value)
	}
}

func TestTruncateNeverSplitsACharacterOrExceedsItsLimit(t *testing.T) {
	for _, text := range []string{"", "abc", strings.Repeat("ü", 50), strings.Repeat("服", 50), "a\xffb\xfe" + strings.Repeat("x", 50)} {
		for n := range 60 {
			got := Truncate(text, n)
			assert.LessOrEqual(t, len(got), n, "%q to %d", text, n)
			if utf8.ValidString(text) {
				assert.True(t, utf8.ValidString(got), "%q to %d", text, n)
			}
			if len(text) <= n {
				assert.Equal(t, text, got)
			}
		}
	}
	assert.Equal(t, "ab…", Truncate("abcdef", 5))
}

func TestSecretsAreCutOutOfTexts(t *testing.T) {
	c := &Client{Secrets: []string{"s3cret", ""}}
	assert.Equal(t, "token [redacted] and [redacted]", c.Redact("token s3cret and s3cret"))
}
