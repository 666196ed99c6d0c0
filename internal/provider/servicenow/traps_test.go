package servicenow

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Trap 1: a 200 is no success before its body says so, of any operation.
func TestA2xxIsNoSuccessBeforeItsBodySaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		status              int
		contentType, body   string
		create, patch, read ticket.Kind
	}{
		"hibernating":           {200, "text/html", "<title>Instance Hibernating page</title>", ticket.Retry, ticket.Retry, ticket.Retry},
		"another page":          {200, "text/html", "<html>log in</html>", ticket.OutcomeUnknown, ticket.Retry, ticket.Retry},
		"result and error":      {201, "application/json", `{"result":{"sys_id":"x","number":"INC1"},"error":{"message":"Transaction cancelled: maximum execution time exceeded","detail":"Check logs"},"status":"failure"}`, ticket.OutcomeUnknown, ticket.Retry, ticket.Retry},
		"broken JSON":           {200, "application/json", `{"result":[{"a":"b"}"" ], "error":{"message":"Transaction cancelled"}}`, ticket.OutcomeUnknown, ticket.Retry, ticket.Retry},
		"nothing":               {200, "application/json", "", ticket.OutcomeUnknown, ticket.Retry, ticket.Retry},
		"no result":             {200, "application/json", `{"result":null}`, ticket.OutcomeUnknown, ticket.Retry, ticket.Retry},
		"result of other shape": {200, "application/json", `{"result":"ok"}`, ticket.OutcomeUnknown, ticket.Retry, ticket.Retry},
		"202":                   {202, "application/json", "", ticket.OutcomeUnknown, ticket.Retry, ticket.Retry},
		"202 with a record":     {202, "application/json", `{"result":{"sys_id":"` + strings.Repeat("a", 32) + `","number":"INC1"}}`, ticket.OutcomeUnknown, ticket.Retry, ticket.Retry},
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			ctx, id := context.Background(), strings.Repeat("a", 32)
			_, err := client.CreateTicket(ctx, newTicket(1))
			assert.Equal(t, c.create, kindOf(t, err), "create: %v", err)
			_, err = client.GetTicket(ctx, id)
			assert.Equal(t, c.read, kindOf(t, err), "get: %v", err)
			status := "completed"
			_, err = client.PatchTicket(ctx, id, ticket.Patch{Status: &status})
			assert.Equal(t, c.patch, kindOf(t, err), "patch: %v", err)
			_, err = client.FindTicket(ctx, newTicket(1).Marker)
			assert.Equal(t, c.read, kindOf(t, err), "find: %v", err)
			assert.NotContains(t, err.Error(), testPassword)
		})
	}
}

// Trap 2 and the other statuses: what each means for a create, a comment and a read.
func TestStatusesAreClassified(t *testing.T) {
	const policy = `{"error":{"message":"Operation Failed","detail":"Data Policy Exception: Caller is mandatory"},"status":"failure"}`
	const acl = `{"error":{"message":"Operation Failed","detail":"ACL Exception Insert Failed due to security constraints"},"status":"failure"}`
	const absent = `{"error":{"message":"No Record found","detail":"Record doesn't exist or ACL restricts the record retrieval"},"status":"failure"}`
	for name, c := range map[string]struct {
		status       int
		body         string
		create, read ticket.Kind
	}{
		"400":             {400, `{"error":{"message":"Invalid table incidnt","detail":null},"status":"failure"}`, ticket.Permanent, ticket.Permanent},
		"401":             {401, `{"error":{"message":"User Not Authenticated","detail":"Required to provide Auth information"},"status":"failure"}`, ticket.Credentials, ticket.Credentials},
		"403 data policy": {403, policy, ticket.Permanent, ticket.Permanent},
		"403 rule":        {403, `{"error":{"message":"Operation Failed","detail":"Operation against file 'incident' was aborted by Business Rule 'x'"}}`, ticket.Permanent, ticket.Permanent},
		"403 ACL":         {403, acl, ticket.Credentials, ticket.Credentials},
		"403 role":        {403, `{"error":{"message":"User Not Authorized","detail":"Failed API level ACL Validation"}}`, ticket.Credentials, ticket.Credentials},
		"404":             {404, absent, ticket.Permanent, ticket.NotFound},
		"405":             {405, ``, ticket.Permanent, ticket.Permanent},
		"408":             {408, ``, ticket.OutcomeUnknown, ticket.Retry},
		"415":             {415, ``, ticket.Permanent, ticket.Permanent},
		"429":             {429, ``, ticket.RateLimited, ticket.RateLimited},
		"499":             {499, ``, ticket.OutcomeUnknown, ticket.Retry},
		"500":             {500, `{"error":{"message":"Transaction cancelled: maximum execution time exceeded"}}`, ticket.OutcomeUnknown, ticket.Retry},
		"502":             {502, `<html>Bad gateway</html>`, ticket.OutcomeUnknown, ticket.Retry},
		"503":             {503, ``, ticket.OutcomeUnknown, ticket.Retry},
		"504":             {504, ``, ticket.OutcomeUnknown, ticket.Retry},
		"302":             {302, ``, ticket.Permanent, ticket.Permanent},
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "https://login.example/")
				if r.Method == http.MethodGet && r.URL.Query().Get("sysparm_query") != "" {
					w.Header().Set("Content-Type", "application/json") // the look for a twin
					fmt.Fprint(w, `{"result":[]}`)
					return
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			_, err := client.CreateTicket(context.Background(), newTicket(1))
			assert.Equal(t, c.create, kindOf(t, err), "create: %v", err)
			_, err = client.GetTicket(context.Background(), strings.Repeat("a", 32))
			assert.Equal(t, c.read, kindOf(t, err), "get: %v", err)
		})
	}
}

