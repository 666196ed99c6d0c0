package httpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestRequestShape(t *testing.T) {
	for name, v := range map[string]contract.RequestView{"request_minimal": view(), "request_full": fullView()} {
		t.Run(name, func(t *testing.T) {
			data, err := encode(requestOf(v))
			require.NoError(t, err)
			var pretty bytes.Buffer
			require.NoError(t, json.Indent(&pretty, data, "", "  "))
			path := filepath.Join("testdata", name+".json")
			if *update {
				require.NoError(t, os.WriteFile(path, pretty.Bytes(), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), pretty.String())
		})
	}
}

func fullView() contract.RequestView {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 12, 30, 15, 5e8, time.FixedZone("", -6*3600)) }
	return contract.RequestView{
		ID: 1<<53 - 1, CreatedAt: day(1), UpdatedAt: day(2), CompletedAt: day(3),
		Ticket: &contract.TicketView{ID: "10001", Key: "OPS-1", URL: "https://acme.example/browse/OPS-1"},
		Fields: event.Fields{
			Subject: "Диск <полон> & 日本", Category: "incident", Impact: "top", Status: "completed", CompletionReason: "solved",
			Account: "widget", Source: "MyMonitoringTool", SourceID: "882395",
			CI: event.Ref{ID: 501, Name: "srv-001"}, ServiceInstance: event.Ref{ID: 29, Name: "Data Center Rack Space"},
			Team: event.Ref{ID: 13, Name: "Unix Servers"}, Member: event.Ref{ID: 54, Email: "carla@widget.example"},
			CreatedBy: event.Ref{ID: 100, Name: "Monitor", Email: "monitor@widget.example"}, RequestedBy: event.Ref{ID: 56}, RequestedFor: event.Ref{ID: 57, Name: "Olga"},
			Supplier: event.Ref{ID: 900, Name: "Globalnet"}, SupplierRequestID: "G-1",
			Problem: event.Ref{ID: 4001, Name: "Old disks"}, Workflow: event.Ref{ID: 238, Name: "Install new rack"}, Template: event.Ref{ID: 1358},
			DesiredCompletionAt: day(4), WaitingUntil: day(5), DowntimeStartAt: day(6), DowntimeEndAt: day(7),
			CustomFields: `[{"id":"fio","value":"<x>"}]`,
		},
	}
}

// The vendor's page shows a whole request; ours has every one of its fields.
func TestRequestHasEveryFieldOfThePage(t *testing.T) {
	pages, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "seeds", "001_*.txt"))
	if len(pages) == 0 {
		t.Skip("the Events API page is not beside this repository")
	}
	page, err := os.ReadFile(pages[0])
	require.NoError(t, err)
	_, text, _ := strings.Cut(string(page), "Status: 201 Created")
	text, _, _ = strings.Cut(text, "Default values")
	var want, got map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &want))
	data, err := encode(requestOf(view()))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &got))
	require.NotEmpty(t, want)
	for field := range want {
		assert.Contains(t, got, field)
	}
	assert.NotContains(t, got, "message", "clients take a message for an error")
}

// Every parameter that the page lists is one of ours.
func TestParametersAreThoseOfThePage(t *testing.T) {
	pages, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "seeds", "001_*.txt"))
	if len(pages) == 0 {
		t.Skip("the Events API page is not beside this repository")
	}
	page, err := os.ReadFile(pages[0])
	require.NoError(t, err)
	_, text, _ := strings.Cut(string(page), "\nParameters\n")
	text, _, _ = strings.Cut(text, "\nConfiguration Item\n")
	found := regexp.MustCompile(`(?m)^- (\w+)\n- Used`).FindAllStringSubmatch(text, -1)
	require.Greater(t, len(found), 20)
	ours := knownParameters()
	for _, name := range regexp.MustCompile(`(?m)^- (\w+)$`).FindAllStringSubmatch(text, -1) {
		assert.True(t, ours[name[1]], name[1])
	}
}

func TestCustomFieldsThatAreNoArrayAreNull(t *testing.T) {
	for _, text := range []string{"", "x", `{"id":1}`, "[", "null", `[1`} {
		assert.JSONEq(t, "null", string(rawOrNull(text)), text)
	}
	assert.JSONEq(t, `[1]`, string(rawOrNull(" [1]")))
}

// Without a catalog records are known by name only.
func TestRecordsWithoutID(t *testing.T) {
	v := view()
	v.Fields.Team, v.Fields.RequestedBy = event.Ref{Name: "Unix Servers"}, event.Ref{Email: "a@b.example"}
	got := requestOf(v)
	assert.Zero(t, got.Team.ID)
	assert.Equal(t, "Unix Servers", *got.Team.Name)
	assert.Equal(t, nodeIDOf("Team", "Unix Servers"), got.Team.NodeID)
	assert.Equal(t, "a@b.example", *got.RequestedBy.Name)
	assert.Equal(t, 1, got.AssignmentCount)
	assert.Nil(t, got.Member)
}

func TestNodeIDs(t *testing.T) {
	id, ok := requestID(nodeID("Req", 42))
	assert.True(t, ok)
	assert.EqualValues(t, 42, id)
	for _, text := range []string{"", "0", "-1", "x", "99999999999999999999", nodeID("Team", 42), nodeID("Req", 0), nodeID("Req", 42) + "="} {
		_, ok := requestID(text)
		assert.False(t, ok, text)
	}
}
