package provider

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/mock"
)

func TestTheTestProviderInTheExample(t *testing.T) {
	setSecrets(t)
	cfg, err := config.Load(filepath.Join(examples, "ticketbridge.yaml"), known())
	require.NoError(t, err)
	in, err := cfg.Integration("try")
	require.NoError(t, err)
	own := config.Own(in, noMockKeys).Mock
	assert.Equal(t, 200*time.Millisecond, own.Latency.Std())
	assert.Equal(t, 7, own.Seed)
	require.Len(t, own.Faults, 6, "one of each kind")
	assert.Equal(t, mockFault{Kind: mock.ErrorAfter, Share: 0.2, Operators: []string{"create_ticket", "create_comment"}}, own.Faults[1])
	assert.Equal(t, config.Rate{PerSecond: 1000, Concurrency: 100}, in.Rate, "there is no vendor to spare")
	assert.Equal(t, time.Second, in.Settling.Std(), "nothing comes late")
}

func TestTheTestProviderNeedsNothing(t *testing.T) {
	cfg, err := config.Load(write(t, "integrations:\n  - {name: try, type: ticketing_mock_ticketing}\n"), known())
	require.NoError(t, err)
	assert.Equal(t, noMockKeys(), cfg.Integrations[0].Own)
}

func TestWhatIsWrongWithATestProvider(t *testing.T) {
	setSecrets(t)
	for more, says := range map[string]string{
		"url: https://x.example": `integrations[0].url: this type has no address`,
		`credential: {type: basic, username: u, secret: "env:JIRA_TOKEN"}`: `integrations[0].credential: this type has no credential`,
		"mock: {mood: bad}":                                                     `integrations[0].mock.mood: unknown key`,
		"mock: {latency: 2m}":                                                   `mock.latency: want at least 0s and at most 1m`,
		"mock: {seed: -1}":                                                      `mock.seed: want at least 0`,
		"mock: {faults: [{share: 0.5}]}":                                        `mock.faults[0].kind: missing`,
		"mock: {faults: [{kind: error_afer}]}":                                  `mock.faults[0].kind: unknown value "error_afer"; did you mean`,
		"mock: {faults: [{kind: refused, share: 0}]}":                           `mock.faults[0].share: want more than 0 and at most 1`,
		"mock: {faults: [{kind: refused, share: 1.1}]}":                         `mock.faults[0].share: want more than 0 and at most 1`,
		"mock: {faults: [{kind: refused, delay: 1s}]}":                          `mock.faults[0].delay: a fault of kind refused does not have this key`,
		"mock: {faults: [{kind: slow, delay: 1s, retry_after: 1s}]}":            `mock.faults[0].retry_after: a fault of kind slow does not have this key`,
		"mock: {faults: [{kind: slow}]}":                                        `mock.faults[0].delay: want at least 1ms and at most 10m`,
		"mock: {faults: [{kind: rate_limited, retry_after: 2h}]}":               `mock.faults[0].retry_after: want at least 1ms and at most 1h`,
		"mock: {faults: [{kind: refused}, {kind: refused, operators: [make]}]}": `mock.faults[1].operators[0]: unknown value "make"`,
	} {
		_, err := config.Load(write(t, "integrations:\n  - name: try\n    type: ticketing_mock_ticketing\n    "+more+"\n"), known())
		require.ErrorContains(t, err, says, more)
		assert.ErrorContains(t, err, "ticketbridge.yaml:4:", "the line")
	}
	_, err := config.Load(write(t, `integrations:
  - {name: ops, type: ticketing_jira, url: "https://x.example", credential: {type: basic, username: u, secret: "env:JIRA_TOKEN"}, mock: {latency: 1s}}
`), known())
	assert.ErrorContains(t, err, "integrations[0].mock: only a ticketing_mock_ticketing has this key")
}
