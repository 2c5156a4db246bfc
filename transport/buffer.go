package transport

import (
	"strconv"
	"sync"
	"sync/atomic"

	"biloxi/sip"
)

// buffer holds what a stream brought and nobody has taken yet: b[start:end]. It is borrowed from a pool
// while there is something in it, and belongs to the connection's reader.
type buffer struct {
	b          []byte
	start, end int

	// Of the unfinished message at start, so that bytes that trickle in are not looked at again and again:
	scanned int // so many bytes of it hold no end of the header section
	need    int // its whole length, 0 if not known
}

var readBuffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, readBuffer)} }}

func borrowBuffer() *buffer { return readBuffers.Get().(*buffer) }

// release gives the buffer back; unfinished is what it was charged to if it has grown.
func (b *buffer) release(unfinished *atomic.Int64) {
	b.start, b.end, b.scanned, b.need = 0, 0, 0, 0
	if len(b.b) > readBuffer {
		unfinished.Add(-int64(len(b.b)))
		return // for the garbage collector: large messages are rare
	}
	readBuffers.Put(b)
}

func (b *buffer) bytes() []byte { return b.b[b.start:b.end] }
func (b *buffer) free() []byte  { return b.b[b.end:] }
func (b *buffer) empty() bool   { return b.start == b.end }

// take marks the first n bytes as done.
func (b *buffer) take(n int) {
	b.start += n
	b.scanned, b.need = 0, 0
	if b.start == b.end {
		b.start, b.end = 0, 0
	}
}

// room makes sure that something can be read: it moves what is there to the front, and grows if that is
// full. A buffer that has grown is charged to unfinished; over max it does not grow and ok is false.
func (b *buffer) room(unfinished *atomic.Int64, max int) (ok bool) {
	if b.end < len(b.b) {
		return true
	}
	if b.start > 0 {
		b.end = copy(b.b, b.bytes())
		b.start = 0
		return true
	}
	size, old := 2*len(b.b), 0
	if len(b.b) > readBuffer {
		old = len(b.b)
	}
	if unfinished.Add(int64(size-old)) > int64(max) {
		unfinished.Add(-int64(size - old))
		return false
	}
	grown := make([]byte, size)
	copy(grown, b.bytes())
	b.b = grown
	return true
}

// frame is [sip.Frame] of what is there, without its work where it is known that more must come.
func (b *buffer) frame(maxHead, maxBody int) (skip, length, known int, err error) {
	p := b.bytes()
	if len(p) < b.need {
		return 0, 0, 0, nil
	}
	if b.need == 0 && b.scanned > 0 && len(p) < maxHead && sip.HeadLength(p[max(0, b.scanned-3):]) == 0 {
		b.scanned = len(p)
		return 0, 0, 0, nil
	}
	skip, length, known, err = sip.Frame(p, maxHead, maxBody)
	if p = p[skip:]; err == nil && length == 0 && len(p) > 1 {
		if head := sip.HeadLength(p); head == 0 {
			b.scanned = len(p)
		} else {
			b.need = messageLength(p[:head])
		}
	}
	return skip, length, known, err
}

// messageLength is the length of the message with the header section head, which [sip.Frame] found sound;
// at least that of head.
func messageLength(head []byte) int {
	var m sip.Message
	_ = m.Parse(head) // it misses its body, if nothing worse
	v, _ := m.Value(sip.HeaderContentLength)
	n, err := strconv.Atoi(string(v))
	if err != nil || n < 0 {
		n = 0
	}
	return len(head) + n
}
