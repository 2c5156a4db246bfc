package server

import (
	"biloxi/proxy"
	"biloxi/sip"
)

// identity is what becomes of that which a request, and the responses to it, say of who sent them on the word of the
// network (RFC 3325 §5): it is believed of trusted peers alone.
type identity struct {
	trusted  bool   // the request came from a trusted peer
	asserted []byte // the P-Asserted-Identity that we write; empty: none
	cut      bool   // a response came from elsewhere with one
}

// take notes what is known of the caller of a request.
func (i *identity) take(x *exchange, st *state) {
	*i = identity{trusted: x.caller.trusted, asserted: i.asserted[:0]}
	if st.routing.assert && x.caller.user != nil {
		i.asserted = append(i.asserted, "<sip:"...)
		i.asserted = append(sip.AppendEscapedUser(i.asserted, x.caller.user), '@')
		i.asserted = append(append(i.asserted, x.caller.domain.name...), '>')
	}
}

// toward is what the copy for a next hop says: whether it keeps what came, and what it says instead.
func (i *identity) toward(req *sip.Message, trusted bool) (keep bool, asserted []byte) {
	// RFC 3325 §7: who asks for privacy has it kept from all that are not trusted.
	if !trusted && (i.trusted && proxy.HasIdentity(req) || len(i.asserted) > 0) && proxy.WantsPrivacy(req) {
		return false, nil
	}
	if i.trusted || len(i.asserted) == 0 {
		return i.trusted, nil
	}
	return false, i.asserted
}

// lies reports whether a response says who sent it on the word of the network, and came from elsewhere than a trusted
// peer.
func (s *Server) lies(resp *sip.Message, flow sip.Flow) bool {
	return proxy.HasIdentity(resp) && !s.state.Load().routing.trusts(flow.Remote.Addr())
}
