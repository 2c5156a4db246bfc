package transport

import (
	"slices"
	"sync"
)

// backlog holds whole messages that wait for a connection, as one run of bytes. nil holds none.
type backlog struct {
	b     []byte
	start int   // of the first message in b
	ends  []int // where each message ends in b
}

var backlogs = sync.Pool{New: func() any { return new(backlog) }}

func borrowBacklog() *backlog { return backlogs.Get().(*backlog) }

func (l *backlog) giveBack() {
	if cap(l.b) > 4*streamOutBuffer {
		return // one that has grown large is not kept
	}
	l.b, l.start, l.ends = l.b[:0], 0, l.ends[:0]
	backlogs.Put(l)
}

func (l *backlog) add(m []byte) {
	l.b = append(l.b, m...)
	l.ends = append(l.ends, len(l.b))
}

func (l *backlog) size() int {
	if l == nil {
		return 0
	}
	return len(l.b)
}

// through is how many messages are whole in the first n bytes.
func (l *backlog) through(n int) int {
	i, _ := slices.BinarySearch(l.ends, n+1)
	return i
}

// drop takes the first i messages off.
func (l *backlog) drop(i int) {
	if i > 0 {
		l.start, l.ends = l.ends[i-1], l.ends[i:]
	}
}

func (l *backlog) each(fn func(m []byte)) {
	start := l.start
	for _, end := range l.ends {
		fn(l.b[start:end:end])
		start = end
	}
}
