package acronis

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Topic is a stream of events, as GET /topics shows it.
type Topic struct {
	ID          string `json:"id"`
	Description string `json:"description"`
	Persistency bool   `json:"persistency"`
	// Ordering is NONE, PRODUCER or EVENTMANAGER; NONE shows no sequence.
	Ordering              string `json:"ordering"`
	ProducerConsolidation string `json:"producer_consolidation"`
	ArchiveConsolidation  string `json:"archive_consolidation"`
	// Retention is an ISO 8601 duration, or INFINITE.
	Retention string `json:"retention"`
}

// Type is a kind of event, as GET /types shows it.
type Type struct {
	ID          string `json:"id"`
	TopicID     string `json:"topic_id"`
	Description string `json:"description"`
	// DataSchema is a JSON schema as text, shown on demand.
	DataSchema          string   `json:"data_schema,omitempty"`
	AllowedSubjectTypes []string `json:"allowed_subject_types,omitempty"`
	SubjectRefTemplate  string   `json:"subject_ref_template,omitempty"`
}

// Topics that every server has. The security topic, unordered, is invented.
const (
	TopicTenant   = "cti.a.p.em.topic.v1.0~a.p.tenant.v1.0"
	TopicTask     = "cti.a.p.em.topic.v1.0~a.p.task.v1.0"
	TopicSecurity = "cti.a.p.em.topic.v1.0~a.p.security.v1.0"
)

// TypePrefix is what the ids of all event types begin with.
const TypePrefix = "cti.a.p.em.event.v1.0~"

const (
	orderingNone  = "NONE"
	infinite      = "INFINITE"
	usualKeep     = 7 * day
	usualOrdering = "EVENTMANAGER"
)

func builtInTopics() []Topic {
	return []Topic{
		{TopicTenant, "What happens to tenants", true, "PRODUCER", "TTS", "TTS", "P180D"},
		{TopicTask, "What happens to tasks", true, usualOrdering, "NONE", "NONE", "P7D"},
		{TopicSecurity, "What protection notices, in no order", true, orderingNone, "NONE", "NONE", "P7D"},
	}
}

func builtInTypes() []Type {
	var types []Type
	for _, word := range []string{"created", "updated", "enabled", "disabled", "unlocked"} {
		types = append(types, Type{
			ID: TypePrefix + "a.p.tenant." + word + ".v1.0", TopicID: TopicTenant, Description: "A tenant was " + word,
			DataSchema: `{"type":"object"}`,
		})
	}
	return append(types,
		Type{ID: TypePrefix + "a.p.task.created.v1.0", TopicID: TopicTask, Description: "A task was created"},
		Type{ID: TypePrefix + "a.edr.incident.created.v1.0", TopicID: TopicSecurity, Description: "An incident was found"},
	)
}

// AddTopic adds a topic, or changes one that keeps its events. Its ordering is
// EVENTMANAGER and its retention 7 days unless it says otherwise.
func (s *Server) AddTopic(t Topic) error {
	if t.ID == "" {
		return fmt.Errorf("topic: id is missing")
	}
	if _, err := parseDuration(t.Retention); err != nil && t.Retention != "" && t.Retention != infinite {
		return fmt.Errorf("topic %s: retention: %w", t.ID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addTopic(t)
	return nil
}

func (s *Server) addTopic(t Topic) *topic {
	if t.Ordering == "" {
		t.Ordering = usualOrdering
	}
	switch {
	case s.opts.Retention > 0:
		t.Retention = formatDuration(s.opts.Retention)
	case t.Retention == "":
		t.Retention = formatDuration(usualKeep)
	}
	known := s.kept.Topics[t.ID]
	if known == nil {
		known = &topic{Next: s.opts.Base + 1}
		s.kept.Topics[t.ID] = known
	}
	known.Topic = t
	return known
}

// AddType adds a type to the catalogue; events of types that are not in it are
// published all the same.
func (s *Server) AddType(t Type) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Types = append(s.kept.Types, t)
}

// keeps is how long the topic keeps its events; 0 means for ever.
func (t *topic) keeps() time.Duration {
	d, err := parseDuration(t.Retention)
	if err != nil {
		return 0 // INFINITE
	}
	return d
}

func (s *Server) listTopics(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, list := c.URL.Query().Get("topic_id"), []Topic{}
	for _, name := range slices.Sorted(maps.Keys(s.kept.Topics)) {
		if id == "" || id == name {
			list = append(list, s.kept.Topics[name].Topic)
		}
	}
	return inJSON(http.StatusOK, list)
}

func (s *Server) listTypes(c *call) answer {
	q := c.URL.Query()
	withSchema := false
	if text := q.Get("include_schema"); text != "" {
		var err error
		if withSchema, err = strconv.ParseBool(text); err != nil {
			return badRequest("include_schema: want true or false")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Type{}
	for _, t := range s.kept.Types {
		if id := q.Get("topic_id"); id != "" && id != t.TopicID {
			continue
		}
		if id := q.Get("type_id"); id != "" && !matchesType(id, t.ID) {
			continue
		}
		if !withSchema {
			t.DataSchema = ""
		}
		list = append(list, t)
	}
	return inJSON(http.StatusOK, list)
}
