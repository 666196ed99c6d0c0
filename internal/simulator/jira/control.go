package jira

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// control routes what tests, judges and demonstrations do to the site:
//
//	GET    /_control/stats
//	GET    /_control/issues                       everything, for judges
//	GET    /_control/faults, PUT (a list), DELETE
//	PUT    /_control/index-lag                    {"ms"}
//	PUT    /_control/creates-per-second           {"n"}
//	POST   /_control/issues                       {"project","summary","labels"} as another user
//	POST   /_control/issues/{issue}/transition    {"to"} by an agent
//	POST   /_control/issues/{issue}/comments      {"text"} by an agent
//	POST   /_control/issues/{issue}/hide|show|move|unanswered   {"project"}, {"times"}
//	DELETE /_control/issues/{issue}
//	DELETE /_control/projects/{project}
func (s *Simulator) control() {
	s.handle("GET /_control/stats", func(*http.Request, *controlBody) (any, error) { return s.Stats(), nil })
	s.handle("GET /_control/issues", func(*http.Request, *controlBody) (any, error) { return s.dump(), nil })
	s.handle("GET /_control/faults", func(*http.Request, *controlBody) (any, error) { return s.Faults(), nil })
	s.handle("DELETE /_control/faults", func(*http.Request, *controlBody) (any, error) { return nil, s.SetFaults() })
	s.mux.HandleFunc("PUT /_control/faults", s.putFaults)
	s.handle("PUT /_control/index-lag", func(_ *http.Request, b *controlBody) (any, error) {
		s.SetIndexLag(time.Duration(b.Millis) * time.Millisecond)
		return nil, nil
	})
	s.handle("PUT /_control/creates-per-second", func(_ *http.Request, b *controlBody) (any, error) {
		s.SetCreatesPerSecond(b.N)
		return nil, nil
	})
	s.handle("POST /_control/issues", func(_ *http.Request, b *controlBody) (any, error) {
		return s.CreateAsOther(b.Project, b.Summary, b.Labels...)
	})
	for verb, do := range map[string]func(string, *controlBody) error{
		"transition": func(id string, b *controlBody) error { return s.TransitionByAgent(id, b.To) },
		"comments":   func(id string, b *controlBody) error { return s.CommentByAgent(id, b.Text) },
		"hide":       func(id string, _ *controlBody) error { return s.Hide(id, true) },
		"show":       func(id string, _ *controlBody) error { return s.Hide(id, false) },
		"move":       func(id string, b *controlBody) error { return s.Move(id, b.Project) },
		"unanswered": func(id string, b *controlBody) error { return s.Unanswered(id, b.Times) },
	} {
		s.handle("POST /_control/issues/{issue}/"+verb, func(r *http.Request, b *controlBody) (any, error) {
			return nil, do(r.PathValue("issue"), b)
		})
	}
	s.handle("DELETE /_control/issues/{issue}", func(r *http.Request, _ *controlBody) (any, error) {
		return nil, s.Delete(r.PathValue("issue"))
	})
	s.handle("DELETE /_control/projects/{project}", func(r *http.Request, _ *controlBody) (any, error) {
		return nil, s.DeleteProject(r.PathValue("project"))
	})
}

type controlBody struct {
	Project string   `json:"project"`
	Summary string   `json:"summary"`
	Labels  []string `json:"labels"`
	To      string   `json:"to"`
	Text    string   `json:"text"`
	Times   int      `json:"times"`
	N       int      `json:"n"`
	Millis  int64    `json:"ms"`
}

func (s *Simulator) handle(pattern string, do func(*http.Request, *controlBody) (any, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		var body controlBody
		if r.ContentLength != 0 {
			decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&body); err != nil {
				write(w, answer{status: http.StatusBadRequest, body: map[string]string{"error": err.Error()}})
				return
			}
		}
		result, err := do(r, &body)
		respond(w, result, err)
	})
}

func respond(w http.ResponseWriter, result any, err error) {
	switch {
	case errors.Is(err, errNoIssue):
		write(w, answer{status: http.StatusNotFound, body: map[string]string{"error": err.Error()}})
	case err != nil:
		write(w, answer{status: http.StatusBadRequest, body: map[string]string{"error": err.Error()}})
	case result == nil:
		write(w, answer{status: http.StatusNoContent})
	default:
		write(w, ok(result))
	}
}

func (s *Simulator) putFaults(w http.ResponseWriter, r *http.Request) {
	var faults []Fault
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&faults)
	if err == nil {
		err = s.SetFaults(faults...)
	}
	respond(w, nil, err)
}

// Faults are those that can still strike.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Fault{}
	for _, f := range s.faults {
		if !f.spent {
			out = append(out, *f)
		}
	}
	return out
}

// SetIndexLag changes how far the search index is behind, from now on.
func (s *Simulator) SetIndexLag(lag time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.IndexLag = lag
}

// SetCreatesPerSecond changes the limit on creates; 0 lifts it.
func (s *Simulator) SetCreatesPerSecond(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.CreatesPerSecond = n
}

