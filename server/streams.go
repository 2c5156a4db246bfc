package server

import (
	"sync"
	"time"

	"biloxi/proxy"
	"biloxi/sip"
	"biloxi/transaction"
)

// streams knows which legs wait for a response over which connection, so that they learn that it has closed. A leg is in
// it at most once. Its locks are taken under that of a relay, never the other way round.
type streams [16]struct {
	mu    sync.Mutex
	first map[uint64]*waiting // by the connection's number
}

// waiting is a leg's place among those of one connection.
type waiting struct {
	leg           *leg
	client        transaction.ID
	serial        uint64 // of the connection; 0: it is in no list
	before, after *waiting
}

// add notes that a leg's request went over a connection, in that client transaction.
func (s *streams) add(l *leg, serial uint64) {
	s.remove(l)
	if serial == 0 {
		return
	}
	part := &s[serial%uint64(len(s))]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.first == nil {
		part.first = map[uint64]*waiting{}
	}
	w := &l.stream
	*w = waiting{leg: l, client: l.client, serial: serial, after: part.first[serial]}
	if w.after != nil {
		w.after.before = w
	}
	part.first[serial] = w
}

// remove takes a leg out.
func (s *streams) remove(l *leg) {
	w := &l.stream
	if w.serial == 0 {
		return
	}
	part := &s[w.serial%uint64(len(s))]
	part.mu.Lock()
	defer part.mu.Unlock()
	switch {
	case w.before != nil:
		w.before.after = w.after
	case w.after != nil:
		part.first[w.serial] = w.after
	default:
		delete(part.first, w.serial)
	}
	if w.after != nil {
		w.after.before = w.before
	}
	*w = waiting{}
}

// of are the legs of a connection, each with its transaction. They are known by that: a leg may belong to another request
// by the time that it is told.
func (s *streams) of(serial uint64) (list []waiting) {
	part := &s[serial%uint64(len(s))]
	part.mu.Lock()
	defer part.mu.Unlock()
	for w := part.first[serial]; w != nil; w = w.after {
		list = append(list, waiting{leg: w.leg, client: w.client})
	}
	return list
}

// disconnected is told by the transport of a connection that has ended. RFC 3261 §18.4, §16.9: what was sent over it and has no
// answer is as good as not sent.
func (s *Server) disconnected(flow sip.Flow) {
	list := s.streams.of(flow.Serial)
	if len(list) == 0 {
		return
	}
	now := s.now()
	for _, w := range list {
		if w.leg.seize(w.client) {
			r := w.leg.relay
			r.perform(now, r.severed(now, w.leg), nil)
			r.leave()
		}
	}
	s.transport.Flush()
}

// severed is what to do when the connection that a leg's request went over is gone. RFC 5626 §5.3.1: a flow that fails is
// 430.
func (r *relay) severed(now time.Time, l *leg) []proxy.Action {
	if !r.server.waits(l.client) {
		return nil
	}
	status := 503
	if t := r.ctx.Target(l.branch); t.FlowLast || r.in.Direct(t) {
		status = 430
	}
	return r.ctx.Doubt(now, l.branch, status, r.more(l))
}

// waits reports whether a client transaction has no final response yet.
func (s *Server) waits(id transaction.ID) bool {
	switch s.transactions.State(id) {
	case transaction.Calling, transaction.Trying, transaction.Proceeding:
		return true
	}
	return false
}