// A ticket that speaks of what instances say is a ticket.
func TestATicketMaySpeakOfHibernation(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Description = "Your instance is hibernating: Instance Hibernating page. error: Transaction cancelled"
	made := w.create(n)
	got, err := w.client.GetTicket(context.Background(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, n.Description, got.Description)
	assert.True(t, refusesRecord("Operation Failed: Data Policy Exception: Oracle database is mandatory"))
}

// Whoever cannot prove to be the instance gets neither the credential nor the ticket.
func TestASiteThatCannotProveItselfIsToldNothing(t *testing.T) {
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.StartTLS()
	defer site.Close()
	for _, credential := range []Credential{{Type: Basic, Username: "u", Secret: testPassword}, {Type: OAuthClient, ClientID: "tb", Secret: testPassword}} {
		c, err := New(Config{Name: "x", URL: site.URL, Credential: credential, Application: ITSM()})
		require.NoError(t, err)
		c.sleep = func(context.Context, time.Duration) bool { return false }
		_, err = c.CreateTicket(context.Background(), newTicket(1))
		assert.Equal(t, ticket.Retry, kindOf(t, err), "nothing was sent")
		assert.ErrorContains(t, err, "certificate")
	}
}

// Whoever gives up in the middle does not know what became of it.
func TestACallThatIsGivenUpIsUnknown(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	w.fail(sim.Fault{Kind: sim.Slow, Op: "create", Delay: 60_000}, sim.Fault{Kind: sim.Slow, Op: "comment", Delay: 60_000}, sim.Fault{Kind: sim.Slow, Op: "patch", Delay: 60_000})
	within := func(call func(context.Context) error) ticket.Kind {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		return kindOf(t, call(ctx))
	}
	assert.Equal(t, ticket.OutcomeUnknown, within(func(ctx context.Context) error {
		_, err := w.client.CreateTicket(ctx, newTicket(2))
		return err
	}))
	assert.Equal(t, ticket.OutcomeUnknown, within(func(ctx context.Context) error {
		_, err := w.client.CreateComment(ctx, made.ID, ticket.NewComment{Content: "x", Operation: "o"})
		return err
	}))
	assert.Equal(t, ticket.Retry, within(func(ctx context.Context) error {
		_, err := w.client.PatchTicket(ctx, made.ID, ticket.Patch{Name: to("x")})
		return err
	}))
	_, ok, err := w.client.RecoverTicket(context.Background(), newTicket(2), ticket.Attempt{})
	require.NoError(t, err)
	assert.True(t, ok, "it was made all the same")
}

func TestAnInstanceThatSleepsIsLeftAlone(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"page": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<title>Instance Hibernating page</title>")
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://developer.servicenow.com/dev.do#!/home?wu=true", http.StatusFound)
		},
	} {
		_, err := answering(t, handler).CreateTicket(context.Background(), newTicket(1))
		assert.Equal(t, ticket.Retry, kindOf(t, err), name)
		assert.GreaterOrEqual(t, retryAfter(t, err), time.Minute, name)
		assert.ErrorContains(t, err, "hibernating", name)
	}
}

