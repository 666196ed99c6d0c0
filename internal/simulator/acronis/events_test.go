package acronis

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func earliest(topic string) string { return "/topics/offsets?position=EARLIEST&topic_id=" + topic }
func current(topic string) string  { return "/topics/offsets?position=CURRENT&topic_id=" + topic }

func TestOffsetsAreForTheNextRequest(t *testing.T) {
	b := newBench(t, Options{})
	b.created(subA, nil)
	assert.EqualValues(t, 0, b.offset(earliest(TopicTenant)))
	b.publish("abc")
	for _, c := range []struct {
		offset int64
		limit  string
		ids    string
		next   int64
	}{{0, "2", "ab", 2}, {2, "2", "c", 3}, {0, "3", "abc", 3}, {0, "100", "abc", 3}} {
		ids, next := b.read(subA, c.offset, "limit", c.limit)
		assert.Equal(t, c.ids, ids)
		assert.Equal(t, c.next, next)
	}
	assert.EqualValues(t, 3, b.offset(current(TopicTenant)))
	assert.Equal(t, 2, b.s.Delivered(subA, "a")-1, "three times")
	assert.Equal(t, 3, b.s.Stats().Delivered["c"])
}

func TestInclusiveOffsets(t *testing.T) {
	b := newBench(t, Options{Inclusive: true})
	b.created(subA, nil)
	b.publish("abc")
	from := b.offset(earliest(TopicTenant))
	assert.EqualValues(t, 1, from)
	ids, next := b.read(subA, from, "limit", "2")
	assert.Equal(t, "ab", ids)
	ids, next = b.read(subA, next)
	assert.Equal(t, "c", ids)
	assert.EqualValues(t, 4, next)
	ids, _ = b.read(subA, 3)
	assert.Equal(t, "c", ids, "the offset itself is read")
}

func TestNumbersAreExactAndPreviousIsTheTopics(t *testing.T) {
	const big = int64(1)<<53 + 4
	b := newBench(t, Options{Base: big})
	b.created(subA, map[string]any{"types": []string{enabled}})
	b.s.Publish(Event{ID: "a", Type: enabled}, Event{ID: "hidden", Type: disabled})
	assert.Equal(t, []int64{big + 3}, b.s.Publish(Event{ID: "b", Type: enabled, Data: json.RawMessage(`{"n":1}`)}))
	w := b.get(eventsURL(subA, first, big))
	p := b.page(w)
	require.Len(t, p.Events, 2)
	assert.Equal(t, big+3, p.Offset)
	assert.Equal(t, big+1, *p.Events[0].Sequence)
	assert.Nil(t, p.Events[0].Previous, "nothing came before")
	assert.Equal(t, big+2, *p.Events[1].Previous, "the hidden one counts")
	assert.JSONEq(t, `{"n":1}`, string(p.Events[1].Data))
	assert.Equal(t, "2026-03-01T12:00:00.000000000Z", p.Events[0].IngestTime)
}

func TestUnorderedTopicsShowNoSequence(t *testing.T) {
	b := newBench(t, Options{})
	b.created(subA, map[string]any{"topic_id": TopicSecurity, "types": []string{TypePrefix + "a.edr.*"}})
	for _, id := range []string{"a", "b"} {
		b.s.Publish(Event{ID: id, Topic: TopicSecurity, Type: TypePrefix + "a.edr.incident.created.v1.0"})
	}
	w := b.get(eventsURL(subA, first, 1))
	assert.NotContains(t, w.Body.String(), "sequence")
	assert.NotContains(t, w.Body.String(), "previous")
	p := b.page(w)
	require.Len(t, p.Events, 1)
	assert.Equal(t, "b", p.Events[0].ID)
	assert.EqualValues(t, 2, p.Offset)
}

func TestTheOffsetMovesPastHiddenEvents(t *testing.T) {
	b := newBench(t, Options{Dialect: Tutorial})
	b.created(subA, map[string]any{"types": []string{enabled}})
	b.publish("abc")
	ids, next := b.read(subA, 0)
	assert.Empty(t, ids)
	assert.EqualValues(t, 3, next)
	assert.Equal(t, 202, b.get(eventsURL(subA, first, 3)).Code, "nothing moved any more")
}

