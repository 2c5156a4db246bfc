package resolve

import (
	"net/netip"
	"time"

	"biloxi/sip"
)

// walk is one pass of RFC 3263 §4.1 and §4.2 over what is known: a function of the hop, the answers at
// hand and the time. It ends with targets, with questions that are to be asked before the next pass, or
// with an error. It belongs to the goroutine that runs it.
type walk struct {
	r       *Resolver
	up      *upstream
	t       *Targets
	now     time.Time
	got     map[question]*answer // what was asked for this look-up, whatever its TTL
	name    string               // for certificates
	missing []question
	err     *Error // the gravest
}

// run does a pass.
func (w *walk) run(h *hop) {
	w.t.reset(w.r)
	w.name = h.name
	fixed := h.transport
	if fixed == sip.NoTransport {
		fixed = h.fallback(w.r)
	}
	switch {
	case h.addr.IsValid():
		w.numeric(h, fixed)
	case h.port != 0:
		// RFC 3263 §4.2: a port is given: the addresses of the name, and no SRV.
		if w.sendable(fixed) {
			w.addresses(nil, w.t.host, fixed, srv{port: h.port})
		}
	case w.up.hosts[string(w.t.host)] != nil:
		// A name that configuration gives addresses is not asked of DNS.
		if w.sendable(fixed) {
			w.addresses(nil, w.t.host, fixed, srv{})
		}
	case h.transport != sip.NoTransport:
		// RFC 3263 §4.2: a transport is given: its SRV records, and no NAPTR.
		w.serviceOrAddress(h.transport)
	default:
		w.selectTransport(h, fixed)
	}
	if len(w.missing) == 0 {
		w.finish()
	}
}

// finish puts what failed lately last.
func (w *walk) finish() {
	if len(w.t.list) == 0 {
		if w.err == nil {
			w.err = &Error{Name: string(w.t.host), Kind: ErrNoAddress, Detail: "its records lead to no address that we can send to"}
		}
		return
	}
	w.err = nil
	w.r.failures.putLast(w.now, w.t)
}

// empty reports whether the pass has come to nothing so far: no target, no error, nothing to ask.
func (w *walk) empty() bool { return len(w.t.list) == 0 && len(w.missing) == 0 && w.err == nil }

// sendable reports whether there is a transport for the hop, and notes an error if not.
func (w *walk) sendable(transport sip.Transport) (ok bool) {
	if transport == sip.NoTransport {
		w.note(noTransport(w.t.host))
		return false
	}
	return true
}

// numeric is RFC 3263 §4.2 for a TARGET that is an address: nothing is asked.
func (w *walk) numeric(h *hop, transport sip.Transport) {
	w.t.host = h.addr.AppendTo(w.t.host[:0])
	if !w.sendable(transport) {
		return
	}
	if w.name == "" && transport.Secure() {
		w.name = h.addr.String()
	}
	w.add(h.addr, transport, srv{port: h.port})
}

// selectTransport is RFC 3263 §4.1 for a TARGET that is a name, where the URI gives neither transport nor
// port.
func (w *walk) selectTransport(h *hop, fallback sip.Transport) {
	if w.selectByNAPTR(h) {
		return
	}
	// RFC 3263 §4.1: no NAPTR records are found: SRV for each transport that we support, _sips for a sips
	// URI and _sip for a sip URI. Which of them to use is ours to choose: as we prefer them.
	asked := false
	for _, transport := range w.r.cfg.Transports {
		if h.accepts(transport) && (transport == sip.TLS) == h.secure {
			asked = true
			w.at(transport)
			w.service(nil, w.t.key, transport)
		}
	}
	if !asked {
		w.note(noTransport(w.t.host))
	}
	// RFC 3263 §4.1, §4.2: no SRV records are found either: the addresses, and the default transport.
	if w.empty() && w.sendable(fallback) {
		w.addresses(nil, w.t.host, fallback, srv{})
	}
}

// serviceOrAddress is RFC 3263 §4.2 with a transport that is known: its SRV records, else the addresses.
func (w *walk) serviceOrAddress(transport sip.Transport) {
	w.at(transport)
	w.service(nil, w.t.key, transport)
	if w.empty() {
		w.addresses(nil, w.t.host, transport, srv{})
	}
}

// at makes the key the name of the TARGET's SRV records.
func (w *walk) at(transport sip.Transport) {
	w.t.key = append(append(w.t.key[:0], serviceLabels(transport)...), w.t.host...)
}

// addresses adds a target for each address of a name, with the port of the record or the default one
// (RFC 3263 §4.2), of each family that we have (RFC 7984 §3.1). Addresses of one record stay together
// (RFC 7984 §4).
func (w *walk) addresses(parent *answer, name []byte, transport sip.Transport, record srv) {
	for _, family := range w.r.cfg.Families.types() {
		a := w.find(parent, name, family)
		switch {
		case a == nil:
			continue
		case a.outcome != found:
			w.note(a.err)
			continue
		case parent == nil:
			w.setName(a)
		}
		for _, addr := range a.addrs {
			w.add(addr, transport, record)
		}
	}
}

// add adds a target, unless it is there: a server that failed is not tried again by another name.
func (w *walk) add(addr netip.Addr, transport sip.Transport, record srv) {
	port := record.port
	if port == 0 {
		port = transport.DefaultPort()
	}
	to := netip.AddrPortFrom(addr, port)
	if len(w.t.list) == MaxTargets || !w.r.usable(addr) || w.t.has(transport, to) {
		return
	}
	target := Target{Transport: transport, Addr: to, Priority: record.priority, Weight: record.weight}
	if transport.Secure() {
		target.ServerName = w.name
	}
	w.t.list = append(w.t.list, target)
}

// setName makes the TARGET the name for certificates (RFC 5922 §7.3), never what DNS made of it. An answer
// about it has the string already, maybe behind the labels of a service.
func (w *walk) setName(a *answer) {
	if w.name != "" {
		return
	}
	if n := len(a.asked) - len(w.t.host); n >= 0 && a.asked[n:] == string(w.t.host) {
		w.name = a.asked[n:]
		return
	}
	w.name = string(w.t.host)
}

// note keeps the gravest error.
func (w *walk) note(err *Error) { w.err = graver(w.err, err) }

// find returns what is known about a name, nil if that is to be asked first. It follows aliases.
func (w *walk) find(parent *answer, name []byte, qtype uint16) *answer {
	for range maxAliases {
		a := w.look(parent, name, qtype)
		if a == nil || a.alias == "" {
			return a
		}
		// RFC 1034 §3.6.2: an alias whose end did not come with it.
		w.t.alias = append(w.t.alias[:0], a.alias...)
		parent, name = nil, w.t.alias
	}
	return &answer{outcome: failed, asked: string(name), err: &Error{Name: string(name), Type: typeName(qtype), Kind: ErrServerFailure,
		Detail: "a chain of CNAME records that is too long or a circle: its zone needs repair"}}
}

func (w *walk) look(parent *answer, name []byte, qtype uint16) *answer {
	if host := w.up.hosts[string(name)]; host != nil && (qtype == typeA || qtype == typeAAAA) {
		return host.of(qtype)
	}
	if parent != nil {
		if a := parent.additional(name, qtype, w.now); a != nil {
			return a
		}
	}
	if a := w.got[question{string(name), qtype}]; a != nil {
		return a
	}
	if a := w.r.known(name, qtype, w.now); a != nil {
		return a
	}
	w.missing = append(w.missing, question{string(name), qtype})
	return nil
}
