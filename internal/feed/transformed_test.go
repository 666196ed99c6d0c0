package feed

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/transform"
)

// entries is a reader of entries in memory.
type entries struct {
	list []event.Entry
	err  error
}

func (r entries) Read(context.Context, event.Step) (event.Reading, error) {
	return event.Reading{Entries: r.list, Position: json.RawMessage(`"next"`), Dropped: 1, Marker: "m", More: true}, r.err
}

func (r entries) Rewind(position json.RawMessage, _ string) (json.RawMessage, error) {
	return position, r.err
}

func (r entries) Entry(_ context.Context, item string) (event.Entry, error) {
	for _, e := range r.list {
		if e.Item() == item {
			return e, nil
		}
	}
	return event.Entry{}, &ticket.Error{Kind: ticket.NotFound, Op: "read entry"}
}

func (r entries) Newest(_ context.Context, n int) ([]event.Entry, error) {
	return r.list[max(0, len(r.list)-n):], r.err
}

func raised(id, kind string) event.Entry {
	return event.Entry{ID: id, Data: map[string]any{"type": kind, "sequence": json.Number("9007199254740993")}}
}

// program leaves out type "hum", fails on "crack" and misspells a parameter of "slip".
const program = `
if .type == "hum" then empty
elif .type == "crack" then error("no agent named")
elif .type == "slip" then {subjekt: .type}
else {subject: .type, sourceID: .sequence} end`

func transforming(t *testing.T, list ...event.Entry) transformed {
	t.Helper()
	compiled, err := transform.Compile(program)
	require.NoError(t, err)
	return transformed{Reader: entries{list: list}, program: compiled}
}

// outcomes says in a word or two what became of entries.
func outcomes(list []event.Entry) map[string]string {
	out := map[string]string{}
	for _, e := range list {
		switch {
		case e.Dropped:
			out[e.ID] = "dropped"
		case e.Malformed != "":
			out[e.ID] = e.Malformed
		default:
			out[e.ID] = e.Params["subject"] + " " + e.Params["sourceID"]
		}
	}
	return out
}

func all() []event.Entry {
	broken := event.Entry{ID: "5", Malformed: "no JSON", Place: "seq:5"}
	return []event.Entry{raised("1", "created"), raised("2", "hum"), raised("3", "crack"), raised("4", "slip"), broken, raised("6", "updated")}
}

func TestATransformMakesParameters(t *testing.T) {
	r := transforming(t, all()...)
	got, err := r.Read(t.Context(), event.Step{})
	require.NoError(t, err)
	found := outcomes(got.Entries)
	assert.Contains(t, found["4"], `transform: makes "subjekt", which is no parameter of an event`)
	delete(found, "4")
	assert.Equal(t, map[string]string{
		"1": "created 9007199254740993", "3": "transform: error: no agent named", "5": "no JSON", "6": "updated 9007199254740993",
	}, found, "one that fails stops no other")
	assert.Equal(t, 2, got.Dropped, "the reader's own and ours")
	assert.JSONEq(t, `"next"`, string(got.Position))
	assert.Equal(t, "m", got.Marker)
	assert.True(t, got.More)
	assert.Equal(t, "seq:5", got.Entries[3].Item())
	assert.NotNil(t, got.Entries[0].Data, "the entry stays what it was")
}

func TestNewestShowsWhatATransformLeavesOut(t *testing.T) {
	got, err := transforming(t, all()...).Newest(t.Context(), 5)
	require.NoError(t, err)
	require.Len(t, got, 5)
	found := outcomes(got)
	assert.Equal(t, "dropped", found["2"])
	assert.Nil(t, got[0].Params)
	assert.Equal(t, "transform: error: no agent named", found["3"])
	assert.Equal(t, "updated 9007199254740993", found["6"])
}

func TestAnEntryIsTransformedAsItIsNow(t *testing.T) {
	r := transforming(t, all()...)
	for item, want := range map[string]string{
		"1": "created 9007199254740993", "3": "transform: error: no agent named", "seq:5": "no JSON",
	} {
		e, err := r.Entry(t.Context(), item)
		require.NoError(t, err)
		assert.Equal(t, want, outcomes([]event.Entry{e})[e.ID])
	}
	e, err := r.Entry(t.Context(), "2")
	require.NoError(t, err)
	assert.Contains(t, e.Malformed, "leaves this event out now; discard it")
	_, err = r.Entry(t.Context(), "9")
	assert.Equal(t, ticket.NotFound, ticket.KindOf(err), "the reader's error stays what it is")
}

// A worker that stops in the middle of a page must not park the rest of it.
func TestWhatIsCutShortIsNotMalformed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := transforming(t, all()...)
	reading, err := r.Read(ctx, event.Step{})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, reading.Entries)
	_, err = r.Entry(ctx, "1")
	assert.ErrorIs(t, err, context.Canceled)
	_, err = r.Newest(ctx, 5)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAReadersErrorIsPassedOn(t *testing.T) {
	r := transforming(t)
	r.Reader = entries{err: &ticket.Error{Kind: ticket.RateLimited, Op: "read"}}
	_, err := r.Read(t.Context(), event.Step{})
	assert.Equal(t, ticket.RateLimited, ticket.KindOf(err))
	_, err = r.Newest(t.Context(), 1)
	assert.Equal(t, ticket.RateLimited, ticket.KindOf(err))
}

// Every type of feed has a transform that works, and only feeds that match by
// event have one at all.
func TestOnlyTheEventPolicyTransforms(t *testing.T) {
	feeds, err := New(&config.Config{Feeds: []config.Feed{cloudFeed("mirrored", event.PolicyTicket, ""), cloudFeed("matched", event.PolicyEvent, "")}})
	require.NoError(t, err)
	mirrored, err := feeds.Reader("mirrored")
	require.NoError(t, err)
	assert.False(t, isTransformed(mirrored))
	matched, err := feeds.Reader("matched")
	require.NoError(t, err)
	assert.True(t, isTransformed(matched))

	for name, policy := range map[string]event.Policy{"mirrored": event.PolicyTicket, "matched": event.PolicyEvent} {
		f, err := feeds.Feed(name)
		require.NoError(t, err)
		assert.Equal(t, policy, f.Match)
		assert.Equal(t, isTransformed(f.Reader), policy == event.PolicyEvent)
	}
	for name, kind := range kinds() {
		_, err := transform.Compile(kind.transform)
		assert.NoError(t, err, name)
	}
	_, err = New(&config.Config{Feeds: []config.Feed{cloudFeed("bad", event.PolicyEvent, "{\n a: }")}})
	assert.ErrorContains(t, err, "feed bad: transform: line 2: ")
}

func isTransformed(r any) bool {
	_, ok := r.(transformed)
	return ok
}

func cloudFeed(name string, policy event.Policy, program string) config.Feed {
	return config.Feed{
		Name: name, Type: config.TypeCloudFeeds, URL: "https://feeds.example/x", Start: "oldest", Match: policy, Transform: program,
		Credential: config.Credential{Type: config.CredentialToken, Secret: config.NewSecret("t")},
	}
}
