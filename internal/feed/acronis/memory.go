package acronis

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// remembered is how many hashes of the newest events are known, two of each where
// it has a sequence: by type and id, and by type and sequence. That is enough for a
// page that comes again, for what a producer sends twice, and for topics without
// sequences. MatchEvents remembers for longer.
const remembered = 300

// memory is a bounded first-in-first-out memory of events.
type memory struct{ hashes []uint64 }

func hashOf(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:])
}

func (m *memory) has(hash uint64) bool {
	for _, known := range m.hashes {
		if known == hash {
			return true
		}
	}
	return false
}

func (m *memory) add(hash uint64) {
	if m.has(hash) {
		return
	}
	m.hashes = append(m.hashes, hash)
	if len(m.hashes) > remembered {
		m.hashes = m.hashes[len(m.hashes)-remembered:]
	}
}

// IsZero leaves an empty memory out of the position.
func (m memory) IsZero() bool { return len(m.hashes) == 0 }

// MarshalJSON packs the hashes, 8 bytes each.
func (m memory) MarshalJSON() ([]byte, error) {
	raw := make([]byte, 0, 8*len(m.hashes))
	for _, hash := range m.hashes {
		raw = binary.BigEndian.AppendUint64(raw, hash)
	}
	return json.Marshal(base64.RawStdEncoding.EncodeToString(raw))
}

// UnmarshalJSON is its inverse.
func (m *memory) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(raw)%8 != 0 || len(raw)/8 > remembered {
		return fmt.Errorf("seen: %d bytes are no memory of at most %d events", len(raw), remembered)
	}
	m.hashes = nil
	for ; len(raw) > 0; raw = raw[8:] {
		m.hashes = append(m.hashes, binary.BigEndian.Uint64(raw))
	}
	return nil
}