func TestFilters(t *testing.T) {
	b := newBench(t, Options{})
	b.s.AddTenant("root", "")
	b.s.AddTenant("child", "root")
	b.s.AddTenant("grandchild", "child")
	b.s.AddTenant("stranger", "")
	for id, e := range map[string]Event{
		"r": {TenantID: "root"}, "c": {TenantID: "child"}, "g": {TenantID: "grandchild"}, "s": {TenantID: "stranger"},
	} {
		e.ID, e.Type = id, disabled
		b.s.Publish(e)
	}
	b.s.Publish(Event{ID: "2", TenantID: "root", Type: TypePrefix + "a.p.tenant.disabled.v1.1"},
		Event{ID: "t", TenantID: "root", Type: enabled, SubjectType: "site", Source: "other"})
	for name, c := range map[string]struct {
		more map[string]any
		want string
	}{
		"current":      {map[string]any{"tenant_depth": "CURRENT"}, "2rt"},
		"direct":       {map[string]any{"tenant_depth": "DIRECT"}, "2crt"},
		"all":          {nil, "2cgrt"},
		"another root": {map[string]any{"tenant_id": "stranger"}, "s"},
		"exact":        {map[string]any{"types": []string{disabled}}, "cgr"},
		"latest major": {map[string]any{"types": []string{TypePrefix + "a.p.tenant.disabled.v1.*"}}, "2cgr"},
		"subject type": {map[string]any{"subject_types": []string{"site"}}, "t"},
		"cel source":   {map[string]any{"cel": `event.source == "other"`}, "t"},
		"cel type":     {map[string]any{"cel": `event.type == '` + enabled + `'`}, "t"},
		"cel unknown":  {map[string]any{"cel": `event.data.x > 1`}, "2cgrt"},
	} {
		if c.more == nil {
			c.more = map[string]any{}
		}
		if c.more["tenant_id"] == nil {
			c.more["tenant_id"] = "root"
		}
		b.created(subA, c.more)
		got, next := b.read(subA, 0)
		for _, letter := range "2cgrst" {
			assert.Equal(t, strings.ContainsRune(c.want, letter), strings.ContainsRune(got, letter), "%s: %c of %s", name, letter, got)
		}
		assert.EqualValues(t, 6, next, name)
		b.s.Evict(subA)
	}
}

// The subscription's tenant is its client's unless it says otherwise.
func TestTheClientsTenant(t *testing.T) {
	b := newBench(t, Options{})
	b.s.AddClient(Client{ID: "c", Secret: "s", TenantID: "mine"})
	b.enter("c", "s")
	assert.Contains(t, b.subscribe(subA, nil).Body.String(), `"tenant_id":"mine"`)
}

func TestRetentionRaisesTheEarliestOffset(t *testing.T) {
	b := newBench(t, Options{Retention: time.Hour})
	b.created(subA, nil)
	b.publish("ab")
	b.now = b.now.Add(40 * time.Minute)
	mid := b.now
	b.publish("c")
	assert.EqualValues(t, 2, b.offset("/topics/"+TopicTenant+"/offsets?position=TIMESTAMP&timestamp="+mid.Format(time.RFC3339)))
	b.now = b.now.Add(21 * time.Minute)
	assert.EqualValues(t, 2, b.offset(earliest(TopicTenant)))
	ids, next := b.read(subA, 0)
	assert.Equal(t, "c", ids, "an older offset is no error")
	assert.EqualValues(t, 3, next)
	b.now = b.now.Add(time.Hour)
	assert.EqualValues(t, 3, b.offset(earliest(TopicTenant)))
	assert.Equal(t, 400, b.get("/topics/offsets?position=TIMESTAMP&timestamp=today&topic_id="+TopicTenant).Code)
	assert.Equal(t, 400, b.get("/topics/offsets?position=LATEST&topic_id="+TopicTenant).Code)
	assert.Equal(t, 404, b.get("/topics/offsets?position=CURRENT&topic_id=x").Code)
}

func TestTopicsKeepTheirEventsAsTheySay(t *testing.T) {
	b := newBench(t, Options{})
	require.NoError(t, b.s.AddTopic(Topic{ID: "cti.for.ever", Retention: "INFINITE"}))
	for _, topic := range []string{TopicTenant, TopicTask, "cti.for.ever"} {
		b.s.Publish(Event{Topic: topic})
	}
	b.now = b.now.Add(8 * day)
	assert.EqualValues(t, 0, b.offset(earliest(TopicTenant)), "180 days")
	assert.EqualValues(t, 1, b.offset(earliest(TopicTask)), "7 days")
	b.now = b.now.Add(1000 * day)
	assert.EqualValues(t, 1, b.offset(earliest(TopicTenant)))
	assert.EqualValues(t, 0, b.offset(earliest("cti.for.ever")))
}

func TestConsolidationLeavesHoles(t *testing.T) {
	b := newBench(t, Options{})
	b.created(subA, nil)
	for _, subject := range []string{"x", "y", "x"} {
		b.s.Publish(Event{ID: subject, Subject: subject})
	}
	b.s.Consolidate(TopicTenant)
	ids, _ := b.read(subA, 0)
	assert.Equal(t, "yx", ids)
}

func TestRawReplacesTheEvent(t *testing.T) {
	b := newBench(t, Options{})
	b.created(subA, nil)
	b.s.Publish(Event{ID: "a", Raw: `{"id":`}, Event{ID: "b", Data: json.RawMessage(`{`)})
	w := b.get(eventsURL(subA, first, 0))
	assert.False(t, json.Valid(w.Body.Bytes()))
	assert.Contains(t, w.Body.String(), `[{"id":,`)
	ids, _ := b.read(subA, 1)
	assert.Equal(t, "b", ids, "data that is no JSON is sent as text")
}
