package servicenow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// create is a create that is ready to be sent.
type create struct {
	table    string
	fields   map[string]string
	warnings []string
	notes    []string // lines that end the description, but for the tags
}

// CreateTicket makes a record with one POST that can have its effect once only
// where the instance takes our sys_id: a second record of the same operation
// would have the same primary key, and is refused. Until the instance was seen to
// take it, a record of the operation is looked for before the POST. Whatever is
// refused is looked for, too, because a repeated id is refused: what is found is
// the answer. Kind OutcomeUnknown asks for RecoverTicket, any other kind means
// that nothing was made.
//
// With Config.Import the record is made by a staging table that coalesces on
// correlation_id (see Import). A Permanent error then names what was made all the
// same.
//
// The creator, else the default one, is who opened it, and who asked for a security
// incident; without either that is our account.
//
// What ServiceNow can do without never fails a create: people it does not know,
// columns that the table lacks, values that the account may not write (which
// ServiceNow drops without a word). They become warnings (Unmapped["warnings"]).
func (c *Client) CreateTicket(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	table := c.tableOf(n)
	t, err := c.begin("create " + table)
	if err != nil {
		return ticket.Ticket{}, err
	}
	defer t.end()
	k, err := t.newRecord(ctx, table, n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	if c.config.Import.on() {
		return t.createStaged(ctx, k, n)
	}
	marked := n.Marker.Operation != ""
	if err := t.marksAreKept(); marked && err != nil {
		return ticket.Ticket{}, err
	}
	if marked && !c.keepsID.Load() {
		if found, ok, err := t.stored(ctx, n.Marker); err != nil || ok {
			return found, err
		}
	}
	var made record
	_, err = t.do(ctx, call{method: http.MethodPost, table: table, query: c.answered(slices.Sorted(maps.Keys(k.fields))...), body: k.fields, creates: true}, &made)
	if err != nil {
		if marked && mayBeThere(err) {
			return t.refusedTwin(ctx, n.Marker, err)
		}
		return ticket.Ticket{}, err
	}
	if !isID(made.text("sys_id")) || made.text("number") == "" {
		return ticket.Ticket{}, &ticket.Error{Kind: ticket.OutcomeUnknown, Op: t.op, Status: http.StatusCreated, Message: "ServiceNow answered a record without sys_id and number"}
	}
	if marked {
		c.noteMarks(k.fields, made)
	}
	out := c.model(made)
	addWarnings(&out, append(k.warnings, kept(k.fields, made)...))
	return out, nil
}

// RequiredFields are those of a new ticket that CreateTicket refuses to do without.
func RequiredFields() []string { return []string{"name"} }

func (c *Client) tableOf(n ticket.New) string { return cmp.Or(n.Project, c.config.DefaultProject) }

// markless is how long no ticket is made after one that kept no mark.
const markless = 10 * time.Minute

// noteMarks notes whether a record keeps what it is found again by.
func (c *Client) noteMarks(sent map[string]string, made record) {
	keepsID := made.text("sys_id") == sent["sys_id"]
	c.keepsID.Store(keepsID)
	lost := int64(0)
	if !keepsID && made.text("correlation_id") != sent["correlation_id"] {
		lost = c.now().Add(markless).UnixNano()
	}
	c.marksLost.Store(lost)
}

// marksAreKept refuses to make a ticket that could not be found again if its
// answer were lost. Now and then one is tried: the right may have been given.
func (t *turn) marksAreKept() error {
	wait := time.Duration(t.c.marksLost.Load() - t.c.now().UnixNano())
	if wait <= 0 {
		return nil
	}
	message := fmt.Sprintf("the last ticket kept neither our sys_id nor our correlation_id, so that a lost answer could double one: give the account of integration %s the right to write correlation_id of %s", t.c.config.Name, t.c.app.table)
	if in := t.c.config.Import; in.on() {
		message = fmt.Sprintf("the last ticket that staging table %s made is not known to be the only one, so that a lost answer could double one: %s", in.Table, in.remedy())
	}
	return &ticket.Error{Kind: ticket.Credentials, Op: t.op, RetryAfter: min(wait, time.Minute), Message: message}
}

// mayBeThere: the record was refused, which is how an id that exists already is
// answered. In which words and with which status is not documented.
func mayBeThere(err error) bool {
	failed, ok := errors.AsType[*ticket.Error](err)
	return ok && failed.Kind == ticket.Permanent || namesTwin(err)
}

// namesTwin: the refusal speaks of a record that is there.
func namesTwin(err error) bool {
	failed, ok := errors.AsType[*ticket.Error](err)
	if !ok {
		return false
	}
	text := strings.ToLower(failed.Message)
	return strings.Contains(text, "unique key") || strings.Contains(text, "duplicate entry")
}

// refusedTwin is the record that was there already; without one the refusal stands.
func (t *turn) refusedTwin(ctx context.Context, m ticket.Marker, refusal error) (ticket.Ticket, error) {
	found, ok, err := t.stored(ctx, m)
	switch {
	case err != nil && ticket.KindOf(err) == ticket.Permanent:
		return ticket.Ticket{}, err
	case err != nil || !ok:
		return ticket.Ticket{}, refusal
	}
	return found, nil
}

// kept tells what was sent and is not there: ServiceNow drops what the account
// may not write, and what the table does not know, without a word.
func kept(sent map[string]string, echo record) []string {
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		switch v, there := echo[name]; {
		case name == "sys_id" || name == "comments" || name == "work_notes" || sameText(sent[name], v.Value):
		case !there:
			warnings = append(warnings, name+": the account cannot see whether it was set: the table may lack it")
		case name == "correlation_id":
			warnings = append(warnings, "correlation_id: not kept: give the account the right to write it: tickets are found again by it")
		default:
			warnings = append(warnings, fmt.Sprintf("%s: %q was not kept: it is %q: the account may lack the right to write it, or a rule of the instance sets it", name, cut(sent[name], 80, "…"), cut(v.Value, 80, "…")))
		}
	}
	return warnings
}

