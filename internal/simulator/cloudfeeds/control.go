package cloudfeeds

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// control is for other processes:
//
//	POST /_control/publish   an entry, or an array of entries; answers their ids
//	POST /_control/faults    an array of faults, in place of those before
//	POST /_control/mode      {"mode": "jdbc" | "ddb" | "ddb-broken-forward"}
//	POST /_control/rate      {"per_minute": 10}
//	POST /_control/users     a user
//	POST /_control/revoke    makes all tokens invalid
//	GET  /_control/stats, /_control/log, /_control/snapshot
//	POST /_control/restore   a snapshot
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var out any = map[string]bool{"ok": true}
	switch r.Method + " " + r.URL.Path {
	case "POST /_control/publish":
		out, err = s.controlPublish(body)
	case "POST /_control/faults":
		var faults []Fault
		if err = json.Unmarshal(body, &faults); err == nil {
			s.SetFaults(faults...)
		}
	case "POST /_control/mode":
		err = s.controlMode(body)
	case "POST /_control/rate":
		var in struct {
			PerMinute int `json:"per_minute"`
		}
		if err = json.Unmarshal(body, &in); err == nil {
			s.SetRate(in.PerMinute)
		}
	case "POST /_control/users":
		var u User
		if err = json.Unmarshal(body, &u); err == nil {
			s.AddUser(u)
		}
	case "POST /_control/revoke":
		s.RevokeTokens()
	case "POST /_control/restore":
		err = s.Restore(body)
	case "GET /_control/stats":
		out = s.Stats()
	case "GET /_control/log":
		out = s.Log()
	case "GET /_control/snapshot":
		var data []byte
		data, err = s.Snapshot()
		out = json.RawMessage(data)
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func (s *Server) controlPublish(body []byte) (any, error) {
	var many []Entry
	if err := json.Unmarshal(body, &many); err != nil {
		var one Entry
		if err := json.Unmarshal(body, &one); err != nil {
			return nil, fmt.Errorf("want an entry or an array of entries: %w", err)
		}
		many = []Entry{one}
	}
	return map[string][]string{"ids": s.Publish(many...)}, nil
}

func (s *Server) controlMode(body []byte) error {
	var in struct {
		Mode Mode `json:"mode"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	switch in.Mode {
	case JDBC, DDB, DDBBrokenForward:
		s.SetMode(in.Mode)
		return nil
	default:
		return fmt.Errorf("mode: %q is none of %s, %s, %s", in.Mode, JDBC, DDB, DDBBrokenForward)
	}
}
