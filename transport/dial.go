package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"sync"

	"biloxi/sip"
)

// hop is whom we open a connection to.
type hop struct {
	transport sip.Transport // TCP or TLS
	to        netip.AddrPort
	name      string // TLS: whose certificate it must show, in lower case
}

// newHop is the one of hop for each peer; TLS and no name is its address's.
func newHop(tr sip.Transport, to netip.AddrPort, name string) hop {
	h := hop{transport: tr, to: netip.AddrPortFrom(to.Addr().Unmap(), to.Port())}
	if tr == sip.TLS {
		if h.name = strings.ToLower(strings.TrimSuffix(name, ".")); name == "" {
			h.name = h.to.Addr().WithZone("").String()
		}
	}
	return h
}

// dials are the connections that we opened or are opening.
type dials struct {
	mu sync.Mutex
	to map[hop]*conn
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
	c, err := t.connection(newHop(sip.TCP, to, ""), flow.Local.Addr(), flow.Local.Addr())
	if err != nil {
		t.counts.add(sip.TCP, unsentDials, 1)
		return err
	}
	err = t.postTo(c, b)
	if err == ErrGone { // so soon
		t.counts.add(sip.TCP, unsentUnreachable, 1)
	}
	return err
}

// connection returns a connection of ours to h: one that is open, or one that it begins to open, bound to an
// address of ours. If that is none, or all of them, the system chooses, presumably local.
func (t *Transport) connection(h hop, local, bound netip.Addr) (*conn, error) {
	d := &t.dials
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.to[h]; c != nil && c.alive() {
		return c, nil
	}
	c := &conn{t: t, hop: &h, opening: true}
	c.entry.from = sourcesOf(h.to.Addr())
	out, why := t.admission.enterDial(c)
	if why != noCounter {
		t.counts.add(h.transport, why, 1)
		return nil, ErrFull
	}
	if out != nil {
		out.cut(closedGaveWay)
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.cfg.Limits.Dial)
	c.giveUp = cancel
	c.authenticated.Store(true) // we chose it
	c.flow = sip.Flow{Transport: h.transport, Local: netip.AddrPortFrom(local, 0), Remote: h.to, Serial: t.serial.Add(1)}
	if !t.startDial(ctx, c, bound) {
		cancel()
		t.admission.opened(c)
		t.admission.leave(c)
		return nil, ErrClosed
	}
	d.to[h] = c
	return c, nil
}

// startDial opens a connection on a goroutine of its own, unless all is closing.
func (t *Transport) startDial(ctx context.Context, c *conn, from netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == finished {
		return false
	}
	t.conns.put(c)
	t.all.Add(1)
	go t.dial(ctx, c, from)
	return true
}

// dial opens a connection, sends what waited for it, and leaves it to a reader.
func (t *Transport) dial(ctx context.Context, c *conn, from netip.Addr) {
	defer t.all.Done()
	nc, err := t.dialSystem(ctx, from, c.hop.to)
	c.giveUp()
	t.admission.opened(c)
	if err != nil {
		c.unreached(err)
		return
	}
	c.attach(nc)
	t.counts.add(c.flow.Transport, opened, 1)
	if why := counter(c.why.Load()); why != noCounter { // cut at the last moment
		c.end(why, nil)
		return
	}
	if c.flow.Transport == sip.TLS {
		if err := c.negotiate(tls.Client(tlsSocket{c}, t.tls.client(c.hop.name))); err != nil {
			c.end(closedHandshake, err)
			return
		}
	}
	c.begin()
	t.all.Add(1)
	t.read(c)
}

// begin sends what waited for the connection to open.
func (c *conn) begin() {
	t := c.t
	t.mu.Lock()
	if c.uncounted = t.stopping.Load(); !c.uncounted { // else it only writes, and Stop does not wait for it
		t.readers.Add(1)
	}
	t.mu.Unlock()
	c.flushing.Lock()
	defer c.flushing.Unlock()
	c.mu.Lock()
	c.opening = false
	c.mu.Unlock()
	c.transmit()
	c.mu.Lock()
	c.chargeQueue(0)
	c.mu.Unlock()
}

// unreached takes a connection that could not be opened off the books and says so.
func (c *conn) unreached(err error) {
	t := c.t
	t.forget(c)
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	t.admission.leave(c)
	if why := counter(c.why.Load()); why != noCounter {
		err = goneError(why, nil) // not the peer's fault
	}
	c.report(unsentUnreachable, err)
	c.uncharge()
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

// forget takes a connection that has ended off the lists that it is found by.
func (t *Transport) forget(c *conn) {
	t.conns.remove(c.flow.Serial)
	if c.hop == nil {
		return
	}
	t.dials.mu.Lock()
	defer t.dials.mu.Unlock()
	if t.dials.to[*c.hop] == c {
		delete(t.dials.to, *c.hop)
	}
}
