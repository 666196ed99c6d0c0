package workflows

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// hashSet remembers the newest of many ids by 8 bytes each, in the order they came.
type hashSet struct {
	limit  int
	packed []byte
	index  map[uint64]struct{}
}

const hashBytes = 8

func newHashSet(limit int) *hashSet {
	return &hashSet{limit: limit, index: map[uint64]struct{}{}}
}

func hashOf(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:hashBytes])
}

func (s *hashSet) has(id string) bool {
	_, ok := s.index[hashOf(id)]
	return ok
}

// add remembers id; the oldest is forgotten when there are too many.
func (s *hashSet) add(id string) {
	hash := hashOf(id)
	if _, ok := s.index[hash]; ok {
		return
	}
	if len(s.packed) >= s.limit*hashBytes {
		delete(s.index, binary.BigEndian.Uint64(s.packed))
		s.packed = s.packed[hashBytes:]
	}
	s.packed = binary.BigEndian.AppendUint64(s.packed, hash)
	s.index[hash] = struct{}{}
}

// remove forgets id.
func (s *hashSet) remove(id string) {
	hash := hashOf(id)
	if _, ok := s.index[hash]; !ok {
		return
	}
	delete(s.index, hash)
	for i := 0; i < len(s.packed); i += hashBytes {
		if binary.BigEndian.Uint64(s.packed[i:]) == hash {
			s.packed = slices.Concat(s.packed[:i], s.packed[i+hashBytes:])
			return
		}
	}
}

// MarshalJSON writes the hashes as one base64 text.
func (s *hashSet) MarshalJSON() ([]byte, error) { return json.Marshal(s.packed) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *hashSet) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &s.packed); err != nil {
		return err
	}
	s.packed = s.packed[:len(s.packed)/hashBytes*hashBytes]
	s.index = make(map[uint64]struct{}, len(s.packed)/hashBytes)
	for i := 0; i < len(s.packed); i += hashBytes {
		s.index[binary.BigEndian.Uint64(s.packed[i:])] = struct{}{}
	}
	return nil
}
