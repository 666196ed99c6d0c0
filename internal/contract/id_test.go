package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

func withCI() event.Key {
	return event.Key{Policy: event.PolicyEvent, Account: "widget", Source: "nagios", ServiceInstance: 29, CI: 501}
}

func withText(subject, note string) event.Key {
	return event.Key{Policy: event.PolicyEvent, Account: "widget", Source: "nagios", RequestedFor: 100, Subject: subject, Note: note}
}

func foreign(feed, ticket string) event.Key {
	return event.Key{Policy: event.PolicyTicket, Feed: feed, ForeignTicket: ticket}
}

// These ids are promises: people have them in scripts, tickets bear the hashes,
// and a run under an id of today must be found by the program of tomorrow.
func TestIDsNeverChange(t *testing.T) {
	for want, key := range map[string]event.Key{
		"match:jira-ops:widget-nagios-29-501:vcjmzxuehygmssoh7ik2xcp75w":       withCI(),
		"match:jira-ops:widget-nagios-server-down:yqqof6c3n7nchruypwk74ig56s":  withText("Server \"down\": ÄÖ", "not reachable\nat all"),
		"match:jira-ops:widget-nagios:qsoe7l2vruajyanlamtrwbcmyp":              withText("", ""),
		"match:jira-ops:rackspace-lon-250101-04501:jnuiblbbgllhun4xxj3tadc6qr": foreign("rackspace-lon", "250101-04501"),
	} {
		assert.Equal(t, want, MatchID("jira-ops", key))
	}
	assert.Equal(t, "feed:rackspace-lon", FeedID("rackspace-lon"))
	assert.Equal(t, int64(5184578790163775), RequestID("match:jira-ops:x", "e1"))
	assert.Equal(t, "ticketbridge-jira", ProviderQueue("jira"))
}

// What decides between two keys is the canonical form alone.
func TestEveryMemberOfAKeyCounts(t *testing.T) {
	seen := map[string]string{}
	for name, key := range map[string]event.Key{
		"ci": withCI(), "text": withText("a", "b"), "other note": withText("a", "c"), "other subject": withText("b", "b"),
		"shifted": withText("ab", ""), "feed": foreign("lon", "1"), "other ticket": foreign("lon", "2"), "other feed": foreign("iad", "1"),
		"other account": {Policy: event.PolicyEvent, Account: "wna-it", Source: "nagios", ServiceInstance: 29, CI: 501},
		"other source":  {Policy: event.PolicyEvent, Account: "widget", Source: "zabbix", ServiceInstance: 29, CI: 501},
		"other service": {Policy: event.PolicyEvent, Account: "widget", Source: "nagios", ServiceInstance: 30, CI: 501},
		"other ci":      {Policy: event.PolicyEvent, Account: "widget", Source: "nagios", ServiceInstance: 29, CI: 502},
		"other person":  {Policy: event.PolicyEvent, Account: "widget", Source: "nagios", RequestedFor: 101, Subject: "a", Note: "b"},
	} {
		hash := KeyHash(key)
		assert.Len(t, hash, hashLength)
		assert.Empty(t, seen[hash], "%s and %s", name, seen[hash])
		seen[hash] = name
	}
}

// With a CI the texts are no part of the key.
func TestATextDoesNotSplitAKeyWithACI(t *testing.T) {
	key := withCI()
	key.Subject, key.Note, key.RequestedFor = "a", "b", 7
	assert.Equal(t, MatchID("i", withCI()), MatchID("i", key))
}

func TestTheReadablePartIsShortAndPlain(t *testing.T) {
	for subject, want := range map[string]string{
		"Server down":              "widget-nagios-server-down",
		"":                         "widget-nagios",
		"  --Weird:: / name!! ":    "widget-nagios-weird-name",
		"Überlast é 服务器":           "widget-nagios-berlast",
		strings.Repeat("x", 500):   "widget-nagios-" + strings.Repeat("x", slugLength-len("widget-nagios-")),
		strings.Repeat("x- ", 500): strings.TrimSuffix(("widget-nagios-" + strings.Repeat("x-", 500))[:slugLength], "-"),
	} {
		assert.Equal(t, want, slug(withText(subject, "")), subject)
	}
	assert.Equal(t, "key", slug(event.Key{Policy: event.PolicyTicket, Feed: "服", ForeignTicket: "务"}))
}

// Ids stay far below the 255 bytes that some databases of Temporal take.
func TestIDsAreShort(t *testing.T) {
	assert.Less(t, len(MatchID(strings.Repeat("i", 60), withText(strings.Repeat("ü", 1000), strings.Repeat("n", 1<<16)))), 200)
}

func TestRequestIDsFitEveryJSONReader(t *testing.T) {
	for n := range 1000 {
		id := RequestID("w", fmt.Sprint(n))
		assert.Positive(t, id)
		assert.Less(t, id, int64(1)<<53)
	}
}
