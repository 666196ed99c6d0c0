package cloudfeeds

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// The memory drops whole chunks, because it knows times by the chunk only.
const (
	chunkSize   = 64
	chunkLimit  = 15
	maxRemember = chunkSize * chunkLimit
)

// seen is a bounded first-in-first-out memory of entry ids.
type seen struct {
	hashes []uint64
	// upTo holds, by chunk, the highest time of an entry in it.
	upTo  []time.Time
	index map[uint64]bool
}

func hashID(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:])
}

func (s *seen) has(hash uint64) bool { return s.index[hash] }

// add remembers an entry, forgets a chunk if it must, and returns the highest
// time that it forgot (zero: none).
func (s *seen) add(hash uint64, at time.Time) (forgot time.Time) {
	if s.index[hash] {
		return forgot
	}
	if s.index == nil {
		s.index = map[uint64]bool{}
	}
	if len(s.hashes) == maxRemember {
		for _, old := range s.hashes[:chunkSize] {
			delete(s.index, old)
		}
		forgot = s.upTo[0]
		s.hashes, s.upTo = s.hashes[chunkSize:], s.upTo[1:]
	}
	if len(s.hashes)%chunkSize == 0 {
		s.upTo = append(s.upTo, at)
	}
	s.hashes = append(s.hashes, hash)
	s.index[hash] = true
	if last := len(s.upTo) - 1; at.After(s.upTo[last]) {
		s.upTo[last] = at
	}
	return forgot
}

type packedSeen struct {
	Hashes string  `json:"hashes,omitempty"`
	UpTo   []int64 `json:"up_to,omitempty"` // milliseconds, rounded up
}

// MarshalJSON packs the hashes, 8 bytes each.
func (s seen) MarshalJSON() ([]byte, error) {
	raw := make([]byte, 0, 8*len(s.hashes))
	for _, hash := range s.hashes {
		raw = binary.BigEndian.AppendUint64(raw, hash)
	}
	packed := packedSeen{Hashes: base64.RawStdEncoding.EncodeToString(raw)}
	for _, at := range s.upTo {
		packed.UpTo = append(packed.UpTo, at.Add(time.Millisecond-1).UnixMilli())
	}
	return json.Marshal(packed)
}

// UnmarshalJSON is its inverse.
func (s *seen) UnmarshalJSON(data []byte) error {
	var packed packedSeen
	if err := json.Unmarshal(data, &packed); err != nil {
		return err
	}
	raw, err := base64.RawStdEncoding.DecodeString(packed.Hashes)
	if err != nil {
		return fmt.Errorf("hashes: %w", err)
	}
	chunks := (len(raw)/8 + chunkSize - 1) / chunkSize
	if len(raw)%8 != 0 || chunks != len(packed.UpTo) || chunks > chunkLimit {
		return fmt.Errorf("hashes: %d bytes in %d chunks do not belong together", len(raw), len(packed.UpTo))
	}
	*s = seen{index: map[uint64]bool{}}
	for ; len(raw) > 0; raw = raw[8:] {
		hash := binary.BigEndian.Uint64(raw)
		s.hashes = append(s.hashes, hash)
		s.index[hash] = true
	}
	for _, ms := range packed.UpTo {
		s.upTo = append(s.upTo, time.UnixMilli(ms).UTC())
	}
	return nil
}
