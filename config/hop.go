package config

import (
	"fmt"

	"biloxi/sip"
)

// validateHops checks a list of next hops.
func (s *source) validateHops(path string, hops []string) {
	if len(hops) > maxHops {
		s.fail(path, "%s has %d next hops; %d is the most", last(path), len(hops), maxHops)
	}
	for i, hop := range hops {
		if reason := checkHop(hop); reason != "" {
			s.fail(fmt.Sprintf("%s.%d", path, i), "%s", reason)
		}
	}
}

// checkHop says what would be right if hop is no URI that a request can be sent to.
func checkHop(hop string) (reason string) {
	u, err := sip.ParseURI([]byte(hop))
	if err != nil || !u.IsSIP() {
		return fmt.Sprintf("%q is no SIP URI; write it as \"sip:gateway.example.com\" or \"sip:192.0.2.1:5060;transport=tcp;lr\"", hop)
	}
	if u.Headers != nil {
		return fmt.Sprintf("%q has header fields; leave out what stands behind the question mark", hop)
	}
	name, ok := u.Params.Value("transport")
	if !ok {
		return ""
	}
	switch t := sip.TransportOf(name); {
	case t != sip.UDP && t != sip.TCP && t != sip.TLS:
		return fmt.Sprintf("%q: %q is no transport to send by; it is one of udp, tcp, tls", hop, name)
	case t == sip.UDP && u.Scheme == sip.SchemeSIPS:
		return fmt.Sprintf("%q: sips goes over TLS, not over udp; leave transport out, or write sip", hop)
	}
	return ""
}
