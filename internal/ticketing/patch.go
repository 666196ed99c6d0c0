package ticketing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Limits of one patch: its operations, and what they may copy together, in bytes;
// copies of copies double.
const (
	maxPatch  = 100
	maxCopied = 1 << 20
)

// PatchError is a JSON Patch that cannot be done. Pointer is the place in the
// body, as a JSON Pointer.
type PatchError struct {
	Pointer string
	Message string
	// Failed: the patch is well-formed, and its test did not hold.
	Failed bool
}

func (e *PatchError) Error() string { return e.Pointer + ": " + e.Message }

// patchOperation is one operation of RFC 6902.
type patchOperation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	From  string          `json:"from"`
	Value json.RawMessage `json:"value"`
}

// Patch is a JSON Patch (RFC 6902) that was found well-formed.
type Patch struct {
	raw        jsonpatch.Patch
	operations []patchOperation
}

// ParsePatch reads a bare list of operations on the members named. Those of others
// can be tested and copied from, not changed. Its errors are *PatchError.
func ParsePatch(body []byte, members []string, others ...string) (Patch, error) {
	var p Patch
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p.operations); err != nil {
		return p, &PatchError{Pointer: "/", Message: "want a list of JSON Patch operations (RFC 6902): " + plain(err)}
	}
	if len(p.operations) == 0 || len(p.operations) > maxPatch {
		return p, &PatchError{Pointer: "/", Message: fmt.Sprintf("want 1 to %d operations", maxPatch)}
	}
	for i, op := range p.operations {
		if err := op.check(i, members, slices.Concat(members, others)); err != nil {
			return p, err
		}
	}
	raw, err := jsonpatch.DecodePatch(body)
	if err != nil {
		return p, &PatchError{Pointer: "/", Message: err.Error()}
	}
	p.raw = raw
	return p, nil
}

func (op patchOperation) check(i int, members, readable []string) error {
	at := func(member, format string, args ...any) error {
		return &PatchError{Pointer: fmt.Sprintf("/%d/%s", i, member), Message: fmt.Sprintf(format, args...)}
	}
	switch op.Op {
	case "add", "replace", "test":
		if op.Value == nil {
			return at("value", "missing; %q with null clears the member", op.Op)
		}
	case "copy":
		if err := pointsTo(op.From, readable, "tested or copied"); err != nil {
			return at("from", "%v", err)
		}
	case "move":
		if err := pointsTo(op.From, members, "changed"); err != nil {
			return at("from", "%v", err)
		}
	case "remove":
	default:
		return at("op", "%q is none of add, remove, replace, move, copy, test", op.Op)
	}
	err := pointsTo(op.Path, members, "changed")
	if op.Op == "test" {
		err = pointsTo(op.Path, readable, "tested or copied")
	}
	if err != nil {
		return at("path", "%v", err)
	}
	return nil
}

func pointsTo(pointer string, members []string, done string) error {
	first, below, deep := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	switch {
	case !strings.HasPrefix(pointer, "/") || !slices.Contains(members, first):
		return fmt.Errorf("%q points to nothing that can be %s; want / and one of %v", pointer, done, members)
	case strings.Contains(strings.NewReplacer("~0", "", "~1", "").Replace(pointer), "~"):
		return fmt.Errorf("%q is no JSON Pointer: a ~ within a name is written ~0, a / is written ~1", pointer)
	case deep && first == "tags" && below != "-" && (below == "" || strings.Trim(below, "0123456789") != ""):
		return fmt.Errorf("%q: want the place of a tag, like /tags/0 for the first, or /tags/- for behind the last", pointer)
	}
	return nil
}

// Blind reports that the patch says by itself what is to be, so that nothing has
// to be read before: whole members are set or removed.
func (p Patch) Blind() bool {
	for _, op := range p.operations {
		depth := strings.Count(op.Path, "/")
		inCustom := strings.HasPrefix(op.Path, "/custom_fields/") && depth == 2
		if op.Op == "test" || op.Op == "copy" || op.Op == "move" || depth > 1 && !inCustom {
			return false
		}
	}
	return true
}

