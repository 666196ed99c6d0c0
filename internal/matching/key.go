package matching

import (
	"hash/fnv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// EventKey is the match key of a request with these fields and this public
// note. With a CI the key is (account, source, service instance, CI), without
// one it is (account, source, requested for, subject, note). The letter case
// of the source does not count.
func EventKey(f event.Fields, note string) event.Key {
	key := event.Key{
		Policy:  event.PolicyEvent,
		Account: f.Account,
		Source:  strings.ToLower(f.Source),
	}
	if f.CI.ID != 0 {
		key.CI, key.ServiceInstance = f.CI.ID, f.ServiceInstance.ID
		return key
	}
	key.RequestedFor = personKey(f.RequestedFor)
	key.Subject = f.Subject
	key.Note = NormaliseNote(note)
	return key
}

// NormaliseNote makes notes equal that differ only by line ends and outer
// blanks. Letter case and inner blanks count.
func NormaliseNote(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}

// personKey is a person's id. A person who is known by e-mail address only gets
// a stable number below zero, which no catalog uses, so that two such persons
// stay two.
func personKey(person event.Ref) int64 {
	if person.ID != 0 || person.Email == "" {
		return person.ID
	}
	h := fnv.New64a()
	h.Write([]byte(strings.ToLower(person.Email)))
	return -1 - int64(h.Sum64()>>11)
}