// sameText: line ends and outer space may be stored in another form.
func sameText(a, b string) bool {
	return strings.TrimSpace(strings.ReplaceAll(a, "\r\n", "\n")) == strings.TrimSpace(strings.ReplaceAll(b, "\r\n", "\n"))
}

func (t *turn) newRecord(ctx context.Context, table string, n ticket.New) (*create, error) {
	title, correlation := cmp.Or(n.Name, n.Summary), correlationOf(n.Marker)
	_, readable := readStamp(correlation)
	switch {
	case !isName(table):
		return nil, t.permanent("project: %q: want the name of a table that extends %s", table, t.c.app.table)
	case oneLine(title, widthTitle) == "":
		return nil, t.permanent("name: empty: a ticket needs one")
	case correlation != "" && (!readable || len(correlation) > maxCorrelation):
		return nil, t.permanent("the marker does not fit into correlation_id (%d characters, no colons): %s", maxCorrelation, correlation)
	}
	known, err := t.table(ctx, table)
	if err != nil {
		return nil, err
	}
	k := &create{table: table, fields: map[string]string{"short_description": oneLine(title, widthOf(known, "short_description", widthTitle))}}
	if n.Marker.Operation != "" {
		k.fields["sys_id"] = ticket.OperationHash(n.Marker.Operation)
		k.fields["correlation_id"] = correlation
		k.fields["correlation_display"] = product
	}
	if err := t.fill(ctx, k, n); err != nil {
		return nil, err
	}
	k.describe(n, k.fields["short_description"], widthOf(known, "description", widthText))
	return k, nil
}

func widthOf(known map[string]column, name string, absent int) int {
	if width := known[name].length; width > 0 {
		return width
	}
	return absent
}