// apply runs the patch on a document, and tells which operation cannot be done.
func (p Patch) apply(document []byte) ([]byte, error) {
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices, options.AccumulatedCopySizeLimit = false, maxCopied
	out, err := p.raw.ApplyWithOptions(document, options)
	if err == nil {
		return out, nil
	}
	first := sort.Search(len(p.raw)-1, func(i int) bool {
		_, err := p.raw[:i+1].ApplyWithOptions(document, options)
		return err != nil
	})
	if _, much := errors.AsType[*jsonpatch.AccumulatedCopySizeError](err); much {
		return nil, &PatchError{Pointer: fmt.Sprintf("/%d", first), Message: fmt.Sprintf("the patch copies more than %d MB", maxCopied>>20)}
	}
	return nil, p.operations[first].misses(first)
}

// misses is the error of an operation whose place is not there, or holds something
// else than its test wants.
func (op patchOperation) misses(i int) error {
	switch op.Op {
	case "test":
		return &PatchError{Pointer: fmt.Sprintf("/%d", i), Message: fmt.Sprintf("the test of %q: there is something else", op.Path), Failed: true}
	case "copy", "move":
		return &PatchError{Pointer: fmt.Sprintf("/%d", i), Message: fmt.Sprintf("%q or %q points to nothing that is there", op.From, op.Path)}
	default:
		return &PatchError{Pointer: fmt.Sprintf("/%d/path", i), Message: fmt.Sprintf("%q points to nothing that is there", op.Path)}
	}
}

// TicketMembers are those of a ticket that a patch can change.
func TicketMembers() []string {
	return []string{
		"name", "summary", "description", "priority", "status", "assignee", "creator", "contact",
		"due_date", "completion_date", "project", "issue_type", "parent", "tags", "custom_fields",
	}
}

// Ticket is what the patch makes of a ticket; an empty one where it is Blind. Only
// members that change are set.
func (p Patch) Ticket(current ticket.Ticket) (ticket.Patch, error) {
	before, err := membersOf(current)
	if err != nil {
		return ticket.Patch{}, err
	}
	if err := p.seed(before); err != nil {
		return ticket.Patch{}, err
	}
	document, err := json.Marshal(before)
	if err != nil {
		return ticket.Patch{}, fmt.Errorf("encode the ticket: %w", err)
	}
	if document, err = p.apply(document); err != nil {
		return ticket.Patch{}, err
	}
	var after map[string]json.RawMessage
	if err := json.Unmarshal(document, &after); err != nil {
		return ticket.Patch{}, &PatchError{Pointer: "/", Message: err.Error()}
	}
	return p.changes(before, after)
}

// seed adds what the patch replaces or removes and the ticket does not have: an
// empty member is left out of a ticket's JSON.
func (p Patch) seed(document map[string]json.RawMessage) error {
	custom := map[string]any{}
	if err := decode(document["custom_fields"], &custom); err != nil {
		return fmt.Errorf("custom fields of the ticket: %w", err)
	}
	for _, op := range p.operations {
		member, below, deep := strings.Cut(strings.TrimPrefix(op.Path, "/"), "/")
		switch {
		case !deep && document[member] == nil:
			document[member] = json.RawMessage("null")
		case member == "tags" && document[member] == nil:
			document[member] = json.RawMessage("[]")
		case member == "custom_fields" && !strings.Contains(below, "/") && (op.Op == "replace" || op.Op == "remove"):
			name := strings.NewReplacer("~1", "/", "~0", "~").Replace(below)
			if _, has := custom[name]; !has {
				custom[name] = nil
			}
		}
	}
	data, err := json.Marshal(custom)
	document["custom_fields"] = data
	return err
}

// membersOf are the members of a ticket or a note, as JSON.
func membersOf(v any) (map[string]json.RawMessage, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("decode %T: %w", v, err)
	}
	return all, nil
}

// changes compares what was with what is to be. A member that the patch names is
// set, also to what it was: that is what a blind patch means.
func (p Patch) changes(before, after map[string]json.RawMessage) (ticket.Patch, error) {
	var out ticket.Patch
	for _, name := range TicketMembers() {
		was, is := before[name], after[name]
		if !p.names(name) && equalJSON(was, is) {
			continue
		}
		if err := set(&out, name, was, is); err != nil {
			return out, &PatchError{Pointer: "/" + name, Message: err.Error()}
		}
	}
	return out, nil
}

