package feed

import (
	"context"
	"errors"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/feed/cloudfeeds"
)

func cloudFeedsKind() kind {
	return kind{open: openCloudFeeds, transform: cloudfeeds.DefaultTransform}
}

func openCloudFeeds(f config.Feed, interval config.Duration, shared *shared) (Reader, error) {
	credential := cloudfeeds.Credential{
		Type: f.Credential.Type, Username: f.Credential.Username, IdentityURL: f.Credential.IdentityURL,
	}
	if f.Credential.Type == config.CredentialToken {
		credential.Token = f.Credential.Secret.Reveal()
	} else {
		credential.APIKey = f.Credential.Secret.Reveal()
	}
	source, err := shared.cloudFeeds(credential)
	if err != nil {
		return nil, err
	}
	client, err := cloudfeeds.New(cloudfeeds.Config{
		Name: f.Name, URL: f.URL, Tokens: source, Tenant: f.Tenant, Start: f.Start, MinInterval: interval.Std(),
	})
	if err != nil {
		return nil, err
	}
	return cloudFeeds{client}, nil
}

// cloudFeeds marks the errors that only a person can mend.
type cloudFeeds struct{ *cloudfeeds.Client }

func (c cloudFeeds) Read(ctx context.Context, step event.Step) (event.Reading, error) {
	reading, err := c.Client.Read(ctx, step)
	return reading, c.configuration(err)
}

func (c cloudFeeds) Entry(ctx context.Context, item string) (event.Entry, error) {
	entry, err := c.Client.Entry(ctx, item)
	return entry, c.configuration(err)
}

func (cloudFeeds) configuration(err error) error {
	if e, ok := errors.AsType[*cloudfeeds.ConfigurationError](err); ok {
		return &activities.ConfigurationError{Err: e}
	}
	return err
}
