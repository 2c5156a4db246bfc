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
	raw           []byte
}

// Raw returns the value as it was parsed, without white space at its ends.
func (v Via) Raw() []byte { return v.raw }

// ParseVia reads one Via value that takes all of b.
func ParseVia(b []byte) (Via, error) {
	v, rest, err := NextVia(b)
	if err == nil && rest != nil {
		err = &SyntaxError{Header: HeaderVia, Offset: len(b) - len(rest), Reason: "more than one value"}
	}
	return v, err
}

// NextVia reads the first value of a comma list and returns what is behind its comma; rest is nil after
// the last one.
func NextVia(b []byte) (v Via, rest []byte, err error) {
	v, rest, at, reason := nextVia(b)
	if reason != "" {
		return Via{}, nil, &SyntaxError{Header: HeaderVia, Offset: at, Reason: reason}
	}
	return v, rest, nil
}

func nextVia(b []byte) (v Via, rest []byte, at int, reason string) {
	start := skipLWS(b, 0)
	// sent-protocol: "SIP" SLASH "2.0" SLASH transport, with white space around the slashes.
	i, ok := skipProtocol(b, start)
	if !ok {
		return v, nil, i, "not SIP/2.0 and a transport"
	}
	end := skipToken(b, i)
	if end == i || end == len(b) || !is(b[end], classLWS) {
		return v, nil, i, "not a transport and white space"
	}
	v.TransportName = b[i:end]
	v.Transport = TransportOf(v.TransportName)
	i = skipLWS(b, end)
	if v.Host, v.Port, end, reason = parseSentBy(b, i); reason != "" {
		return v, nil, i, reason
	}
	var n NameAddr
	i = end
	if end, reason = n.parseParams(b, i); reason != "" {
		return v, nil, end, reason
	}
	v.Params = n.Params
	v.raw = trimLWS(b[start:end])
	if end < len(b) {
		rest = b[end+1:]
		if skipLWS(rest, 0) == len(rest) {
			return v, nil, end, "nothing behind the comma"
		}
	}
	return v, rest, 0, ""
}

func skipProtocol(b []byte, i int) (next int, ok bool) {
	for _, want := range [...]string{"sip", "2.0"} {
		end := skipToken(b, i)
		if !foldIs(b[i:end], want) {
			return i, false
		}
		i = skipLWS(b, end)
		if i == len(b) || b[i] != '/' {
			return i, false
		}
		i = skipLWS(b, i+1)
	}
	return i, true
}

// parseSentBy is parseHostport with white space allowed around the colon (RFC 3261 §25.1 COLON).
func parseSentBy(b []byte, i int) (host []byte, port uint16, end int, reason string) {
	host, port, end, reason = parseHostport(b, i)
	if reason == "" {
		if next := skipLWS(b, end); port == 0 && next > end && next < len(b) && b[next] == ':' {
			return parseSpacedPort(b, host, next)
		}
		return host, port, end, ""
	}
	// host ":" LWS port
	end = i
	for end < len(b) && b[end] != ':' {
		if b[end] == '[' {
			n := bytes.IndexByte(b[end:], ']')
			if n < 0 {
				return nil, 0, i, reason
			}
			end += n
		}
		end++
	}
	if end+1 >= len(b) || !is(b[end+1], classLWS) {
		return nil, 0, i, reason
	}
	host, _, hostEnd, bad := parseHostport(b[:end], i)
	if bad != "" || hostEnd != end {
		return nil, 0, i, reason
	}
	return parseSpacedPort(b, host, end)
}

func parseSpacedPort(b, host []byte, colon int) (_ []byte, port uint16, end int, reason string) {
	i := skipLWS(b, colon+1)
	for end = i; end < len(b) && is(b[end], classDigit); end++ {
	}
	n, over, ok := parseUint(b[i:end], 65535)
	if !ok || over || n == 0 {
		return nil, 0, i, "not a port"
	}
	return host, uint16(n), end, ""
}

// Branch returns the branch parameter, nil if there is none.
func (v Via) Branch() []byte {
	b, _ := v.Params.Value("branch")
	return b
}

// RPort reports whether the Via asks for a response to the source port (RFC 3581 §3), with or without a
// value.
func (v Via) RPort() bool { return v.Params.Has("rport") }

// AppendReceived appends the Via as a server that got it from src passes it on: with received where the
// sent-by host is a name or differs from the source (RFC 3261 §18.2.1), and always with received and the
// port in rport if the client asked for rport (RFC 3581 §4). What a client claimed in received is dropped.
func (v Via) AppendReceived(dst []byte, src netip.AddrPort) []byte {
	rport := v.RPort()
	addr := src.Addr().Unmap()
	sent, isAddr := hostAddr(v.Host)
	if !rport && isAddr && sent.Unmap() == addr && !v.Params.Has("received") {
		return append(dst, v.raw...)
	}
	dst = append(dst, v.raw[:cap(v.raw)-cap(v.Params)]...)
	for name, value, rest := v.Params.Next(); name != nil; name, value, rest = rest.Next() {
		switch {
		case foldIs(name, "received"):
			continue
		case foldIs(name, "rport"):
			dst = append(dst, ";rport="...)
			dst = appendUint(dst, uint64(src.Port()))
			continue
		}
		dst = append(dst, ';')
		dst = append(dst, name...)
		if value != nil {
			dst = append(dst, '=')
			dst = append(dst, value...)
		}
	}
	if rport || !isAddr || sent.Unmap() != addr {
		dst = append(dst, ";received="...)
		dst = addr.WithZone("").AppendTo(dst)
	}
	return dst
}

// ResponseAddr returns where a response goes over UDP to a request that came from src with this topmost
// Via: to the source address, and to the source port with rport (RFC 3581 §4), else to that of sent-by
// (RFC 3261 §18.2.2). maddr is left to the caller.
func (v Via) ResponseAddr(src netip.AddrPort) netip.AddrPort {
	if v.RPort() {
		return src
	}
	port := v.Port
	if port == 0 {
		port = v.Transport.DefaultPort()
	}
	return netip.AddrPortFrom(src.Addr(), port)
}