// Trap 3: no cookie ever goes back, so that no call waits for another in a session.
func TestNoCookieGoesBack(t *testing.T) {
	w := newWorld(t)
	for n := range 3 {
		w.create(newTicket(n))
	}
	jar := &http.Client{Jar: everyCookie{}}
	w.config.HTTP = jar
	c, err := New(w.config)
	require.NoError(t, err)
	_, err = c.GetTicket(context.Background(), w.tickets()[0].ID)
	require.NoError(t, err)
	assert.Zero(t, w.sim.Stats().Cookies)
	assert.NotNil(t, jar.Jar, "the caller's own client is left as it is")
}

// Trap 4: where the instance ignores a condition and answers something else, that
// is noticed, whatever is looked for.
func TestRowsThatWereNotAskedForAreNotTaken(t *testing.T) {
	w := newWorld(t)
	w.create(newTicket(1))
	w.sim.RemoveColumn("sys_user", "email")
	w.sim.RemoveColumn("task", "correlation_id")
	ctx := context.Background()
	_, err := w.client.FindTicket(ctx, ticket.Marker{Key: newTicket(1).Marker.Key})
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "ignored the query")
	require.NoError(t, w.sim.Hide(sim.UserBridge, true)) // so that one is left that anything finds
	n := newTicket(2)
	n.Assignee = "noor@acme.example"
	made, err := w.client.CreateTicket(ctx, n)
	require.NoError(t, err)
	assert.Empty(t, made.Assignee, "nobody is assigned by chance")
	assert.Contains(t, strings.Join(made.Warnings(), "\n"), "correlation_id")
	_, err = w.client.GetTicket(ctx, "INC0099999")
	assert.Equal(t, ticket.NotFound, kindOf(t, err))
}

// Trap 5: a value can neither end its condition nor be run by the instance.
func TestValuesCannotBecomeQueries(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	victim := w.create(newTicket(1))
	for _, evil := range []string{
		"x^ORnumberISNOTEMPTY", "x^NQactive=true", "javascript:gs.getUserID()", " JavaScript:gs.getUserID()", "x\n^ORnumberISNOTEMPTY", "x^ORDERBYnumber", "^", "^^",
	} {
		_, err := w.client.GetTicket(ctx, evil)
		assert.Contains(t, []ticket.Kind{ticket.NotFound, ticket.Permanent}, kindOf(t, err), "%q: %v", evil, err)
		n := newTicket(2)
		n.Marker.Operation, n.Assignee, n.Contact = "op "+evil, evil, "a@"+evil
		n.CustomFields = map[string]any{}
		made := w.create(n)
		assert.Empty(t, made.Assignee, "%q", evil)
		assert.Empty(t, w.stored(made.ID).Fields["caller_id"], "%q", evil)
		_, err = w.client.PatchTicket(ctx, evil, ticket.Patch{})
		assert.Error(t, err, "%q", evil)
		_, _, err = w.client.RecoverComment(ctx, evil, ticket.NewComment{Content: "x", Operation: "o"}, ticket.Attempt{})
		assert.Error(t, err, "%q", evil)
		_, err = w.client.FindTicket(ctx, ticket.Marker{Key: evil})
		if err == nil {
			continue // nothing of that key
		}
		assert.Equal(t, ticket.Permanent, kindOf(t, err), "%q", evil)
	}
	assert.Equal(t, newTicket(1).Name, w.stored(victim.ID).Fields["short_description"])
}

// Trap 6: what ServiceNow drops without a word is told.
func TestWhatIsDroppedIsTold(t *testing.T) {
	w := newWorld(t)
	w.sim.Restrict("incident", "impact", true, false)
	w.sim.Restrict("incident", "assigned_to", false, true)
	n := newTicket(1)
	n.Priority, n.Assignee = ticket.Critical, "mia@acme.example"
	made := w.create(n)
	told := strings.Join(made.Warnings(), "\n")
	assert.Contains(t, told, `impact: "1" was not kept: it is "3"`)
	assert.Contains(t, told, "assigned_to: the account cannot see whether it was set")
	assert.Equal(t, ticket.Moderate, made.Priority, "as the instance has it")

	w.sim.Restrict("incident", "short_description", true, false)
	name := "another name"
	patched, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Name: &name})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(patched.Warnings(), "\n"), "short_description")

	w.sim.Restrict("incident", "work_notes", true, false)
	_, err = w.client.CreateComment(context.Background(), made.ID, ticket.NewComment{Content: "x", Operation: "o", Internal: true})
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "a note that was dropped is not taken for written")
	assert.ErrorContains(t, err, "work_notes")
}

