package sip

import (
	"bytes"
	"net/netip"
)

// MagicCookie begins the branch of RFC 3261 (§8.1.1.7).
const MagicCookie = "z9hG4bK"

// Via is one value of a Via header field (RFC 3261 §20.42).
type Via struct {
	Transport     Transport // NoTransport if it is none that is known
	TransportName []byte    // as written
	Host          []byte    // of sent-by, an IPv6reference with its brackets
	Port          uint16    // of sent-by, 0 if there is none
	Params        Params    // from the first semicolon
	branch        []byte    // found while Params were read
	rport         int       // likewise: where in Params its name ends, 0 if it is not there
	odd           bool      // likewise: they have white space, or a received
	raw           []byte
}

// Raw returns the value as it was parsed, without white space at its ends.
func (v *Via) Raw() []byte { return v.raw }

// ParseVia reads one Via value that takes all of b.
func ParseVia(b []byte) (Via, error) {
	v, rest, err := NextVia(b)
	if err == nil && rest != nil {
		return Via{}, &SyntaxError{Header: HeaderVia, Offset: len(b) - len(rest), Reason: reasonMore}
	}
	return v, err
}

// NextVia reads the first value of a comma list and returns what is behind its comma; rest is nil after
// the last one.
func NextVia(b []byte) (v Via, rest []byte, err error) {
	rest, at, reason := v.parse(b)
	if reason != "" {
		return Via{}, nil, &SyntaxError{Header: HeaderVia, Offset: at, Reason: reason}
	}
	return v, rest, nil
}

// parse reads the first value of a comma list into v, which is zero.
func (v *Via) parse(b []byte) (rest []byte, at int, reason string) {
	start := skipLWS(b, 0)
	i, reason := skipProtocol(b, start)
	if reason != "" {
		return nil, i, reason
	}
	end := skipToken(b, i)
	if end == i || end == len(b) || !is(b[end], classLWS) {
		return nil, i, "not a transport and white space"
	}
	v.TransportName = b[i:end]
	v.Transport = TransportOf(v.TransportName)
	i = skipLWS(b, end)
	if end, reason = v.parseSentBy(b, i); reason != "" {
		return nil, end, reason
	}
	p := paramScan{want: "branch", note: "rport", shun: "received"}
	if end, reason = p.scan(b, end); reason != "" {
		return nil, end, reason
	}
	if p.blank > 0 {
		return nil, p.blank, "a branch has no value"
	}
	v.Params, v.branch, v.rport, v.odd, v.raw = p.params, p.value, p.noted, p.odd, b[start:p.end]
	// RFC 4475 §3.1.2.1: a value that is only separators is an error.
	if rest = cutRest(b, end); end < len(b) && (rest == nil || rest[0] == ';' || bytes.IndexByte(b[end+1:len(b)-len(rest)], ',') >= 0) {
		return nil, end, reasonNothing
	}
	return rest, 0, ""
}

// skipProtocol reads sent-protocol up to its transport: "SIP" SLASH version SLASH, with white space around
// the slashes. A version other than 2.0 is left to who reads the start-line, so that a request of another
// version gets its 505 (RFC 3261 §21.5.6).
func skipProtocol(b []byte, i int) (next int, reason string) {
	if len(b)-i > 8 && string(b[i:i+8]) == "SIP/2.0/" && is(b[i+8], classToken) {
		return i + 8, ""
	}
	end := skipToken(b, i)
	if !foldIs(b[i:end], "sip") {
		return i, "not the protocol SIP"
	}
	for range 2 {
		i = skipLWS(b, end)
		if i == len(b) || b[i] != '/' {
			return i, "not a protocol, a version and a transport"
		}
		i = skipLWS(b, i+1)
		if end = skipToken(b, i); end == i {
			return i, "not a protocol, a version and a transport"
		}
	}
	return i, ""
}

