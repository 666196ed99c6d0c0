// Package feed makes the readers of the configured feeds. It is the one place
// that knows all feed types.
package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/feed/cloudfeeds"
)

// Types are the feed types of this version, as the configuration names them.
func Types() []string { return []string{config.TypeCloudFeeds} }

// Set holds the reader of every configured feed.
type Set struct {
	feeds   map[string]activities.Feed
	unknown func(name string) error
}

// New makes the readers; the error names the feed and the key that is wrong.
func New(c *config.Config) (*Set, error) {
	s := &Set{feeds: map[string]activities.Feed{}, unknown: func(name string) error {
		_, err := c.Feed(name)
		return err
	}}
	tokens := map[cloudfeeds.Credential]*cloudfeeds.TokenSource{}
	for _, f := range c.Feeds {
		reader, err := newReader(c, f, tokens)
		if err != nil {
			return nil, fmt.Errorf("feed %s: %w", f.Name, err)
		}
		s.feeds[f.Name] = activities.Feed{
			Name: f.Name, Integration: f.Integration, Reader: reader, PollInterval: f.PollInterval.Std(),
		}
	}
	return s, nil
}

// Feed finds a feed by name.
func (s *Set) Feed(name string) (activities.Feed, error) {
	if f, ok := s.feeds[name]; ok {
		return f, nil
	}
	return activities.Feed{}, s.unknown(name)
}

func newReader(c *config.Config, f config.Feed, tokens map[cloudfeeds.Credential]*cloudfeeds.TokenSource) (activities.FeedReader, error) {
	if f.Type != config.TypeCloudFeeds {
		return nil, fmt.Errorf("type %s is not available in this version", f.Type)
	}
	credential := cloudfeeds.Credential{
		Type: f.Credential.Type, Username: f.Credential.Username, IdentityURL: f.Credential.IdentityURL,
	}
	if f.Credential.Type == config.CredentialToken {
		credential.Token = f.Credential.Secret.Reveal()
	} else {
		credential.APIKey = f.Credential.Secret.Reveal()
	}
	if tokens[credential] == nil {
		source, err := cloudfeeds.NewTokenSource(credential, nil, nil)
		if err != nil {
			return nil, err
		}
		tokens[credential] = source
	}
	client, err := cloudfeeds.New(cloudfeeds.Config{
		Name: f.Name, URL: f.URL, Tokens: tokens[credential], Tenant: f.Tenant, Start: f.Start,
		MinInterval: c.FeedInterval(f.Name),
	})
	if err != nil {
		return nil, err
	}
	return cloudFeeds{client}, nil
}

// cloudFeeds marks the errors that only a person can mend.
type cloudFeeds struct{ *cloudfeeds.Client }

func (c cloudFeeds) Read(ctx context.Context, position json.RawMessage) (event.Reading, error) {
	reading, err := c.Client.Read(ctx, position)
	return reading, configuration(err)
}

func (c cloudFeeds) Entry(ctx context.Context, id string) (event.Entry, error) {
	entry, err := c.Client.Entry(ctx, id)
	return entry, configuration(err)
}

func configuration(err error) error {
	if e, ok := errors.AsType[*cloudfeeds.ConfigurationError](err); ok {
		return &activities.ConfigurationError{Err: e}
	}
	return err
}
