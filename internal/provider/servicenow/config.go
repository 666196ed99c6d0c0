// Package servicenow speaks to ServiceNow's Table API, version 2: to the
// incidents of IT service management and to those of Security Incident Response;
// to the Attachment API for their files; and, where that is configured, to the
// Import Set API to make them.
//
// ServiceNow has no idempotency key. What keeps a create whose answer was lost
// from being made twice is the id that every record gets from its operation, as
// its sys_id where the instance lets the client choose it, and within
// correlation_id in any case. Both are read from the tables themselves, which do
// not lag. See CreateTicket and RecoverTicket.
package servicenow

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Kinds of Credential.
const (
	Basic       = "basic"
	APIKey      = "token"
	OAuthClient = "oauth_client"
)

// Credential is a user with a password (Basic), an API key (APIKey), or an OAuth
// client with the grant client_credentials (OAuthClient).
type Credential struct {
	Type               string
	Username, ClientID string
	Secret             string
	// TokenURL is where OAuth tokens come from; empty is the instance itself.
	TokenURL string
}

// CustomFieldMapping gives a column a name of its own.
type CustomFieldMapping struct {
	Name string
	// ProjectID is a table, or "*" for every table; a mapping for the very table
	// goes before one for every table.
	ProjectID string
	// ProviderFieldPath is a column: "u_site". Reading may go on through
	// references: "cmdb_ci.name".
	ProviderFieldPath string
}

// Defaults of a Config.
const (
	DefaultPerSecond = 10
	// DefaultConcurrency leaves half of the four threads that a node has for all
	// its API calls (semaphore pool API_INT) to others.
	DefaultConcurrency = 2
	// DefaultSettling is longer than the 60 seconds that the instance gives a
	// call before it cancels it ("Default transaction quota rules").
	DefaultSettling = 75 * time.Second
)

// callTimeout ends a call. It is shorter than the instance's own 60 seconds,
// because an attempt has less: the rest is for Settling.
const callTimeout = 40 * time.Second

// Config is one account of an instance.
type Config struct {
	// Name is the integration's, for error texts.
	Name string
	// URL is the instance: https://acme.service-now.com.
	URL        string
	Credential Credential
	// Application is which kind of tickets it keeps.
	Application Application
	// DefaultProject is the application's table, or one that extends it; empty
	// takes the application's.
	DefaultProject string
	// DefaultIssueType is the category of tickets that have none.
	DefaultIssueType string
	// DefaultCreator is who opened tickets that name no creator: an e-mail address,
	// user name or sys_id; empty is the account itself.
	DefaultCreator      string
	CustomFieldMappings []CustomFieldMapping
	// PriorityMap gives a priority as "impact/urgency" ("1/2"), or as one number
	// in an application that does not compute it.
	PriorityMap map[ticket.Priority]string
	// StatusMap gives, for a request's or a ticket's status, the label or value of
	// a state, with the on-hold reason behind a slash: "On Hold/Awaiting Vendor".
	StatusMap map[string]string
	// Import makes tickets through a staging table; the zero value makes them in
	// their own.
	Import Import
	// Rate: 0 takes DefaultPerSecond and DefaultConcurrency.
	Rate rest.Rate
	// Settling is how long a lost create may still be under way; 0 takes DefaultSettling.
	Settling time.Duration
	HTTP     *http.Client
	Now      func() time.Time
}

// Client makes the calls of one account. It is safe for concurrent use.
type Client struct {
	config  Config
	app     Application
	base    string // without a slash at the end
	rest    rest.Client
	header  http.Header
	tokens  *tokens // nil: the header holds the credential
	pace    *rest.Pace
	now     func() time.Time
	sleep   func(ctx context.Context, wait time.Duration) bool
	chains  *rest.Cache[[]string]
	columns *rest.Cache[map[string]column]
	choices *rest.Cache[[]choice]
	tables  *rest.Cache[tables]
	fields  *rest.Cache[[]ticket.RemoteField]
	// readings: how the instance was seen to read queries.
	readings *rest.Cache[reading]
	people   *rest.Cache[string]
	// presence: the account was seen to see tickets.
	presence *rest.Cache[struct{}]
	// keepsID: the instance was seen to keep a sys_id that we chose.
	keepsID atomic.Bool
	// marksLost is until when no ticket is made, in nanoseconds since 1970, because
	// the last one kept no mark; 0 where it did.
	marksLost atomic.Int64
}

