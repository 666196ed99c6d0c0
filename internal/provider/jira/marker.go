package jira

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Every issue bears the marker twice: as labels, by which Jira's index finds
// it, and as an issue property, which people do not see, cannot lose with a
// label, and which is not copied when an issue is cloned. The property decides.
const (
	propertyKey  = "ticketbridge"
	labelKey     = "tb-key-"
	labelRequest = "tb-request-"
)

// stamp is the property of issues and, with the operation alone, of comments.
// The request is text: JavaScript in Jira would round a long number.
type stamp struct {
	Key       string `json:"key,omitempty"`
	Request   string `json:"request,omitempty"`
	Operation string `json:"operation"`
}

type property struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

func stampOf(m ticket.Marker) stamp {
	s := stamp{Key: m.Key, Operation: m.Operation}
	if m.Request != 0 {
		s.Request = strconv.FormatInt(m.Request, 10)
	}
	return s
}

// labelsOf are the marker's labels.
func labelsOf(m ticket.Marker) []string {
	var labels []string
	if m.Key != "" {
		labels = append(labels, label(labelKey+m.Key))
	}
	if m.Request != 0 {
		labels = append(labels, labelRequest+strconv.FormatInt(m.Request, 10))
	}
	return labels
}

// matches: every member that m has is the stamp's. A marker with no members
// names nothing.
func (s stamp) matches(m ticket.Marker) bool {
	want := stampOf(m)
	if want == (stamp{}) {
		return false
	}
	return (want.Key == "" || want.Key == s.Key) &&
		(want.Request == "" || want.Request == s.Request) &&
		(want.Operation == "" || want.Operation == s.Operation)
}

// stampFrom reads the property; anything else that someone put there is no stamp.
func stampFrom(properties map[string]json.RawMessage) stamp {
	var s stamp
	if json.Unmarshal(properties[propertyKey], &s) != nil {
		return stamp{}
	}
	return s
}

// tags are the labels that are not the marker's.
func tags(labels []string) []string {
	return slices.DeleteFunc(slices.Clone(labels), isMarkerLabel)
}

func isMarkerLabel(text string) bool {
	return strings.HasPrefix(text, labelKey) || strings.HasPrefix(text, labelRequest)
}

// tagLabels are tags as labels, in order and each once.
func tagLabels(tags []string) []string {
	var labels []string
	for _, tag := range tags {
		if l := label(tag); l != "" && !isMarkerLabel(l) && !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	return labels
}
