package jira

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// jqlField is a field as the search knows it.
type jqlField struct {
	// have are its values in an issue, as they are compared.
	have func(*Issue) []string
	// known turns a value of a query into the form that is compared; false:
	// Jira refuses the query for it.
	known func(string) (string, bool)
	text  bool
	time  bool
}

// compare is a comparison, or Jira's refusal of it.
func (s *Simulator) compare(name, op string, values []string) (func(*Issue) bool, error) {
	f, ok := s.jqlField(name)
	if !ok {
		return nil, fmt.Errorf("Field '%s' does not exist or you do not have permission to view it.", name)
	}
	contains, ordered := op == "~" || op == "!~", strings.ContainsAny(op, "<>")
	if op != "is" && op != "is not" && (f.text != contains || ordered && !f.time) {
		return nil, fmt.Errorf("The operator '%s' is not supported by the '%s' field.", op, name)
	}
	if f.time && len(values) > 0 {
		return s.compareTime(f, name, op, values)
	}
	if f.text && len(values) > 0 {
		return compareText(f, name, op, values[0])
	}
	var wanted []string
	for _, v := range values {
		known, ok := f.known(v)
		if !ok {
			return nil, fmt.Errorf("The value '%s' does not exist for the field '%s'.", v, name)
		}
		wanted = append(wanted, known)
	}
	return func(i *Issue) bool {
		have := f.have(i)
		hit := slices.ContainsFunc(have, func(h string) bool {
			return slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(h, w) })
		})
		switch op {
		case "is":
			return len(have) == 0
		case "is not":
			return len(have) > 0
		case "!=", "not in":
			return len(have) > 0 && !hit
		default:
			return hit
		}
	}, nil
}

// compareTime goes by whole minutes in the zone of the caller's profile.
func (s *Simulator) compareTime(f jqlField, name, op string, values []string) (func(*Issue) bool, error) {
	var at time.Time
	err := error(nil)
	for _, layout := range []string{"2006-01-02 15:04", "2006/01/02 15:04", time.DateOnly, "2006/01/02"} {
		if at, err = time.ParseInLocation(layout, values[0], s.options.Zone); err == nil {
			break
		}
	}
	if err != nil || len(values) > 1 || op == "in" || op == "not in" {
		return nil, fmt.Errorf("Date value '%s' for field '%s' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd'.", values[0], name)
	}
	want := at.UTC().Format(sortableTime)
	return func(i *Issue) bool {
		have := f.have(i)
		if len(have) == 0 {
			return false
		}
		order := strings.Compare(have[0], want)
		switch op {
		case "<":
			return order < 0
		case "<=":
			return order <= 0
		case ">":
			return order > 0
		case ">=":
			return order >= 0
		case "!=":
			return order != 0
		default:
			return order == 0
		}
	}, nil
}

// compareText finds words, in any grammatical form, wherever they stand.
func compareText(f jqlField, name, op, query string) (func(*Issue) bool, error) {
	if trimmed := strings.TrimSpace(query); trimmed == "" || strings.ContainsRune("*?", rune(trimmed[0])) {
		return nil, fmt.Errorf("The text query '%s' for field '%s' is not allowed to start with '%.1s'", query, name, trimmed)
	}
	wanted := stems(query)
	return func(i *Issue) bool {
		var words []string
		for _, text := range f.have(i) {
			words = append(words, stems(text)...)
		}
		hit := len(wanted) > 0
		for _, w := range wanted {
			hit = hit && slices.Contains(words, w)
		}
		return hit == (op == "~")
	}, nil
}

// stopWords are not in the index: who asks for nothing else finds nothing. They
// are those of Lucene for English.
func stopWords() []string {
	return strings.Fields("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with")
}

func stems(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	words = slices.DeleteFunc(words, func(w string) bool { return slices.Contains(stopWords(), w) })
	for i, w := range words {
		for _, ending := range []string{"ing", "ed", "s"} {
			if stem, ok := strings.CutSuffix(w, ending); ok && len(stem) > 2 {
				words[i] = stem
				break
			}
		}
	}
	return words
}

const sortableTime = "2006-01-02T15:04:05.000000000"

func timeValue(at time.Time) []string {
	if at.IsZero() {
		return nil
	}
	return []string{at.UTC().Format(sortableTime)}
}

func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func anyText(text string) (string, bool) { return text, true }

// among knows the values of a list, by any case.
func among(list []string) func(string) (string, bool) {
	return func(text string) (string, bool) {
		n := slices.IndexFunc(list, func(v string) bool { return strings.EqualFold(v, text) })
		if n < 0 {
			return "", false
		}
		return list[n], true
	}
}

