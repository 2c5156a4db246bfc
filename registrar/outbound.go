package registrar

import (
	"bytes"

	"biloxi/sip"
)

// RFC 5626 §6: whether reg-id counts. The binding's key is then the instance and the reg-id; the clause
// asks for Supported: outbound only where it speaks of Require in the response.
func (reg *Registration) checkOutbound(req *sip.Request) *refusal {
	if !reg.hasRegID() {
		return nil
	}
	supports := req.HasToken(sip.HeaderSupported, "outbound")
	if !isFirstHop(req) && !reg.pathOB {
		if supports && !reg.registrar.ignoreOutbound {
			return firstHop
		}
		for i := range reg.contacts {
			reg.contacts[i].regID = 0
		}
		return nil
	}
	reg.outbound = supports
	return nil
}

// checkOneFlow: RFC 5626 §6: a registration of a flow registers that one contact, and may remove others.
func (reg *Registration) checkOneFlow() *refusal {
	registered, byRegID := 0, false
	for i := range reg.contacts {
		if c := &reg.contacts[i]; c.granted > 0 {
			registered++
			byRegID = byRegID || c.regID != 0
		}
	}
	if registered > 1 && byRegID {
		return regIDContacts
	}
	return nil
}

func (reg *Registration) hasRegID() bool {
	for i := range reg.contacts {
		if reg.contacts[i].regID != 0 {
			return true
		}
	}
	return false
}

// isFirstHop reports whether the UA sent the request to us itself: it has one Via value.
func isFirstHop(req *sip.Request) bool {
	i := req.Index(sip.HeaderVia)
	if i < 0 || req.Next(i) >= 0 {
		return false
	}
	_, _, value := req.Field(i)
	_, rest, err := sip.NextVia(value)
	return err == nil && rest == nil
}

// sameInstance compares two instances as RFC 5626 §4.1 has it: URNs in <> by the lexical rules of RFC
// 2141, "urn" and the namespace without their case and the rest with it; anything else byte by byte.
func sameInstance(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	n := len("<urn:")
	if len(a) != len(b) || len(a) < n || !bytes.EqualFold(a[:n], []byte("<urn:")) {
		return false
	}
	namespace := bytes.IndexByte(a[n:], ':')
	if namespace < 0 {
		return false
	}
	n += namespace
	return bytes.EqualFold(a[:n], b[:n]) && bytes.Equal(a[n:], b[n:])
}
