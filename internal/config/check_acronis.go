package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Defaults and limits of Acronis feeds; the vendor's where it names one.
const (
	defaultSessionTimeout     = Duration(2 * time.Minute)
	defaultLongPoll           = Duration(30 * time.Second)
	defaultAutoCommitInterval = Duration(time.Minute)
	maxTypes                  = 32
	maxCEL                    = 4096 // characters
)

func acronisKeys() []string {
	return []string{
		"topic", "types", "tenant_depth", "subject_types", "cel", "consumer", "auto_commit_interval",
		"session_timeout", "long_poll", "subscription",
	}
}

// acronisDefaults stand in for keys that are absent; what is written is checked.
func (c *checker) acronisDefaults(path string, a *Acronis) {
	if a.TenantDepth == "" {
		a.TenantDepth = DepthAll
	}
	if a.Consumer == "" {
		a.Consumer = ConsumerStateful
	}
	if !c.doc.Has(path + ".session_timeout") {
		a.SessionTimeout = defaultSessionTimeout
	}
	if !c.doc.Has(path + ".long_poll") {
		a.LongPoll = min(defaultLongPoll, Duration(a.SessionTimeout.Std().Truncate(time.Second)))
	}
	if !c.doc.Has(path + ".auto_commit_interval") {
		a.AutoCommitInterval = defaultAutoCommitInterval
	}
}

func (c *checker) checkAcronis(path string, feed *Feed) {
	if feed.Match == event.PolicyTicket {
		c.problem(path+".match", "want event: the events of this type name no ticket")
	}
	c.require(path+".topic", feed.Topic)
	c.acronisTypes(path+".types", feed.Types)
	for i, name := range feed.SubjectTypes {
		c.require(fmt.Sprintf("%s.subject_types[%d]", path, i), name)
	}
	c.oneOf(path+".tenant_depth", feed.TenantDepth, []string{DepthCurrent, DepthDirect, DepthAll})
	c.oneOf(path+".consumer", feed.Consumer, []string{ConsumerStateful, ConsumerStateless, ConsumerAutoCommit})
	if len([]rune(feed.CEL)) > maxCEL {
		c.problem(path+".cel", "longer than %d characters", maxCEL)
	}
	c.acronisAddress(path+".url", feed.URL)
	if feed.Tenant != "" && !isUUID(feed.Tenant) {
		c.problem(path+".tenant", "want a UUID, the tenant's id in the management console")
	}
	if c.between(path+".session_timeout", feed.SessionTimeout, Duration(time.Second), Duration(time.Hour)) {
		c.longPoll(path+".long_poll", feed)
	}
	c.between(path+".auto_commit_interval", feed.AutoCommitInterval, Duration(time.Second), Duration(time.Hour))
	if at := path + ".auto_commit_interval"; c.doc.Has(at) && feed.Consumer != ConsumerAutoCommit {
		c.problem(at, "is for consumer: %s", ConsumerAutoCommit)
	}
	c.subscription(path+".subscription", feed)
	if !isAcronisStart(feed.Start) {
		c.problem(path+".start", "want earliest, current, stored, an offset or a time like 2026-01-15T12:00:00Z")
	}
}

func (c *checker) acronisTypes(path string, types []string) {
	if len(types) == 0 || len(types) > maxTypes {
		c.problem(path, "want 1 to %d event types; `starter feed types` lists them", maxTypes)
	}
	for i, name := range types {
		c.require(fmt.Sprintf("%s[%d]", path, i), name)
	}
}

// longPoll: the Event Manager takes whole seconds, and forgets a session that is
// silent for longer than its timeout.
func (c *checker) longPoll(path string, feed *Feed) {
	if c.between(path, feed.LongPoll, Duration(time.Second), feed.SessionTimeout) && feed.LongPoll.Std()%time.Second != 0 {
		c.problem(path, "want whole seconds")
	}
}

// acronisAddress: the paths of the APIs are added to the address.
func (c *checker) acronisAddress(path, address string) {
	for _, api := range []string{"/api/event_manager/v1", "/api/2"} {
		if strings.HasSuffix(address, api) {
			c.problem(path, "want the data center's address alone, without %s", api)
		}
	}
}

// between checks a duration that has a default, and reports whether it is good.
func (c *checker) between(path string, d, least, most Duration) bool {
	good := !c.doc.Has(path) || d >= least && d <= most
	if !good {
		c.problem(path, "want %s to %s", least, most)
	}
	return good
}

func isUUID(text string) bool {
	parsed, err := uuid.Parse(text)
	return err == nil && parsed.String() == strings.ToLower(text)
}

// subscription: two feeds that read the same one would take its events from each
// other; two deployments that each keep the offset would both deliver them.
func (c *checker) subscription(path string, feed *Feed) {
	id := feed.Subscription
	if id == "" {
		return
	}
	if !isUUID(id) {
		c.problem(path, "want a UUID, or nothing: then the id is derived from the configuration")
		return
	}
	if feed.Consumer == ConsumerStateful {
		c.warn(path, "with consumer: %s two deployments that read this subscription would each deliver its events; consumer: %s is for that",
			ConsumerStateful, ConsumerStateless)
	}
	readers := 0
	for _, other := range c.cfg.Feeds {
		if strings.EqualFold(other.Subscription, id) {
			readers++
		}
	}
	if readers > 1 {
		c.problem(path, "another feed reads this subscription too; each would get only what the other leaves")
	}
}

var offsetForm = regexp.MustCompile(`^[0-9]{1,19}$`)

func isAcronisStart(start string) bool {
	switch start {
	case "earliest", "current", "stored":
		return true
	}
	if offsetForm.MatchString(start) {
		_, err := strconv.ParseInt(start, 10, 64)
		return err == nil
	}
	_, err := time.Parse(time.RFC3339, start)
	return err == nil
}
