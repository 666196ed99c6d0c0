package feed

import (
	"net/http"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/feed/acronis"
	"github.com/ticketbridge/ticketbridge/internal/feed/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/transform"
)

// shared is what feeds have in common, however many they are: a source of tokens
// for each credential, a compiled program for each text, and the HTTP client that
// they wait with.
type shared struct {
	ofCloudFeeds map[cloudfeeds.Credential]*cloudfeeds.TokenSource
	ofAcronis    map[acronis.Credential]*acronis.TokenSource
	programs     map[string]*transform.Program
	polling      *http.Client
}

func newShared() *shared {
	return &shared{
		ofCloudFeeds: map[cloudfeeds.Credential]*cloudfeeds.TokenSource{},
		ofAcronis:    map[acronis.Credential]*acronis.TokenSource{},
		programs:     map[string]*transform.Program{},
		polling:      newPollingClient(),
	}
}

func (s *shared) cloudFeeds(c cloudfeeds.Credential) (*cloudfeeds.TokenSource, error) {
	return one(s.ofCloudFeeds, c, cloudfeeds.NewTokenSource)
}

func (s *shared) acronis(c acronis.Credential) (*acronis.TokenSource, error) {
	return one(s.ofAcronis, c, acronis.NewTokenSource)
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

func (s *shared) program(source string) (*transform.Program, error) {
	if program := s.programs[source]; program != nil {
		return program, nil
	}
	program, err := transform.Compile(source)
	if err == nil {
		s.programs[source] = program
	}
	return program, err
}