// fill sets the columns that a ticket can do without.
func (t *turn) fill(ctx context.Context, k *create, n ticket.New) error {
	set, left, err := t.customFields(ctx, k.table, n.CustomFields)
	if err != nil {
		return err
	}
	maps.Copy(k.fields, t.c.priorityFields(n.Priority))
	if !n.DueDate.IsZero() {
		k.fields["due_date"] = formatTime(n.DueDate)
	}
	if kind := cmp.Or(n.IssueType, t.c.config.DefaultIssueType); kind != "" {
		category, _, err := t.shape(ctx, k.table, "category", column{}, kind)
		if err != nil {
			return err
		}
		k.fields["category"] = category
	}
	if err := t.fillPeople(ctx, k, n); err != nil {
		return err
	}
	if n.Parent != "" {
		if k.fields[t.c.app.parent], err = t.parent(ctx, n.Parent); err != nil {
			return err
		}
	}
	if n.Status != "" {
		to, err := t.change(ctx, k.table, record{}, n.Status, nil)
		if err != nil {
			return err
		}
		maps.Copy(k.fields, to.fields)
		k.warnings = append(k.warnings, to.warnings...)
	}
	if !n.CompletionDate.IsZero() {
		k.warnings = append(k.warnings, "completion_date: ServiceNow sets it itself")
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		text, _ := plainValue(n.CustomFields[name]) // customFields could read it
		k.warnings = append(k.warnings, "custom_fields."+name+": "+left[name]+": written into the description")
		k.note(name, text)
	}
	maps.Copy(k.fields, set)
	return nil
}

// parent finds a ticket by number.
func (t *turn) parent(ctx context.Context, id string) (string, error) {
	if id == "" || isID(id) {
		return id, nil
	}
	found, err := t.recordByNumber(ctx, t.c.app.table, id)
	if err != nil && ticket.KindOf(err) == ticket.NotFound {
		return "", t.permanent("parent: %v", err)
	}
	return found.text("sys_id"), err
}

func (k *create) note(title, text string) {
	k.notes = append(k.notes, title+": "+cut(clean(text), widthTitle, "…"))
}

// describe sets the description: the summary, where it says other than the name,
// goes before it; what found no column goes after it. A text that does not fit
// becomes the first comment too, whole.
func (k *create) describe(n ticket.New, title string, width int) {
	if _, given := k.fields["description"]; given {
		return
	}
	var parts []string
	if n.Name != "" && n.Summary != "" && n.Summary != n.Name && !strings.Contains(n.Description, n.Summary) {
		parts = append(parts, n.Summary)
	}
	if name := strings.Join(strings.Fields(clean(cmp.Or(n.Name, n.Summary))), " "); name != title { // what was cut off is kept
		parts = append(parts, name)
	}
	if n.Description != "" {
		parts = append(parts, n.Description)
	}
	line, warnings := writeTags(n.Tags, tagsRoom(width))
	k.warnings = append(k.warnings, warnings...)
	text, notes := clean(paragraphs(parts...)), some(line)
	slices.Sort(k.notes)
	if end := strings.Join(append(k.notes, notes...), "\n"); utf8.RuneCountInString(end) <= width/2 {
		notes = []string{end}
	} else { // the tags must not be cut off
		text = paragraphs(text, strings.Join(k.notes, "\n"))
	}
	end := strings.Join(notes, "\n")
	whole := paragraphs(text, end)
	if whole == "" {
		return
	}
	k.fields["description"] = fitAbove(text, end, width, moreNotice)
	if k.fields["description"] != whole {
		k.fields["comments"] = cut(journalText(whole), maxJournal, cutNotice)
		k.warnings = append(k.warnings, fmt.Sprintf("description: %d characters: cut at the %d that ServiceNow takes: the first comment holds the text, up to %d characters", utf8.RuneCountInString(whole), width, maxJournal))
	}
}
