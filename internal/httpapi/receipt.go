package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// Receipt says where an accepted event's outcome will be found.
type Receipt struct {
	WorkflowID string `json:"w"`
	EventID    string `json:"e"`
}

const maxReceipt = 2048

// Text is the receipt as a URL carries it.
func (r Receipt) Text() string {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // two strings always marshal
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func (r Receipt) path() string { return "/v1/events/" + r.Text() }

// readReceipt is strict: only a text that we could have made ourselves for this
// caller's integration is a receipt; everything else is not found.
func readReceipt(c Caller, text string) (Receipt, error) {
	var receipt Receipt
	if len(text) > maxReceipt {
		return receipt, ErrNotFound
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return receipt, ErrNotFound
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&receipt) != nil || receipt.EventID == "" || receipt.Text() != text || !c.Owns(receipt.WorkflowID) {
		return Receipt{}, ErrNotFound
	}
	return receipt, nil
}

// Owns reports whether a MatchEvents workflow is the caller's integration's; the
// integration is the second part of its id, see contract.MatchID.
func (c Caller) Owns(workflowID string) bool {
	parts := strings.SplitN(workflowID, ":", 3)
	return len(parts) == 3 && parts[0] == "match" && c.Integration != "" && parts[1] == c.Integration
}
