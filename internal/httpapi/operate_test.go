package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFeeds(t *testing.T) {
	e := newEnv(t)
	w := e.call("GET", "/v1/feeds", "")
	assert.Equal(t, 200, w.Code)
	assert.JSONEq(t, `[]`, w.Body.String())
	w = e.call("GET", "/v1/feeds/rackspace-lon", "")
	assert.Equal(t, 200, w.Code)
	assert.Contains(t, w.Body.String(), `"feed":"rackspace-lon","state":"polling"`)

	for _, action := range []string{"start", "pause", "resume", "poll-now"} {
		w = e.call("POST", "/v1/feeds/rackspace-lon/"+action, "")
		assert.Equal(t, 202, w.Code)
		assert.JSONEq(t, fmt.Sprintf(`{"action":%q,"feed":"rackspace-lon"}`, action), w.Body.String())
	}
	w = e.call("POST", "/v1/feeds/rackspace-lon/rewind", `{"to":"oldest","create":true}`)
	assert.Equal(t, 202, w.Code)
	assert.Equal(t, []string{
		"state rackspace-lon", "start rackspace-lon", "pause rackspace-lon", "resume rackspace-lon",
		"poll-now rackspace-lon", "rewind to oldest create true rackspace-lon",
	}, e.feeds.did)
}

func TestFeedsRefused(t *testing.T) {
	e := newEnv(t)
	for body, c := range map[string]struct {
		status int
		want   string
	}{
		``:                              {422, `{"message":"Validation Failed","errors":[["to","missing; want a marker or an offset (whichever the feed has), a time like 2026-01-15T12:00:00Z, or \"oldest\""]]}`},
		`{"to":"oldest","cretae":true}`: {400, `{"message":"Invalid JSON string posted","detail":"json: unknown field \"cretae\""}`},
		`{"to":"oldest"} {}`:            {400, `{"message":"Invalid JSON string posted","detail":"there is more than one JSON value"}`},
		`{`:                             {400, `{"message":"Invalid JSON string posted","detail":"unexpected EOF"}`},
	} {
		w := e.call("POST", "/v1/feeds/rackspace-lon/rewind", body)
		assert.Equal(t, c.status, w.Code, body)
		assert.JSONEq(t, c.want, w.Body.String())
	}
	assert.Empty(t, e.feeds.did)

	w := e.call("POST", "/v1/feeds/nope/pause", "")
	assert.Equal(t, 404, w.Code)
	assert.JSONEq(t, `{"message":"Not Found","detail":"feed \"nope\" is not in the configuration"}`, w.Body.String())

	e.feeds.err = fmt.Errorf("feed %q is not running; start it first: %w", "rackspace-lon", ErrConflict)
	w = e.call("POST", "/v1/feeds/rackspace-lon/pause", "")
	assert.Equal(t, 409, w.Code)
	assert.JSONEq(t, `{"message":"Conflict","detail":"feed \"rackspace-lon\" is not running; start it first"}`, w.Body.String())

	e.feeds.err = fmt.Errorf("%w: the feed is not started", ErrConflict)
	assert.JSONEq(t, `{"message":"Conflict","detail":"the feed is not started"}`, e.call("POST", "/v1/feeds/rackspace-lon/pause", "").Body.String())

	e.feeds.err = ErrUnavailable
	for _, call := range []string{"GET /v1/feeds", "GET /v1/feeds/rackspace-lon", "POST /v1/feeds/rackspace-lon/pause"} {
		var method, path string
		fmt.Sscan(call, &method, &path)
		w := e.call(method, path, "")
		assert.Equal(t, 503, w.Code, call)
		assert.Equal(t, "5", w.Header().Get("Retry-After"))
	}
}