func (p Patch) names(member string) bool {
	return slices.ContainsFunc(p.operations, func(op patchOperation) bool {
		return op.Op != "test" && (op.Path == "/"+member || strings.HasPrefix(op.Path, "/"+member+"/"))
	})
}

func equalJSON(a, b json.RawMessage) bool {
	var one, other any
	_, _ = json.Unmarshal(a, &one), json.Unmarshal(b, &other) // absent is nil
	return reflect.DeepEqual(one, other)
}

// set sets one member of a patch; null and absent clear it.
func set(out *ticket.Patch, name string, was, is json.RawMessage) error {
	texts := map[string]**string{
		"name": &out.Name, "summary": &out.Summary, "description": &out.Description, "status": &out.Status,
		"assignee": &out.Assignee, "creator": &out.Creator, "contact": &out.Contact, "project": &out.Project,
		"issue_type": &out.IssueType, "parent": &out.Parent,
	}
	if field := texts[name]; field != nil {
		text := ""
		*field = &text
		return decode(is, &text)
	}
	switch name {
	case "priority":
		out.Priority = new(ticket.Priority)
		return cmp.Or(decode(is, out.Priority), CheckPriority(*out.Priority))
	case "tags":
		out.Tags = &[]string{}
		return decode(is, out.Tags)
	case "due_date":
		out.DueDate = new(time.Time)
		return decode(is, out.DueDate)
	case "completion_date":
		out.CompletionDate = new(time.Time)
		return decode(is, out.CompletionDate)
	default:
		return setCustom(out, was, is)
	}
}

// CheckPriority is nil for one of the model's, and for none.
func CheckPriority(p ticket.Priority) error {
	if p != "" && !slices.Contains(ticket.Priorities(), p) {
		return fmt.Errorf("%q is none of %v", p, ticket.Priorities())
	}
	return nil
}

func decode(data json.RawMessage, into any) error {
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return errors.New("is of the wrong type: " + plain(err))
	}
	return nil
}

// plain says what is wrong with JSON in the words of those who write it.
func plain(err error) string {
	mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case ok && mistyped.Field != "":
		return mistyped.Field + " cannot be of type " + mistyped.Value
	case ok:
		return "it is of type " + mistyped.Value
	case errors.As(err, new(*time.ParseError)):
		return `want a time like "2026-05-06T07:08:09Z"`
	default:
		return strings.TrimPrefix(err.Error(), "json: ")
	}
}

// setCustom sets the custom fields that differ; nil clears one.
func setCustom(out *ticket.Patch, was, is json.RawMessage) error {
	var before, after map[string]any
	if err := errors.Join(decode(was, &before), decode(is, &after)); err != nil {
		return err
	}
	out.CustomFields = map[string]any{}
	for name, value := range after {
		if old, had := before[name]; !had || !reflect.DeepEqual(old, value) {
			out.CustomFields[name] = value
		}
	}
	for name := range before {
		if _, has := after[name]; !has {
			out.CustomFields[name] = nil
		}
	}
	return nil
}

// NoteMembers are those of a note that a patch can change.
func NoteMembers() []string { return []string{"title", "content"} }

// Note is what the patch makes of a note; an empty one where it is Blind. Only
// members that change are set.
func (p Patch) Note(current ticket.Note) (ticket.NotePatch, error) {
	var out ticket.NotePatch
	before, err := membersOf(current)
	if err != nil {
		return out, err
	}
	document, err := json.Marshal(before)
	if err != nil {
		return out, fmt.Errorf("encode the note: %w", err)
	}
	if document, err = p.apply(document); err != nil {
		return out, err
	}
	after := map[string]json.RawMessage{}
	if err := json.Unmarshal(document, &after); err != nil {
		return out, &PatchError{Pointer: "/", Message: err.Error()}
	}
	for name, field := range map[string]**string{"title": &out.Title, "content": &out.Content} {
		if !p.names(name) && equalJSON(before[name], after[name]) {
			continue
		}
		text := ""
		if err := decode(after[name], &text); err != nil {
			return out, &PatchError{Pointer: "/" + name, Message: err.Error()}
		}
		*field = &text
	}
	return out, nil
}