// New checks config and makes a client; it makes no call. The error names every
// wrong member.
func New(config Config) (*Client, error) {
	base, err := baseURL(config.URL)
	errs := []error{err}
	header := http.Header{"Accept": {"application/json"}}
	switch config.Credential.Type {
	case Basic:
		if config.Credential.Username == "" {
			errs = append(errs, errors.New("credential.username: missing: give the account's user name"))
		}
		header.Set("Authorization", "Basic "+encode(config.Credential.Username+":"+config.Credential.Secret))
	case APIKey:
		header["x-sn-apikey"] = []string{config.Credential.Secret}
	case OAuthClient:
		if config.Credential.ClientID == "" {
			errs = append(errs, errors.New("credential.client_id: missing: give the id of the OAuth client"))
		}
	default:
		errs = append(errs, fmt.Errorf("credential.type: %q: want %q, %q or %q", config.Credential.Type, Basic, APIKey, OAuthClient))
	}
	if config.Credential.Secret == "" {
		errs = append(errs, errors.New("credential.secret: missing: give the password, API key or client secret"))
	}
	if config.Application.table == "" {
		errs = append(errs, errors.New("application: missing"))
	}
	if config.DefaultProject != "" && !isName(config.DefaultProject) {
		errs = append(errs, fmt.Errorf("default_project: %q: want the name of a table, such as u_ops_incident", config.DefaultProject))
	}
	if config.Rate.PerSecond < 0 || config.Rate.Concurrency < 0 || config.Settling < 0 {
		errs = append(errs, errors.New("rate, settling: negative"))
	}
	errs = append(errs, checkMaps(config)...)
	errs = append(errs, config.Import.check()...)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("integration %s: %w", config.Name, err)
	}
	return newClient(config, base, header), nil
}

func newClient(config Config, base string, header http.Header) *Client {
	config.Settling = cmp.Or(config.Settling, DefaultSettling)
	config.Rate.PerSecond = cmp.Or(config.Rate.PerSecond, DefaultPerSecond)
	config.Rate.Concurrency = cmp.Or(config.Rate.Concurrency, DefaultConcurrency)
	config.DefaultProject = cmp.Or(config.DefaultProject, config.Application.table)
	now := config.Now
	if now == nil {
		now = time.Now
	}
	secrets := []string{config.Credential.Secret, strings.TrimPrefix(header.Get("Authorization"), "Basic ")}
	c := &Client{
		config: config, app: config.Application, base: base, header: header, now: now,
		rest:    rest.Client{HTTP: sessionless(config.HTTP), Now: now, Timeout: callTimeout, Secrets: secrets},
		pace:    rest.NewPace(config.Rate),
		sleep:   rest.Sleep,
		chains:  rest.NewCache[[]string](now),
		columns: rest.NewCache[map[string]column](now),
		choices: rest.NewCache[[]choice](now),
		tables:  rest.NewCache[tables](now),
		fields:  rest.NewCache[[]ticket.RemoteField](now),

		readings: rest.NewCache[reading](now),
		people:   rest.NewCache[string](now),

		presence: rest.NewCache[struct{}](now),
	}
	if config.Credential.Type == OAuthClient {
		c.tokens = newTokens(cmp.Or(config.Credential.TokenURL, base+"/oauth_token.do"), config.Credential, now)
	}
	return c
}

// Settling is how long to wait after the connection of a lost create or comment
// ended before looking for it: its commit may still be under way.
func (c *Client) Settling() time.Duration { return c.config.Settling }

// baseURL drops what people paste after the instance's address.
func baseURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", fmt.Errorf("url: %q: want the instance's address, such as https://acme.service-now.com", text)
	}
	if u.User != nil {
		return "", errors.New("url: holds a user or password: put them under credential")
	}
	path, _, _ := strings.Cut(u.Path, "/api/now")
	return u.Scheme + "://" + u.Host + strings.TrimRight(path, "/"), nil
}

func checkMaps(config Config) []error {
	var errs []error
	for i, m := range config.CustomFieldMappings {
		if m.Name == "" || m.ProjectID == "" || m.ProviderFieldPath == "" {
			errs = append(errs, fmt.Errorf(`custom_field_mappings[%d]: name, project_id (or "*") and provider_field_path are all needed`, i))
		} else if !isPath(config.path(m)) {
			errs = append(errs, fmt.Errorf("custom_field_mappings[%d].provider_field_path: %q: want a column, such as u_site", i, m.ProviderFieldPath))
		}
	}
	for status, target := range config.StatusMap {
		if target == "" {
			errs = append(errs, fmt.Errorf("status_map.%s: empty", status))
		}
	}
	for priority, target := range config.PriorityMap {
		if _, err := config.Application.readPriority(target); err != nil {
			errs = append(errs, fmt.Errorf("priority_map.%s: %w", priority, err))
		}
	}
	return errs
}

// sessionless copies the client without cookies and redirects. With a cookie all
// calls would share one session, in which they wait for each other, and over ten
// that wait are answered 202 and dropped; a redirect would lead a POST to a page
// whose 200 says nothing.
func sessionless(client *http.Client) *http.Client {
	plain := rest.WithoutRedirects(client)
	plain.Jar = nil
	return plain
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
