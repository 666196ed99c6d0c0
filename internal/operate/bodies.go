package operate

import (
	"context"
	"encoding/json"
	"fmt"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Converter reads what is stored in Temporal. All our clients have it; what is read
// past them is read by the same one.
func Converter() converter.DataConverter { return converter.GetDefaultDataConverter() }

// Bodies reads the bodies of writes from where they stand: in the first event of a
// run's history.
type Bodies struct{ Temporal client.Client }

// StartedWith is the body in the input of a run of WriteTicket.
func (b Bodies) StartedWith(ctx context.Context, namespace, workflowID, runID string) (json.RawMessage, error) {
	history, err := b.Temporal.WorkflowService().GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: namespace, Execution: &common.WorkflowExecution{WorkflowId: workflowID, RunId: runID},
		MaximumPageSize: 1, // what follows may be long
	})
	if err != nil {
		return nil, fmt.Errorf("first event of %s: %w", workflowID, classify(err))
	}
	events := history.GetHistory().GetEvents()
	if len(events) == 0 || events[0].GetWorkflowExecutionStartedEventAttributes() == nil {
		return nil, fmt.Errorf("first event of %s: it is not the start of a run", workflowID)
	}
	decode := converter.WithDataConverterSerializationContext(Converter(),
		converter.WorkflowSerializationContext{Namespace: namespace, WorkflowID: workflowID})
	var in contract.WriteTicketInput
	if err := decode.FromPayloads(events[0].GetWorkflowExecutionStartedEventAttributes().GetInput(), &in); err != nil {
		return nil, fmt.Errorf("input of %s: %w", workflowID, err)
	}
	return in.Body, nil
}
