package acronis

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Subscription is what the Event Manager is asked to deliver ("Subscribing to
// the events"). The client chooses the id.
type Subscription struct {
	ID                 string   `json:"subscription_id"`
	Topic              string   `json:"topic_id"`
	Types              []string `json:"types"`
	Tenant             string   `json:"tenant_id,omitempty"`
	TenantDepth        string   `json:"tenant_depth"`
	SubjectTypes       []string `json:"subject_types,omitempty"`
	CEL                string   `json:"cel,omitempty"`
	AutoCommit         bool     `json:"auto_commit"`
	AutoCommitInterval string   `json:"auto_commit_interval"`
	SessionTimeout     string   `json:"session_timeout"`
}

// subscriptionOf is the configured subscription. Its id is made of the feed's
// name and of all that decides what is delivered: there is no call that tells
// whether one that exists is the one that is meant, so another configuration is
// another subscription.
func subscriptionOf(cfg Config) Subscription {
	s := Subscription{
		ID: strings.ToLower(cfg.Subscription), Topic: cfg.Topic, Types: cfg.Types, Tenant: cfg.Tenant,
		TenantDepth: cfg.TenantDepth, SubjectTypes: cfg.SubjectTypes, CEL: cfg.CEL,
		AutoCommit: cfg.Consumer == AutoCommit, AutoCommitInterval: isoDuration(cfg.AutoCommitInterval),
		SessionTimeout: isoDuration(cfg.SessionTimeout),
	}
	if s.ID == "" {
		s.ID = derive("subscription", cfg.Name, cfg.URL, s.Topic, sorted(s.Types), s.Tenant, s.TenantDepth,
			sorted(s.SubjectTypes), s.CEL, fmt.Sprint(s.AutoCommit), s.AutoCommitInterval, s.SessionTimeout)
	}
	return s
}

// aside is a subscription to the same events for reads that must not disturb
// the feed's own.
func (s Subscription) aside() Subscription {
	// Not of the id alone: a subscription that was there already keeps its filter
	// whatever the configuration says, and a look is by the configuration.
	s.ID = derive("aside", s.ID, s.Topic, sorted(s.Types), s.Tenant, s.TenantDepth, sorted(s.SubjectTypes), s.CEL)
	s.AutoCommit, s.SessionTimeout = false, isoDuration(asideSession)
	return s
}

func sorted(list []string) string {
	return strings.Join(slices.Sorted(slices.Values(list)), "\x01")
}

// isoDuration is a duration in the form that the Event Manager reads: seconds,
// with a fraction where there is one.
func isoDuration(d time.Duration) string {
	return "PT" + strconv.FormatFloat(max(d, 0).Seconds(), 'f', -1, 64) + "S"
}

// subscribe makes a subscription; created is false where it was there.
func (a *API) subscribe(ctx context.Context, s Subscription) (created bool, err error) {
	c := call{op: "subscribe to " + s.Topic, method: http.MethodPost, path: "/subscriptions", body: s}
	resp, err := a.do(ctx, c)
	if err != nil {
		return false, err
	}
	switch {
	case isPage(resp):
		return false, unreadable(c.op, resp, "a page for people")
	case resp.Status == http.StatusCreated || resp.Status == http.StatusOK:
		return true, nil
	case resp.Status == http.StatusConflict:
		return false, nil
	}
	switch resp.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
		return false, &ConfigurationError{"topic", fmt.Sprintf("the Event Manager refuses the subscription (%d)%s; check topic, types, tenant, subject_types and cel", resp.Status, said(resp.Body))}
	default:
		return false, refused(c.op, resp)
	}
}

// committed is the offset that a subscription remembers. found is false where
// there is no such subscription: no code is documented for that, so every
// refusal but bad credentials may mean it.
func (a *API) committed(ctx context.Context, id string) (offset int64, found bool, err error) {
	c := call{
		op: "read the offset of subscription " + id, method: http.MethodGet, path: "/subscriptions/offset",
		query: url.Values{"subscription_id": {id}},
	}
	resp, err := a.do(ctx, c)
	if err != nil {
		return 0, false, err
	}
	if mayBeEvicted(resp.Status) {
		return 0, false, nil
	}
	offset, err = offsetIn(c.op, resp)
	return offset, err == nil, err
}

// mayBeEvicted: a subscription vanishes when nobody uses it ("subscription
// eviction"), and how that is answered is not documented.
func mayBeEvicted(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

// unknownSubscription may be cured by making the subscription again; else the
// ConfigurationError in it holds.
type unknownSubscription struct{ *ConfigurationError }

func (e *unknownSubscription) Unwrap() error { return e.ConfigurationError }

// commit tells a subscription the offset that was handed over. Only the tutorial
// has this call.
func (a *API) commit(ctx context.Context, id string, offset int64) error {
	c := call{
		op: "commit the offset of subscription " + id, method: http.MethodPost, path: "/subscriptions/offset",
		body: struct {
			ID     string `json:"subscription_id"`
			Offset int64  `json:"offset"`
		}{id, offset},
	}
	resp, err := a.do(ctx, c)
	switch {
	case err != nil:
		return err
	case isPage(resp):
		return unreadable(c.op, resp, "a page for people")
	case resp.Status >= 200 && resp.Status < 300:
		return nil
	case mayBeEvicted(resp.Status):
		return &unknownSubscription{&ConfigurationError{"consumer", fmt.Sprintf("the subscription takes no offset (%d)%s; use stateful or auto_commit", resp.Status, said(resp.Body))}}
	case resp.Status == http.StatusMethodNotAllowed || resp.Status == http.StatusNotImplemented:
		return &ConfigurationError{"consumer", fmt.Sprintf("this data center cannot commit offsets (%d); use stateful or auto_commit", resp.Status)}
	default:
		return refused(c.op, resp)
	}
}

// asideSession is the vendor's own default. All who look have one consumer id, so
// that nobody waits for it.
const asideSession = 30 * time.Second
