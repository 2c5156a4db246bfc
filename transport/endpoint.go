package transport

import (
	"net/netip"

	"biloxi/sip"
)

// endpoint is what one listener is bound to.
type endpoint struct {
	flow     sip.Flow // Transport and Local
	family   string   // "4", "6" or "" for both
	wildcard bool
}

func newEndpoint(tr sip.Transport, local netip.AddrPort, family string) endpoint {
	return endpoint{sip.Flow{Transport: tr, Local: local}, family, local.Addr().IsUnspecified()}
}

// has reports whether an address of ours is this endpoint's.
func (e *endpoint) has(local netip.AddrPort) bool {
	if e.flow.Local == local {
		return true
	}
	return e.wildcard && e.flow.Local.Port() == local.Port() && (e.family == "" || (e.family == "4") == local.Addr().Is4())
}

// reaches reports whether an address is of a family that can be sent to from here.
func (e *endpoint) reaches(a netip.Addr) bool {
	return e.family == "" || (e.family == "4") == a.Unmap().Is4()
}
