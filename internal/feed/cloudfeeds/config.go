package cloudfeeds

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// Values of Config.Start that are not markers.
const (
	StartOldest = "oldest"
	StartNow    = "now"
)

// Defaults and limits of Config.
const (
	DefaultLimit     = 1000
	DefaultOverlap   = 120 * time.Second
	DefaultFullEvery = 5 * time.Minute

	callTimeout  = 30 * time.Second
	maxPageBytes = 32 << 20
	// retention is how long Cloud Feeds keeps an entry ("Cloud Feeds: concepts").
	retention = 72 * time.Hour
)

// Config says which feed is read, and how.
type Config struct {
	// Name is the feed's name in our configuration.
	Name string
	// URL is the feed's with the account: https://HOST/consolidated_ticketing/events/ACCOUNT.
	URL string
	// Credential logs in; unused when Tokens is set.
	Credential Credential
	// Tokens, when set, is shared by all feeds of one credential.
	Tokens *TokenSource
	// Tenant, when set, refuses entries whose "tid:" category is another one.
	Tenant string
	// Start is where a feed that was never read begins: "oldest" (default),
	// "now" or a marker.
	Start string
	// MinInterval is the least time between two requests of this feed.
	MinInterval time.Duration
	// Limit is the page size, 2 to 1000.
	Limit int
	// Overlap is how late an entry may become visible and still be sure to be noticed.
	Overlap time.Duration
	// FullEvery is the longest time without a poll that ignores the ETag.
	FullEvery time.Duration
	HTTP      *http.Client
	Now       func() time.Time
}

// ConfigurationError is what a person has to mend: trying again does not help.
type ConfigurationError struct {
	// Field is the key of the feed's configuration that is at fault.
	Field string
	// Message says what is wrong and what to do.
	Message string
}

func (e *ConfigurationError) Error() string { return e.Field + ": " + e.Message }

// Client reads one feed. It is safe for concurrent use.
type Client struct {
	cfg    Config
	rest   rest.Client
	tokens *TokenSource
	base   string

	mu        sync.Mutex
	asked     time.Time // the last request
	notBefore time.Time // what the server asked for by Retry-After
}

// New checks the configuration; its errors are *ConfigurationError.
func New(cfg Config) (*Client, error) {
	base, err := feedURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	setDefaults(&cfg)
	if err := check(cfg); err != nil {
		return nil, err
	}
	tokens := cfg.Tokens
	if tokens == nil {
		if tokens, err = NewTokenSource(cfg.Credential, cfg.HTTP, cfg.Now); err != nil {
			return nil, err
		}
	}
	return &Client{
		cfg: cfg, base: base, tokens: tokens,
		rest: rest.Client{HTTP: rest.WithoutRedirects(cfg.HTTP), Timeout: callTimeout, MaxBytes: maxPageBytes, Now: cfg.Now},
	}, nil
}

func feedURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return "", &ConfigurationError{"url", "missing; want https://HOST/consolidated_ticketing/events/ACCOUNT"}
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return "", &ConfigurationError{"url", fmt.Sprintf("%q is not an http(s) address", raw)}
	case u.User != nil:
		return "", &ConfigurationError{"url", "must not hold a password; use credential"}
	case u.RawQuery != "" || u.Fragment != "":
		return "", &ConfigurationError{"url", "must end with the account; remove everything from \"?\" or \"#\""}
	}
	return strings.TrimRight(raw, "/"), nil
}

func setDefaults(cfg *Config) {
	if cfg.Start == "" {
		cfg.Start = StartOldest
	}
	if cfg.Limit == 0 {
		cfg.Limit = DefaultLimit
	}
	if cfg.Overlap == 0 {
		cfg.Overlap = DefaultOverlap
	}
	if cfg.FullEvery == 0 {
		cfg.FullEvery = DefaultFullEvery
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Tenant = strings.TrimPrefix(cfg.Tenant, "tid:")
}

func check(cfg Config) error {
	switch {
	case cfg.Limit < 2 || cfg.Limit > DefaultLimit:
		return &ConfigurationError{"limit", fmt.Sprintf("%d is not between 2 and %d", cfg.Limit, DefaultLimit)}
	case cfg.MinInterval < 0:
		return &ConfigurationError{"poll_interval", "must not be negative"}
	case cfg.Overlap < 0:
		return &ConfigurationError{"overlap", "must not be negative"}
	case cfg.FullEvery < 0:
		return &ConfigurationError{"full_every", "must not be negative"}
	case cfg.Start != StartOldest && cfg.Start != StartNow && !(isMarker(cfg.Start) && strings.HasPrefix(cfg.Start, markerPrefix)):
		return &ConfigurationError{"start", fmt.Sprintf("%q is neither %q nor %q nor a marker (urn:uuid:...)", cfg.Start, StartOldest, StartNow)}
	}
	return nil
}
