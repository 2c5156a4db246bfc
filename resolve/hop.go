package resolve

import (
	"net/netip"

	"biloxi/sip"
)

// Query is a URI that a request is to be sent to, and what the request needs.
type Query struct {
	// URI is the topmost Route, else the Request-URI (RFC 3261 §16.6 step 7, §8.1.2). Its bytes are not
	// kept.
	URI *sip.URI
	// Secure asks for TLS as if the URI were a sips URI: the Request-URI is one (RFC 3261 §16.6 step 7), or
	// the contact was registered as one (RFC 5630 §5.3).
	Secure bool
	// Stream asks for a transport with congestion control: the request is too large for UDP (RFC 3261
	// §18.1.1). The caller that then finds TCP refused may look up again without it.
	Stream bool
	// For is in whose name it is asked.
	For Asker
}

// hop is what RFC 3263 takes from a URI or a Via; TARGET itself is in Targets.host.
type hop struct {
	addr      netip.Addr    // of a numeric TARGET
	port      uint16        // 0: none is given
	transport sip.Transport // the one that is given; none: it is to be selected
	secure    bool          // only TLS
	stream    bool          // no UDP
	name      string        // the name for the certificate, if TARGET is not that name
}

// setURI reads a query. It writes the TARGET to t.
func (h *hop) setURI(r *Resolver, q *Query, t *Targets) *Error {
	if !q.URI.IsSIP() {
		return unsupported(q.URI.Raw(), "not a SIP or SIPS URI: it has no next hop")
	}
	h.secure = q.Secure || q.URI.Scheme == sip.SchemeSIPS
	h.stream = q.Stream
	h.port = q.URI.Port
	// RFC 3263 §4: TARGET is the value of maddr, if present, else the host.
	host := q.URI.Host
	maddr, redirected := q.URI.Params.Value("maddr")
	if redirected {
		host = maddr
	}
	if err := h.setHost(r, host, t); err != nil {
		return err
	}
	// RFC 3263 §4.1: the transport parameter decides.
	if name, ok := q.URI.Params.Value("transport"); ok {
		if err := h.setTransport(r, name, t); err != nil {
			return err
		}
	}
	if redirected && r.supports(sip.TLS) {
		// RFC 5922 §7.3: the certificate is for the domain of the URI, wherever the request goes.
		h.name = string(sip.AppendLower(nil, q.URI.Host))
	}
	return nil
}

// setHost writes a host in its canonical form to t, or the address that it is to h.
func (h *hop) setHost(r *Resolver, host []byte, t *Targets) *Error {
	u := sip.URI{Host: host}
	if addr, ok := u.HostAddr(); ok {
		h.addr = addr.Unmap()
		if !r.usable(h.addr) {
			return unsupported(host, "not an address that we can send to: it is no unicast address, or we have no listener of its family")
		}
		return nil
	}
	if n := len(host); n > 1 && host[n-1] == '.' {
		host = host[:n-1]
	}
	t.host = sip.AppendLower(t.host[:0], host)
	if !validName(t.host) {
		return unsupported(host, "neither an address nor a name that can stand in DNS")
	}
	return nil
}

// setTransport takes the transport that a URI names.
func (h *hop) setTransport(r *Resolver, name []byte, t *Targets) *Error {
	h.transport = sip.TransportOf(name)
	switch {
	case h.secure && h.transport == sip.UDP:
		// RFC 3261 §26.2.2: a sips URI does not go over UDP.
		return unsupported(t.host, "a sips URI cannot be reached over UDP: remove its transport parameter")
	case h.secure && h.transport == sip.TCP:
		// RFC 5630 §3.1.4: with sips, transport=tcp means TLS over TCP.
		h.transport = sip.TLS
	case h.stream && h.transport == sip.UDP:
		// RFC 3261 §18.1.1: what is too large for UDP goes over TCP, whatever the URI says.
		h.transport = sip.TCP
	}
	if !r.supports(h.transport) {
		return unsupported(t.host, "the transport "+string(name)+" is not one that we can send requests over")
	}
	return nil
}

// accepts reports whether a transport that we have may be selected.
func (h *hop) accepts(transport sip.Transport) bool {
	return (!h.secure || transport == sip.TLS) && (!h.stream || transport != sip.UDP)
}

// fallback is the transport that is used where neither the URI nor DNS selects one (RFC 3263 §4.1): TLS
// for a sips URI, UDP for a sip URI, or TCP where UDP cannot be used.
func (h *hop) fallback(r *Resolver) sip.Transport {
	for _, transport := range [...]sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		if (transport != sip.TLS || h.secure) && h.accepts(transport) && r.supports(transport) {
			return transport
		}
	}
	return sip.NoTransport
}

// validName reports whether a lower-case name can be asked for in DNS.
func validName(name []byte) bool {
	if len(name) == 0 || len(name) > maxName {
		return false
	}
	label := 0
	for _, c := range name {
		switch {
		case c == '.' && label > 0:
			label = 0
			continue
		case c == '.' || label == maxLabel:
			return false
		case !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'):
			return false
		}
		label++
	}
	return label > 0
}

func unsupported(name []byte, detail string) *Error {
	return &Error{Name: string(name), Kind: ErrUnsupported, Detail: detail}
}

func noTransport(name []byte) *Error {
	return unsupported(name, "we have no listener of a transport that the URI or the request needs")
}
