package proxy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"

	"biloxi/sip"
)

// A flow token is the user part of a Record-Route of ours: a flow, and a keyed hash that shows that we wrote it, for
// that Call-ID (RFC 5626 §5.2). It brings a request within a dialog down the connection, or to the port behind a NAT,
// that the dialog was made over.
const (
	tokenMAC = 10 // bytes of HMAC-SHA-256, as many as RFC 5626 §5.2 has of SHA-1

	tokenHead = 1 + 8 // transport and family, and serial
	token4    = tokenHead + 2*(4+2) + tokenMAC
	token6    = tokenHead + 2*(16+2) + tokenMAC
)

// AppendFlowToken appends the token of a flow for the dialog of a Call-ID.
func (p *Proxy) AppendFlowToken(dst []byte, flow sip.Flow, callID []byte) []byte {
	var buf [token6]byte
	family := byte(0)
	if !flow.Local.Addr().Unmap().Is4() || !flow.Remote.Addr().Unmap().Is4() {
		family = 1 << 7
	}
	b := append(buf[:0], byte(flow.Transport)|family)
	b = binary.BigEndian.AppendUint64(b, flow.Serial)
	b = appendAddr(b, flow.Local, family == 0)
	b = appendAddr(b, flow.Remote, family == 0)
	b = append(b, p.tokenMAC(b, callID)...)
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

func appendAddr(b []byte, a netip.AddrPort, v4 bool) []byte {
	if v4 {
		ip := a.Addr().Unmap().As4()
		b = append(b, ip[:]...)
	} else {
		ip := a.Addr().As16()
		b = append(b, ip[:]...)
	}
	return binary.BigEndian.AppendUint16(b, a.Port())
}

func (p *Proxy) tokenMAC(b, callID []byte) []byte {
	mac := hmac.New(sha256.New, p.secret[:])
	mac.Write(b)
	mac.Write(callID)
	return mac.Sum(nil)[:tokenMAC]
}

// isToken reports whether a user part looks like a token.
func isToken(user []byte) bool {
	n := base64.RawURLEncoding.DecodedLen(len(user))
	return n == token4 || n == token6
}

// TokenFlow is the flow that a request within a dialog is to go down, by the token in the Route that named us; the
// zero Flow if it goes where its URIs lead. A token that we did not write for that dialog is refused. A token shows which
// flow is meant and gives no right to use it: that takes a proof, or a binding over that flow. Whether the flow is still
// alive the server knows: [FlowFailed] if it is not.
//
// RFC 5626 §5.3: a token of the flow that the request itself came over marks it as outgoing.
func (p *Proxy) TokenFlow(in *Received) (sip.Flow, *Refusal) {
	if !isToken(in.Token) {
		return sip.Flow{}, nil
	}
	flow, ok := p.parseFlowToken(in.Token, in.CallID())
	if !ok {
		return sip.Flow{}, BadFlowToken
	}
	if flow.Transport == in.Flow.Transport && flow.Remote == unmap(in.Flow.Remote) && flow.Serial == in.Flow.Serial {
		return sip.Flow{}, nil
	}
	return flow, nil
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

func (p *Proxy) parseFlowToken(token, callID []byte) (flow sip.Flow, ok bool) {
	var buf [token6]byte
	n, err := base64.RawURLEncoding.Strict().Decode(buf[:], token)
	if err != nil {
		return sip.Flow{}, false
	}
	b := buf[:n]
	body := b[:n-tokenMAC]
	if !hmac.Equal(p.tokenMAC(body, callID), b[len(body):]) {
		return sip.Flow{}, false
	}
	v4 := body[0]&(1<<7) == 0
	if v4 != (n == token4) {
		return sip.Flow{}, false
	}
	flow.Transport = sip.Transport(body[0] &^ (1 << 7))
	flow.Serial = binary.BigEndian.Uint64(body[1:])
	half := (len(body) - tokenHead) / 2
	flow.Local = readAddr(body[tokenHead : tokenHead+half])
	flow.Remote = readAddr(body[tokenHead+half:])
	return flow, true
}

func readAddr(b []byte) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(b[:len(b)-2])
	return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(b[len(b)-2:]))
}
