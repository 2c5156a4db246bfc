package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"biloxi/sip"
)

// Listener is an address to listen on.
type Listener struct {
	Transport sip.Transport // UDP, TCP or TLS
	// Address is an IP address and a port, "192.0.2.1:5060" or "[2001:db8::1]:5060". "0.0.0.0" is every
	// IPv4 address, "[::]", or no host at all (":5060"), every address of both families; where IPv6 is off it is
	// every IPv4 address, and where another listener has an IPv4 address at the same port "[::]" is every IPv6
	// address. Port 0 is one that the system chooses, see [Transport.Addrs].
	Address string
}

// Config is what a Transport is made of. The zero value of each field is usable.
type Config struct {
	Listeners []Listener // none: nothing is received, connections can still be opened
	TLS       TLSConfig  // needed if a listener is TLS
	Limits    Limits
	Logger    *slog.Logger // nil: nothing is logged

	// Closed is told of each connection that has ended, once, when its flow can no longer be sent to, from
	// the connection's goroutine; it must not wait. One of ours that never came to be open is not told of.
	// nil: nobody wants to know.
	Closed func(flow sip.Flow)

	// Undelivered is told of messages that Send took and that could not be delivered after all: no connection
	// could be opened, or it ended while the message waited. Where the system tells (Linux), it is also told
	// of datagrams, answers among them, that ICMP brought back: b is then as much of the beginning as came,
	// some 500 bytes, and nobody has proved that we ever sent it; a branch of ours in it proves it.
	//
	// It is called on a goroutine of the transport, never within Send, Flush or Receive; it may call Send,
	// must not wait, and b is its own until it returns. nil: nobody wants to know.
	Undelivered func(flow sip.Flow, b []byte, err error)

	// ListenPacket, ListenStream and Dial stand in for the system's sockets, as a simulated network does.
	// nil: the system's. Dial's from is an address of ours with port 0, or empty.
	ListenPacket func(network, address string) (net.PacketConn, error)
	ListenStream func(network, address string) (net.Listener, error)
	Dial         func(ctx context.Context, network, from, to string) (net.Conn, error)
}

func (c *Config) validate() error {
	l := &c.Limits
	for _, n := range []int{l.MaxHead, l.MaxBody, l.MaxConns, l.MaxConnsPerSource, l.WriteQueue, l.MaxHandshakes, l.Handshaking, l.MaxUnfinished, l.MaxQueued, l.MaxDials, l.Descriptors} {
		if n < 0 {
			return errors.New("transport: a limit is negative")
		}
	}
	if l.Idle < transactionLife {
		// RFC 3261 §18: a connection is kept open for 64*T1 after the last message on it.
		return fmt.Errorf("transport: an idle timeout of %v is under the %v (64*T1) that a connection must stay open", l.Idle, transactionLife)
	}
	secure := false
	for _, a := range c.Listeners {
		switch a.Transport {
		case sip.UDP, sip.TCP:
		case sip.TLS:
			secure = true
		default:
			return fmt.Errorf("transport: listener %q: transport %q is not one of UDP, TCP, TLS", a.Address, a.Transport)
		}
		if _, _, err := splitAddress(a.Address); err != nil {
			return err
		}
	}
	if secure && len(c.TLS.Certificates) == 0 {
		return errors.New("transport: a TLS listener needs a certificate and its key")
	}
	return nil
}

// splitAddress reads a listener's address; family is "4", "6", or "" for both.
func splitAddress(address string) (a netip.AddrPort, family string, err error) {
	text := address
	if len(address) > 0 && address[0] == ':' {
		text = "[::]" + address
	}
	if a, err = netip.ParseAddrPort(text); err != nil {
		return a, "", fmt.Errorf("transport: listener address %q is not an IP address and a port, as 192.0.2.1:5060 or [2001:db8::1]:5060", address)
	}
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	switch {
	case a.Addr().Is4():
		family = "4"
	case !a.Addr().IsUnspecified():
		family = "6"
	}
	return a, family, nil
}

// listenAddress is splitAddress of a listener among all: one at every address of both families leaves IPv4 to
// another that has it at the same port, as no socket could be bound otherwise.
func (c *Config) listenAddress(l Listener) (a netip.AddrPort, family string, err error) {
	if a, family, err = splitAddress(l.Address); err != nil || family != "" || a.Port() == 0 {
		return a, family, err
	}
	for _, other := range c.Listeners {
		b, has, _ := splitAddress(other.Address)
		if has == "4" && b.Port() == a.Port() && (other.Transport == sip.UDP) == (l.Transport == sip.UDP) {
			return a, "6", nil
		}
	}
	return a, "", nil
}
