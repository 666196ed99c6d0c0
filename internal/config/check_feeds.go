package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/transform"
)

// Defaults of feeds.
const (
	defaultPollInterval = Duration(10 * time.Second)
	// longPollInterval is for feeds whose requests wait for news themselves.
	longPollInterval   = Duration(time.Second)
	defaultIdentityURL = "https://identity.api.rackspacecloud.com/v2.0"
	maxPollInterval    = Duration(24 * time.Hour)
)

var marker = regexp.MustCompile(`(?i)^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// defaults fills in what the file leaves out, before anything is checked.
func (c *checker) defaults() {
	for i := range c.cfg.Feeds {
		feed := &c.cfg.Feeds[i]
		if feed.Credential.Type == CredentialRackspaceAPIKey && feed.Credential.IdentityURL == "" {
			feed.Credential.IdentityURL = defaultIdentityURL
		}
		start, match := "oldest", event.PolicyTicket
		if feed.Type == TypeAcronis {
			start, match = "earliest", event.PolicyEvent
			c.acronisDefaults(fmt.Sprintf("feeds[%d]", i), &feed.Acronis)
		}
		if feed.Start == "" {
			feed.Start = start
		}
		if feed.Match == "" {
			feed.Match = match
		}
	}
	for i := range c.cfg.Integrations {
		c.defaultIntegration(&c.cfg.Integrations[i])
	}
}

func (c *checker) checkFeeds() {
	names := map[string]string{}
	for i := range c.cfg.Feeds {
		c.checkFeed(fmt.Sprintf("feeds[%d]", i), &c.cfg.Feeds[i], names)
	}
	// The share needs all credentials resolved.
	for i := range c.cfg.Feeds {
		c.applyShare(fmt.Sprintf("feeds[%d].poll_interval", i), &c.cfg.Feeds[i])
	}
}

func (c *checker) checkFeed(path string, feed *Feed, names map[string]string) {
	c.name(path+".name", feed.Name, names)
	c.integrationExists(path+".integration", feed.Integration)
	c.oneOf(path+".match", string(feed.Match), []string{string(event.PolicyTicket), string(event.PolicyEvent)})
	if at := path + ".poll_interval"; c.doc.Has(at) && (feed.PollInterval <= 0 || feed.PollInterval > maxPollInterval) {
		c.problem(at, "want more than 0 and at most 24h")
	}
	c.matchedAs(path, feed.CatalogAccount, feed.Person)
	c.transform(path+".transform", feed)
	feed.URL = c.url(path+".url", feed.URL)
	if !c.available(path+".type", feed.Type, feedTypes(), c.known.FeedTypes) {
		return
	}
	c.credential(path+".credential", &feed.Credential, feedCredentials(feed.Type))
	if feed.Type == TypeAcronis {
		c.checkAcronis(path, feed)
	} else {
		c.checkCloudFeeds(path, feed)
	}
}

func (c *checker) checkCloudFeeds(path string, feed *Feed) {
	c.notOf(path, TypeCloudFeeds, acronisKeys()...)
	if feed.Start != "oldest" && feed.Start != "now" && !marker.MatchString(feed.Start) {
		c.problem(path+".start", "want oldest, now or a marker like urn:uuid:560490c6-6c63-11e1-adfe-27851d5aed13")
	}
	if tenant, ok := strings.CutPrefix(feed.Tenant, "tid:"); ok {
		c.problem(path+".tenant", "write %q, without tid:", tenant)
	}
}

// transform compiles the feed's jq program.
func (c *checker) transform(path string, feed *Feed) {
	if !c.doc.Has(path) {
		return
	}
	if feed.Match == event.PolicyTicket {
		c.problem(path, "is for feeds with match: event; with match: ticket an entry is mirrored as it is")
	}
	if _, err := transform.Compile(feed.Transform); err != nil {
		c.problem(path, "the jq program: %s", err)
	}
}

// notOf reports keys that a feed of this type does not have.
func (c *checker) notOf(path, feedType string, keys ...string) {
	for _, key := range keys {
		if c.doc.Has(path + "." + key) {
			c.problem(path+"."+key, "a feed of type %s does not have this key", feedType)
		}
	}
}

// applyShare raises a poll interval that the credential's budget does not allow.
func (c *checker) applyShare(path string, feed *Feed) {
	share := Duration(c.cfg.FeedInterval(feed.Name))
	if !c.doc.Has(path) {
		interval := defaultPollInterval
		if feed.Type == TypeAcronis {
			interval = longPollInterval
		}
		feed.PollInterval = max(interval, share)
		return
	}
	if feed.PollInterval > 0 && feed.PollInterval < share {
		c.warn(path, "%s is less than this feed's share of its credential's budget (%d requests a minute over all its feeds); %s is used",
			feed.PollInterval, requestsPerMinute(*feed), share)
		feed.PollInterval = share
	}
}
