package transaction

import (
	"encoding/binary"

	"biloxi/sip"
)

// log holds what is left of the transactions of a shard that are finished and absorb what comes again: in records one
// behind the other, in chunks of memory, which are used again when all in them is over. All records of a log last
// equally long, so that the oldest is over first. The zero log is empty.
//
// A record is
//
//	key 16, due 4, length of the response 2, transport 1, families 1
//
// and, if there is a response, ports 6, local address 0, 4 or 16, remote address 0, 4 or 16, and its bytes. It is
// filled up to a multiple of four.
type log struct {
	index index
	ring  [][]byte // chunk n is at n modulo its length, a power of two; its len is what is used of it
	first uint32   // number of the oldest chunk
	end   uint32   // number behind the newest one
	head  int      // where the oldest record begins in the oldest chunk
	bytes int      // of the records, and their share of the index
}

const (
	recordHead  = 24
	recordPorts = 6

	// A position is a chunk's number modulo 1<<18, and where in it a record begins in units of four bytes.
	offsetBits = 14
	unit       = 4
)

// record is one of a log's, with all that is behind it in its chunk.
type record []byte

func (r record) key() key {
	return key{binary.LittleEndian.Uint64(r), binary.LittleEndian.Uint64(r[8:])}
}

// due is the tick at which it is over, modulo 1<<32: more than a year.
func (r record) due() uint32 { return binary.LittleEndian.Uint32(r[16:]) }

func (r record) length() int        { return int(binary.LittleEndian.Uint16(r[20:])) }
func (r record) families() families { return families(r[23]) }
func (r record) size() int          { return recordSize(r.families(), r.length()) }

// recordSize is that of a record with a response of n bytes, or without one.
func recordSize(f families, n int) int {
	if n == 0 {
		return recordHead
	}
	n += recordHead + recordPorts + f.local().bytes() + f.remote().bytes()
	return (n + unit - 1) &^ (unit - 1)
}

// appendRecord appends a record to a chunk that has room for it. A response is not copied if it is empty, and then
// neither is the route.
func appendRecord(b []byte, k key, due uint32, rt *route, response []byte) []byte {
	n := len(b) + recordSize(rt.families, len(response))
	b = binary.LittleEndian.AppendUint64(b, k.a)
	b = binary.LittleEndian.AppendUint64(b, k.b)
	b = binary.LittleEndian.AppendUint32(b, due)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(response)))
	b = append(b, byte(rt.transport), byte(rt.families))
	if len(response) > 0 {
		for _, port := range rt.ports {
			b = binary.LittleEndian.AppendUint16(b, port)
		}
		b = append(b, rt.local[:rt.families.local().bytes()]...)
		b = append(b, rt.remote[:rt.families.remote().bytes()]...)
		b = append(b, response...)
	}
	return b[:n]
}

// response is the route and the response of a record that has one. The bytes are the log's.
func (r record) response(rt *route) []byte {
	*rt = route{transport: sip.Transport(r[22]), families: r.families()}
	at := recordHead
	for i := range rt.ports {
		rt.ports[i] = binary.LittleEndian.Uint16(r[at:])
		at += 2
	}
	at += copy(rt.local[:rt.families.local().bytes()], r[at:])
	at += copy(rt.remote[:rt.families.remote().bytes()], r[at:])
	return r[at : at+r.length()]
}

// add adds a record, which is over at the tick due.
func (l *log) add(c *chunks, k key, due uint32, rt *route, response []byte) {
	size := recordSize(rt.families, len(response))
	if l.first == l.end || len(*l.chunk(l.end - 1))+size > chunkBytes {
		l.grow(c)
	}
	last := l.chunk(l.end - 1)
	position := (l.end-1)<<offsetBits | uint32(len(*last)/unit)
	*last = appendRecord(*last, k, due, rt, response)
	l.index.insert(slotOf(k.tag(), position))
	l.bytes += size + slotShare
}

func (l *log) chunk(n uint32) *[]byte { return &l.ring[n&uint32(len(l.ring)-1)] }

// grow adds a chunk.
func (l *log) grow(c *chunks) {
	if n := uint32(len(l.ring)); l.end-l.first == n {
		old := *l
		l.ring = make([][]byte, max(firstChunks, 2*n))
		for i := l.first; i != l.end; i++ {
			*l.chunk(i) = *old.chunk(i)
		}
	}
	*l.chunk(l.end) = c.take()
	l.end++
}

// find returns the record of a key, nil if there is none.
func (l *log) find(k key) record {
	x := &l.index
	if x.count == 0 {
		return nil
	}
	want := slotOf(k.tag(), 0)
	for i := x.home(want); x.slots[i] != 0; i = x.next(i) {
		if slot := x.slots[i]; slot>>32 == want>>32 {
			if r := l.at(uint32(slot)); r.key() == k {
				return r
			}
		}
	}
	return nil
}

func (l *log) at(position uint32) record {
	return record((*l.chunk(position >> offsetBits))[position&(1<<offsetBits-1)*unit:])
}

// oldest returns the record that is over first, nil if there is none.
func (l *log) oldest() record {
	if l.index.count == 0 {
		return nil
	}
	return record((*l.chunk(l.first))[l.head:])
}

// drop lets the oldest record go.
func (l *log) drop(c *chunks) {
	r, size := l.oldest(), l.oldest().size()
	l.index.remove(slotOf(r.key().tag(), l.first<<offsetBits|uint32(l.head/unit)))
	l.bytes -= size + slotShare
	l.head += size
	if oldest := l.chunk(l.first); l.head == len(*oldest) {
		c.put(*oldest)
		*oldest = nil
		l.first, l.head = l.first+1, 0
	}
}

// over reports whether the oldest record is over at the tick now.
func (l *log) over(now uint32) bool {
	r := l.oldest()
	return r != nil && int32(now-r.due()) >= 0
}
