package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// readOperation reads the body of an operating call: one JSON object without
// unknown members, because a mistyped name must not be taken for a default.
// An empty body leaves into as it is.
func (a *api) readOperation(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more than one JSON value")
		}
	}
	if err != nil {
		return &refusal{status: http.StatusBadRequest, message: "Invalid JSON string posted", detail: err.Error(), err: err}
	}
	return nil
}

// done is the body of an operating call that was passed on as a signal: it is
// safe, and takes effect when a worker has read it.
type done struct {
	Action      string `json:"action"`
	Feed        string `json:"feed,omitempty"`
	Workflow    string `json:"workflow,omitempty"`
	Item        string `json:"item,omitempty"`
	Integration string `json:"integration,omitempty"`
	// Count is the number of workflows that an action for all was passed on to.
	Count *int `json:"count,omitempty"`
}

func writeDone(w http.ResponseWriter, d done) error {
	writeJSON(w, http.StatusAccepted, d)
	return nil
}
