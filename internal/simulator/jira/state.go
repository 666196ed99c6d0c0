package jira

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// timeLayout is Jira's; the site is in Berlin's winter.
const timeLayout = "2006-01-02T15:04:05.000-0700"

func stamp(t time.Time) string { return t.In(time.FixedZone("", 3600)).Format(timeLayout) }

// Issue is an issue of the site.
type Issue struct {
	ID      string   `json:"id"`
	Key     string   `json:"key"`
	OldKeys []string `json:"oldKeys,omitempty"`
	Project string   `json:"project"` // its key
	Type    string   `json:"issueType"`
	Summary string   `json:"summary"`
	// Description, and Body of comments, are documents as they were sent.
	Description json.RawMessage            `json:"description,omitempty"`
	Labels      []string                   `json:"labels,omitempty"`
	Priority    string                     `json:"priority,omitempty"`
	Status      string                     `json:"status"`
	Resolution  string                     `json:"resolution,omitempty"`
	Assignee    string                     `json:"assignee,omitempty"` // account ids
	Reporter    string                     `json:"reporter,omitempty"`
	Creator     string                     `json:"creator,omitempty"`
	Parent      string                     `json:"parent,omitempty"`
	DueDate     string                     `json:"dueDate,omitempty"`
	Created     time.Time                  `json:"created"`
	Updated     time.Time                  `json:"updated"`
	Resolved    time.Time                  `json:"resolved,omitzero"`
	Custom      map[string]json.RawMessage `json:"custom,omitempty"`
	Properties  map[string]json.RawMessage `json:"properties,omitempty"`
	Comments    []*Comment                 `json:"comments,omitempty"`
	Attachments []*Attachment              `json:"attachments,omitempty"`
	// IndexedAt is when the search index sees it.
	IndexedAt time.Time `json:"indexedAt"`
	// Hidden issues exist and are not shown to the API's user.
	Hidden bool `json:"hidden,omitempty"`
	// Unanswered is how many bulk fetches still report it as an error.
	Unanswered int `json:"unanswered,omitempty"`
}

// Comment is a comment of an issue.
type Comment struct {
	ID         string                     `json:"id"`
	Author     string                     `json:"author"`
	Body       json.RawMessage            `json:"body"`
	Created    time.Time                  `json:"created"`
	Updated    time.Time                  `json:"updated,omitzero"`
	Visibility *Visibility                `json:"visibility,omitempty"`
	Properties map[string]json.RawMessage `json:"properties,omitempty"`
}

// Visibility restricts who sees a comment.
type Visibility struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

func (c *Comment) updated() time.Time {
	if c.Updated.IsZero() {
		return c.Created
	}
	return c.Updated
}

// hiddenKey is the property by which a service desk hides a comment.
const hiddenKey = "sd.public.comment"

// hidden: the service desk shows the comment to agents only.
func (c *Comment) hidden() bool {
	var public struct {
		Internal bool `json:"internal"`
	}
	raw, ok := c.Properties[hiddenKey]
	return ok && json.Unmarshal(raw, &public) == nil && public.Internal
}

// Internal: customers do not see the comment.
func (c *Comment) Internal() bool { return c.Visibility != nil || c.hidden() }

// Attachment is a file of an issue.
type Attachment struct {
	ID       string    `json:"id"`
	Name     string    `json:"filename"`
	Author   string    `json:"author"`
	MimeType string    `json:"mimeType"`
	Created  time.Time `json:"created"`
	Content  []byte    `json:"content"`
}

type state struct {
	Projects []*Project        `json:"projects"`
	Issues   map[string]*Issue `json:"issues"`
	// Keys leads from every key ever given to the issue's id.
	Keys   map[string]string `json:"keys"`
	LastID int               `json:"lastId"`
	Stats  *Stats            `json:"stats,omitempty"`
}

func newState() state {
	kinds := []string{"Task", "Bug", "Incident"}
	return state{
		Issues: map[string]*Issue{}, Keys: map[string]string{}, LastID: 10000,
		Projects: []*Project{
			{ID: "1", Key: "OPS", Name: "Operations", Type: "software", IssueTypes: kinds, Workflow: DefaultWorkflow()},
			{ID: "2", Key: "HELP", Name: "Help desk", Type: "service_desk", IssueTypes: kinds, Workflow: DefaultWorkflow()},
			{ID: "3", Key: "DEV", Name: "Development", Type: "business", IssueTypes: kinds, Workflow: DefaultWorkflow()},
		},
	}
}

// project finds a project that is there by key or id.
func (s *Simulator) project(keyOrID string) *Project {
	for _, p := range s.state.Projects {
		if (p.Key == keyOrID || p.ID == keyOrID) && !p.Deleted {
			return p
		}
	}
	return nil
}

// issue finds an issue that is visible by id or by any of its keys.
func (s *Simulator) issue(keyOrID string) *Issue {
	found := s.state.Issues[keyOrID]
	if found == nil {
		found = s.state.Issues[s.state.Keys[keyOrID]]
	}
	if found == nil || found.Hidden || s.project(found.Project) == nil {
		return nil
	}
	return found
}

// add gives an issue its id and key at the moment of its commit.
func (s *Simulator) add(i *Issue, at time.Time) {
	p := s.project(i.Project)
	i.ID, i.Key = s.nextID(), s.nextKey(p)
	i.Created, i.Updated = at.Truncate(time.Millisecond), at.Truncate(time.Millisecond)
	i.IndexedAt = at.Add(s.options.IndexLag)
	s.state.Issues[i.ID] = i
	s.state.Keys[i.Key] = i.ID
}

func (s *Simulator) nextID() string {
	s.state.LastID++
	return strconv.Itoa(s.state.LastID)
}

func (s *Simulator) nextKey(p *Project) string {
	p.Last++
	return fmt.Sprintf("%s-%d", p.Key, p.Last)
}

// sorted are all issues by id.
func (s *Simulator) sorted() []*Issue {
	out := make([]*Issue, 0, len(s.state.Issues))
	for _, i := range s.state.Issues {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b *Issue) int { return number(a.ID) - number(b.ID) })
	return out
}

func number(id string) int {
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0
	}
	return n
}

// Issues are copies of all issues, deleted ones excepted, by id.
func (s *Simulator) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.options.Now())
	var out []Issue
	for _, i := range s.sorted() {
		out = append(out, *i)
	}
	return out
}

// Snapshot writes what the site holds, so that Restore goes on from there.
// Commits that are still to come are made first: they would be lost else.
func (s *Simulator) Snapshot(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pending {
		p.commit(p.at)
	}
	s.pending = nil
	saved := s.state
	saved.Stats = &s.stats
	if err := json.NewEncoder(w).Encode(saved); err != nil {
		return fmt.Errorf("save the Jira simulator: %w", err)
	}
	return nil
}

// Restore reads what Snapshot wrote.
func (s *Simulator) Restore(r io.Reader) error {
	read := newState()
	read.Projects = nil
	if err := json.NewDecoder(r).Decode(&read); err != nil {
		return fmt.Errorf("restore the Jira simulator: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if read.Stats != nil {
		s.stats = newStats()
		s.stats.add(*read.Stats)
	}
	read.Stats = nil
	s.state = read
	return nil
}
