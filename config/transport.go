package config

import (
	"strings"

	"biloxi/sip"
)

// Transporting says how messages are sent.
type Transporting struct {
	RPort RPort `toml:"rport"` // where a request over UDP without rport is answered
}

// Transport is a sip.Transport, written in lower case. WebSockets come later.
type Transport sip.Transport

// UnmarshalText reads udp, tcp or tls, in either case.
func (t *Transport) UnmarshalText(b []byte) error {
	v := sip.TransportOf(b)
	if v != sip.UDP && v != sip.TCP && v != sip.TLS {
		return oneOf("transport", string(b), []string{"udp", "tcp", "tls"})
	}
	*t = Transport(v)
	return nil
}

// MarshalText is String.
func (t Transport) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// String returns the name in lower case.
func (t Transport) String() string { return strings.ToLower(sip.Transport(t).String()) }
