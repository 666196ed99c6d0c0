package workflows

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// writeRecordings are the paths of WriteTicket that are recorded.
func writeRecordings() map[string]func(*recorder) (id, run string) {
	return map[string]func(*recorder) (string, string){
		"WriteTicket-answered":  (*recorder).writeAnswered,
		"WriteTicket-keyed":     (*recorder).writeKeyed,
		"WriteTicket-recovered": (*recorder).writeRecovered,
		"WriteTicket-refused":   (*recorder).writeRefused,
		"WriteTicket-parked":    (*recorder).writeParked,
		"WriteTicket-deleted":   (*recorder).writeDeleted,
		"WriteTicket-counted":   (*recorder).writeCounted,
		"WriteTicket-crowd":     (*recorder).writeCrowd,
		"WriteTicket-continues": (*recorder).writeContinues,
		"WriteTicket-continued": (*recorder).writeContinued,
		"WriteTicket-upload":    (*recorder).writeUpload,
		"WriteTicket-large":     (*recorder).writeLarge,
		"WriteTicket-ends":      (*recorder).writeEnds,
		"WriteTicket-outgrown":  (*recorder).writeOutgrown,
	}
}

// writeLarge is a body that stands in the history once; it is amended, and the
// answer of the call is lost.
func (r *recorder) writeLarge() (string, string) {
	r.desk.on["create"] = func(n int) (bool, error) {
		switch n {
		case 1:
			return false, refused("name is too long")
		case 2:
			return true, unanswered()
		}
		return true, nil
	}
	request := newTicketWrite("Disk full", "")
	request.Body = ticket.New{Name: "Disk full", Description: strings.Repeat("x", largestInCalls)}
	w := r.start(request)
	_, _, err := w.Async(r.t.Context())
	require.NoError(r.t, err)
	r.wait(w, contract.WriteParked)
	parked := &operate.Parked{Temporal: r.client}
	require.NoError(r.t, parked.Amend(r.t.Context(), w.WorkflowID(), contract.AmendSignal{Item: "1", Set: map[string]string{"name": "Short"}}))
	r.written(1)
	r.wait(w, contract.WriteOK)
	require.Equal(r.t, 1, r.desk.count("recover"))
	require.Equal(r.t, []string{"create T1 Short: " + strings.Repeat("x", largestInCalls)}, r.desk.written())
	return w.WorkflowID(), ""
}

// writeOutgrown is a small body that a person makes a large one.
func (r *recorder) writeOutgrown() (string, string) {
	r.desk.on["create"] = upTo(1, false, refused("description is missing"))
	w := r.start(newTicketWrite("Disk full", ""))
	_, _, err := w.Async(r.t.Context())
	require.NoError(r.t, err)
	r.wait(w, contract.WriteParked)
	first := r.firstRun(w.WorkflowID())
	set := map[string]string{"description": strings.Repeat("x", 2*largestInCalls)}
	parked := &operate.Parked{Temporal: r.client}
	require.NoError(r.t, parked.Amend(r.t.Context(), w.WorkflowID(), contract.AmendSignal{Item: "1", Set: set}))
	r.written(1)
	return w.WorkflowID(), first
}

// writeEnds is a run that could go on in another when the answer is told.
func (r *recorder) writeEnds() (string, string) {
	w := r.start(newTicketWrite("Disk full", ""))
	r.wait(w, contract.WriteOK)
	r.workers[0].Stop()
	for range suggestAfter {
		r.signal(w.WorkflowID(), contract.SignalRetry, contract.ItemSignal{})
	}
	r.signal(w.WorkflowID(), contract.SignalAnswered, nil)
	r.startWorkers()
	require.NoError(r.t, r.client.GetWorkflow(r.t.Context(), w.WorkflowID(), "").Get(r.t.Context(), nil))
	require.Len(r.t, r.sizes(w.WorkflowID()), 1)
	return w.WorkflowID(), ""
}

// newWrite is a create of a ticket.
func newTicketWrite(name, key string) operate.WriteRequest {
	return operate.WriteRequest{
		Integration: integrationName, Operator: contract.WriteCreateTicket, Body: ticket.New{Name: name}, IdempotencyKey: key,
	}
}

func (r *recorder) start(request operate.WriteRequest) *operate.Write {
	r.t.Helper()
	started, err := r.writes.Start(r.t.Context(), request)
	require.NoError(r.t, err)
	r.t.Cleanup(started.Close)
	return started
}

// wait waits for an outcome of this status.
func (r *recorder) wait(w *operate.Write, status string) contract.WriteOutcome {
	r.t.Helper()
	outcome, known, err := w.Wait(r.t.Context(), 20*time.Second)
	require.NoError(r.t, err)
	require.Equal(r.t, status, outcome.Status, "%+v", outcome.Error)
	require.Equal(r.t, status != contract.WritePending, known)
	return outcome
}

func (r *recorder) writeAnswered() (string, string) {
	request := newTicketWrite("Disk full", "")
	request.Body = ticket.New{Name: "Disk full", Status: "In Progress"}
	w := r.start(request)
	r.wait(w, contract.WriteOK)
	require.NoError(r.t, w.Answered(r.t.Context()))
	return w.WorkflowID(), ""
}

func (r *recorder) writeKeyed() (string, string) {
	w := r.start(newTicketWrite("Disk full", "order-17"))
	r.wait(w, contract.WriteOK)
	return w.WorkflowID(), ""
}

func (r *recorder) writeRecovered() (string, string) {
	r.desk.on["create"] = upTo(1, false, unanswered())
	r.desk.indexed = false
	w := r.start(newTicketWrite("Disk full", ""))
	r.wait(w, contract.WriteOK)
	require.Equal(r.t, 2, r.desk.count("create"))
	return w.WorkflowID(), ""
}

