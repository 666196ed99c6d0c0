package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program runs simulate until stop; stop waits for its end.
func program(t *testing.T, args ...string) (address string, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), listening) }()
	select {
	case address = <-listening:
	case err := <-ended:
		require.NoError(t, err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)
	return "http://" + address, stop
}

func ask(t *testing.T, method, url, body string) (int, string) {
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/atom+xml")
	if strings.Contains(url, "/servicenow/") {
		request.Header.Set("Accept", "application/json")
	}
	request.Header.Set("X-Auth-Token", "any")
	request.SetBasicAuth("any", "any")
	return send(t, request)
}

// send may be called from any goroutine: where it fails, it answers 0.
func send(t *testing.T, request *http.Request) (int, string) {
	response, err := http.DefaultClient.Do(request)
	if !assert.NoError(t, err) {
		return 0, ""
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	assert.NoError(t, err)
	return response.StatusCode, string(data)
}

func activities(t *testing.T, address string, after int64) []line {
	_, body := ask(t, "GET", address+"/activity?after="+strconv.FormatInt(after, 10), "")
	var lines []line
	require.NoError(t, json.Unmarshal([]byte(body), &lines))
	return lines
}

const issue = `{"fields":{"project":{"key":"OPS"},"issuetype":{"name":"Task"},"summary":"Quay 7 is dark"}}`

func TestASecondRunGoesOn(t *testing.T) {
	state := filepath.Join(t.TempDir(), "vendors.json")
	address, stop := program(t, "-state", state, "-pace", "5ms")
	status, body := ask(t, "POST", address+"/jira/rest/api/3/issue", issue)
	require.Equal(t, http.StatusCreated, status, body)
	const incidents = "/servicenow/api/now/v2/table/incident"
	status, body = ask(t, "POST", address+incidents, `{"short_description":"Gate 2 is stuck"}`)
	require.Equal(t, http.StatusCreated, status, body)
	require.Eventually(t, func() bool { return len(activities(t, address, 0)) >= 4 }, 20*time.Second, 5*time.Millisecond)
	stop()
	before := load(t, state)
	assert.GreaterOrEqual(t, before.Told, 3)

	address, stop = program(t, "-state", state, "-pace", "0")
	status, body = ask(t, "GET", address+"/jira/rest/api/3/issue/OPS-1", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "Quay 7 is dark")
	_, body = ask(t, "GET", address+incidents+"?sysparm_query=number=INC0010001&sysparm_fields=sys_id,short_description", "")
	assert.Contains(t, body, "Gate 2 is stuck")
	_, id, _ := strings.Cut(body, `"sys_id":"`)
	_, body = ask(t, "GET", address+"/servicenow/nav_to.do?uri="+url.QueryEscape("incident.do?sys_id="+id[:32]), "")
	assert.Contains(t, body, "Gate 2 is stuck", "where the ticket's link leads")
	status, body = ask(t, "GET", address+"/cloudfeeds/_control/stats", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, `"published":`+strconv.Itoa(before.Told))
	assert.Empty(t, activities(t, address, 0), "what was there before is no news")
	stop()
	assert.Equal(t, before.Told, load(t, state).Told, "quiet: nothing was published")
}

func load(t *testing.T, file string) saved {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var s saved
	require.NoError(t, json.Unmarshal(data, &s))
	return s
}

func TestTheStateIsSavedWhileItRuns(t *testing.T) {
	state := filepath.Join(t.TempDir(), "vendors.json")
	address, _ := program(t, "-state", state, "-pace", "0")
	ask(t, "POST", address+"/jira/rest/api/3/issue", issue)
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(state)
		return err == nil && strings.Contains(string(data), "Quay 7 is dark")
	}, 20*time.Second, 10*time.Millisecond)
}

func TestActivityTellsWhatHappensInJira(t *testing.T) {
	address, _ := program(t, "-pace", "0")
	ask(t, "POST", address+"/jira/rest/api/3/issue", issue)
	lines := activities(t, address, 0)
	require.Len(t, lines, 1)
	assert.Equal(t, "ticket", lines[0].Kind)
	assert.Equal(t, "OPS-1", lines[0].Ticket)
	assert.Equal(t, "Quay 7 is dark", lines[0].Text)
	assert.Equal(t, address+"/jira/browse/OPS-1", lines[0].URL)

	ask(t, "POST", address+"/jira/_control/issues/OPS-1/comments", `{"text":"Bulb ordered"}`)
	ask(t, "POST", address+"/jira/_control/issues/OPS-1/transition", `{"to":"Done"}`)
	lines = activities(t, address, lines[0].N)
	require.Len(t, lines, 2)
	kinds := map[string]string{lines[0].Kind: lines[0].Text, lines[1].Kind: lines[1].Text}
	assert.Equal(t, map[string]string{"comment": "Bulb ordered", "status": "To Do → Done"}, kinds)
	assert.Empty(t, activities(t, address, lines[1].N))

	status, _ := ask(t, "GET", address+"/activity?after=yesterday", "")
	assert.Equal(t, http.StatusBadRequest, status)
}

func TestThePagesOfJiraLeadToEachOther(t *testing.T) {
	address, _ := program(t, "-pace", "0")
	ask(t, "POST", address+"/jira/rest/api/3/issue", issue)
	for _, path := range []string{"/", "/jira/", "/browse/OPS-1", "/jira/browse/OPS-1"} {
		status, body := ask(t, "GET", address+path, "")
		assert.Equal(t, http.StatusOK, status, path)
		assert.Contains(t, body, "Quay 7 is dark", path)
	}
}

func TestBadArgumentsAndStates(t *testing.T) {
	_, err := parse([]string{"-pace", "-1s"})
	assert.ErrorContains(t, err, "-pace must not be negative")
	_, err = parse([]string{"now"})
	assert.ErrorContains(t, err, `unexpected argument "now"`)

	file := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(file, []byte("not JSON"), 0o644))
	err = newWorld("http://x", time.Now).load(file)
	assert.ErrorContains(t, err, "delete it to start anew")
	require.NoError(t, os.WriteFile(file, []byte(`{"jira":[1],"cloudfeeds":{}}`), 0o644))
	assert.ErrorContains(t, newWorld("http://x", time.Now).load(file), "does not fit")
}
