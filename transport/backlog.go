package transport

import (
	"slices"
	"sync"
)

// backlog holds whole messages that wait for a connection. nil holds none.
type backlog struct {
	pipe
	ends []int // where each message ends, counted from the first byte that was ever in it
	done int   // so many of them have been taken off
}

var backlogs = sync.Pool{New: func() any { return new(backlog) }}

func borrowBacklog() *backlog { return backlogs.Get().(*backlog) }

func (l *backlog) giveBack() {
	l.clear()
	if cap(l.ends) > maxBacklogEnds {
		return // one that has grown large is not kept
	}
	l.ends, l.done = l.ends[:0], 0
	backlogs.Put(l)
}

func (l *backlog) add(m []byte) {
	l.write(m)
	l.ends = append(l.ends, l.from()+l.size())
}

// left is how many messages there are.
func (l *backlog) left() int { return len(l.ends) - l.done }

// from is where the first message begins.
func (l *backlog) from() int {
	if l.done == 0 {
		return 0
	}
	return l.ends[l.done-1]
}

// waits is how many bytes there are.
func (l *backlog) waits() int {
	if l == nil {
		return 0
	}
	return l.size()
}

// memory is how much they take.
func (l *backlog) memory() int {
	if l == nil {
		return 0
	}
	return l.held()
}

// next is how many bytes the first message has, and those behind it that fit into most with it.
func (l *backlog) next(most int) int {
	from, ends := l.from(), l.ends[l.done:]
	fit, _ := slices.BinarySearch(ends, from+most+1)
	return ends[max(1, fit)-1] - from
}

// took takes the messages off that end within the first n bytes, and returns how many they are.
func (l *backlog) took(n int) int {
	from := l.from()
	whole, _ := slices.BinarySearch(l.ends[l.done:], from+n+1)
	l.done += whole
	l.drop(l.from() - from)
	if l.done > len(l.ends)/2 {
		l.compact()
	}
	return whole
}

// compact forgets the ends of what is gone, so that a peer that is always behind has no list that only grows.
func (l *backlog) compact() {
	from := l.from()
	l.ends = l.ends[:copy(l.ends, l.ends[l.done:])]
	for i := range l.ends {
		l.ends[i] -= from
	}
	l.done = 0
}

// each calls fn with each message, which is fn's until it returns.
func (l *backlog) each(fn func(m []byte)) {
	from := l.from()
	var whole []byte // of one that lies in several chunks
	at := 0
	for _, end := range l.ends[l.done:] {
		size := end - from - at
		m := l.front(at)
		if len(m) >= size {
			m = m[:size:size]
		} else {
			whole = l.appendTo(whole[:0], at, size)
			m = whole
		}
		fn(m)
		at += size
	}
}
