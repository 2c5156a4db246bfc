package server

import (
	"sync"
	"time"

	"biloxi/sip"
)

// heldAcks are the ACKs that went over a stream for their size and may yet have to go as datagrams: where nobody listens
// for streams (RFC 3261 §18.1.1). Other requests have a transaction that hears of it; an ACK is held here for as long as
// a connection may take to open. Its lock is taken under that of a relay, never the other way round.
type heldAcks struct {
	mu    sync.Mutex
	held  map[string]*leg // by branch
	order []heldAck       // the first to be let go first
}

// heldAck is one of them.
type heldAck struct {
	branch string
	until  time.Time
}

// hold holds an ACK's leg, and with it the relay. One that is held already under that branch is the same ACK; while too
// many are, one more is not. Of no dialog that came this way there are an eighth of them at the most.
func (h *heldAcks) hold(now time.Time, l *leg, branch []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == nil {
		h.held = map[string]*leg{}
	}
	most := maxHeldAcks
	if !l.relay.proved {
		most /= 8
	}
	if h.held[string(branch)] != nil || len(h.order) >= most {
		return
	}
	l.relay.holds.Add(1)
	h.held[string(branch)] = l
	h.order = append(h.order, heldAck{string(branch), now.Add(ackPatience)})
}

// take returns the leg of an ACK, nil if it is not held; its hold is the caller's.
func (h *heldAcks) take(branch []byte) *leg {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.held[string(branch)]
	delete(h.held, string(branch))
	return l
}

// due takes one whose time is over, nil if there is none.
func (h *heldAcks) due(now time.Time) *leg {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.order) > 0 && !h.order[0].until.After(now) {
		branch := h.order[0].branch
		h.order[0] = heldAck{}
		if h.order = h.order[1:]; len(h.order) == 0 {
			h.order = nil
		}
		if l := h.held[branch]; l != nil {
			delete(h.held, branch)
			return l
		}
	}
	return nil
}

// expire lets go of those whose time is over.
func (h *heldAcks) expire(now time.Time) {
	for l := h.due(now); l != nil; l = h.due(now) {
		l.relay.release()
	}
}

// ackLost goes on with an ACK that could not be delivered; false if it is none that is held.
func (s *Server) ackLost(m *sip.Message) bool {
	if m.Method() != sip.Ack {
		return false
	}
	via, err := m.Via()
	if err != nil {
		return false
	}
	l := s.heldAcks.take(via.Branch())
	if l == nil {
		return false
	}
	now, r := s.now(), l.relay
	r.mu.Lock()
	l.targets.Failed(l.target, 0)
	r.perform(now, r.unreached(now, l), nil)
	r.leave()
	return true
}
