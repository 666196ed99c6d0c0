package config

import (
	"strings"
	"time"
)

// defaultRequestsPerMinute is what Cloud Feeds allows a user over all feeds
// (Rackspace Cloud Feeds, "Rate limits").
const defaultRequestsPerMinute = 10

// FeedInterval is the least time between two requests of a feed, catching up
// included. Feeds of one Cloud Feeds credential share its budget evenly, so it
// holds across workers without anybody counting. 0 means no limit: an unknown
// feed, or a type without such a budget.
//
// A user's API key and a token of the same user cannot be told to belong
// together and count as two credentials.
func (c *Config) FeedInterval(name string) time.Duration {
	feed, err := c.Feed(name)
	if err != nil || feed.Type != TypeCloudFeeds {
		return 0
	}
	sharing, budget := 0, requestsPerMinute(feed)
	for _, other := range c.Feeds {
		if other.Type == TypeCloudFeeds && sameBudget(feed.Credential, other.Credential) {
			sharing++
			budget = min(budget, requestsPerMinute(other))
		}
	}
	return time.Duration(sharing) * time.Minute / time.Duration(budget)
}

func requestsPerMinute(feed Feed) int {
	if feed.Credential.RequestsPerMinute > 0 {
		return feed.Credential.RequestsPerMinute
	}
	return defaultRequestsPerMinute
}

func sameBudget(a, b Credential) bool {
	if a.Type != b.Type {
		return false
	}
	if a.Type == CredentialToken {
		return a.Secret.reference == b.Secret.reference && a.Secret.reference != "" || a.Secret.Equal(b.Secret.Reveal())
	}
	return strings.EqualFold(a.Username, b.Username) && strings.EqualFold(a.IdentityURL, b.IdentityURL)
}
