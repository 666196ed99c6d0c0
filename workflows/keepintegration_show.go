package workflows

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// shownChanges are those that the web UI shows; the state query has all.
const shownChanges = 20

// show brings what the web UI displays up to date.
func (i *integration) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, i.details())
	state := contract.StateActive
	if i.state.Deleted {
		state = contract.StateClosed
	}
	upsert(ctx, []attribute{
		{name: contract.AttributeState, text: state},
		{name: contract.AttributeIntegration, text: i.state.Name},
	})
	if err := workflow.UpsertMemo(ctx, map[string]any{contract.MemoIntegration: i.state.Brief()}); err != nil {
		workflow.GetLogger(ctx).Error("memo not set", "error", err)
	}
}

func (i *integration) details() string {
	var config struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	}
	// Checked when it was taken in.
	_ = json.Unmarshal(i.state.Spec.ProviderConfig, &config)
	var b strings.Builder
	fmt.Fprintf(&b, "Integration **%s**, %s %s\n\n", i.state.Name, cell(config.Type), cell(config.URL))
	fmt.Fprintf(&b, "| | |\n|---|---|\n| version | %d, by %s at %s |\n", i.state.Version, cell(i.state.UpdatedBy), timeText(i.state.UpdatedAt))
	if i.state.Rejected > 0 {
		fmt.Fprintf(&b, "| refused changes | %d; the last: %s |\n", i.state.Rejected, cell(i.state.LastRejection))
	}
	for _, t := range i.state.Tokens {
		until := "for good"
		if !t.ExpiresAt.IsZero() {
			until = "until " + timeText(t.ExpiresAt)
		}
		fmt.Fprintf(&b, "| token | %s, %s |\n", cell(tokenLabel(t)), until)
	}
	b.WriteString("\n| when | who | what |\n|---|---|---|\n")
	for _, c := range i.state.Changes[:min(len(i.state.Changes), shownChanges)] {
		fmt.Fprintf(&b, "| %s | %s | %s %s |\n", timeText(c.At), cell(c.By), c.What, cell(strings.Join(c.Fields, ", ")))
	}
	return rest.Truncate(b.String(), maxDetails)
}
