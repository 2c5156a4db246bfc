package server

import (
	"net/netip"

	"biloxi/config"
	"biloxi/location"
	"biloxi/sip"
)

// responseAddr is where a response goes: over UDP at once, on a stream if the connection of the request has gone. A
// maddr is passed over: it would let anybody aim our answers at a third party.
func (s *Server) responseAddr(v *sip.Via, flow sip.Flow) netip.AddrPort {
	switch {
	case v.Host == nil:
		return flow.Remote
	case flow.Transport.Reliable():
		// RFC 3261 §18.2.2, RFC 3581 §4: the address that the request came from, and the port of sent-by.
		return v.SentByAddr(flow.Remote.Addr())
	case v.RPort() || answersSource(v, flow, s.state.Load().config.Transport.RPort):
		return flow.Remote
	}
	return v.SentByAddr(flow.Remote.Addr())
}

// answersSource reports whether a datagram whose Via asks for nothing is answered at the port that it came from. A phone
// behind a NAT can be reached nowhere else (RFC 3581 §1), and knows no address but one that means nothing outside; a
// phone that gives the address that we see may listen to another port than it sends from.
func answersSource(v *sip.Via, flow sip.Flow, choice config.RPort) bool {
	switch choice {
	case config.RPortAlways:
		return true
	case config.RPortNever:
		return false
	}
	host, isAddr := v.HostAddr()
	if !isAddr {
		return true
	}
	host = host.Unmap()
	return host != flow.Remote.Addr().Unmap().WithZone("") && location.BehindNAT(host)
}

// owe keeps the connection that a request came on until its answer has left.
func (s *Server) owe(flow sip.Flow) {
	if flow.Transport.Reliable() {
		s.transport.Owe(flow)
	}
}
