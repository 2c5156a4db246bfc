package proxy

import (
	"biloxi/sip"
)

// Validate does the checks of RFC 3261 §16.3 on a request that has been decoded, but for two: step 4 is
// [Received.Looped], which needs the Request-URI's route, and step 6 is the server's. Nil: the request passes.
func (p *Proxy) Validate(req *sip.Request) *Refusal {
	// RFC 3261 §16.3 step 1: what forwarding reads is well-formed. Anything else passes as it is, unknown
	// methods and header fields too. RFC 4475 §3.1.2.4: a Max-Forwards that cannot be read is none, and the copy
	// gets ours; so it is with a Max-Breadth.
	hops, forwards := req.MaxForwards()
	// RFC 3261 §16.3 step 2: a scheme that is not understood.
	if !req.Target.IsSIP() {
		return BadScheme
	}
	// RFC 3261 §16.3 step 3: 0 goes no further. An OPTIONS the server may answer itself.
	if forwards == sip.Present && hops == 0 {
		return TooManyHops
	}
	// RFC 3261 §16.3 step 5: an extension that each proxy must understand. §8.2.2.3: those of a CANCEL, or of
	// an ACK for a 2xx, are passed over.
	if m := req.Method(); m != sip.Ack && m != sip.Cancel && p.unknownOption(req) {
		return BadExtension
	}
	return nil
}

func (p *Proxy) unknownOption(req *sip.Request) bool {
	if !req.Has(sip.HeaderProxyRequire) {
		return false
	}
	tokens := req.Tokens(sip.HeaderProxyRequire)
	for option := tokens.Next(); option != nil; option = tokens.Next() {
		if !p.understands(option) {
			return true
		}
	}
	return false
}

func (p *Proxy) understands(option []byte) bool {
	for _, known := range p.options {
		if foldIs(option, known) {
			return true
		}
	}
	return false
}

// RFC 3261 §16.3 step 5: Unsupported lists the options that are not understood, and no others.
func (p *Proxy) appendUnsupported(dst []byte, req *sip.Request) []byte {
	dst = append(dst, "Unsupported: "...)
	start := len(dst)
	tokens := req.Tokens(sip.HeaderProxyRequire)
	for option := tokens.Next(); option != nil; option = tokens.Next() {
		if p.understands(option) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = sip.AppendUnfolded(dst, option)
	}
	return append(dst, "\r\n"...)
}

// foldIs compares ASCII text without its case with one that is lower-case.
func foldIs(b []byte, low string) bool {
	if len(b) != len(low) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != low[i] {
			return false
		}
	}
	return true
}
