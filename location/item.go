package location

import (
	"bytes"
	"encoding/binary"
)

// An item is what an arena holds of one state of an AOR: the number of its bindings that are no tombstones,
// the lengths of key and record, the key and the encoded record.

// maxItemHead is the largest head of an item.
const maxItemHead = 3 * binary.MaxVarintLen32

func putItem(a *arena, aor, record []byte, bindings int) ref {
	var room [maxItemHead]byte
	head := binary.AppendUvarint(room[:0], uint64(bindings))
	head = binary.AppendUvarint(head, uint64(len(aor)))
	head = binary.AppendUvarint(head, uint64(len(record)))
	r, place := a.alloc(len(head) + len(aor) + len(record))
	n := copy(place, head)
	n += copy(place[n:], aor)
	copy(place[n:], record)
	return r
}

// item is an item, taken apart.
type item struct {
	bindings    int
	aor, record []byte
}

func (a *arena) read(r ref) (it item) {
	b := a.item(r)
	bindings, n := binary.Uvarint(b)
	b = b[n:]
	aor, n := binary.Uvarint(b)
	b = b[n:]
	record, n := binary.Uvarint(b)
	b = b[n:]
	return item{int(bindings), b[:aor:aor], b[aor : aor+record : aor+record]}
}

// amount is what an item counts as in the statistics, or the difference between two.
type amount struct{ aors, bindings, bytes int32 }

func amountOf(aor, record []byte, bindings int) amount {
	return amount{int32(min(bindings, 1)), int32(bindings), int32(len(aor) + len(record))}
}

func (it item) amount() amount { return amountOf(it.aor, it.record, it.bindings) }

// to is what there is more in b.
func (a amount) to(b amount) amount {
	return amount{b.aors - a.aors, b.bindings - a.bindings, b.bytes - a.bytes}
}

// isItemOf reports whether the item that stands at the beginning of b is of that AOR.
func isItemOf(b, aor []byte) bool {
	_, n := binary.Uvarint(b)
	b = b[n:]
	length, n := binary.Uvarint(b)
	if length != uint64(len(aor)) {
		return false
	}
	b = b[n:]
	_, n = binary.Uvarint(b)
	return bytes.Equal(b[n:n+len(aor)], aor)
}
