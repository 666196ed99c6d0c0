package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// WriteID is the workflow id of a WriteTicket: write:<integration>:<hash>, where
// the hash is the KeyedHash of the caller's Idempotency-Key, else the WriteHash
// of what is written.
func WriteID(integration, hash string) string { return writePrefix + integration + ":" + hash }

// WriteIntegration is the integration that a WriteID names; false for the id of
// another kind of workflow.
func WriteIntegration(workflowID string) (string, bool) {
	rest, ours := strings.CutPrefix(workflowID, writePrefix)
	integration, _, more := strings.Cut(rest, ":")
	return integration, ours && more
}

// KeyedHash is what tells two Idempotency-Keys of an integration apart.
func KeyedHash(idempotencyKey string) string { return hash(listText("key", idempotencyKey)) }

// WriteHash is what tells two writes of an integration apart that have no key.
// Two bodies that differ in spaces and the order of members only are the same.
func WriteHash(operator, ticketID, partID string, body json.RawMessage) (string, error) {
	text, err := canonicalJSON(body)
	if err != nil {
		return "", fmt.Errorf("body: %w", err)
	}
	return hash(listText("write", operator, ticketID, partID, text)), nil
}

func listText(parts ...string) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

// canonicalJSON sorts members and drops spaces; numbers stay as they are written.
func canonicalJSON(text json.RawMessage) (string, error) {
	if len(text) == 0 {
		return "", nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return "", err
	}
	sorted, err := json.Marshal(value)
	return string(sorted), err
}
