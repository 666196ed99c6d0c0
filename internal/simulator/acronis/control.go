package acronis

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// control is for other processes:
//
//	POST /_control/publish     an event, or an array of events; answers their sequence numbers
//	POST /_control/faults      an array of faults, in place of those before
//	POST /_control/clients     a client
//	POST /_control/tenants     {"id": "...", "parent": "..."}
//	POST /_control/topics      a topic
//	POST /_control/consolidate {"topic_id": "..."}
//	POST /_control/revoke      makes all tokens invalid
//	POST /_control/evict       {"subscription_id": "..."}
//	POST /_control/committed   {"subscription_id": "...", "offset": 1}
//	GET  /_control/stats, /_control/log, /_control/snapshot
//	POST /_control/restore     a snapshot
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, known, err := s.ordered(r.Method+" "+r.URL.Path, body)
	switch {
	case !known:
		http.NotFound(w, r)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // the caller may be gone
	}
}

// ordered does what was asked for; known is false where there is no such thing.
func (s *Server) ordered(what string, body []byte) (out any, known bool, err error) {
	out, known = map[string]bool{"ok": true}, true
	switch what {
	case "GET /_control/stats":
		out = s.Stats()
	case "GET /_control/log":
		out = s.Log()
	case "GET /_control/snapshot":
		var data []byte
		data, err = s.Snapshot()
		out = json.RawMessage(data)
	case "POST /_control/restore":
		err = s.Restore(body)
	case "POST /_control/publish":
		out, err = s.controlPublish(body)
	case "POST /_control/revoke":
		s.RevokeTokens()
	case "POST /_control/faults":
		err = with(body, func(f []Fault) { s.SetFaults(f...) })
	case "POST /_control/clients":
		err = with(body, s.AddClient)
	case "POST /_control/topics":
		var t Topic
		if err = json.Unmarshal(body, &t); err == nil {
			err = s.AddTopic(t)
		}
	case "POST /_control/tenants":
		err = with(body, func(in named) { s.AddTenant(in.ID, in.Parent) })
	case "POST /_control/consolidate":
		err = with(body, func(in named) { s.Consolidate(in.TopicID) })
	case "POST /_control/evict":
		err = with(body, func(in named) { s.Evict(in.SubscriptionID) })
	case "POST /_control/committed":
		err = with(body, func(in named) { s.SetCommitted(in.SubscriptionID, in.Offset) })
	default:
		known = false
	}
	return out, known, err
}

// named is the body of the orders that name something.
type named struct {
	ID             string `json:"id"`
	Parent         string `json:"parent"`
	TopicID        string `json:"topic_id"`
	SubscriptionID string `json:"subscription_id"`
	Offset         int64  `json:"offset"`
}

func with[T any](body []byte, do func(T)) error {
	var in T
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	do(in)
	return nil
}

func (s *Server) controlPublish(body []byte) (any, error) {
	var many []Event
	if err := json.Unmarshal(body, &many); err != nil {
		var one Event
		if err := json.Unmarshal(body, &one); err != nil {
			return nil, fmt.Errorf("want an event or an array of events: %w", err)
		}
		many = []Event{one}
	}
	return map[string][]int64{"sequences": s.Publish(many...)}, nil
}
