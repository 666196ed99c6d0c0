package feed

import "github.com/ticketbridge/ticketbridge/internal/feed/cloudfeeds"

// tokens keeps one source of tokens for each credential, however many feeds
// share it.
type tokens struct {
	ofCloudFeeds map[cloudfeeds.Credential]*cloudfeeds.TokenSource
}

func newTokens() *tokens {
	return &tokens{ofCloudFeeds: map[cloudfeeds.Credential]*cloudfeeds.TokenSource{}}
}

func (t *tokens) cloudFeeds(c cloudfeeds.Credential) (*cloudfeeds.TokenSource, error) {
	if source := t.ofCloudFeeds[c]; source != nil {
		return source, nil
	}
	source, err := cloudfeeds.NewTokenSource(c, nil, nil)
	if err == nil {
		t.ofCloudFeeds[c] = source
	}
	return source, err
}
