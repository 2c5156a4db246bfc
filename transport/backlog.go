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

// size is in bytes.
func (l *backlog) size() int {
	if l == nil {
		return 0
	}
	return len(l.b) - l.start
}

// chunk is the first message, and those behind it that fit into max bytes with it.
func (l *backlog) chunk(max int) []byte {
	end := l.ends[0]
	for _, e := range l.ends[1:] {
		if e-l.start > max {
			break
		}
		end = e
	}
	return l.b[l.start:end]
}

// took takes the messages off that end within the first n bytes, and returns how many they are.
func (l *backlog) took(n int) int {
	i, _ := slices.BinarySearch(l.ends, l.start+n+1)
	if i > 0 {
		l.start, l.ends = l.ends[i-1], l.ends[i:]
	}
	return i
}

func (l *backlog) each(fn func(m []byte)) {
	start := l.start
	for _, end := range l.ends {
		fn(l.b[start:end:end])
		start = end
	}
}
