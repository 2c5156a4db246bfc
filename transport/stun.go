package transport

import (
	"encoding/binary"
	"net/netip"
)

// STUN on the SIP port, as far as keep-alives of phones over UDP need it: a Binding request is answered with
// the address that it came from (RFC 5626 §4.4.2 and §8, RFC 5389 §7 and §15). No credentials are asked for,
// as RFC 5626 has it, and no attribute is understood.
const (
	stunHeader   = 20
	stunMagic    = 0x2112A442
	stunRequest  = 0x0001 // Binding request
	stunSuccess  = 0x0101
	stunFailure  = 0x0111
	stunOptional = 0x8000 // attributes from here on may be passed over

	stunErrorCode         = 0x0009
	stunUnknownAttributes = 0x000A
	stunXorMapped         = 0x0020

	// maxUnknownAttributes bounds the list in an answer, so that it is not larger than the request: more are
	// not in any request that somebody wants answered.
	maxUnknownAttributes = 8
)

// isSTUN reports whether a datagram is one of STUN (RFC 5389 §6): two bits 0, and the magic cookie.
func isSTUN(b []byte) bool {
	return len(b) >= stunHeader && b[0] < 0x40 && binary.BigEndian.Uint32(b[4:]) == stunMagic
}

// appendSTUN appends the answer to a STUN message from src; nothing if it is no Binding request or is
// malformed (RFC 5389 §7.3).
func appendSTUN(dst, b []byte, src netip.AddrPort) []byte {
	if binary.BigEndian.Uint16(b) != stunRequest || int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader {
		return dst
	}
	unknown, ok := stunUnknown(b[stunHeader:])
	if !ok {
		return dst
	}
	if unknown.n > 0 {
		return appendSTUNUnknown(dst, b, unknown)
	}
	addr := src.Addr().Unmap()
	size := uint16(8)
	if addr.Is6() {
		size = 20
	}
	dst = appendSTUNHeader(dst, stunSuccess, b, 4+size)
	dst = binary.BigEndian.AppendUint16(dst, stunXorMapped)
	dst = binary.BigEndian.AppendUint16(dst, size)
	// RFC 5389 §15.2: port and address are mixed with cookie and transaction ID.
	family := uint16(1)
	if addr.Is6() {
		family = 2
	}
	dst = binary.BigEndian.AppendUint16(dst, family)
	dst = binary.BigEndian.AppendUint16(dst, src.Port()^stunMagic>>16)
	for i, c := range addr.AsSlice() {
		dst = append(dst, c^b[4+i])
	}
	return dst
}

func appendSTUNHeader(dst []byte, kind uint16, request []byte, length uint16) []byte {
	dst = binary.BigEndian.AppendUint16(dst, kind)
	dst = binary.BigEndian.AppendUint16(dst, length)
	return append(dst, request[4:stunHeader]...) // cookie and transaction ID
}

// unknownAttributes are those that must be understood and are not.
type unknownAttributes struct {
	types [maxUnknownAttributes]uint16
	n     int
}

// stunUnknown walks the attributes; !ok if they do not fill the message.
func stunUnknown(b []byte) (u unknownAttributes, ok bool) {
	for len(b) > 0 {
		if len(b) < 4 {
			return u, false
		}
		kind, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		padded := 4 + (size+3)&^3
		if padded > len(b) {
			return u, false
		}
		if kind < stunOptional && u.n < len(u.types) {
			u.types[u.n] = kind
			u.n++
		}
		b = b[padded:]
	}
	return u, true
}

// RFC 5389 §7.3.1: unknown attributes that must be understood are 420, and listed.
func appendSTUNUnknown(dst, b []byte, u unknownAttributes) []byte {
	list := 2 * u.n
	dst = appendSTUNHeader(dst, stunFailure, b, uint16(8+4+(list+3)&^3))
	dst = binary.BigEndian.AppendUint16(dst, stunErrorCode)
	dst = append(dst, 0, 4, 0, 0, 4, 20)
	dst = binary.BigEndian.AppendUint16(dst, stunUnknownAttributes)
	dst = binary.BigEndian.AppendUint16(dst, uint16(list))
	for _, kind := range u.types[:u.n] {
		dst = binary.BigEndian.AppendUint16(dst, kind)
	}
	if u.n%2 == 1 {
		dst = append(dst, 0, 0)
	}
	return dst
}
