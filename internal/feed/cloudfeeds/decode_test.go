package cloudfeeds

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/transform"
)

// read decodes a body as a feed would.
func read(t *testing.T, body, kind string) []event.Entry {
	t.Helper()
	raw, err := split([]byte(body), kind)
	require.NoError(t, err)
	var out []event.Entry
	for _, e := range raw {
		out = append(out, readEntry(e, "").entries...)
	}
	return out
}

func withoutRaw(entries []event.Entry) []event.Entry {
	out := append([]event.Entry{}, entries...)
	for i := range out {
		out[i].Raw, out[i].Data = "", nil
	}
	return out
}

const jsonPage = `{"feed":{"@type":"http://www.w3.org/2005/Atom","entry":[%]}}`

func jsonEntryWith(product string) string {
	return strings.Replace(jsonPage, "%", `{"id":"urn:uuid:1","updated":"2018-07-27T03:47:07.622Z","title":"plain","category":{"term":"rid:R1"},
		"content":{"event":{"type":"UPDATE","eventTime":"2018-07-27T03:47:06Z","product":`+product+`}}}`, 1)
}

func TestShapes(t *testing.T) {
	at := time.Date(2018, 7, 27, 3, 47, 6, 0, time.UTC)
	comment := func(id, text string) *event.ForeignComment { return &event.ForeignComment{ID: id, Text: text} }
	for name, c := range map[string]struct {
		product string
		want    []event.Foreign
	}{
		"no comment":        {`{"ticketId":"T","resources":""}`, []event.Foreign{{TicketID: "T"}}},
		"numbers":           {`{"ticketId":12345678901234567890,"status":true}`, []event.Foreign{{TicketID: "12345678901234567890", Status: "true"}}},
		"comment object":    {`{"ticketId":"T","resources":["a"],"comment":{"id":"c","text":"x"}}`, []event.Foreign{{TicketID: "T", Comment: comment("c", "x")}}},
		"comment list":      {`{"ticketId":"T","resources":{"id":"a"},"comment":[{"id":"c","text":"x"},{"text":"y"}]}`, []event.Foreign{{TicketID: "T", Comment: comment("c", "x")}, {TicketID: "T", Comment: comment("urn:uuid:1#2", "y")}}},
		"comment as text":   {`{"ticketId":"T","comment":"x"}`, []event.Foreign{{TicketID: "T", Comment: comment("urn:uuid:1#1", "x")}}},
		"empty comment":     {`{"ticketId":"T","comment":""}`, []event.Foreign{{TicketID: "T"}}},
		"by category":       {`{"subject":"s"}`, []event.Foreign{{TicketID: "R1", Subject: "s"}}},
		"raw line break":    {"{\"ticketId\":\"T\",\"subject\":\"a\nb\tc \\\\\"}", []event.Foreign{{TicketID: "T", Subject: "a\nb\tc \\"}}},
		"no product at all": {`null`, []event.Foreign{{TicketID: "R1"}}},
	} {
		got := read(t, jsonEntryWith(c.product), jsonMedia)
		require.Len(t, got, len(c.want), name)
		for i, e := range got {
			require.Empty(t, e.Malformed, name)
			c.want[i].Type, c.want[i].UpdatedAt = "UPDATE", at
			require.Equal(t, c.want[i], *e.Foreign, name)
			require.Equal(t, c.want[i].TicketID, transformed(t, e)["sourceID"])
		}
	}
}

const jsonMedia = "application/vnd.rackspace.atom+json"

func TestSeveralCommentsAreSeveralEntries(t *testing.T) {
	got := read(t, jsonEntryWith(`{"ticketId":"T","comment":[{"id":"a","text":"x"},{"id":"b","text":"y"},{"text":"z"}]}`), jsonMedia)
	require.Equal(t, []string{"urn:uuid:1", "urn:uuid:1#b", "urn:uuid:1#3"}, idsOf(got))
	require.Equal(t, "y", transformed(t, got[1])["note"])
	require.Equal(t, "x", transformed(t, got[0])["note"])
}