// Trap 7: an empty page does not end a list.
func TestAnEmptyPageDoesNotEndAList(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(0))
	for n := range 2 * page {
		id := w.sim.Add("incident", map[string]string{"correlation_id": correlationOf(newTicket(n + 1).Marker), "short_description": "x", "state": "1", "sys_created_on": "2027-01-01 00:00:00"})
		require.NoError(t, w.sim.Hide(id, true))
	}
	found, err := w.client.FindTicket(context.Background(), ticket.Marker{Key: newTicket(0).Marker.Key})
	require.NoError(t, err)
	require.Len(t, found, 1, "it is on the third page")
	assert.Equal(t, made.ID, found[0].ID)
	require.NoError(t, w.sim.Delete(made.ID))
	_, err = w.client.FindTicket(context.Background(), ticket.Marker{Key: newTicket(0).Marker.Key})
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "that there are hidden ones is no proof of nothing")
}

// Trap 8: version 2, whose empty list is a 200.
func TestTheVersionIsNotLeftToTheInstance(t *testing.T) {
	w := newWorld(t)
	found, err := w.client.FindTicket(context.Background(), ticket.Marker{Key: "nothing"})
	require.NoError(t, err)
	assert.Empty(t, found)
	for _, r := range w.seen.all() {
		assert.True(t, strings.HasPrefix(r.path, "/api/now/v2/"), r.path)
	}
	r := httptest.NewRequest(http.MethodGet, "/api/now/v1/table/incident", nil)
	r.Header.Set("Accept", "application/json")
	r.SetBasicAuth("bridge", testPassword)
	answer := httptest.NewRecorder()
	w.sim.ServeHTTP(answer, r)
	assert.Equal(t, http.StatusNotFound, answer.Code, "what version 1 would have said")
}

// Trap 9: a journal appends, and shows nothing as its stored value; a lost comment
// is neither doubled nor taken for lost.
func TestAJournalIsNeverWrittenToTwice(t *testing.T) {
	for name, see := range map[string]func(w *world){
		"entries can be read":     func(*world) {},
		"entries are refused":     func(w *world) { w.sim.Deny("sys_journal_field") },
		"entries are not visible": func(w *world) { w.sim.HideRows("sys_journal_field") },
	} {
		for _, kind := range []sim.Fault{{Kind: sim.ErrorAfter}, {Kind: sim.DropAfter}, {Kind: sim.Poisoned}, {Kind: sim.DropLate, Delay: 60_000}, {Kind: sim.DropBefore}, {Kind: sim.Queued}} {
			for _, internal := range []bool{false, true} {
				w := newWorld(t)
				made := w.create(newTicket(1))
				see(w)
				n := ticket.NewComment{Content: "still down", Internal: internal, Operation: "comment-1"}
				kind.Op, kind.Times = "comment", 1
				w.fail(kind)
				ctx := context.Background()
				_, err := w.client.CreateComment(ctx, made.ID, n)
				require.Equal(t, ticket.OutcomeUnknown, kindOf(t, err), "%s %s: %v", name, kind.Kind, err)
				w.clock.move(w.client.Settling())
				_, ok, err := w.client.RecoverComment(ctx, made.ID, n, ticket.Attempt{})
				require.NoError(t, err)
				assert.Equal(t, kind.Kind != sim.DropBefore && kind.Kind != sim.Queued, ok, "%s %s", name, kind.Kind)
				if !ok {
					_, err = w.client.CreateComment(ctx, made.ID, n)
					require.NoError(t, err)
				}
				entries := w.sim.Journal(made.ID)
				require.Len(t, entries, 1)
				assert.Equal(t, map[bool]string{false: "comments", true: "work_notes"}[internal], entries[0].Element)
				assert.Equal(t, "still down\n\n"+refOf("comment-1"), entries[0].Value)
			}
		}
	}
}

// Trap 10: unless that is configured, nothing is written through import sets, whose
// updates are not audited.
func TestEverythingGoesThroughTheTableAPI(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	status := "completed"
	_, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Status: &status})
	require.NoError(t, err)
	for _, r := range w.seen.all() {
		assert.NotContains(t, r.path, "/import/")
	}
	assert.Equal(t, "bridge", w.stored(made.ID).Fields["sys_updated_by"], "the change bears the account's name")
}
