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
