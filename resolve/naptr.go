package resolve

import (
	"cmp"
	"slices"
	"strings"

	"biloxi/sip"
)

// naptr is a NAPTR record that names a SIP service which we know.
type naptr struct {
	order, preference uint16
	transport         sip.Transport
	replacement       string // where its SRV records are
}

// serviceTransport returns the transport of a NAPTR service field (RFC 3263 §4.1, §9); none for one that
// we do not know, as SIP+D2S, or that makes no sense, as SIPS+D2U.
func serviceTransport(service string) sip.Transport {
	switch strings.ToUpper(service) {
	case "SIP+D2U":
		return sip.UDP
	case "SIP+D2T":
		return sip.TCP
	case "SIPS+D2T":
		return sip.TLS
	}
	return sip.NoTransport
}

// sortNAPTR orders records as they are to be looked at: by order, then preference.
func sortNAPTR(list []naptr) {
	slices.SortStableFunc(list, func(a, b naptr) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.preference, b.preference))
	})
}

// selectByNAPTR follows the NAPTR records of the TARGET (RFC 3263 §4.1), and reports whether they settle
// what is to be known: by targets, by an error, or by something that is missing.
func (w *walk) selectByNAPTR(h *hop) (settled bool) {
	a := w.find(nil, w.t.host, typeNAPTR)
	if a == nil {
		return true
	}
	if a.outcome != found {
		return false
	}
	w.setName(a)
	var first sip.Transport
	followed, order := 0, uint16(0)
	for _, n := range a.naptr {
		// RFC 3263 §4.1: what does not lead to a transport of ours is discarded; for a sips URI, what is not
		// SIPS.
		if !h.accepts(n.transport) || !w.r.supports(n.transport) {
			continue
		}
		// RFC 3403 §4.1: once an order has led somewhere, a higher one is not considered.
		if n.order != order && (len(w.t.list) > 0 || len(w.missing) > 0) || followed == maxServices {
			break
		}
		if followed == 0 {
			first = n.transport
		}
		followed, order = followed+1, n.order
		w.t.key = append(w.t.key[:0], n.replacement...)
		w.service(a, w.t.key, n.transport)
	}
	if followed > 0 && w.empty() {
		// RFC 3263 §4.2: no SRV records are found: the addresses of the domain, with the transport that NAPTR
		// selected.
		w.addresses(nil, w.t.host, first, srv{})
	}
	return followed > 0
}
