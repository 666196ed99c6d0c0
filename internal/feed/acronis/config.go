package acronis

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Starts beside an offset and an RFC 3339 time.
const (
	StartEarliest = "earliest"
	StartCurrent  = "current"
	StartStored   = "stored"
)

// Consumer says who keeps the offset.
type Consumer string

const (
	// Stateful: the feed's position alone.
	Stateful Consumer = "stateful"
	// Stateless: the subscription is told each offset after the hand-over.
	Stateless Consumer = "stateless"
	// AutoCommit: the subscription learns it from reading on.
	AutoCommit Consumer = "auto_commit"
)

// Depths of a subscription's tenants ("Subscribing to the events").
const (
	DepthCurrent = "CURRENT"
	DepthDirect  = "DIRECT"
	DepthAll     = "ALL"
)

// Limits and defaults.
const (
	DefaultSession    = 2 * time.Minute
	DefaultLongPoll   = 30 * time.Second
	DefaultAutoCommit = time.Minute

	callTimeout = 30 * time.Second
	// A page has at most 100 events of at most 64 KB each.
	pageLimit    = 100
	maxPageBytes = 32 << 20
	// standby is how long another consumer is left alone that the answer names no
	// time for.
	standby = 10 * time.Second
)

// Config says which subscription is read, and how.
type Config struct {
	// Name is the feed's name in our configuration.
	Name string
	// URL is the data center's: https://eu2-cloud.acronis.com.
	URL string
	// Tokens log in; shared by all feeds of one credential.
	Tokens *TokenSource
	Topic  string
	Types  []string
	// Tenant is whose events are read; empty: the client's own.
	Tenant       string
	TenantDepth  string
	SubjectTypes []string
	CEL          string
	// Subscription is the id of one that is there; empty derives one.
	Subscription       string
	Consumer           Consumer
	AutoCommitInterval time.Duration
	SessionTimeout     time.Duration
	// LongPoll is the longest that a request waits for events.
	LongPoll time.Duration
	// Start is where a feed that was never read begins.
	Start string
	// MinInterval is the least time between two requests, logins aside.
	MinInterval time.Duration
	HTTP        *http.Client
	Now         func() time.Time
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
	cfg          Config
	api          *API
	subscription Subscription
}

// New checks the configuration; its errors are *ConfigurationError.
func New(cfg Config) (*Client, error) {
	setDefaults(&cfg)
	api, err := NewAPI(cfg.URL, cfg.Tokens, cfg.HTTP, cfg.Now)
	if err != nil {
		return nil, err
	}
	if err := check(cfg); err != nil {
		return nil, err
	}
	api.every = cfg.MinInterval
	return &Client{cfg: cfg, api: api, subscription: subscriptionOf(cfg)}, nil
}

func setDefaults(cfg *Config) {
	if cfg.Start == "" {
		cfg.Start = StartEarliest
	}
	if cfg.TenantDepth == "" {
		cfg.TenantDepth = DepthAll
	}
	if cfg.Consumer == "" {
		cfg.Consumer = Stateful
	}
	if cfg.SessionTimeout == 0 {
		cfg.SessionTimeout = DefaultSession
	}
	if cfg.LongPoll == 0 {
		cfg.LongPoll = min(DefaultLongPoll, cfg.SessionTimeout)
	}
	if cfg.AutoCommitInterval == 0 {
		cfg.AutoCommitInterval = DefaultAutoCommit
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
}

func check(cfg Config) error {
	_, err := parseStart(cfg.Start)
	switch {
	case cfg.Topic == "":
		return &ConfigurationError{"topic", "missing"}
	case len(cfg.Types) == 0:
		return &ConfigurationError{"types", "missing; want 1 to 32 event types"}
	case err != nil:
		return &ConfigurationError{"start", err.Error()}
	case cfg.Consumer != Stateful && cfg.Consumer != Stateless && cfg.Consumer != AutoCommit:
		return &ConfigurationError{"consumer", fmt.Sprintf("%q is none of %s, %s, %s", cfg.Consumer, Stateful, Stateless, AutoCommit)}
	case cfg.SessionTimeout < time.Second:
		return &ConfigurationError{"session_timeout", "want at least 1s"}
	case cfg.LongPoll < 0 || cfg.LongPoll > cfg.SessionTimeout:
		return &ConfigurationError{"long_poll", fmt.Sprintf("want at most the session timeout, %s", cfg.SessionTimeout)}
	}
	return nil
}

func baseURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return "", &ConfigurationError{"url", "missing; want the data center's address, like https://eu2-cloud.acronis.com"}
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return "", &ConfigurationError{"url", "is not an http(s) address; want the data center's, like https://eu2-cloud.acronis.com"}
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", &ConfigurationError{"url", "must hold neither a password nor anything from \"?\" or \"#\" on"}
	}
	return strings.TrimRight(raw, "/"), nil
}

// namespace of the ids that we choose.
const namespace = "ticketbridge:acronis"

// derive makes an id of what decides it: equal parts, equal id.
func derive(parts ...string) string {
	space := uuid.NewSHA1(uuid.NameSpaceOID, []byte(namespace))
	return uuid.NewSHA1(space, []byte(strings.Join(parts, "\x00"))).String()
}
