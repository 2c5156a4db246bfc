package transport

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"biloxi/sip"
)

// dials are the connections that we open for answers whose own connection has closed.
type dials struct {
	mu    sync.Mutex
	under map[netip.AddrPort]*dial // being opened
	open  map[netip.AddrPort]*conn // by the peer's address
}

// dial is one that is being opened, with what waits for it.
type dial struct {
	queue    []byte
	messages int
}

// redial sends an answer down a connection that it opens for it.
//
// RFC 3261 §18.2.2: if the connection that the request came on is no longer open, the server should open
// one to the address in received and the port of sent-by; the caller gives both as `to`. Over TLS the peer
// of a phone has no certificate to know it by, so that only TCP is opened.
func (t *Transport) redial(flow sip.Flow, to netip.AddrPort, b []byte) error {
	if flow.Transport != sip.TCP || to.Port() == 0 || !isHost(to.Addr()) {
		t.counts.add(flow.Transport, unsentGone, 1)
		return ErrGone
	}
	d := &t.dials
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.open[to]; c != nil {
		if c.send(b) != nil {
			t.counts.add(sip.TCP, unsentQueue, 1)
			return ErrFull
		}
		t.counts.add(sip.TCP, sent, 1)
		return nil
	}
	one := d.under[to]
	if one == nil {
		if len(d.under) >= t.cfg.Limits.MaxDials {
			t.counts.add(sip.TCP, unsentDials, 1)
			return ErrFull
		}
		one = &dial{}
		if !t.startDial(one, flow.Local.Addr(), to) {
			return ErrClosed
		}
		d.under[to] = one
	}
	if len(one.queue)+len(b) > t.cfg.Limits.WriteQueue {
		t.counts.add(sip.TCP, unsentQueue, 1)
		return ErrFull
	}
	one.queue = append(one.queue, b...)
	one.messages++
	return nil
}

// startDial opens a connection on a goroutine of its own, unless all is closing.
func (t *Transport) startDial(one *dial, from netip.Addr, to netip.AddrPort) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == finished {
		return false
	}
	t.all.Add(1)
	reads := !t.stopping.Load() // else it only writes, and Stop does not wait for it
	if reads {
		t.readers.Add(1)
	}
	go t.dial(one, from, to, reads)
	return true
}

func (t *Transport) dial(one *dial, from netip.Addr, to netip.AddrPort, reads bool) {
	defer t.all.Done()
	c := t.open(from, to)
	if c != nil {
		c.dialled, c.uncounted = to, !reads
	}
	if !t.deliver(one, to, c) {
		if reads {
			t.readers.Done()
		}
		return
	}
	c.run()
}

// deliver sends what waited for a connection, which is nil if none was opened.
func (t *Transport) deliver(one *dial, to netip.AddrPort, c *conn) bool {
	d := &t.dials
	d.mu.Lock()
	delete(d.under, to)
	if c != nil {
		d.open[to] = c
	}
	d.mu.Unlock()
	if c == nil {
		t.counts.add(sip.TCP, unsentUnreachable, one.messages)
		return false
	}
	if c.send(one.queue) == nil {
		t.counts.add(sip.TCP, sent, one.messages)
	}
	return true
}

// open returns a connection to an address, nil if there can be none.
func (t *Transport) open(from netip.Addr, to netip.AddrPort) *conn {
	source := sourceOf(to.Addr())
	if why := t.admission.enter(source); why != noCounter {
		t.counts.add(sip.TCP, why, 1)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.cfg.Limits.Dial)
	defer cancel()
	go func() {
		select {
		case <-t.force:
			cancel()
		case <-ctx.Done():
		}
	}()
	nc, err := t.dialSystem(ctx, from, to)
	if err != nil {
		t.admission.leave(source)
		return nil
	}
	t.counts.add(sip.TCP, opened, 1)
	return t.newConn(nc, sip.TCP, source)
}

func (t *Transport) dialSystem(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	local := ""
	if from.IsValid() && !from.IsUnspecified() {
		local = netip.AddrPortFrom(from, 0).String()
	}
	if t.cfg.Dial != nil {
		return t.cfg.Dial(ctx, "tcp", local, to.String())
	}
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount}}
	if local != "" {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	return d.DialContext(ctx, "tcp", to.String())
}

// forgetDialled takes a connection that has ended off the list.
func (t *Transport) forgetDialled(c *conn) {
	if !c.dialled.IsValid() {
		return
	}
	t.dials.mu.Lock()
	defer t.dials.mu.Unlock()
	if t.dials.open[c.dialled] == c {
		delete(t.dials.open, c.dialled)
	}
}
