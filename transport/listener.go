package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"biloxi/sip"
)

// listener accepts connections.
type listener struct {
	net.Listener
	t         *Transport
	transport sip.Transport
}

// bind binds one listener; t.mu is held.
func (t *Transport) bind(l Listener) error {
	a, family, err := t.cfg.listenAddress(l)
	if err != nil {
		return err
	}
	local, err := t.bindTo(l.Transport, a.String(), family)
	if err != nil && family == "" && withoutIPv6(err) {
		t.log.Warn("IPv6 is off on this machine: the listener takes IPv4 alone", "listener", l.Address, "error", err)
		local, err = t.bindTo(l.Transport, netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port()).String(), "4")
	}
	if err != nil {
		return explain(l, err)
	}
	if local.Addr().Is4() {
		family = "4" // the system's choice, where IPv6 is off
	}
	t.bound = append(t.bound, newEndpoint(l.Transport, local, family))
	return nil
}

func (t *Transport) bindTo(tr sip.Transport, address, family string) (netip.AddrPort, error) {
	if tr == sip.UDP {
		return t.bindPacket(address, family)
	}
	return t.bindStream(tr, address, family)
}

// withoutIPv6 reports whether an error of binding says that the system has no IPv6.
func withoutIPv6(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

func (t *Transport) bindPacket(address, family string) (local netip.AddrPort, err error) {
	var io packetIO
	if t.cfg.ListenPacket != nil {
		c, err := t.cfg.ListenPacket("udp"+family, address)
		if err != nil {
			return local, err
		}
		local, io = addrPort(c.LocalAddr()), newPortableIO(c)
	} else {
		c, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp"+family, address)
		if err != nil {
			return local, err
		}
		if local = addrPort(c.LocalAddr()); local.Addr().Is4() {
			family = "4"
		}
		if io, err = newSystemIO(c.(*net.UDPConn), local.Addr().IsUnspecified(), family, t.cfg.Undelivered != nil, len(t.sockets) < t.waitingReaders()); err != nil {
			_ = c.Close()
			return local, err
		}
	}
	t.sockets = append(t.sockets, newSocket(t, io, newEndpoint(sip.UDP, local, family)))
	return local, nil
}

func (t *Transport) bindStream(tr sip.Transport, address, family string) (netip.AddrPort, error) {
	listen := t.cfg.ListenStream
	if listen == nil {
		probes := net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount}
		listen = func(network, address string) (net.Listener, error) {
			return (&net.ListenConfig{KeepAliveConfig: probes}).Listen(context.Background(), network, address)
		}
	}
	ln, err := listen("tcp"+family, address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	t.listeners = append(t.listeners, &listener{Listener: ln, t: t, transport: tr})
	return addrPort(ln.Addr()), nil
}

// unbind closes all that is bound; t.mu is held.
func (t *Transport) unbind() {
	for _, s := range t.sockets {
		s.io.close()
	}
	for _, l := range t.listeners {
		_ = l.Close()
	}
}

// explain says in one line what is wrong with a listener, and what to do.
func explain(l Listener, err error) error {
	name := strings.ToLower(l.Transport.String()) + " " + l.Address
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %w: another server runs there; stop it or choose another address", name, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %w: this machine has no such address", name, syscall.EADDRNOTAVAIL)
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return fmt.Errorf("%s: %w: IPv6 is off on this machine; choose an IPv4 address", name, syscall.EAFNOSUPPORT)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: %w: a port below 1024 needs a privilege (CAP_NET_BIND_SERVICE)", name, syscall.EACCES)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// serve accepts until the transport stops. What keeps it from accepting, as a want of file descriptors, is
// waited out.
func (l *listener) serve() {
	var pause time.Duration
	for {
		nc, err := l.Accept()
		if l.t.stopping.Load() {
			if err == nil {
				_ = nc.Close()
			}
			return
		}
		if err == nil {
			pause = 0
			l.t.accept(nc, l.transport)
			continue
		}
		l.t.counts.add(l.transport, acceptErrors, 1)
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			l.t.shed()
		}
		pause = min(max(2*pause, 5*time.Millisecond), acceptRetry)
		if pause == acceptRetry {
			l.t.log.Warn("no connection can be accepted", "listener", l.Addr().String(), "error", err)
		}
		l.t.pause(pause)
	}
}

// pause lets d go by, or less when the transport stops.
func (t *Transport) pause(d time.Duration) { t.pauseUntil(d, t.stop) }

// pauseUntil is pause with another end.
func (t *Transport) pauseUntil(d time.Duration, end <-chan struct{}) {
	select {
	case <-time.After(d):
	case <-end:
	}
}
