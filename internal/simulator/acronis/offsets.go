package acronis

import (
	"math"
	"net/http"
	"time"
)

// offset is how a position is shown: reads return what comes after it or, where
// they are inclusive, what is there.
func (s *Server) offset(position int64) int64 {
	if s.opts.Inclusive {
		return position
	}
	return position - 1
}

// position is where a read of an offset begins.
func (s *Server) position(offset int64) int64 {
	if s.opts.Inclusive || offset == math.MaxInt64 {
		return offset
	}
	return offset + 1
}

func (s *Server) topicOffset(c *call) answer {
	q := c.URL.Query()
	var when time.Time
	switch position := q.Get("position"); position {
	case "EARLIEST", "CURRENT":
	case "TIMESTAMP":
		var err error
		if when, err = time.Parse(time.RFC3339Nano, q.Get("timestamp")); err != nil {
			return badRequest("timestamp: want RFC 3339, as 2026-03-01T12:00:00Z")
		}
	default:
		return badRequest("position: want EARLIEST, CURRENT or TIMESTAMP")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.kept.Topics[c.topic]
	if t == nil {
		return failure(http.StatusNotFound, "unknownTopic", "there is no topic "+c.topic)
	}
	t.expire(s.opts.Now())
	at := t.Next
	switch q.Get("position") {
	case "EARLIEST":
		at = t.earliest()
	case "TIMESTAMP":
		at = t.at(when)
	}
	return inJSON(http.StatusOK, map[string]any{"topic_id": t.ID, "offset": s.offset(at)})
}
