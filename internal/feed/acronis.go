package feed

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/feed/acronis"
)

func acronisKind() kind {
	return kind{open: openAcronis, transform: acronis.DefaultTransform}
}

func openAcronis(f config.Feed, interval config.Duration, shared *shared) (Reader, error) {
	source, err := shared.acronis(AcronisCredential(f))
	if err != nil {
		return nil, err
	}
	client, err := acronis.New(acronis.Config{
		Name: f.Name, URL: f.URL, Tokens: source, HTTP: shared.polling,
		Topic: f.Topic, Types: f.Types, Tenant: f.Tenant, TenantDepth: strings.ToUpper(f.TenantDepth),
		SubjectTypes: f.SubjectTypes, CEL: f.CEL, Subscription: f.Subscription,
		Consumer: acronis.Consumer(f.Consumer), AutoCommitInterval: f.AutoCommitInterval.Std(),
		SessionTimeout: f.SessionTimeout.Std(), LongPoll: f.LongPoll.Std(),
		Start: f.Start, MinInterval: interval.Std(),
	})
	if err != nil {
		return nil, err
	}
	return acronisReader{client}, nil
}

// AcronisCredential is how a feed of that type logs in.
func AcronisCredential(f config.Feed) acronis.Credential {
	return acronis.Credential{
		URL: f.URL, ClientID: f.Credential.ClientID, Secret: f.Credential.Secret.Reveal(), TokenURL: f.Credential.TokenURL,
	}
}

// connectionsKept lets feeds at one data center keep their connections between
// long polls; net/http keeps two.
const connectionsKept = 1000

// newPollingClient makes the HTTP client of feeds whose requests wait.
func newPollingClient() *http.Client {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultClient
	}
	own := transport.Clone()
	own.MaxIdleConns, own.MaxIdleConnsPerHost = connectionsKept, connectionsKept
	return &http.Client{Transport: own}
}

// acronisReader marks the errors that only a person can mend.
type acronisReader struct{ *acronis.Client }

func (r acronisReader) Read(ctx context.Context, step event.Step) (event.Reading, error) {
	reading, err := r.Client.Read(ctx, step)
	return reading, r.configuration(err)
}

func (r acronisReader) Entry(ctx context.Context, item string) (event.Entry, error) {
	entry, err := r.Client.Entry(ctx, item)
	return entry, r.configuration(err)
}

func (acronisReader) configuration(err error) error {
	if e, ok := errors.AsType[*acronis.ConfigurationError](err); ok {
		return &activities.ConfigurationError{Err: e}
	}
	return err
}
