package acronis

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// maxRaw bounds what is kept of an event as it was sent; an event has at most 64 KB.
const maxRaw = 32 << 10

// item is one event of a page.
type item struct {
	hash uint64
	// sequence is the event's place in the topic, previous that of the one before
	// it; none where the topic is not ordered.
	sequence, previous, rank int64
	// taken is when the Event Manager took it in, at the same or the producer's time.
	taken, at time.Time
	entry     event.Entry
}

// page is an answer to a poll.
type page struct {
	// offset is where to read on; none where the answer does not say so.
	offset int64
	// back: the answer's offset is lower than what was asked for.
	back  bool
	items []item
}

// settle decides where to read on after asking from an offset. The answer's word
// counts. Where it has none, or lags behind, the events' own do: else they would
// come for ever.
func (p *page) settle(asked int64) {
	p.back = p.offset != none && p.offset < asked
	if p.offset > asked {
		return
	}
	p.offset = asked
	for _, it := range p.items {
		p.offset = max(p.offset, it.sequence)
	}
}

// notAfter bounds the events' times: one in the future would hide for long that
// others expire.
func (p *page) notAfter(now time.Time) {
	for i := range p.items {
		it := &p.items[i]
		it.taken, it.at = earlier(it.taken, now), earlier(it.at, now)
	}
}

// readPage takes a page apart, in the order of the sequences. An event that
// cannot be read does not spoil the others.
func readPage(op string, resp *rest.Response) (page, error) {
	var body struct {
		Offset *int64            `json:"offset"`
		Events []json.RawMessage `json:"events"`
	}
	if err := decode(op, resp, &body); err != nil {
		return page{}, err
	}
	if body.Offset == nil && body.Events == nil {
		return page{}, unreadable(op, resp, "it holds neither events nor an offset")
	}
	p := page{offset: none}
	if body.Offset != nil {
		p.offset = max(*body.Offset, 0)
	}
	rank := int64(none)
	for _, raw := range body.Events {
		it := readEvent(raw)
		if it.sequence != none {
			rank = it.sequence
		}
		it.rank = rank // what has no sequence stays behind what it came after
		p.items = append(p.items, it)
	}
	slices.SortStableFunc(p.items, func(a, b item) int { return cmp.Compare(a.rank, b.rank) })
	return p, nil
}

// readEvent makes an item of what was sent. It never fails: what cannot be used
// says why in Malformed.
func readEvent(raw json.RawMessage) item {
	it := item{sequence: none, previous: none}
	it.entry.Raw = rest.Truncate(string(raw), maxRaw)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err := d.Decode(&it.entry.Data)
	data := it.entry.Data
	id, kind := text(data["id"]), text(data["type"])
	it.sequence, it.previous = number(data["sequence"]), number(data["previous"])
	it.taken = timeOf(data["ingest_time"])
	it.at = it.taken
	if it.at.IsZero() {
		it.at = timeOf(data["time"])
	}
	it.entry.StoredAt = it.at
	switch {
	case err != nil || data == nil:
		it.entry.Malformed = "the event is no JSON object"
	case kind == "":
		it.entry.Malformed = "type: missing"
	case id == "" && it.sequence == none:
		it.entry.Malformed = "id: missing, and there is no sequence either"
	}
	it.name(kind, id, raw)
	return it
}

// name gives an event its identity, its type with its id, and its place: the
// sequence by which it is read again.
func (it *item) name(kind, id string, raw []byte) {
	switch {
	case kind == "" || id == "" && it.sequence == none:
		it.entry.ID = fmt.Sprintf("malformed:%016x", hashOf(string(raw)))
	case id == "":
		it.entry.ID = kind + "/" + strconv.FormatInt(it.sequence, 10)
	default:
		it.entry.ID = kind + "/" + id
	}
	it.hash = hashOf(it.entry.ID)
	if it.sequence != none {
		it.entry.Place = it.entry.ID + "@" + strconv.FormatInt(it.sequence, 10)
	}
}

// placeHash is of its type and sequence.
func (it *item) placeHash() uint64 {
	return hashOf(fmt.Sprintf("%s@%d", text(it.entry.Data["type"]), it.sequence))
}

func text(value any) string {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// number is a 64-bit number, exact; also one that came as text.
func number(value any) int64 {
	n, err := strconv.ParseInt(text(value), 10, 64)
	if err != nil || n < 0 {
		return none
	}
	return n
}

func timeOf(value any) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text(value))
	if err != nil || at.Year() < 1 || at.Year() > 9999 {
		return time.Time{}
	}
	return at.UTC()
}
