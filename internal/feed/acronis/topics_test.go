package acronis

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestTopicsAndTypes(t *testing.T) {
	r := newRig(t, sim.Options{})
	topics, err := r.client.api.Topics(t.Context())
	require.NoError(t, err)
	require.Len(t, topics, 3)
	require.Contains(t, topics, Topic{
		ID: sim.TopicTask, Description: "What happens to tasks", Persistency: true, Ordering: "EVENTMANAGER",
		ProducerConsolidation: "NONE", ArchiveConsolidation: "NONE", Retention: "P7D",
	})
	types, err := r.client.api.Types(t.Context(), sim.TopicTenant, true)
	require.NoError(t, err)
	require.Len(t, types, 5)
	var schema string
	require.NoError(t, json.Unmarshal(types[0].DataSchema, &schema), "a schema is JSON in a text")
	types, err = r.client.api.Types(t.Context(), "", false)
	require.NoError(t, err)
	require.Len(t, types, 7)
	require.Empty(t, types[0].DataSchema)

	r.server.SetFaults(sim.Fault{Kind: sim.FaultHTML, Path: sim.PlaceTopics, Next: 1}, sim.Fault{Kind: sim.FaultStatus, Path: sim.PlaceTypes, Status: 403, Next: 1})
	_, err = r.client.api.Topics(t.Context())
	require.Equal(t, ticket.Retry, ticket.KindOf(err))
	_, err = r.client.api.Types(t.Context(), "", false)
	require.ErrorAs(t, err, new(*ConfigurationError))
}

func TestOffsetsInBothDialects(t *testing.T) {
	for _, dialect := range []sim.Dialect{sim.Both, sim.Tutorial, sim.OpenAPI} {
		r := newRig(t, sim.Options{Dialect: dialect})
		r.publish(1, 3)
		half := r.clock.now().Add(time.Second)
		r.clock.pass(2 * time.Second)
		r.publish(4, 6)
		for position, want := range map[string]int64{positionEarliest: 0, positionCurrent: 6, positionTimestamp: 3} {
			got, err := r.client.api.offsetOf(t.Context(), sim.TopicTenant, position, half)
			require.NoError(t, err)
			require.Equal(t, want, got, "%s %s", dialect, position)
		}
	}
}

func TestATopicThatIsNotThere(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Topic = "cti.nowhere" })
	r.configurationError("topic", "there is no topic cti.nowhere")
}

func TestOffsetsThatCannotBeRead(t *testing.T) {
	for _, body := range []string{"", "{}", `{"offset":null}`, `{"offset":"7"}`, `{"offset":1.5}`, "<html>", `{"offset":`} {
		r := newRig(t, sim.Options{})
		r.wire.instead = on(http.MethodGet, "/offsets", 200, body)
		r.temporary(ticket.Retry)
	}
	r := newRig(t, sim.Options{})
	r.wire.instead = on(http.MethodGet, "/offsets", 418, `{"error":{"code":"teapot","message":5}}`)
	r.configurationError("url", "refused (418): teapot")
	r.wire.instead = func(req *http.Request) (int, string) {
		if status, body := on(http.MethodGet, "/topics/offsets", 400, `{"error":{"code":"noSuchThing"}}`)(req); status != 0 {
			return status, body
		}
		return on(http.MethodGet, "/offsets", 404, "")(req)
	}
	r.configurationError("topic", "noSuchThing")
}