func (s *Simulator) jqlField(name string) (jqlField, bool) {
	account := func(text string) (string, bool) { return text, s.user(text) != nil }
	reference := func(text string) (string, bool) {
		i := s.issue(text)
		if i == nil {
			return "", false
		}
		return i.ID, true
	}
	fields := map[string]jqlField{
		"project": {have: func(i *Issue) []string { return one(i.Project) }, known: func(text string) (string, bool) {
			p := s.project(strings.ToUpper(text))
			if p == nil {
				return "", false
			}
			return p.Key, true
		}},
		"key":            {have: func(i *Issue) []string { return one(i.ID) }, known: reference},
		"parent":         {have: func(i *Issue) []string { return one(s.state.Keys[i.Parent]) }, known: reference},
		"status":         {have: func(i *Issue) []string { return one(i.Status) }, known: among(s.statuses())},
		"statuscategory": {have: func(i *Issue) []string { return one(categoryOf(i.Status)) }, known: among([]string{"new", "indeterminate", "done"})},
		"priority":       {have: func(i *Issue) []string { return one(i.Priority) }, known: among(priorityNames())},
		"issuetype":      {have: func(i *Issue) []string { return one(i.Type) }, known: among(s.types())},
		"creator":        {have: func(i *Issue) []string { return one(i.Creator) }, known: account},
		"reporter":       {have: func(i *Issue) []string { return one(i.Reporter) }, known: account},
		"assignee":       {have: func(i *Issue) []string { return one(i.Assignee) }, known: account},
		"labels":         {have: func(i *Issue) []string { return i.Labels }, known: anyText},
		"summary":        {have: func(i *Issue) []string { return one(i.Summary) }, text: true},
		"description":    {have: func(i *Issue) []string { return one(Text(i.Description)) }, text: true},
		"created":        {have: func(i *Issue) []string { return timeValue(i.Created) }, time: true},
		"updated":        {have: func(i *Issue) []string { return timeValue(i.Updated) }, time: true},
		"resolutiondate": {have: func(i *Issue) []string { return timeValue(i.Resolved) }, time: true},
		"duedate": {have: func(i *Issue) []string {
			day, err := time.ParseInLocation(time.DateOnly, i.DueDate, s.options.Zone)
			if err != nil {
				return nil
			}
			return timeValue(day)
		}, time: true},
	}
	aliases := map[string]string{"id": "key", "issue": "key", "issuekey": "key", "due": "duedate", "resolved": "resolutiondate", "type": "issuetype"}
	f, ok := fields[cmp.Or(aliases[name], name)]
	if id, isCustom := strings.CutPrefix(name, "cf["); isCustom {
		return s.jqlCustom("customfield_" + strings.TrimSuffix(id, "]"))
	}
	return f, ok
}

func (s *Simulator) jqlCustom(id string) (jqlField, bool) {
	kind, ok := customFields()[id]
	if !ok {
		return jqlField{}, false
	}
	f := jqlField{known: anyText, text: strings.Contains(kind.Custom, ":text"), have: func(i *Issue) []string {
		if kind.Type == "string" && strings.HasSuffix(kind.Custom, ":textarea") {
			return one(Text(i.Custom[id]))
		}
		return customValues(i.Custom[id])
	}}
	if len(kind.Options) > 0 {
		f.known = among(kind.Options)
	}
	return f, true
}

// customValues are the words of a custom field's value.
func customValues(raw json.RawMessage) []string {
	var value any
	if len(raw) == 0 || json.Unmarshal(raw, &value) != nil {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var out []string
	for _, v := range list {
		if option, ok := v.(map[string]any); ok {
			v = option["value"]
		}
		if v != nil {
			out = append(out, fmt.Sprint(v))
		}
	}
	return out
}

// statuses are those of all workflows; types those of all projects.
func (s *Simulator) statuses() []string {
	out := []string{}
	for _, p := range s.state.Projects {
		out = append(out, initialStatus(p))
		for _, t := range p.Workflow {
			out = append(out, t.To)
		}
	}
	return out
}

func (s *Simulator) types() []string {
	out := []string{}
	for _, p := range s.state.Projects {
		out = append(out, p.IssueTypes...)
	}
	return out
}

// sortable gives what a field is ordered by.
func (s *Simulator) sortable(field string) (func(*Issue) string, bool) {
	switch field {
	case "key", "id", "issuekey":
		return func(i *Issue) string {
			return fmt.Sprintf("%-20s%012d", i.Project, number(i.Key[strings.LastIndex(i.Key, "-")+1:]))
		}, true
	case "priority":
		return func(i *Issue) string { return fmt.Sprint(9 - slices.Index(priorityNames(), i.Priority)) }, true
	case "description", "labels", "parent":
		return nil, false
	}
	f, ok := s.jqlField(field)
	return func(i *Issue) string { return strings.ToLower(strings.Join(f.have(i), " ")) }, ok
}
