package transport

import (
	"slices"
	"sync"
)

// backlog holds whole messages that wait for a connection, as one run of bytes. nil holds none.
type backlog struct {
	b    []byte
	ends []int // where each message ends in b
	done int   // so many of them have been taken off
}

var backlogs = sync.Pool{New: func() any { return new(backlog) }}

func borrowBacklog() *backlog { return backlogs.Get().(*backlog) }

func (l *backlog) giveBack() {
	if cap(l.b) > 4*streamOutBuffer {
		return // one that has grown large is not kept
	}
	l.b, l.ends, l.done = l.b[:0], l.ends[:0], 0
	backlogs.Put(l)
}

func (l *backlog) add(m []byte) {
	l.b = append(l.b, m...)
	l.ends = append(l.ends, len(l.b))
}

// left is how many messages there are.
func (l *backlog) left() int { return len(l.ends) - l.done }

// start is where the first message begins.
func (l *backlog) start() int {
	if l.done == 0 {
		return 0
	}
	return l.ends[l.done-1]
}

// size is in bytes.
func (l *backlog) size() int {
	if l == nil {
		return 0
	}
	return len(l.b) - l.start()
}

// chunk is the first message, and those behind it that fit into most bytes with it.
func (l *backlog) chunk(most int) []byte {
	start, ends := l.start(), l.ends[l.done:]
	fit, _ := slices.BinarySearch(ends, start+most+1)
	return l.b[start:ends[max(1, fit)-1]]
}

// took takes the messages off that end within the first n bytes, and returns how many they are.
func (l *backlog) took(n int) int {
	whole, _ := slices.BinarySearch(l.ends[l.done:], l.start()+n+1)
	l.done += whole
	if l.start() > len(l.b)/2 {
		l.compact()
	}
	return whole
}

// compact moves what is left to the front, so that a peer that is always behind has no run that only grows.
func (l *backlog) compact() {
	start := l.start()
	l.b = l.b[:copy(l.b, l.b[start:])]
	l.ends = l.ends[:copy(l.ends, l.ends[l.done:])]
	for i := range l.ends {
		l.ends[i] -= start
	}
	l.done = 0
}

func (l *backlog) each(fn func(m []byte)) {
	start := l.start()
	for _, end := range l.ends[l.done:] {
		fn(l.b[start:end:end])
		start = end
	}
}
