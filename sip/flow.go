package sip

import "net/netip"

// Transport is a transport protocol of SIP. The zero value is none.
type Transport uint8

// The transports. WS and WSS are those of RFC 7118.
const (
	NoTransport Transport = iota
	UDP
	TCP
	TLS
	WS
	WSS
)

var transportNames = [...]string{"", "UDP", "TCP", "TLS", "WS", "WSS"}

// String returns the name as a Via has it, in capitals; the empty string for none.
func (t Transport) String() string {
	if int(t) < len(transportNames) {
		return transportNames[t]
	}
	return ""
}

// Reliable reports whether the transport is a stream or runs over one (RFC 3261 §17: no retransmission).
func (t Transport) Reliable() bool { return t >= TCP }

// Secure reports whether the transport is TLS or runs over it.
func (t Transport) Secure() bool { return t == TLS || t == WSS }

// DefaultPort is the port that a URI without one stands for (RFC 3261 §19.1.2, RFC 7118 §5.5).
func (t Transport) DefaultPort() uint16 {
	switch t {
	case TLS:
		return 5061
	case WS:
		return 80
	case WSS:
		return 443
	}
	return 5060
}

// TransportOf returns the transport that a Via, or a URI's transport parameter, names in either case;
// none if it names no transport that is known.
func TransportOf(name []byte) Transport {
	if string(name) == "UDP" {
		return UDP
	}
	if len(name) > 3 {
		return NoTransport
	}
	for t := UDP; t <= WSS; t++ {
		if equalFoldString(name, transportNames[t]) {
			return t
		}
	}
	return NoTransport
}

// Flow is the way that a message came, and that an answer can go back: a value, not a socket (RFC 5626
// §3.2). The zero Flow is none.
type Flow struct {
	Transport Transport
	Local     netip.AddrPort // the address of ours that the peer sent to
	Remote    netip.AddrPort // where the message came from
	Serial    uint64         // the connection's number, never used again while the process lives; 0 on UDP
}

// IsZero reports whether f is no flow.
func (f Flow) IsZero() bool { return f.Transport == NoTransport }
