// Package workflows holds the deterministic code: PollFeed reads one feed for
// ever, MatchEvents keeps the requests of one match key, WriteTicket makes one
// write of the unified ticketing API.
package workflows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// each takes every buffered signal off ch, in order, decodes it and handles it.
// One that does not decode or is not valid goes to reject, and the rest goes on.
//
// Signals come as raw payloads and are decoded here, because the SDK blocks or
// panics on one that does not decode, and people type them by hand.
func each[T any](ch workflow.ReceiveChannel, reject func(error), handle func(T)) {
	for {
		var raw converter.RawValue
		if !ch.ReceiveAsync(&raw) {
			return
		}
		var value T
		if err := decode(raw, &value); err != nil {
			reject(err)
			continue
		}
		handle(value)
	}
}

// decode reads a payload; no input at all is as good as an empty object.
func decode[T any](raw converter.RawValue, value *T) error {
	if _, ok := any(value).(*nothing); ok {
		return nil
	}
	data := []byte("{}")
	if payload := raw.Payload(); payload != nil && len(payload.GetData()) > 0 {
		data = payload.GetData()
	}
	if err := decodeJSON(data, value); err != nil {
		return err
	}
	if v, ok := any(*value).(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

func decodeJSON(data []byte, value any) error {
	if _, ok := value.(*contract.EventsSignal); ok {
		// Programs may send more than we know.
		if err := json.Unmarshal(data, value); err != nil {
			return fmt.Errorf("want one JSON object: %w", err)
		}
		return nil
	}
	// What a person types is taken literally or not at all: a misspelt "item"
	// must not mean all items.
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return fmt.Errorf("want one JSON object: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("want one JSON object, and nothing after it")
	}
	return nil
}

// nothing is the payload of signals that need none: a person who types one in
// all the same is still obeyed.
type nothing struct{}

var errNoSuchItem = errors.New("no such item; the state query lists what is parked")
