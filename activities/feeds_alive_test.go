package activities

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// sharingReader waits long for its share of requests before it reads.
type sharingReader struct {
	reader
	share time.Duration
}

func (r *sharingReader) Read(ctx context.Context, step event.Step) (event.Reading, error) {
	select {
	case <-time.After(r.share):
		return r.reader.Read(ctx, step)
	case <-ctx.Done():
		return event.Reading{}, ctx.Err()
	}
}

// Where many feeds share a credential, a feed waits minutes for its turn. The
// server hears of the activity all the while, else it would take it for dead.
func TestAFeedThatWaitsForItsShareStaysAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const share = 5 * time.Minute
		r := &sharingReader{share: share}
		r.script = []event.Reading{{Position: json.RawMessage(`"p2"`), More: true}}
		a, _, _ := feeds(&r.reader)
		a.Source = source{Feed{Name: "lon", Integration: "ops", Reader: r, PollInterval: interval}}
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.SetTestTimeout(2 * share)
		env.RegisterActivity(a)
		begin, last, longest := time.Now(), time.Now(), time.Duration(0)
		heard := func() { longest, last = max(longest, time.Since(last)), time.Now() }
		env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { heard() })
		value, err := env.ExecuteActivity("ReadFeed", ReadFeedInput{Feed: "lon"})
		require.NoError(t, err)
		heard()
		var got ReadFeedResult
		require.NoError(t, value.Get(&got))
		assert.JSONEq(t, `"p2"`, string(got.Position))
		assert.GreaterOrEqual(t, time.Since(begin), share)
		assert.Less(t, longest, time.Minute, "the workflow sets a heartbeat timeout of 75 seconds")
	})
}
