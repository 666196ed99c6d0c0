package cloudfeeds

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// checkPage holds for any page that is accepted: every entry is an item with an
// id that says what it is, and the items are in order.
func checkPage(t *testing.T, body []byte, kind string) {
	raw, err := split(body, kind)
	if err != nil {
		require.True(t, utf8.ValidString(err.Error()))
		return
	}
	items := make([]item, len(raw))
	for i, r := range raw {
		items[i] = readEntry(r, "")
		require.NotEmpty(t, items[i].id)
		require.NotEmpty(t, items[i].entries)
		for _, e := range items[i].entries {
			require.True(t, (e.Malformed == "") == (e.Foreign != nil))
			require.LessOrEqual(t, len(e.Raw), maxRaw)
			require.True(t, e.Foreign == nil || e.Foreign.TicketID != "")
		}
	}
	order(items, time.Now())
	for i := 1; i < len(items); i++ {
		require.False(t, items[i].at.Before(items[i-1].at))
	}
}

func FuzzFeedJSON(f *testing.F) {
	f.Add([]byte(jsonEntryWith(`{"ticketId":"T","comment":[{"id":"c","text":"x"},{"text":"y"}]}`)))
	f.Add([]byte(`{"feed":{"entry":[{"id":"urn:uuid:1","x":01},{"id":"urn:uuid:2"}]}}`))
	f.Add([]byte("{\"feed\":{\"entry\":{\"id\":\"a\nb\"}}}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		checkPage(t, body, jsonMedia)
		// Whatever stands beside it, a good entry is not lost silently.
		if strings.ContainsAny(string(body), `"{}[]\`) {
			return
		}
		good := `{"id":"urn:uuid:good","updated":"2018-07-27T03:47:07Z","content":{"event":{"resourceId":"R"}}}`
		raw, err := split([]byte(`{"feed":{"entry":[`+good+`,{`+string(body)+`},`+good+`]}}`), jsonMedia)
		if err == nil {
			require.Len(t, raw, 3)
			require.Empty(t, readEntry(raw[0], "").entries[0].Malformed+readEntry(raw[2], "").entries[0].Malformed)
		}
	})
}

func FuzzFeedXML(f *testing.F) {
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>urn:uuid:1</id><updated>2018-07-27T03:47:07Z</updated><content><event resourceId="R"><product><comment text="x"/></product></event></content></entry></feed>`))
	f.Add([]byte(`<feed><entry><id>urn:uuid:1</id><oops></entry><entry/></feed>`))
	f.Add([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><a:feed xmlns:a="x"><a:entry><![CDATA[</entry>]]>&#11;</a:entry></a:feed>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		checkPage(t, body, "application/atom+xml")
		if strings.ContainsAny(string(body), "<>&") {
			return
		}
		good := `<entry><id>urn:uuid:good</id><updated>2018-07-27T03:47:07Z</updated><content><event resourceId="R"/></content></entry>`
		raw, err := split([]byte(`<feed>`+good+`<entry>`+string(body)+`<x></entry>`+good+`</feed>`), "")
		require.NoError(t, err)
		require.Len(t, raw, 3)
		require.Empty(t, readEntry(raw[0], "").entries[0].Malformed+readEntry(raw[2], "").entries[0].Malformed)
	})
}
