package acronis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// Topic is a stream of events ("Fetching event topics and types").
type Topic struct {
	ID          string `json:"id"`
	Description string `json:"description"`
	// Persistency is false where events have no history and may be lost.
	Persistency           bool   `json:"persistency"`
	Ordering              string `json:"ordering"`
	ProducerConsolidation string `json:"producer_consolidation"`
	ArchiveConsolidation  string `json:"archive_consolidation"`
	// Retention is an ISO 8601 duration, or INFINITE.
	Retention string `json:"retention"`
}

// Type is a type of event.
type Type struct {
	ID                  string          `json:"id"`
	TopicID             string          `json:"topic_id"`
	Description         string          `json:"description"`
	DataSchema          json.RawMessage `json:"data_schema,omitempty"`
	AllowedSubjectTypes []string        `json:"allowed_subject_types,omitempty"`
	SubjectRefTemplate  string          `json:"subject_ref_template,omitempty"`
}

// Topics lists what the client can read. Errors are *ConfigurationError, and
// *ticket.Error where the same call may be made again.
func (a *API) Topics(ctx context.Context) ([]Topic, error) {
	var topics []Topic
	err := a.get(ctx, call{op: "list topics", path: "/topics"}, &topics)
	return topics, err
}

// Types lists the types of events of a topic, or of all (empty); schemas adds
// the JSON schema of their data. Errors are those of Topics.
func (a *API) Types(ctx context.Context, topic string, schemas bool) ([]Type, error) {
	query := url.Values{"include_schema": {fmt.Sprint(schemas)}}
	if topic != "" {
		query.Set("topic_id", topic)
	}
	var types []Type
	err := a.get(ctx, call{op: "list event types", path: "/types", query: query}, &types)
	return types, err
}

// Positions of a topic that the Event Manager knows the offset of.
const (
	positionEarliest  = "EARLIEST"
	positionCurrent   = "CURRENT"
	positionTimestamp = "TIMESTAMP"
)

// offsetOf asks for the offset at a position of a topic. The OpenAPI document
// and the tutorial give the call different paths; the second is tried where the
// first is not there.
func (a *API) offsetOf(ctx context.Context, topic, position string, at time.Time) (int64, error) {
	query := url.Values{"topic_id": {topic}, "position": {position}}
	if position == positionTimestamp {
		query.Set("timestamp", at.UTC().Format(time.RFC3339Nano))
	}
	c := call{op: "find the " + position + " offset of topic " + topic, method: http.MethodGet, path: "/topics/offsets", query: query}
	resp, err := a.do(ctx, c)
	if err != nil {
		return 0, err
	}
	switch resp.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusBadRequest:
		c.path = "/topics/" + url.PathEscape(topic) + "/offsets"
		second, err := a.do(ctx, c)
		if err != nil {
			return 0, err
		}
		if second.Status != http.StatusNotFound && second.Status != http.StatusMethodNotAllowed {
			resp = second // else the first answer says better what is wrong
		}
	}
	return offsetIn(c.op, resp)
}

func offsetIn(op string, resp *rest.Response) (int64, error) {
	if resp.Status != http.StatusOK {
		err := refused(op, resp)
		if e, ok := errors.AsType[*ConfigurationError](err); ok && (resp.Status == http.StatusNotFound || resp.Status == http.StatusBadRequest) {
			e.Field = "topic"
		}
		return 0, err
	}
	var answer struct {
		Offset *int64 `json:"offset"`
	}
	if err := decode(op, resp, &answer); err != nil {
		return 0, err
	}
	if answer.Offset == nil {
		return 0, unreadable(op, resp, "it holds no offset")
	}
	return *answer.Offset, nil
}
