package jira

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// maxNamed is how many values of a field an error names.
const maxNamed = 20

// explain adds to Jira's refusal of custom fields their names and what they take:
// Jira speaks of them by their ids. The create screen is asked only now: its list
// of options may be minutes old, and must not refuse what Jira would take.
func (t *turn) explain(ctx context.Context, err error, values map[string]any, in project, kind string) error {
	failed, ok := errors.AsType[*ticket.Error](err)
	if !ok || failed.Status != http.StatusBadRequest || len(values) == 0 {
		return err
	}
	on, screenErr := t.createScreen(ctx, in.Key, kind)
	if screenErr != nil {
		on = screen{} // the refusal is what matters
	}
	var hints []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		path, known := t.c.mapping(name, in)
		if !known || !strings.Contains(failed.Message, path.field+":") {
			continue
		}
		hint := fmt.Sprintf("custom_fields.%s (%s)", name, path.field)
		if takes := on.fields[path.field].values(); takes != "" {
			hint += " takes " + takes
		}
		hints = append(hints, hint+".")
	}
	if len(hints) == 0 {
		return err
	}
	explained := *failed
	explained.Message = rest.Truncate(t.c.rest.Redact(strings.Join(hints, " ")+" "+failed.Message), maxMessage)
	return &explained
}

// values names what a field takes; empty where that is not a list, or not known.
func (f fieldMeta) values() string {
	var names []string
	for _, v := range f.Allowed {
		names = append(names, cmp.Or(v.Value, v.Name, v.ID))
	}
	if len(names) > maxNamed {
		names = append(names[:maxNamed], fmt.Sprintf("and %d more", len(f.Allowed)-maxNamed))
	}
	if len(names) > 0 {
		return "one of: " + strings.Join(names, ", ")
	}
	if f.Schema.Type != "" {
		return "a value of type " + f.Schema.Type
	}
	return ""
}
