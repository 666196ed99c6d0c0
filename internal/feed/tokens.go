package feed

import (
	"net/http"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/feed/acronis"
	"github.com/ticketbridge/ticketbridge/internal/feed/cloudfeeds"
)

// tokens keeps one source of tokens for each credential, however many feeds
// share it, and the HTTP client that they wait with.
type tokens struct {
	ofCloudFeeds map[cloudfeeds.Credential]*cloudfeeds.TokenSource
	ofAcronis    map[acronis.Credential]*acronis.TokenSource
	polling      *http.Client
}

func newTokens() *tokens {
	return &tokens{
		ofCloudFeeds: map[cloudfeeds.Credential]*cloudfeeds.TokenSource{},
		ofAcronis:    map[acronis.Credential]*acronis.TokenSource{},
		polling:      newPollingClient(),
	}
}

func (t *tokens) cloudFeeds(c cloudfeeds.Credential) (*cloudfeeds.TokenSource, error) {
	return one(t.ofCloudFeeds, c, cloudfeeds.NewTokenSource)
}

func (t *tokens) acronis(c acronis.Credential) (*acronis.TokenSource, error) {
	return one(t.ofAcronis, c, acronis.NewTokenSource)
}

// one makes a credential's source where there is none yet.
func one[C comparable, S any](sources map[C]*S, credential C, open func(C, *http.Client, func() time.Time) (*S, error)) (*S, error) {
	if source := sources[credential]; source != nil {
		return source, nil
	}
	source, err := open(credential, nil, nil)
	if err == nil {
		sources[credential] = source
	}
	return source, err
}
