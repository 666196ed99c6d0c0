package servicenow

import (
	"net/url"
	"strings"
	"time"
)

// How values are shown: sysparm_display_value.
const (
	stored    = "false"
	displayed = "true"
	both      = "all"
)

// viewing is how the caller wants to see records.
type viewing struct {
	display string
	noLink  bool
	fields  []string // empty: all
	base    string   // the instance's address, for links
	// table is the one that was asked: columns of those that extend it are not seen.
	table string
}

func viewingOf(parameters url.Values, base, table string) viewing {
	v := viewing{display: parameters.Get("sysparm_display_value"), base: base, table: table}
	if v.display == "" {
		v.display = stored
	}
	v.noLink = parameters.Get("sysparm_exclude_reference_link") == "true"
	if text := parameters.Get("sysparm_fields"); text != "" {
		v.fields = strings.Split(text, ",")
	}
	return v
}

// view is a record as it is answered. Unknown and hidden fields are left out
// without a word.
func (s *Simulator) view(r *Record, v viewing) map[string]any {
	fields := v.fields
	if len(fields) == 0 {
		for _, c := range s.columns(v.table) {
			fields = append(fields, c.Name)
		}
	}
	out := map[string]any{}
	for _, path := range fields {
		c := s.lead(v.table, path)
		if c == nil || c.Hidden {
			continue
		}
		out[path] = s.shape(r, path, c, v)
	}
	return out
}

// shape is a value in one of the four forms that the platform has for it.
func (s *Simulator) shape(r *Record, path string, c *Column, v viewing) any {
	value, display := s.value(r, path), s.display(r, path, c)
	if c.Type == typeJournal {
		value = "" // entries are elsewhere; only the display value has them
	}
	switch {
	case v.display == both:
		pair := map[string]any{"value": value, "display_value": display}
		if c.Type == typeReference && value != "" && !v.noLink {
			pair["link"] = v.link(c.Reference, value)
		}
		return pair
	case c.Type != typeReference || value == "":
		if v.display == displayed {
			return display
		}
		return value
	case v.noLink:
		if v.display == displayed {
			return display
		}
		return value
	case v.display == displayed:
		return map[string]any{"display_value": display, "link": v.link(c.Reference, value)}
	default:
		return map[string]any{"value": value, "link": v.link(c.Reference, value)}
	}
}

func (v viewing) link(table, id string) string { return v.base + "/api/now/table/" + table + "/" + id }

// display is what a person sees: names, labels, and times in the user's zone and
// format.
func (s *Simulator) display(r *Record, path string, c *Column) string {
	value := s.value(r, path)
	switch {
	case c.Type == typeJournal:
		return s.journalText(r, c)
	case value == "":
		return ""
	case c.Type == typeReference:
		return s.displayOf(c.Reference, value)
	case c.Type == typeTime:
		return userTime(value)
	case c.Type == typeList:
		return s.namesOf(c.Reference, value)
	case !strings.Contains(path, "."):
		return s.label(r.Class, path, value)
	default:
		return value
	}
}

// displayOf is what stands for a record of a table.
func (s *Simulator) displayOf(table, id string) string {
	r := s.state.Records[id]
	if r == nil {
		return ""
	}
	column := "name"
	if t := s.table(table); t != nil && t.Display != "" {
		column = t.Display
	}
	return r.Fields[column]
}

// label is a choice's label, the value where it is no choice.
func (s *Simulator) label(class, element, value string) string {
	shown := value
	for _, t := range s.chain(class) {
		for _, r := range s.choices(t.Name, element) {
			switch {
			case r.Fields["value"] != value:
			case r.Fields["language"] == s.options.Language:
				return r.Fields["label"]
			case shown == value && r.Fields["language"] == "en":
				shown = r.Fields["label"]
			}
		}
	}
	return shown
}

// choices are those that a table has of its own for a field.
func (s *Simulator) choices(table, element string) []*Record {
	var out []*Record
	for _, r := range s.state.byClass["sys_choice"] {
		if r.Fields["name"] == table && r.Fields["element"] == element && r.Fields["inactive"] != "true" {
			out = append(out, r)
		}
	}
	return out
}

// journalText is all entries, newest first, as the platform strings them together.
func (s *Simulator) journalText(r *Record, c *Column) string {
	var b strings.Builder
	entries := s.journal(r.ID, c.Name)
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i].Fields
		b.WriteString(userTime(e["sys_created_on"]) + " - " + e["sys_created_by"] + " (" + c.Label + ")\n" + e["value"] + "\n\n")
	}
	return b.String()
}

// userTime is a time as the API's user has it: Californian, day first.
func userTime(value string) string {
	at, err := time.Parse(timeLayout, value)
	if err != nil {
		return value
	}
	return at.In(time.FixedZone("", -8*3600)).Format("02-01-2006 15:04:05")
}
