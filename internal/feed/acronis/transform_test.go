package acronis

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/transform"
)

// transformed is what the default transform makes of an event.
func transformed(t *testing.T, raw string) event.Params {
	t.Helper()
	program, err := transform.Compile(DefaultTransform)
	require.NoError(t, err)
	entry := readEvent(json.RawMessage(raw)).entry
	require.Empty(t, entry.Malformed)
	params, wanted, err := program.Params(t.Context(), entry.Data)
	require.NoError(t, err)
	require.True(t, wanted, "an event is not left out silently: %s", raw)
	return params
}

func TestTheDefaultTransform(t *testing.T) {
	require.Equal(t, event.Params{
		"source": "Acronis", "sourceID": "s-1", "ci_source": "Acronis", "ci_sourceID": "s-1",
		"subject": "tenant disabled: s-1",
		"note": "Acronis reports: tenant disabled.\n\n" +
			"- Type: cti.a.p.em.event.v1.0~a.p.tenant.disabled.v1.0\n- Tenant: t-1\n- Subject: s-1\n- Reported by: account-server",
	}, transformed(t, `{"id":"e-1","type":"cti.a.p.em.event.v1.0~a.p.tenant.disabled.v1.0","source":"account-server","tenant_id":"t-1","subject":"s-1"}`))

	require.Equal(t, event.Params{
		"source": "Acronis", "sourceID": "r-7", "ci_source": "Acronis", "ci_sourceID": "r-7", "impact": "high",
		"subject": "edr incident created: web-1",
		"note": "Acronis reports: edr incident created.\n\n" +
			"- Type: cti.a.p.em.event.v1.0~a.edr.incident.created.v1.12\n- Tenant: t-1\n- Subject: r-7\n- Reported by: edr\n" +
			"- grid: north\n- name: web-1\n- paid: true\n- severity: CRITICAL\n- valid: false\n- verdict: malware",
	}, transformed(t, `{"id":"e-2","type":"cti.a.p.em.event.v1.0~a.edr.incident.created.v1.12","source":"edr","tenant_id":"t-1","subject":"r-7",
		"data":{"severity":"CRITICAL","name":"web-1","verdict":"malware","paid":true,"valid":false,"grid":"north",
		"finishTime":"12:00","start_date":"x","createdAt":"x","updated_at":"x","planId":"x","plan_id":"x","id":"x","hostUUID":"x","uuid":"x",
		"hitCount":"3","count":"4","since":"2026-03-01T12:00:00Z","agent":"5d0805ff-fa52-4175-abb1-c10061da437d","size":17,"list":[1],"more":{"a":1},"none":null}}`))
}

func TestTheDefaultTransformOfPoorEvents(t *testing.T) {
	for raw, subject := range map[string]string{
		`{"id":"e","type":"x"}`:                                                        "x: unknown",
		`{"id":"e","type":"x","tenant_id":"t","data":null}`:                            "x: t",
		`{"id":"e","type":"x","tenant_id":"t","data":[1,"a"]}`:                         "x: t",
		`{"id":"e","type":"x","tenant_id":"t","data":"text"}`:                          "x: t",
		`{"id":"e","type":"x","tenant_id":"t","data":{"name":5,"title":"T"}}`:          "x: T",
		`{"id":"e","type":"x","tenant_id":"t","data":{"name":"","severity":["high"]}}`: "x: t",
		`{"id":"e","type":"x","tenant_id":"t","data":{"severity":"odd"}}`:              "x: t",
	} {
		params := transformed(t, raw)
		require.Equal(t, "e", params["sourceID"], raw)
		require.Equal(t, subject, params["subject"], raw)
		require.NotContains(t, params, "ci_sourceID")
		require.NotContains(t, params, "impact")
		require.NotContains(t, params["subject"]+params["note"], "null")
	}
	for severity, impact := range map[string]string{"error": "high", "Warning": "medium", "MEDIUM": "medium", "info": "low", "Information": "low"} {
		require.Equal(t, impact, transformed(t, `{"id":"e","type":"x","data":{"severity":"`+severity+`"}}`)["impact"])
	}
}

// Without a known configuration item the texts decide which request is hit.
func TestTheSameThingAgainHasTheSameTexts(t *testing.T) {
	first := `{"id":"e-1","type":"cti.a.p.em.event.v1.0~a.p.backup.failed.v1.0","source":"s","tenant_id":"t","sequence":5,"previous":4,
		"time":"2026-03-01T12:00:00Z","ingest_time":"2026-03-01T12:00:01Z","trace_parent":"00-1",
		"data":{"name":"db","runId":"1","finishTime":"2026-03-01T12:00:00Z","on":"2026-03-01","attempts":1}}`
	second := strings.NewReplacer("e-1", "e-2", "2026-03-01", "2026-04-02", `"sequence":5,"previous":4`, `"sequence":9,"previous":8`,
		"00-1", "00-2", `"runId":"1"`, `"runId":"2"`, `"attempts":1`, `"attempts":2`).Replace(first)
	require.NotEqual(t, first, second)
	a, b := transformed(t, first), transformed(t, second)
	require.Equal(t, a["subject"], b["subject"])
	require.Equal(t, a["note"], b["note"])
	other := transformed(t, strings.ReplaceAll(first, `"db"`, `"web"`))
	require.NotEqual(t, a["note"], other["note"])
}