// transformed is an entry as the built-in transform makes it.
func transformed(t *testing.T, e event.Entry) event.Params {
	t.Helper()
	program, err := transform.Compile(DefaultTransform)
	require.NoError(t, err)
	params, wanted, err := program.Params(t.Context(), e.Data)
	require.NoError(t, err)
	require.True(t, wanted)
	return params
}

func TestSingleEntryAndNoEntry(t *testing.T) {
	one := `{"id":"urn:uuid:1","updated":"2018-07-27T03:47:07","content":{"type":"application/json","@text":{"event":{"resourceId":"R"}}}}`
	for _, body := range []string{`{"feed":{"entry":` + one + `}}`, `{"entry":` + one + `}`, `{"feed":{"entry":[` + one + `]}}`} {
		got := read(t, body, jsonMedia)
		require.Len(t, got, 1)
		require.Equal(t, "R", got[0].Foreign.TicketID)
		require.Equal(t, one, got[0].Raw)
	}
	for _, body := range []string{`{"feed":{}}`, `{"feed":{"entry":null}}`, `{"feed":{"entry":[]}}`, `<feed xmlns="http://www.w3.org/2005/Atom"/>`} {
		require.Empty(t, read(t, body, ""))
	}
}

func TestOneMalformedEntryDoesNotSpoilThePage(t *testing.T) {
	for name, c := range map[string]struct{ broken, id, reason string }{
		"no content":      {`{"id":"urn:uuid:9","updated":"2018-07-27T03:47:07Z"}`, "urn:uuid:9", "names no ticket"},
		"no time":         {`{"id":"urn:uuid:9","content":{"event":{"resourceId":"R"}}}`, "urn:uuid:9", "updated"},
		"no id":           {`{"updated":"2018-07-27T03:47:07Z"}`, "malformed:", "no id"},
		"not an object":   {`17`, "malformed:", "not an object"},
		"invalid JSON":    {`{"id":"urn:uuid:9","x":01}`, "urn:uuid:9", "invalid JSON"},
		"text as content": {`{"id":"urn:uuid:9","updated":"2018-07-27T03:47:07Z","content":"hello"}`, "urn:uuid:9", "names no ticket"},
		"broken content":  {`{"id":"urn:uuid:9","updated":"2018-07-27T03:47:07Z","content":"{hello"}`, "urn:uuid:9", "neither an event nor JSON"},
	} {
		good := `{"id":"urn:uuid:1","updated":"2018-07-27T03:47:07Z","content":{"event":{"resourceId":"R"}}}`
		got := read(t, strings.Replace(jsonPage, "%", good+","+c.broken+","+strings.Replace(good, "uuid:1", "uuid:2", 1), 1), jsonMedia)
		require.Len(t, got, 3, name)
		require.Empty(t, got[0].Malformed+got[2].Malformed, name)
		require.Contains(t, got[1].Malformed, c.reason, name)
		require.True(t, strings.HasPrefix(got[1].ID, c.id), "%s: %s", name, got[1].ID)
		require.Equal(t, c.broken, got[1].Raw, name)
	}
}

func TestBrokenXMLEntries(t *testing.T) {
	good := `<entry><id>urn:uuid:1</id><updated>2018-07-27T03:47:07Z</updated><content><event resourceId="R"/></content></entry>`
	for _, broken := range []string{
		`<entry><id>urn:uuid:9</id><oops></entry>`, `<entry><id>urn:uuid:9</id><a b=c"></a></entry>`, `<entry><id>urn:uuid:9</id>`,
	} {
		got := read(t, `<feed>`+good+broken+strings.Replace(good, "uuid:1", "uuid:2", 1)+`</feed>`, "application/atom+xml")
		require.Equal(t, []string{"urn:uuid:1", "urn:uuid:9", "urn:uuid:2"}, idsOf(got))
		require.Empty(t, got[0].Malformed+got[2].Malformed)
		require.Contains(t, got[1].Malformed, "invalid XML")
		require.Equal(t, broken, got[1].Raw)
	}
	for _, odd := range []string{"\x0b", "&#11;", "&#x1F;", "\xff", "&nbsp;"} {
		got := read(t, `<feed>`+strings.Replace(good, "<updated>", "<title>a"+odd+"b</title><updated>", 1)+`</feed>`, "")
		require.Len(t, got, 1, "%q", odd)
		require.Empty(t, got[0].Malformed, "%q", odd)
	}
}

