package transport

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// turns gives the processor to handshakes, a few at a time. Those that were begun go on first; of those that begin,
// sources have one turn after the other, whatever each of them has waiting: who floods us stands in its own way. A turn
// is given back while its holder waits for the peer.
type turns struct {
	mu    sync.Mutex
	free  int
	again list.List                      // of *turn: handshakes that go on
	lines list.List                      // of *line: sources with somebody who waits, the next first
	of    map[netip.Prefix]*list.Element // of lines
}

// line is those of one source that wait to begin.
type line struct {
	source netip.Prefix
	waits  list.List // of *turn
}

// turn is one that is waited for.
type turn struct {
	come chan struct{} // closed when it is there
	at   *list.Element // where it waits
	line *list.Element // of whom, nil if its handshake goes on
}

func newTurns(n int) turns { return turns{free: max(1, n), of: map[netip.Prefix]*list.Element{}} }

// waitEnds is what ends the waiting for a turn: its time, the end of the transport, or that of the connection.
type waitEnds struct {
	patience  <-chan time.Time
	stop, cut <-chan struct{}
}

// take waits for a turn, and returns why there is none, if so.
func (t *turns) take(source netip.Prefix, again bool, ends waitEnds) (refused counter) {
	mine := t.ask(source, again)
	if mine == nil {
		return noCounter
	}
	select {
	case <-mine.come:
		return noCounter
	case <-ends.patience:
		refused = refusedHandshakes
	case <-ends.stop:
		refused = closedShutdown
	case <-ends.cut:
		refused = closedGaveWay // or what it was cut for
	}
	t.resign(mine)
	return refused
}

// ask returns nil if there is a turn at once.
func (t *turns) ask(source netip.Prefix, again bool) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free > 0 {
		t.free--
		return nil
	}
	mine := &turn{come: make(chan struct{})}
	if again {
		mine.at = t.again.PushBack(mine)
		return mine
	}
	if mine.line = t.of[source]; mine.line == nil {
		mine.line = t.lines.PushBack(&line{source: source})
		t.of[source] = mine.line
	}
	mine.at = mine.line.Value.(*line).waits.PushBack(mine)
	return mine
}

// resign gives up waiting.
func (t *turns) resign(mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-mine.come:
		t.pass() // it had just come
		return
	default:
	}
	if mine.line == nil {
		t.again.Remove(mine.at)
		return
	}
	l := mine.line.Value.(*line)
	l.waits.Remove(mine.at)
	t.dropEmpty(mine.line)
}

// dropEmpty forgets a line in which nobody waits.
func (t *turns) dropEmpty(e *list.Element) {
	if l := e.Value.(*line); l.waits.Len() == 0 {
		t.lines.Remove(e)
		delete(t.of, l.source)
	}
}

// give gives a turn back.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pass()
}

// pass gives a turn to who waits for it; t.mu is held.
func (t *turns) pass() {
	if e := t.again.Front(); e != nil {
		close(t.again.Remove(e).(*turn).come)
		return
	}
	e := t.lines.Front()
	if e == nil {
		t.free++
		return
	}
	l := e.Value.(*line)
	close(l.waits.Remove(l.waits.Front()).(*turn).come)
	t.lines.MoveToBack(e)
	t.dropEmpty(e)
}

// waiting is how many wait.
func (t *turns) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.again.Len()
	for e := t.lines.Front(); e != nil; e = e.Next() {
		n += e.Value.(*line).waits.Len()
	}
	return n
}
