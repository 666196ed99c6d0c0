package servicenow

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// sortKey is a column to order by.
type sortKey struct {
	column     string
	descending bool
	// keyed: we compare its values as the instance does, so that a list can go on
	// behind one of them.
	keyed bool
	// optional: records may lack it; emptyFirst is where those are.
	optional, emptyFirst bool
	// reverse: what is more to people is less to the instance.
	reverse bool
}

const (
	// maxOrders bounds the fields of an order.
	maxOrders = 7
	// maxKeys is how many columns a list goes on behind; with more it goes on by
	// counting.
	maxKeys = 4
)

// ordering is an order that is never ambiguous: sys_id ends it.
type ordering struct {
	keys []sortKey
	// counted: pages go on by counting, else behind the last record's values.
	counted bool
}

func (s *scope) ordering(ctx context.Context, orders []ticket.Order) (ordering, error) {
	if len(orders) == 0 {
		orders = []ticket.Order{{Field: "created_at", Descending: true}}
	}
	if len(orders) > maxOrders {
		return ordering{}, ticket.RefusedFor("order", "", s.t.permanent("order: %d fields: want at most %d", len(orders), maxOrders))
	}
	var out ordering
	for _, o := range orders {
		key, err := s.sortKey(ctx, o)
		if err != nil {
			return out, ticket.RefusedFor("order", o.Text(), err)
		}
		if !slices.ContainsFunc(out.keys, func(k sortKey) bool { return k.column == key.column }) {
			out.keys = append(out.keys, key)
		}
	}
	if i := slices.IndexFunc(out.keys, func(k sortKey) bool { return k.column == "sys_id" }); i >= 0 {
		out.keys = out.keys[:i+1]
	} else {
		out.keys = append(out.keys, sortKey{column: "sys_id", keyed: true})
	}
	reads, err := s.t.reads(ctx)
	out.counted = !reads.utc || len(out.keys) > maxKeys
	for i, k := range out.keys {
		out.counted = out.counted || !k.keyed || k.optional && i > 0
	}
	return out, err
}

func (s *scope) sortKey(ctx context.Context, o ticket.Order) (sortKey, error) {
	for _, f := range queryFields() {
		if f.name != o.Field || f.order == nil {
			continue
		}
		key := f.order(s.t.c.app)
		key.emptyFirst = !o.Descending
		key.descending = o.Descending != key.reverse
		known, err := s.t.dictionary(ctx, s.table)
		if about := known[key.column]; about.kind != "" && key.optional {
			key.keyed = about.isTime() || about.isWhole() // a tenant may have changed it
		}
		return key, err
	}
	name := strings.TrimPrefix(o.Field, customPrefix)
	known, err := s.t.dictionary(ctx, s.table)
	path, ok := s.t.c.mapping(name, s.table)
	if _, column := known[name]; !ok && column && !slices.Contains(modelColumns(), name) {
		path, ok = name, true
	}
	about, there := known[path]
	if err == nil && (!ok || strings.Contains(path, ".") || len(known) > 0 && !there || about.kind == "glide_list" || about.isLarge()) {
		err = s.t.permanent("order by %s: ServiceNow cannot: it orders by %s, and by custom fields that are columns of table %s", o.Field, strings.Join(OrderFields(), ", "), s.table)
	}
	return sortKey{column: path, descending: o.Descending}, err
}

// modelColumns have another name in the model.
func modelColumns() []string { return []string{"description"} }

// text is the end of an encoded query that orders by the keys.
func orderText(keys []sortKey) string {
	var parts []string
	for _, k := range keys {
		way := "ORDERBY"
		if k.descending {
			way = "ORDERBYDESC"
		}
		parts = append(parts, way+k.column)
	}
	return strings.Join(parts, "^")
}

// part is a stretch of an order: where the first key is optional, the records that
// lack it are one of their own, because databases differ in where they put them.
type part struct {
	keys []sortKey
	only *term
}

func (o ordering) parts() []part {
	first := o.keys[0]
	if !first.optional {
		return []part{{keys: o.keys}}
	}
	empty := part{keys: o.keys[1:], only: &term{first.column, "ISEMPTY", "", true}}
	full := part{keys: o.keys, only: &term{first.column, "ISNOTEMPTY", "", true}}
	if first.emptyFirst {
		return []part{empty, full}
	}
	return []part{full, empty}
}

// behind are clauses that select a record with these values, and what comes after
// it. Each key but the last must be behind its value, or those before it are.
func (p part) behind(values []string) []clause {
	var out []clause
	var earlier clause
	for i, value := range values {
		k := p.keys[i]
		beyond := ">"
		if k.descending {
			beyond = "<"
		}
		out = append(out, append(slices.Clone(earlier), term{k.column, beyond + "=", value, true}))
		earlier = append(earlier, term{k.column, beyond, value, true})
	}
	return out
}

// valuesOf are a record's values of the keys.
func (p part) valuesOf(r record) []string {
	var out []string
	for _, k := range p.keys {
		out = append(out, r.text(k.column))
	}
	return out
}

// compare orders a record against values of the keys.
func (p part) compare(r record, values []string) int {
	for i, k := range p.keys {
		n := compareKey(r.text(k.column), values[i])
		if k.descending {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

func compareKey(a, b string) int {
	x, err := strconv.ParseInt(a, 10, 64)
	y, err2 := strconv.ParseInt(b, 10, 64)
	if err == nil && err2 == nil && !isID(a) {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

// holds: the record is one of the part.
func (p part) holds(r record) bool {
	if p.only == nil {
		return true
	}
	return (r.text(p.only.column) == "") == (p.only.op == "ISEMPTY")
}
