package transport

import (
	"strconv"
	"sync"

	"biloxi/sip"
)

// buffer holds what a stream brought and nobody has taken yet: b[start:end], and of a message that does not fit into b
// all that is more. It is borrowed from a pool while there is something in it, and belongs to the connection's reader.
type buffer struct {
	b          []byte
	start, end int
	more       pipe    // what came after b was full of one message
	whole      *[]byte // that message, put together while it is looked at

	// Of the unfinished message at start, so that bytes that trickle in are not looked at again and again:
	scanned int // so many bytes of it hold no end of the header section
	need    int // its whole length, 0 if not known
}

var readBuffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, readBuffer)} }}

// wholes are where large messages are put together, each for as long as it takes to handle it.
var wholes = sync.Pool{New: func() any { return new([]byte) }}

func borrowBuffer() *buffer { return readBuffers.Get().(*buffer) }

// release gives the buffer back.
func (b *buffer) release() {
	b.start, b.end, b.scanned, b.need = 0, 0, 0, 0
	b.more.clear()
	b.forgetWhole()
	readBuffers.Put(b)
}

// memory is how much it takes.
func (b *buffer) memory() int {
	if b == nil {
		return 0
	}
	return len(b.b) + b.more.held()
}

// bytes is what is there, as far as it lies in one piece.
func (b *buffer) bytes() []byte {
	if b.whole != nil {
		return *b.whole
	}
	return b.b[b.start:b.end]
}

func (b *buffer) size() int   { return b.end - b.start + b.more.size() }
func (b *buffer) empty() bool { return b.start == b.end }

// free is where more is to be read, no more of it than a large message needs.
func (b *buffer) free() []byte {
	if b.more.held() == 0 {
		return b.b[b.end:]
	}
	free := b.more.room()
	if left := b.need - b.size(); left > 0 {
		free = free[:min(len(free), left)]
	}
	return free
}

// read adds n bytes that were read into free.
func (b *buffer) read(n int) {
	if b.more.held() == 0 {
		b.end += n
	} else {
		b.more.end += n
	}
}

// take marks the first n bytes as done.
func (b *buffer) take(n int) {
	if b.more.held() > 0 {
		b.takeLarge(n)
	} else {
		b.start += n
	}
	b.scanned, b.need = 0, 0
	if b.start == b.end {
		b.start, b.end = 0, 0
	}
}

// takeLarge takes the message that did not fit into b. What came behind it came with the end of its header section, in
// one read, and fits.
func (b *buffer) takeLarge(n int) {
	skip := n - (b.end - b.start)
	rest := b.more.size() - skip
	b.start, b.end = 0, len(b.more.appendTo(b.b[:0], skip, rest))
	b.more.clear()
	b.forgetWhole()
}

// room makes sure that something can be read: it moves what is there to the front, and where that is full it is of a
// large message.
func (b *buffer) room() {
	if b.more.held() > 0 || b.end < len(b.b) {
		return
	}
	if b.start > 0 {
		b.end = copy(b.b, b.b[b.start:b.end])
		b.start = 0
		return
	}
	b.more.grow()
}

// together puts a large message together.
func (b *buffer) together() []byte {
	b.whole = wholes.Get().(*[]byte)
	*b.whole = b.more.appendTo(append((*b.whole)[:0], b.b[b.start:b.end]...), 0, b.more.size())
	return *b.whole
}

func (b *buffer) forgetWhole() {
	if b.whole != nil {
		wholes.Put(b.whole)
		b.whole = nil
	}
}

// frame is [sip.Frame] of what is there, without its work where it is known that more must come.
func (b *buffer) frame(maxHead, maxBody int) (skip, length, known int, err error) {
	size := b.size()
	if size < b.need {
		return 0, 0, 0, nil
	}
	if b.need == 0 && b.scanned > 0 && size < maxHead && !b.headEnds() {
		b.scanned = size
		return 0, 0, 0, nil
	}
	p := b.bytes()
	if b.more.held() > 0 {
		p = b.together()
	}
	skip, length, known, err = sip.Frame(p, maxHead, maxBody)
	if p = p[skip:]; err == nil && length == 0 && len(p) > 1 {
		if head := sip.HeadLength(p); head == 0 {
			b.scanned = len(p)
		} else {
			b.need = messageLength(p[:head])
		}
		b.forgetWhole()
	}
	return skip, length, known, err
}

// headEnds reports whether the end of a header section is behind what was scanned.
func (b *buffer) headEnds() bool {
	const before = 3 // bytes of it that can be in the piece before
	var seam [2 * before]byte
	n := 0
	for at := max(0, b.scanned-before); at < b.size(); {
		p := b.piece(at)
		if sip.HeadLength(p) > 0 || sip.HeadLength(seam[:n+copy(seam[n:], p[:min(len(p), before)])]) > 0 {
			return true
		}
		if len(p) < before {
			n = copy(seam[:], seam[max(0, n+len(p)-before):n+len(p)])
		} else {
			n = copy(seam[:], p[len(p)-before:])
		}
		at += len(p)
	}
	return false
}

// piece is what is there from at on, as far as it lies in one piece.
func (b *buffer) piece(at int) []byte {
	if n := b.end - b.start; at >= n {
		return b.more.front(at - n)
	}
	return b.b[b.start+at : b.end]
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