// parseSentBy reads host [ COLON port ], with white space around the colon (RFC 3261 §25.1 COLON), and
// returns the offset behind it, or where it is wrong.
func (v *Via) parseSentBy(b []byte, i int) (end int, reason string) {
	end, reason = parseHost(b, i)
	if reason != "" {
		return i, reason
	}
	v.Host = b[i:end]
	colon := skipLWS(b, end)
	if colon == len(b) || b[colon] != ':' {
		return end, ""
	}
	i = skipLWS(b, colon+1)
	v.Port, end, reason = parsePort(b, i)
	return end, reason
}

// Branch returns the branch parameter, nil if there is none.
func (v *Via) Branch() []byte { return v.branch }

// RPort reports whether the Via asks for a response to the source port (RFC 3581 §3), with or without a
// value.
func (v *Via) RPort() bool { return v.rport > 0 }

// AppendReceived appends the Via as a server that got it from src passes it on: with received where the
// sent-by host is a name or differs from the source (RFC 3261 §18.2.1), and always with received and the
// port in rport if the client asked for rport (RFC 3581 §4). What a client claimed in received is dropped. Where nothing is
// to be dropped or written it stays byte for byte.
func (v *Via) AppendReceived(dst []byte, src netip.AddrPort) []byte {
	addr := src.Addr().Unmap().WithZone("")
	params := min(len(v.raw), cap(v.raw)-cap(v.Params))
	if at := params + v.rport; v.asks() {
		dst = append(append(dst, v.raw[:at]...), '=')
		dst = appendUint(dst, uint64(src.Port()))
		dst = append(append(dst, v.raw[at:]...), ";received="...)
		return addr.AppendTo(dst)
	}
	sent, isAddr := hostAddr(v.Host)
	same := isAddr && sent.Unmap() == addr && !v.RPort()
	if !v.RPort() && (!v.odd || !v.Params.Has("received")) {
		dst = append(dst, v.raw...) // with what white space it has
	} else {
		dst = v.appendParams(append(dst, v.raw[:params]...), src.Port())
	}
	if same {
		return dst
	}
	dst = append(dst, ";received="...)
	return addr.AppendTo(dst)
}

// asks reports whether the Via has an rport without a value, and the rest of it can stay as it is: nearly every phone's.
func (v *Via) asks() bool {
	const name = "rport"
	return v.rport > 0 && !v.odd && string(v.Params[v.rport-len(name):v.rport]) == name &&
		(v.rport == len(v.Params) || v.Params[v.rport] == ';')
}

// appendParams appends the parameters without received, and with the port in rport. All others stay as they are.
func (v *Via) appendParams(dst []byte, port uint16) []byte {
	left := v.Params
	for name, _, rest := left.Next(); name != nil; name, _, rest = rest.Next() {
		switch {
		case foldIs(name, "received"):
		case foldIs(name, "rport"):
			dst = append(dst, ";rport="...)
			dst = appendUint(dst, uint64(port))
		default:
			dst = append(dst, left[:len(left)-len(rest)]...)
		}
		left = rest
	}
	return dst
}

// ResponseAddr returns where a response goes to a request that came from src with this topmost Via: over UDP to the
// source address, and to the source port with rport (RFC 3581 §4), else to that of sent-by (RFC 3261 §18.2.2); over
// another transport it goes down the connection, and this is whereto one is opened when that has gone. maddr is left
// to the caller.
func (v *Via) ResponseAddr(src netip.AddrPort) netip.AddrPort {
	if v.RPort() && !v.Transport.Reliable() {
		return src
	}
	return v.SentByAddr(src.Addr())
}

// SentByAddr returns an address with the port of sent-by, or where there is none the transport's own.
func (v *Via) SentByAddr(a netip.Addr) netip.AddrPort {
	port := v.Port
	if port == 0 {
		port = v.Transport.DefaultPort()
	}
	return netip.AddrPortFrom(a, port)
}

// HostAddr returns the host of sent-by as an address, and whether it is one.
func (v *Via) HostAddr() (netip.Addr, bool) { return hostAddr(v.Host) }
