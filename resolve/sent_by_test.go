package resolve

import (
	"errors"
	"testing"
)

// TestSentBy finds other ways for a response: RFC 3263 §5.
func TestSentBy(t *testing.T) {
	for _, c := range []struct {
		name, via string
		want      []string
		err       error
	}{
		{"a numeric sent-by", "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1", []string{"UDP 192.0.2.7:5060 0/0"}, nil},
		{"a numeric sent-by with a port", "SIP/2.0/TCP [2001:db8::7]:5070;branch=z9hG4bK1", []string{"TCP [2001:db8::7]:5070 0/0"}, nil},
		{"TLS stays TLS", "SIP/2.0/TLS 192.0.2.7;branch=z9hG4bK1", []string{"TLS 192.0.2.7:5061 0/0 192.0.2.7"}, nil},
		{"a name and a port: addresses", "SIP/2.0/UDP example.com:5062;branch=z9hG4bK1", []string{"UDP 192.0.2.99:5062 0/0"}, nil},
		{"a name: SRV of the transport, no NAPTR", "SIP/2.0/TCP example.com;branch=z9hG4bK1",
			[]string{"TCP 192.0.2.1:5060 0/1", "TCP [2001:db8::2]:5060 1/2", "TCP 192.0.2.2:5060 1/2"}, nil},
		{"a name over TLS: _sips", "SIP/2.0/TLS srv.example.com;branch=z9hG4bK1", []string{"TLS 192.0.2.1:5063 10/0 srv.example.com"}, nil},
		{"a name without SRV", "SIP/2.0/UDP v4.example.com;branch=z9hG4bK1", []string{"UDP 192.0.2.14:5060 0/0"}, nil},
		{"WebSocket", "SIP/2.0/WSS x.invalid;branch=z9hG4bK1", nil, ErrUnsupported},
		{"no such name", "SIP/2.0/UDP nobody.example.com;branch=z9hG4bK1", nil, ErrNoDomain},
	} {
		t.Run("RFC 3263 §5 "+c.name, func(t *testing.T) {
			got, err := newRig(t).sentBy(c.via)
			if !errors.Is(err, c.err) {
				t.Fatalf("%v, want %v", err, c.err)
			}
			same(t, c.via, got, c.want)
		})
	}
}
