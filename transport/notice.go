package transport

import (
	"net/netip"
	"sync/atomic"

	"biloxi/sip"
)

// notices remembers when something was last logged, so that no peer can fill the log.
type notices [counterCount]atomic.Int64

// notice logs that a peer was refused or cut, at most once every noticePause for each reason: the rest is
// in the counts.
func (t *Transport) notice(why counter, tr sip.Transport, remote netip.AddrPort, err error) {
	now, last := int64(t.now()), t.notices[why].Load()
	if last != 0 && now-last < int64(noticePause) || !t.notices[why].CompareAndSwap(last, now) {
		return
	}
	args := []any{"transport", tr.String(), "peer", remote.String(), "reason", counterNames[why].reason, "count", t.counts[tr][why].Load()}
	if err != nil {
		args = append(args, "error", err)
	}
	t.log.Info("connection "+counterNames[why].name, args...)
}

// noticed are the ends of a connection that somebody may look for in the log.
func noticed(why counter) bool {
	switch why {
	case closedMessage, closedMemory, closedQueue, closedQueued, closedWrite, closedDescriptors, closedFraming, closedUnauthenticated, closedGaveWay, closedHandshakeWay, closedHello, refusedHandshakes:
		return true
	}
	return false
}
