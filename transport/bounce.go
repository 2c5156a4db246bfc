package transport

import (
	"fmt"
	"net/netip"
	"syscall"

	"biloxi/sip"
)

// bouncer is a packetIO that hears of datagrams that came back.
type bouncer interface {
	// bounced signals that some may have.
	bounced() <-chan struct{}
	// bounces gives those that have to fn: as much of each as came back, which is fn's until it returns, whom
	// it was to, and why. It is for one goroutine.
	bounces(fn func(b []byte, to netip.AddrPort, why syscall.Errno))
}

// hear tells of the datagrams that came back until the transport ends.
func (s *socket) hear(b bouncer) {
	for {
		select {
		case <-b.bounced():
			b.bounces(s.bounce)
			s.t.Flush() // what was sent instead
		case <-s.t.finish:
			return
		}
	}
}

// bounce reports one: RFC 3261 §18.4: the transport user should be told.
func (s *socket) bounce(b []byte, to netip.AddrPort, why syscall.Errno) {
	flow := sip.Flow{Transport: sip.UDP, Local: s.flow.Local, Remote: to}
	if s.wildcard {
		flow.Local = netip.AddrPortFrom(s.t.source(to.Addr()), s.flow.Local.Port())
	}
	s.t.counts.add(sip.UDP, unsentBounced, 1)
	s.t.cfg.Undelivered(flow, b, fmt.Errorf("transport: the datagram came back: %w", why))
}