func TestParkedList(t *testing.T) {
	e := newEnv(t)
	assert.JSONEq(t, `[]`, e.call("GET", "/v1/parked", "").Body.String())
	e.parked.items = []ParkedView{{Workflow: workflow, Item: "3", Kind: "comment", Reason: "refused", Since: time.Unix(0, 0).UTC(), Set: []string{"text"}}}
	w := e.call("GET", "/v1/parked?integration=jira-ops&feed=rackspace-lon", "")
	assert.Equal(t, 200, w.Code)
	assert.JSONEq(t, `[{"workflow":"`+workflow+`","item":"3","kind":"comment","reason":"refused","since":"1970-01-01T00:00:00Z","set":["text"]}]`, w.Body.String())
	assert.Equal(t, 403, e.call("GET", "/v1/parked?integration=other", "").Code)
	assert.Equal(t, []string{"list jira-ops ", "list jira-ops rackspace-lon"}, e.parked.did)
}

// Ids hold colons, and items of feeds hold slashes and more.
func TestParkedItemIsSettled(t *testing.T) {
	e := newEnv(t)
	item := "urn:uuid:1//2/../ä%?#"
	for _, id := range []string{workflow, "feed:rackspace-lon", "write:jira-ops:aaaa"} {
		path := "/v1/parked/" + url.PathEscape(id) + "/" + url.PathEscape(item)
		assert.Equal(t, 202, e.call("POST", path+"/retry", "").Code)
		assert.Equal(t, 202, e.call("POST", path+"/discard", "").Code)
		w := e.call("POST", path+"/amend", `{"set":{"text":"shorter"}}`)
		assert.Equal(t, 202, w.Code)
		assert.Contains(t, w.Body.String(), `"item":"`+item+`"`)
		assert.Equal(t, []string{
			"retry " + id + " " + item, "discard " + id + " " + item, "amend " + id + " " + item + " map[text:shorter]",
		}, e.parked.did)
		e.parked.did = nil
	}
}

func TestParkedItemRefused(t *testing.T) {
	e := newEnv(t)
	for _, action := range []string{"retry", "discard", "amend"} {
		assert.Equal(t, 404, e.call("POST", "/v1/parked/"+otherFlow+"/3/"+action, `{"set":{"a":"b"}}`).Code)
		assert.Equal(t, 404, e.call("POST", "/v1/parked/system:x/3/"+action, `{"set":{"a":"b"}}`).Code)
		assert.Equal(t, 404, e.call("POST", "/v1/parked/write:other:aaaa/1/"+action, `{"set":{"a":"b"}}`).Code)
	}
	w := e.call("POST", "/v1/parked/"+workflow+"/3/amend", `{}`)
	assert.Equal(t, 422, w.Code)
	assert.JSONEq(t, `{"message":"Validation Failed","errors":[["set","missing or empty"]]}`, w.Body.String())
	assert.Equal(t, 400, e.call("POST", "/v1/parked/"+workflow+"/3/amend", `{"item":"4"}`).Code)
	assert.Empty(t, e.parked.did)

	e.parked.err = fmt.Errorf("item 3: %w", ErrNotFound)
	assert.Equal(t, 404, e.call("POST", "/v1/parked/"+workflow+"/3/retry", "").Code)
	assert.Equal(t, 404, e.call("POST", "/v1/parked/"+workflow+"/3/amend", `{"set":{"a":"b"}}`).Code)
}

func TestParkedAllOfAnIntegration(t *testing.T) {
	e := newEnv(t)
	for _, action := range []string{"retry", "discard"} {
		w := e.call("POST", "/v1/parked/"+action, `{"integration":"jira-ops","feed":"f"}`)
		assert.Equal(t, 202, w.Code)
		assert.JSONEq(t, `{"action":"`+action+`","integration":"jira-ops","feed":"f","count":3}`, w.Body.String())
		assert.Equal(t, 422, e.call("POST", "/v1/parked/"+action, "").Code, "an empty call settles nothing")
		assert.Equal(t, 403, e.call("POST", "/v1/parked/"+action, `{"integration":"other"}`).Code)
		assert.Equal(t, 400, e.call("POST", "/v1/parked/"+action, `{"intergation":"jira-ops"}`).Code)
	}
	assert.Equal(t, []string{"retry all jira-ops f", "discard all jira-ops f"}, e.parked.did)
	e.parked.err = errors.New("boom")
	assert.Equal(t, 500, e.call("POST", "/v1/parked/retry", `{"integration":"jira-ops"}`).Code)
}
