package transport

import "sync"

// chunk is the unit of memory for what connections have begun to read and not finished, and for what waits to be
// written: all of one size, so that one that was given back serves the next, and what is charged is what is there. A
// buffer that doubles leaves as much as garbage as it holds.
type chunk [readBuffer]byte

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// pipe is a run of bytes in chunks: written to its end, read from its front.
type pipe struct {
	chunks []*chunk
	first  int // of chunks: those before it have been given back
	start  int // in the first one
	end    int // in the last one
}

// size is how many bytes there are.
func (p *pipe) size() int {
	n := len(p.chunks) - p.first
	if n == 0 {
		return 0
	}
	return (n-1)*readBuffer + p.end - p.start
}

// held is how many bytes of memory they take.
func (p *pipe) held() int { return (len(p.chunks) - p.first) * readBuffer }

// write adds b.
func (p *pipe) write(b []byte) {
	for len(b) > 0 {
		n := copy(p.room(), b)
		p.end += n
		b = b[n:]
	}
}

// room is where more can be written, never nothing; what was written there is to be added to end.
func (p *pipe) room() []byte {
	if p.first == len(p.chunks) || p.end == readBuffer {
		p.grow()
	}
	return p.chunks[len(p.chunks)-1][p.end:]
}

func (p *pipe) grow() {
	if p.first > 0 && len(p.chunks) == cap(p.chunks) {
		n := copy(p.chunks, p.chunks[p.first:])
		clear(p.chunks[n:])
		p.chunks, p.first = p.chunks[:n], 0
	}
	p.chunks = append(p.chunks, chunks.Get().(*chunk))
	p.end = 0
}

// front is the bytes of the first chunk, from skip bytes behind the front on; nil if there are not so many.
func (p *pipe) front(skip int) []byte {
	i := p.first + (p.start+skip)/readBuffer
	if i >= len(p.chunks) {
		return nil
	}
	end := readBuffer
	if i == len(p.chunks)-1 {
		end = p.end
	}
	return p.chunks[i][min((p.start+skip)%readBuffer, end):end]
}

// appendTo appends n bytes, from skip bytes behind the front on.
func (p *pipe) appendTo(dst []byte, skip, n int) []byte {
	for n > 0 {
		b := p.front(skip)
		b = b[:min(len(b), n)]
		dst = append(dst, b...)
		skip, n = skip+len(b), n-len(b)
	}
	return dst
}

// drop takes n bytes off the front.
func (p *pipe) drop(n int) {
	for p.start += n; p.first < len(p.chunks); p.first++ {
		last := p.first == len(p.chunks)-1
		if !last && p.start < readBuffer || last && p.start < p.end {
			return
		}
		if last {
			p.start = readBuffer // all of it is gone
		}
		chunks.Put(p.chunks[p.first])
		p.chunks[p.first] = nil
		p.start -= readBuffer
	}
	p.chunks, p.first, p.start, p.end = p.chunks[:0], 0, 0, 0
}

// clear takes all off.
func (p *pipe) clear() { p.drop(p.size()) }
