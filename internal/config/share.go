package config

import (
	"strings"
	"time"
)

// defaultRequestsPerMinute is what Cloud Feeds allows a user over all feeds
// (Rackspace Cloud Feeds, "Rate limits").
const defaultRequestsPerMinute = 10

// FeedInterval is the least time between two requests of a feed, catching up
// included. Feeds of one credential share its budget evenly, so it holds across
// workers without anybody counting. 0 means no limit: an unknown feed, or a
// credential without a budget (Acronis publishes none).
//
// A user's API key and a token of the same user cannot be told to belong
// together and count as two credentials.
func (c *Config) FeedInterval(name string) time.Duration {
	feed, err := c.Feed(name)
	if err != nil {
		return 0
	}
	sharing, budget := 0, requestsPerMinute(feed)
	for _, other := range c.Feeds {
		if other.Type != feed.Type || !sameBudget(feed, other) {
			continue
		}
		sharing++
		if theirs := requestsPerMinute(other); theirs > 0 && (budget == 0 || theirs < budget) {
			budget = theirs
		}
	}
	if budget == 0 {
		return 0
	}
	return time.Duration(sharing) * time.Minute / time.Duration(budget)
}

func requestsPerMinute(feed Feed) int {
	if feed.Credential.RequestsPerMinute > 0 {
		return feed.Credential.RequestsPerMinute
	}
	if feed.Type == TypeCloudFeeds {
		return defaultRequestsPerMinute
	}
	return 0
}

// sameBudget: an Acronis client is known at its own data centre only.
func sameBudget(one, other Feed) bool {
	a, b := one.Credential, other.Credential
	if a.Type != b.Type {
		return false
	}
	if a.Type == CredentialToken {
		return a.Secret.reference == b.Secret.reference && a.Secret.reference != "" || a.Secret.Equal(b.Secret.Reveal())
	}
	if a.Type == CredentialOAuthClient {
		return a.ClientID == b.ClientID && strings.EqualFold(one.URL, other.URL)
	}
	return strings.EqualFold(a.Username, b.Username) && strings.EqualFold(a.IdentityURL, b.IdentityURL)
}
