package transport

import (
	"net/netip"

	"biloxi/sip"
)

// Open returns the flow to a peer that a request is to be sent to. It does not wait.
//
// UDP: the socket of ours that reaches the peer. Local is the address that a datagram will leave by, of
// which [Transport.Send] takes no other; Serial is 0.
//
// TCP and TLS: a connection of ours that is open to (tr, to, serverName), or one that is begun now: Serial
// is fixed at once, what Send is given meanwhile waits, and Local's port is 0 until it is open. serverName
// is the domain that the peer's certificate must be of (RFC 5922 §7.3); it means nothing on TCP.
//
// The errors are ErrFlow if no socket fits, ErrTo if `to` is no address of a host, ErrFull if too many
// connections are ours or being opened, and ErrClosed.
func (t *Transport) Open(tr sip.Transport, to netip.AddrPort, serverName string) (sip.Flow, error) {
	if to.Port() == 0 || !isHost(to.Addr()) {
		return sip.Flow{}, ErrTo
	}
	if tr != sip.UDP {
		return sip.Flow{}, ErrFlow
	}
	for _, s := range t.sockets {
		if s.reaches(to.Addr()) {
			return sip.Flow{Transport: sip.UDP, Local: s.flow.Local, Remote: to}, nil
		}
	}
	return sip.Flow{}, ErrFlow
}

// Alive reports whether something can be sent over flow: UDP: a socket of ours has its local address.
// Streams: its connection is open, or being opened.
func (t *Transport) Alive(flow sip.Flow) bool {
	if flow.Transport == sip.UDP {
		for _, s := range t.sockets {
			if s.has(flow.Local) {
				return true
			}
		}
		return false
	}
	c := t.conns.find(flow.Serial)
	return c != nil && c.flow.Transport == flow.Transport && c.flow.Remote == flow.Remote
}