func TestUnreadablePages(t *testing.T) {
	for body, text := range map[string]string{
		"": "empty", "<html><body>Maintenance</body></html>": "Maintenance", "Bad gateway": "Bad gateway",
		`{"feed":{"entry":[{"id":"urn:uuid:1"`: "invalid JSON", `<feed><entry>`: "invalid XML", `{}`: "neither feed nor entry",
		`{"error":{"code":"404","message":"No entry"}}`: "404 No entry", `<error><code>500</code></error>`: "500", `[]`: "no feed",
		`<feed><entry><id>urn:uuid:1</id></entry><entry>`: "invalid XML",
	} {
		_, err := split([]byte(body), "text/plain")
		require.ErrorContains(t, err, text, body)
	}
}

func TestBothFormsAreEqual(t *testing.T) {
	r := newRig(t, sim.Options{})
	now := r.clock.now()
	full := sim.Entry{
		Account: account, TicketID: "180717-iad-1", Subject: `He said "hi" \o/ & <b>`, Status: "OPEN", Type: "CREATE", LastUpdated: now.Add(-time.Second),
		Comments: []sim.Comment{{ID: "c1", Author: "Racker", AuthorType: "Rackspace", Created: now, Text: "one\ntwo\t\"3\""}, {ID: "c2", Author: "b", Text: "ü €"}}, Resources: []string{"r1", "r2"},
	}
	asJSON, plain := full, full
	asJSON.JSONContent, plain.PlainTitle, plain.Comments, plain.Resources = true, true, nil, nil
	r.server.Publish(full, asJSON, plain)
	r.clock.pass(3 * time.Second)
	var forms [][]event.Entry
	for _, accept := range []string{"application/atom+xml", jsonMedia} {
		req, w := newRequest(r.cfg.URL, accept)
		r.server.ServeHTTP(w, req)
		forms = append(forms, withoutRaw(read(t, w.Body.String(), w.Header().Get("Content-Type"))))
	}
	require.Equal(t, forms[0], forms[1])
	require.Len(t, forms[0], 5)
	require.Equal(t, full.Subject, forms[0][0].Foreign.Subject)
	require.Equal(t, "one\ntwo\t\"3\"", forms[0][1].Foreign.Comment.Text)
}

func TestRawIsCut(t *testing.T) {
	got := read(t, jsonEntryWith(`{"ticketId":"T","unknown":"`+strings.Repeat("x", 100<<10)+`"}`), jsonMedia)
	require.Len(t, got[0].Raw, 32<<10)
	require.Empty(t, got[0].Malformed)
}

func TestEntryIsReadAgain(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Tenant = account })
	ids := r.server.Publish(
		sim.Entry{Account: account, TicketID: "T", Comments: []sim.Comment{{ID: "a", Text: "x"}, {ID: "b", Text: "y"}}},
		sim.Entry{Account: account, TicketID: "T", Tenant: "other"},
	)
	e, err := r.client.Entry(t.Context(), ids[0]+"#b")
	require.NoError(t, err)
	require.Equal(t, "y", e.Foreign.Comment.Text)
	for id, kind := range map[string]ticket.Kind{ids[1]: ticket.Permanent, "urn:uuid:none": ticket.NotFound, "malformed:01": ticket.NotFound} {
		_, err = r.client.Entry(t.Context(), id)
		require.Equal(t, kind, ticket.KindOf(err), id)
	}
}

func TestMalformedEntriesComeOnceAndAtTheirPlace(t *testing.T) {
	r := newRig(t, sim.Options{})
	first := r.publish(2)
	r.clock.pass(time.Second)
	r.server.Publish(sim.Entry{Account: account, BrokenXML: `<atom:entry xmlns:atom="http://www.w3.org/2005/Atom"><atom:id>urn:uuid:bad</atom:id></atom:entry>`})
	last := r.publish(2)
	r.clock.pass(3 * time.Second)
	got := r.drain()
	require.Equal(t, []string{first[0], first[1], "urn:uuid:bad", last[0], last[1]}, idsOf(got))
	require.NotEmpty(t, got[2].Malformed)
	require.Empty(t, r.settle())
}
