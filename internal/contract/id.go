package contract

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Prefixes of workflow ids.
const (
	feedPrefix  = "feed:"
	matchPrefix = "match:"
	writePrefix = "write:"
)

const (
	slugLength = 60
	hashLength = 26
)

// FeedID is the workflow id of a feed's PollFeed.
func FeedID(feed string) string { return feedPrefix + feed }

// MatchID is the workflow id of the MatchEvents that keeps a match key's
// requests at an integration: match:<integration>:<slug>:<hash>.
func MatchID(integration string, key event.Key) string {
	return matchPrefix + integration + ":" + slug(key) + ":" + KeyHash(key)
}

// KeyHash is what tells two match keys apart: 26 base32 characters of the
// SHA-256 of the canonical key. Tickets carry it as their marker.
func KeyHash(key event.Key) string { return hash(canonical(key)) }

// hash is 26 base32 characters of a text's SHA-256.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	encoded := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
	return strings.ToLower(encoded[:hashLength])
}

// RequestID is a request's number, stable for the event that created it: the
// first 53 bits (what every JSON reader holds exactly) of a hash.
func RequestID(workflowID, eventID string) int64 {
	sum := sha256.Sum256([]byte(workflowID + "\n" + eventID))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 11)
}

// canonical lists the members that make up the key's form, in a fixed order.
func canonical(key event.Key) string {
	parts := []string{"event", key.Account, key.Source}
	switch {
	case key.Policy == event.PolicyTicket:
		parts = []string{"ticket", key.Feed, key.ForeignTicket}
	case key.CI != 0:
		parts = append(parts, "ci", strconv.FormatInt(key.ServiceInstance, 10), strconv.FormatInt(key.CI, 10))
	default:
		parts = append(parts, "text", strconv.FormatInt(key.RequestedFor, 10), key.Subject, key.Note)
	}
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

// slug is the part of the id that a person reads.
func slug(key event.Key) string {
	parts := []string{key.Account, key.Source}
	switch {
	case key.Policy == event.PolicyTicket:
		parts = []string{key.Feed, key.ForeignTicket}
	case key.CI != 0:
		parts = append(parts, strconv.FormatInt(key.ServiceInstance, 10), strconv.FormatInt(key.CI, 10))
	default:
		parts = append(parts, key.Subject)
	}
	var b strings.Builder
	for _, r := range strings.ToLower(strings.Join(parts, "-")) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			r = '-'
		}
		if r == '-' && (b.Len() == 0 || strings.HasSuffix(b.String(), "-")) {
			continue
		}
		if b.Len() == slugLength {
			break
		}
		b.WriteRune(r)
	}
	text := strings.TrimSuffix(b.String(), "-")
	if text == "" {
		return "key"
	}
	return text
}
