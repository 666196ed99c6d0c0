// Package jira speaks to Jira Cloud's REST API, version 3.
//
// Jira has no idempotency key. What keeps a create whose answer was lost from
// being made twice is the marker that every issue and comment carries from its
// first POST, and reads by key, which are taken to be consistent (the vendor
// calls only the search index lagging). See RecoverTicket.
package jira

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Kinds of Credential.
const (
	Basic  = "basic"
	Bearer = "bearer"
)

// Credential is an account's e-mail address with an API token (Basic), or an
// OAuth token (Bearer).
type Credential struct {
	Type             string
	Username, Secret string
}

// CustomFieldMapping gives a field of Jira a name of its own.
type CustomFieldMapping struct {
	Name string
	// ProjectID is a project's id or key, or "*" for every project; a mapping
	// for the very project goes before one for every project.
	ProjectID string
	// ProviderFieldPath is a field id, with the members to go down to after it:
	// "duedate", "customfield_10010", "customfield_10010.value".
	ProviderFieldPath string
}

// Rate bounds the calls of one integration by one process; 0 takes
// DefaultPerSecond and DefaultConcurrency.
type Rate = rest.Rate

// Defaults of a Config.
const (
	DefaultPerSecond   = 10
	DefaultConcurrency = 8
	DefaultSettling    = time.Minute
	DefaultRole        = "Administrators"
)

// Config is one Jira account.
type Config struct {
	// Name is the integration's, for error texts.
	Name string
	// URL is the site, or https://api.atlassian.com/ex/jira/{cloudId} for
	// tokens with scopes; a path prefix is kept.
	URL                              string
	Credential                       Credential
	DefaultProject, DefaultIssueType string
	CustomFieldMappings              []CustomFieldMapping
	// PriorityMap gives Jira's priority names; absent priorities take the
	// names that a new Jira site has (Highest to Lowest).
	PriorityMap map[ticket.Priority]string
	// StatusMap gives, for a request's or a ticket's status, the Jira status's
	// name or "category:new", "category:indeterminate" or "category:done".
	StatusMap map[string]string
	// InternalRole is the project role that sees internal notes where the
	// project is no service desk; empty takes DefaultRole.
	InternalRole string
	Rate         Rate
	// Settling is how long a lost create may still be under way; 0 takes DefaultSettling.
	Settling time.Duration
	HTTP     *http.Client
	Now      func() time.Time
}

// Client makes the calls of one Jira account. It is safe for concurrent use.
type Client struct {
	config     Config
	base       string // without a slash at the end
	header     http.Header
	rest       rest.Client
	pace       *rest.Pace
	now        func() time.Time
	sleep      func(ctx context.Context, wait time.Duration) bool
	projects   *rest.Cache[project]
	screens    *rest.Cache[screen]
	accounts   *rest.Cache[string]
	fieldTypes *rest.Cache[map[string]fieldSchema]
	sites      *rest.Cache[string]
	presence   *rest.Cache[struct{}]
	uploads    *rest.Cache[uploadLimits]
}

// New checks config and makes a client; it makes no call. The error names every
// wrong member.
func New(config Config) (*Client, error) {
	base, err := baseURL(config.URL)
	errs := []error{err}
	authorization := ""
	switch config.Credential.Type {
	case Basic:
		if config.Credential.Username == "" {
			errs = append(errs, errors.New("credential.username: missing: give the account's e-mail address"))
		}
		authorization = "Basic " + encode(config.Credential.Username+":"+config.Credential.Secret)
	case Bearer:
		authorization = "Bearer " + config.Credential.Secret
	default:
		errs = append(errs, fmt.Errorf("credential.type: %q: want %q or %q", config.Credential.Type, Basic, Bearer))
	}
	if config.Credential.Secret == "" {
		errs = append(errs, errors.New("credential.secret: missing: give the API token"))
	}
	if config.Rate.PerSecond < 0 || config.Rate.Concurrency < 0 || config.Settling < 0 {
		errs = append(errs, errors.New("rate, settling: negative"))
	}
	errs = append(errs, checkMaps(config)...)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("integration %s: %w", config.Name, err)
	}
	return newClient(config, base, authorization), nil
}

func newClient(config Config, base, authorization string) *Client {
	config.InternalRole = cmp.Or(config.InternalRole, DefaultRole)
	config.Settling = cmp.Or(config.Settling, DefaultSettling)
	config.Rate.PerSecond = cmp.Or(config.Rate.PerSecond, DefaultPerSecond)
	config.Rate.Concurrency = cmp.Or(config.Rate.Concurrency, DefaultConcurrency)
	now := config.Now
	if now == nil {
		now = time.Now
	}
	return &Client{
		config: config, base: base, now: now,
		header: http.Header{
			"Authorization": {authorization},
			"Accept":        {"application/json"},
			"Content-Type":  {"application/json"},
		},
		rest: rest.Client{
			HTTP: rest.WithoutRedirects(config.HTTP), Now: now,
			Secrets: []string{config.Credential.Secret, strings.TrimPrefix(authorization, "Basic ")},
		},
		pace:       rest.NewPace(config.Rate),
		sleep:      rest.Sleep,
		projects:   rest.NewCache[project](now),
		screens:    rest.NewCache[screen](now),
		accounts:   rest.NewCache[string](now),
		fieldTypes: rest.NewCache[map[string]fieldSchema](now),
		sites:      rest.NewCache[string](now),
		presence:   rest.NewCache[struct{}](now),
		uploads:    rest.NewCache[uploadLimits](now),
	}
}

// Settling is how long to wait after the connection of a lost create or comment
// ended before looking for it: its commit may still be under way.
func (c *Client) Settling() time.Duration { return c.config.Settling }

// baseURL keeps a path prefix and drops what people paste after it.
func baseURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", fmt.Errorf("url: %q: want the site's address, such as https://acme.atlassian.net", text)
	}
	if u.User != nil {
		return "", errors.New("url: holds a user or password: put them under credential")
	}
	path := strings.TrimRight(u.Path, "/")
	for _, api := range []string{"/rest/api/3", "/rest/api/2"} {
		path = strings.TrimSuffix(path, api)
	}
	return u.Scheme + "://" + u.Host + path, nil
}

func checkMaps(config Config) []error {
	var errs []error
	for i, m := range config.CustomFieldMappings {
		if m.Name == "" || m.ProjectID == "" || m.ProviderFieldPath == "" {
			errs = append(errs, fmt.Errorf(`custom_field_mappings[%d]: name, project_id (or "*") and provider_field_path are all needed`, i))
		}
	}
	for status, target := range config.StatusMap {
		if category, ok := strings.CutPrefix(target, categoryPrefix); ok && !isCategory(category) {
			errs = append(errs, fmt.Errorf("status_map.%s: %q: want category:new, category:indeterminate or category:done", status, target))
		}
		if target == "" {
			errs = append(errs, fmt.Errorf("status_map.%s: empty", status))
		}
	}
	return errs
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
