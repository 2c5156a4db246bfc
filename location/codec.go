package location

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"biloxi/sip"
)

// codecVersion begins every encoded record. A change of the layout below takes the next number, and Decode
// goes on reading the ones before.
const codecVersion = 1

// Layout, version 1. Numbers are varints, text is its length and its bytes:
//
//	version, number of bindings, then for each binding:
//	flags, contact, params, q if hasQ, writer, before if hasBefore, granted, path, instance, reg-id,
//	flow if hasFlow, user agent, updated, updated-created, expires-updated unless never.
//
//	writer: call-id, cseq, branch (8 bytes, little-endian)
//	flow: transport (1 byte), local, remote (netip.AddrPort.AppendBinary, as text), serial
const (
	flagHasQ = 1 << iota
	flagRemoved
	flagNever
	flagBefore
	flagFlow
	flagsKnown = 1<<iota - 1
)

// errRecord is wrapped by every error of Decode.
var errRecord = errors.New("location: malformed record")

// Append appends the record in its encoded form, which Decode reads. Empty slices and nil are the same in it.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, codecVersion)
	dst = binary.AppendUvarint(dst, uint64(len(r.Bindings)))
	for i := range r.Bindings {
		dst = r.Bindings[i].append(dst)
	}
	return dst
}

func (b *Binding) append(dst []byte) []byte {
	flags := b.flags()
	dst = append(dst, flags)
	dst = appendText(dst, b.Contact)
	dst = appendText(dst, b.Params)
	if flags&flagHasQ != 0 {
		dst = binary.AppendUvarint(dst, uint64(b.Q))
	}
	dst = b.Writer.append(dst)
	if flags&flagBefore != 0 {
		dst = b.Before.append(dst)
	}
	dst = binary.AppendUvarint(dst, uint64(b.Granted))
	dst = appendText(dst, b.Path)
	dst = appendText(dst, b.Instance)
	dst = binary.AppendUvarint(dst, uint64(b.RegID))
	if flags&flagFlow != 0 {
		dst = appendFlow(dst, &b.Flow)
	}
	dst = appendText(dst, b.UserAgent)
	// Differences wrap around, and wrap back when they are read: no time is out of range.
	dst = binary.AppendVarint(dst, b.Updated)
	dst = binary.AppendVarint(dst, b.Updated-b.Created)
	if flags&flagNever == 0 {
		dst = binary.AppendVarint(dst, b.Expires-b.Updated)
	}
	return dst
}

func (b *Binding) flags() (flags byte) {
	if b.HasQ {
		flags |= flagHasQ
	}
	if b.Removed {
		flags |= flagRemoved
	}
	if b.Expires == Never {
		flags |= flagNever
	}
	if len(b.Before.CallID) > 0 || b.Before.CSeq != 0 || b.Before.Branch != 0 {
		flags |= flagBefore
	}
	if b.Flow != (sip.Flow{}) {
		flags |= flagFlow
	}
	return flags
}

func (w *Writer) append(dst []byte) []byte {
	dst = appendText(dst, w.CallID)
	dst = binary.AppendUvarint(dst, uint64(w.CSeq))
	return binary.LittleEndian.AppendUint64(dst, w.Branch)
}

func appendText(dst, text []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

func appendFlow(dst []byte, f *sip.Flow) []byte {
	dst = append(dst, byte(f.Transport))
	dst = appendAddrPort(dst, f.Local)
	dst = appendAddrPort(dst, f.Remote)
	return binary.AppendUvarint(dst, f.Serial)
}

func appendAddrPort(dst []byte, a netip.AddrPort) []byte {
	var room [64]byte
	text, _ := a.AppendBinary(room[:0]) // cannot fail
	return appendText(dst, text)
}

// Decode reads what Append wrote. The slices of r then are slices of b, and empty ones are nil; the memory of
// r.Bindings is used again. An error says at which byte; r then holds nothing.
func (r *Record) Decode(b []byte) error {
	r.Bindings = r.Bindings[:0]
	d := decoder{rest: b}
	if v := d.byte(); !d.bad && v != codecVersion {
		return fmt.Errorf("%w: version %d is not known", errRecord, v)
	}
	for n := d.uint(1 << 32); n > 0 && !d.bad; n-- {
		d.binding(r.more())
	}
	if d.bad || len(d.rest) > 0 {
		r.Bindings = r.Bindings[:0]
		return fmt.Errorf("%w at byte %d of %d", errRecord, len(b)-len(d.rest), len(b))
	}
	return nil
}

// decoder takes values from the front of rest. After the first that is malformed it is bad and gives zeros.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) binding(b *Binding) {
	flags := d.byte()
	d.bad = d.bad || flags&^flagsKnown != 0
	b.HasQ = flags&flagHasQ != 0
	b.Removed = flags&flagRemoved != 0
	b.Contact = d.text()
	b.Params = d.text()
	b.Q = maxQ
	if b.HasQ {
		b.Q = sip.Q(d.uint(maxQ + 1))
	}
	d.writer(&b.Writer)
	if flags&flagBefore != 0 {
		d.writer(&b.Before)
	}
	b.Granted = uint32(d.uint(1 << 32))
	b.Path = d.text()
	b.Instance = d.text()
	b.RegID = uint32(d.uint(1 << 32))
	if flags&flagFlow != 0 {
		d.flow(&b.Flow)
	}
	b.UserAgent = d.text()
	b.Updated = d.int()
	b.Created = b.Updated - d.int()
	b.Expires = Never
	if flags&flagNever == 0 {
		b.Expires = b.Updated + d.int()
	}
}

// maxQ is the qvalue 1.
const maxQ = 1000

func (d *decoder) writer(w *Writer) {
	w.CallID = d.text()
	w.CSeq = uint32(d.uint(1 << 32))
	w.Branch = d.uint64()
}

func (d *decoder) flow(f *sip.Flow) {
	f.Transport = sip.Transport(d.byte())
	d.bad = d.bad || f.Transport > sip.WSS
	d.addrPort(&f.Local)
	d.addrPort(&f.Remote)
	f.Serial = d.uint(0)
}

func (d *decoder) addrPort(a *netip.AddrPort) {
	text := d.text()
	if !d.bad && a.UnmarshalBinary(text) != nil {
		d.fail()
	}
}

func (d *decoder) byte() byte {
	if d.bad || len(d.rest) == 0 {
		d.fail()
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

// uint takes a number less than limit; a limit of 0 is none.
func (d *decoder) uint(limit uint64) uint64 {
	if !d.bad && len(d.rest) > 0 && d.rest[0] < 0x80 { // most are of one byte
		v := uint64(d.rest[0])
		d.rest = d.rest[1:]
		d.bad = limit != 0 && v >= limit
		return v
	}
	v, n := binary.Uvarint(d.rest)
	if d.bad || n <= 0 || limit != 0 && v >= limit {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.rest)
	if d.bad || n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) uint64() uint64 {
	if d.bad || len(d.rest) < 8 {
		d.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(d.rest)
	d.rest = d.rest[8:]
	return v
}

func (d *decoder) text() []byte {
	if len(d.rest) > 0 && d.rest[0] == 0 && !d.bad { // a good part has none
		d.rest = d.rest[1:]
		return nil
	}
	n := d.uint(0)
	if d.bad || n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	if n == 0 {
		return nil
	}
	text := d.rest[:n:n]
	d.rest = d.rest[n:]
	return text
}

func (d *decoder) fail() { d.bad = true }
