package resolve

import "biloxi/sip"

// LookupSentBy finds where a response can go when it cannot go where it came from: when the connection
// has closed, or the send to [sip.Via.ResponseAddr] failed (RFC 3263 §5). The Via is the topmost one of
// the response; its maddr is left to the caller. The rest is as with [Resolver.Lookup].
func (r *Resolver) LookupSentBy(via *sip.Via, t *Targets, done Done) (ready bool, err error) {
	t.reset(r)
	// RFC 3263 §5: the transport is that of the Via, and TLS stays TLS. With a port the addresses of the
	// host are taken, without one its SRV records for that transport: as for a URI that names both.
	h := hop{port: via.Port, secure: via.Transport.Secure()}
	if e := h.setHost(r, via.Host, t); e != nil {
		return false, e
	}
	if e := h.setTransport(r, via.TransportName, t); e != nil {
		return false, e
	}
	return r.lookup(&h, t, done, Asker{})
}
