package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The first bytes of a file name its format; the last of them is the version.
var (
	journalMagic  = [8]byte{'B', 'l', 'x', 'J', 'r', 'n', 'l', 1}
	snapshotMagic = [8]byte{'B', 'l', 'x', 'S', 'n', 'a', 'p', 1}
)

const headerSize = 40

// header begins a file.
type header struct {
	magic      [8]byte
	generation uint64
	first      uint64 // the sequence number of the first record; all before it was durable
	salt       uint64 // begins the payload of this file's marks, so that nobody can put one into a record
}

func (h *header) append(dst []byte) []byte {
	from := len(dst)
	dst = append(dst, h.magic[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, h.generation)
	dst = binary.LittleEndian.AppendUint64(dst, h.first)
	dst = binary.LittleEndian.AppendUint64(dst, h.salt)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
	return append(dst, 0, 0, 0, 0)
}

// parseHeader reads the header that b begins with; !ok if it is none.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < headerSize {
		return h, false
	}
	copy(h.magic[:], b)
	h.generation = binary.LittleEndian.Uint64(b[8:])
	h.first = binary.LittleEndian.Uint64(b[16:])
	h.salt = binary.LittleEndian.Uint64(b[24:])
	return h, crc32.Checksum(b[:32], castagnoli) == binary.LittleEndian.Uint32(b[32:])
}

// kind says what a record is.
type kind uint8

const (
	stateKind kind = iota + 1
	markKind
	endKind
)

const (
	recordHead = 16
	markSize   = recordHead + 16
	kindShift  = 24
	lengthMask = 1<<kindShift - 1
)

// record is one record of a file. Its payload is a slice of what it was parsed from.
type record struct {
	kind    kind
	seq     uint64
	payload []byte
}

// begin appends the room of a record's head; what follows is its payload, until end.
func begin(dst []byte) []byte { return append(dst, make([]byte, recordHead)...) }

// end fills the head of the record that begins at from.
func end(b []byte, from int, k kind, seq uint64) {
	r := b[from:]
	binary.LittleEndian.PutUint32(r[4:], uint32(len(r)-recordHead)|uint32(k)<<kindShift)
	binary.LittleEndian.PutUint64(r[8:], seq)
	binary.LittleEndian.PutUint32(r, crc32.Checksum(r[4:], castagnoli))
}

// appendState appends the record of an AOR's state.
func appendState(dst []byte, seq uint64, aor, state []byte) []byte {
	from := len(dst)
	dst = begin(dst)
	dst = binary.AppendUvarint(dst, uint64(len(aor)))
	dst = append(dst, aor...)
	dst = append(dst, state...)
	end(dst, from, stateKind, seq)
	return dst
}

// putMark fills the mark for which b has room: seq is the number of the next record, durable that of the last
// that is synced.
func putMark(b *[markSize]byte, salt, seq, durable uint64) {
	binary.LittleEndian.PutUint64(b[recordHead:], salt)
	binary.LittleEndian.PutUint64(b[recordHead+8:], durable)
	end(b[:], 0, markKind, seq)
}

// appendEnd appends the record that ends a snapshot of so many records.
func appendEnd(dst []byte, records uint64) []byte {
	from := len(dst)
	dst = begin(dst)
	dst = binary.LittleEndian.AppendUint64(dst, records)
	end(dst, from, endKind, records+1)
	return dst
}

// recordLength returns the length of the record that begins with head, of which recordHead bytes are there; !ok
// if there is no such record.
func recordLength(head []byte) (n int, ok bool) {
	length := binary.LittleEndian.Uint32(head[4:])
	k := kind(length >> kindShift)
	length &= lengthMask
	return recordHead + int(length), k >= stateKind && k <= endKind && length <= maxPayload
}

// parseRecord reads the record that b is; !ok if its checksum is wrong.
func parseRecord(b []byte) (r record, ok bool) {
	if crc32.Checksum(b[4:], castagnoli) != binary.LittleEndian.Uint32(b) {
		return r, false
	}
	r.kind = kind(b[7])
	r.seq = binary.LittleEndian.Uint64(b[8:])
	r.payload = b[recordHead:]
	return r, true
}

// state takes a state record's payload apart.
func (r *record) state() (aor, state []byte, ok bool) {
	length, n := binary.Uvarint(r.payload)
	if n <= 0 || length > uint64(len(r.payload)-n) {
		return nil, nil, false
	}
	aor = r.payload[n:][:length]
	return aor, r.payload[n+int(length):], true
}

// number is the number that a mark or an end record holds, in its last bytes.
func (r *record) number() (v uint64, ok bool) {
	if len(r.payload) < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(r.payload[len(r.payload)-8:]), true
}

// lastMark returns the highest number that a mark anywhere in b says is synced.
func lastMark(b []byte, salt uint64) (durable uint64) {
	sought := binary.LittleEndian.AppendUint64(nil, salt)
	for end := 0; ; {
		at := bytes.Index(b[end:], sought)
		if at < 0 {
			return durable
		}
		from := end + at - recordHead
		end += at + 1
		if from < 0 || from+markSize > len(b) {
			continue
		}
		if r, ok := parseRecord(b[from : from+markSize]); ok && r.kind == markKind {
			v, _ := r.number()
			durable = max(durable, v)
		}
	}
}