func (r *recorder) writeRefused() (string, string) {
	r.desk.on["create"] = always(false, refused("name is too long"))
	w := r.start(newTicketWrite("Disk full", ""))
	r.wait(w, contract.WriteRefused)
	return w.WorkflowID(), ""
}

func (r *recorder) writeParked() (string, string) {
	r.desk.on["create"] = func(n int) (bool, error) {
		switch n {
		case 1:
			return false, down(2 * time.Second)
		case 2:
			return false, refused("name is too long")
		}
		return true, nil
	}
	w := r.start(newTicketWrite("Disk full", ""))
	_, ended, err := w.Async(r.t.Context())
	require.NoError(r.t, err)
	require.False(r.t, ended)
	r.wait(w, contract.WriteParked)
	parked := &operate.Parked{Temporal: r.client}
	require.NoError(r.t, parked.Amend(r.t.Context(), w.WorkflowID(), contract.AmendSignal{Item: "1", Set: map[string]string{"name": "Short"}}))
	r.written(1)
	return w.WorkflowID(), ""
}

func (r *recorder) writeDeleted() (string, string) {
	r.desk.on["delete comment"] = upTo(1, true, unanswered())
	w := r.start(operate.WriteRequest{Integration: integrationName, Operator: contract.WriteDeleteComment, TicketID: "T1", PartID: "7"})
	r.wait(w, contract.WriteOK)
	return w.WorkflowID(), ""
}

// writeCounted is a delete that was held back, lost its answer twice, and then finds
// nothing.
func (r *recorder) writeCounted() (string, string) {
	r.desk.on["delete comment"] = func(n int) (bool, error) {
		switch n {
		case 1:
			return false, &ticket.Error{Kind: ticket.RateLimited, Op: "call", Message: "rest", RetryAfter: 100 * time.Millisecond}
		case 2:
			return true, unanswered()
		case 3:
			return false, down(0)
		}
		return true, nil
	}
	w := r.start(operate.WriteRequest{Integration: integrationName, Operator: contract.WriteDeleteComment, TicketID: "T1", PartID: "7"})
	r.wait(w, contract.WriteOK)
	return w.WorkflowID(), ""
}

func (r *recorder) writeCrowd() (string, string) {
	r.desk.on["create"] = upTo(1, false, down(4*time.Second))
	w := r.start(newTicketWrite("Disk full", ""))
	for n := range crowd + 2 {
		outcome, known, err := r.start(newTicketWrite("Disk full", "")).Wait(r.t.Context(), time.Duration(n+1)*50*time.Millisecond)
		require.NoError(r.t, err)
		require.False(r.t, known, "%+v", outcome)
	}
	r.wait(w, contract.WriteOK)
	return w.WorkflowID(), ""
}

// writeMany lets callers ask until the run has continued as new.
func (r *recorder) writeMany() string {
	r.desk.on["create"] = upTo(1, false, down(time.Minute))
	w := r.start(newTicketWrite("Disk full", ""))
	first := r.firstRun(w.WorkflowID())
	for n := 0; ; n++ {
		require.Less(r.t, n, suggestAfter)
		r.signal(w.WorkflowID(), contract.SignalDiscard, contract.ItemSignal{Item: fmt.Sprint(n)})
		_, _, err := w.Wait(r.t.Context(), 100*time.Millisecond)
		require.NoError(r.t, err)
		events := r.history(w.WorkflowID(), first).Events
		if events[len(events)-1].EventType == enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW {
			break
		}
	}
	// What was cancelled between two attempts is tried at once by the next run.
	r.wait(w, contract.WriteOK)
	require.Len(r.t, r.desk.written(), 1)
	require.NoError(r.t, w.Answered(r.t.Context()))
	return w.WorkflowID()
}

func (r *recorder) writeContinues() (string, string) {
	id := r.writeMany()
	return id, r.firstRun(id)
}

func (r *recorder) writeContinued() (string, string) { return r.writeMany(), "" }

func newUpload(text, holder string) operate.WriteRequest {
	return operate.WriteRequest{Integration: integrationName, Operator: contract.WriteCreateAttachment, TicketID: "T1", Body: heldFile(text), HeldBy: holder}
}

// writeUpload is a file that is first held by nobody, then by a process that has
// lost it, then by the same, which got it again; and the answer of the call is
// lost.
func (r *recorder) writeUpload() (string, string) {
	files := &held{}
	r.desk.on["file"] = upTo(1, true, unanswered())
	r.startHolder(second, files)
	w := r.start(newUpload("line", first))
	require.Eventually(r.t, func() bool { return r.writeView(w.WorkflowID()).Waiting != "" }, 2*takenWithin, 100*time.Millisecond)
	r.start(newUpload("line", second))
	require.Eventually(r.t, func() bool { return len(r.writeView(w.WorkflowID()).Parked) > 0 }, 2*takenWithin, 100*time.Millisecond)
	files.put(w.WorkflowID(), "line")
	again := r.start(newUpload("line", second))
	r.wait(again, contract.WriteOK)
	require.NoError(r.t, again.Answered(r.t.Context()))
	require.Equal(r.t, []string{"file T1: a.log, line"}, r.desk.written())
	return w.WorkflowID(), ""
}

func (r *recorder) writeView(id string) contract.WriteView {
	r.t.Helper()
	value, err := r.client.QueryWorkflow(r.t.Context(), id, "", contract.QueryState)
	require.NoError(r.t, err)
	var view contract.WriteView
	require.NoError(r.t, value.Get(&view))
	return view
}