// dump is everything that a judge needs, in plain text.
func (s *Simulator) dump() any {
	type commentView struct {
		ID, Author, Text string
		Internal         bool
		Created          time.Time
		Properties       map[string]json.RawMessage
	}
	type issueView struct {
		Issue
		Text     string        `json:"text"`
		Comments []commentView `json:"comments"`
		Category string        `json:"category"`
	}
	out := []issueView{}
	for _, i := range s.Issues() {
		view := issueView{Issue: i, Text: Text(i.Description), Comments: []commentView{}, Category: categoryOf(i.Status)}
		for _, c := range i.Comments {
			view.Comments = append(view.Comments, commentView{c.ID, c.Author, Text(c.Body), c.Internal(), c.Created, c.Properties})
		}
		out = append(out, view)
	}
	return out
}

var errNoIssue = errors.New("there is no such issue")

// on does something to an issue, hidden ones included.
func (s *Simulator) on(id string, do func(i *Issue, now time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.settle(now)
	i := s.state.Issues[id]
	if i == nil {
		i = s.state.Issues[s.state.Keys[id]]
	}
	if i == nil {
		return fmt.Errorf("%s: %w", id, errNoIssue)
	}
	return do(i, now)
}

// CreateAsOther makes an issue as somebody else does, and answers it.
func (s *Simulator) CreateAsOther(project, summary string, labels ...string) (Issue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.settle(now)
	p := s.project(project)
	if p == nil {
		return Issue{}, fmt.Errorf("there is no project %q", project)
	}
	i := &Issue{Project: p.Key, Type: "Task", Summary: summary, Labels: labels, Status: initialStatus(p), Priority: "Medium", Creator: "acc-mia", Reporter: "acc-mia"}
	s.add(i, now)
	return *i, nil
}

// TransitionByAgent puts an issue into a status, as an agent in Jira does.
func (s *Simulator) TransitionByAgent(id, status string) error {
	if status == "" {
		return errors.New("to: the status is missing")
	}
	return s.on(id, func(i *Issue, now time.Time) error { moveTo(i, status, now); return nil })
}

// CommentByAgent adds a comment, as an agent in Jira does.
func (s *Simulator) CommentByAgent(id, text string) error {
	if text == "" {
		return errors.New("text: missing")
	}
	body, err := json.Marshal(map[string]any{"type": "doc", "version": 1, "content": []any{
		map[string]any{"type": "paragraph", "content": []any{map[string]any{"type": "text", "text": text}}},
	}})
	if err != nil {
		return err
	}
	return s.on(id, func(i *Issue, now time.Time) error {
		s.comment(i, &Comment{Author: "acc-mia", Body: body}, now)
		return nil
	})
}

// Hide takes an issue out of the API user's sight, or shows it again.
func (s *Simulator) Hide(id string, hidden bool) error {
	return s.on(id, func(i *Issue, _ time.Time) error { i.Hidden = hidden; return nil })
}

// Unanswered makes the next bulk fetches report the issue as an error.
func (s *Simulator) Unanswered(id string, times int) error {
	return s.on(id, func(i *Issue, _ time.Time) error { i.Unanswered = times; return nil })
}

// Delete removes an issue for good; its key is never given again.
func (s *Simulator) Delete(id string) error {
	return s.on(id, func(i *Issue, _ time.Time) error { delete(s.state.Issues, i.ID); return nil })
}

// Move takes an issue to another project, where it gets a new key; its old keys
// lead to it still.
func (s *Simulator) Move(id, project string) error {
	return s.on(id, func(i *Issue, now time.Time) error {
		p := s.project(project)
		if p == nil {
			return fmt.Errorf("there is no project %q", project)
		}
		i.OldKeys = append(slices.Clone(i.OldKeys), i.Key)
		i.Project, i.Key, i.Updated = p.Key, s.nextKey(p), now
		s.state.Keys[i.Key] = i.ID
		return nil
	})
}

// DeleteProject takes a project away with all that is in it.
func (s *Simulator) DeleteProject(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.project(key)
	if p == nil {
		return fmt.Errorf("there is no project %q", key)
	}
	p.Deleted = true
	return nil
}

// AddProject adds a project.
func (s *Simulator) AddProject(p Project) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Workflow == nil {
		p.Workflow = DefaultWorkflow()
	}
	if p.IssueTypes == nil {
		p.IssueTypes = []string{"Task", "Bug", "Incident"}
	}
	s.state.Projects = append(s.state.Projects, &p)
}

// TakeOffScreen takes fields off a project's create screen.
func (s *Simulator) TakeOffScreen(project string, fields ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.project(project); p != nil {
		p.OffScreen = append(p.OffScreen, fields...)
	}
}

// TakeOffEditScreen takes fields off a project's edit screen.
func (s *Simulator) TakeOffEditScreen(project string, fields ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.project(project); p != nil {
		p.OffEdit = append(p.OffEdit, fields...)
	}
}
