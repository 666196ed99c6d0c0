package httpapi

import (
	"encoding/json"
	"net/http"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// operationHeader names the write in every answer to one that was started.
const operationHeader = "X-Operation-Id"

// warned is the part of an envelope that tells what was not done as it was asked.
type warned struct {
	Messages *messages `json:"messages,omitempty" doc:"Only where there are warnings."`
}

type messages struct {
	Problems []problem `json:"problems" doc:"What was asked for and could not be done as it was asked. The write was made all the same."`
}

// envelope puts the result of a write, and its warnings, into what is answered.
type envelope func(result json.RawMessage, said warned) (any, error)

func decoded[T any](wrap func(T, warned) any) envelope {
	return func(data json.RawMessage, said warned) (any, error) {
		var result T
		err := json.Unmarshal(data, &result)
		return wrap(result, said), err
	}
}

// warningsOf are the warnings of a write that was made. Their status is that of a
// success, so that nobody takes them for a refusal.
func (a *api) warningsOf(r *http.Request, outcome contract.WriteOutcome) warned {
	if len(outcome.Warnings) == 0 {
		return warned{}
	}
	said := &messages{}
	for _, warning := range outcome.Warnings {
		said.Problems = append(said.Problems, a.problemOf(r, &refusal{
			status: http.StatusOK, message: "Not done as it was asked", detail: warning,
		}))
	}
	return warned{said}
}
