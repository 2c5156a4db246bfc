package transaction

import (
	"net/netip"

	"biloxi/sip"
)

// route is the flow of a transaction and where its messages go along it, in half the space: 16 bytes an address,
// the one of `to` told by its port, for it mostly is the flow's.
type route struct {
	local, remote [16]byte
	serial        uint64
	ports         [3]uint16 // of local, of remote, of `to`
	transport     sip.Transport
	families      families
	odd           *oddRoute // what does not fit; nil: it does
}

// oddRoute is a route as it is: with a zone in it, or to another host than the flow's (RFC 3261 §18.2.2: maddr).
type oddRoute struct {
	flow sip.Flow
	to   netip.AddrPort
}

// families says how the addresses of a route are to be read: local's family and four times remote's; and of a record,
// whether it is a client's.
type families uint8

const (
	noAddr families = iota
	ip4
	ip6

	ofClient families = 1 << 4
)

func (f families) local() families  { return f & 3 }
func (f families) remote() families { return f >> 2 & 3 }

// bytes is how long an address of that family is.
func (f families) bytes() int { return [...]int{0, 4, 16, 0}[f&3] }

func newRoute(flow sip.Flow, to netip.AddrPort) route {
	r := route{serial: flow.Serial, transport: flow.Transport, ports: [3]uint16{flow.Local.Port(), flow.Remote.Port(), to.Port()}}
	local, remote := flow.Local.Addr(), flow.Remote.Addr()
	if to.Addr() != remote || local.Zone() != "" || remote.Zone() != "" {
		r.odd = &oddRoute{flow, to}
		return r
	}
	r.families = pack(&r.local, local) | pack(&r.remote, remote)<<2
	return r
}

// pack writes an address without a zone.
func pack(to *[16]byte, a netip.Addr) families {
	switch {
	case a.Is4():
		four := a.As4()
		copy(to[:], four[:])
		return ip4
	case a.Is6():
		*to = a.As16()
		return ip6
	}
	return noAddr
}

func unpack(from *[16]byte, f families, port uint16) netip.AddrPort {
	var a netip.Addr
	switch f {
	case ip4:
		a = netip.AddrFrom4([4]byte(from[:4]))
	case ip6:
		a = netip.AddrFrom16(*from)
	}
	return netip.AddrPortFrom(a, port)
}

// read is what newRoute was given.
func (r *route) read() (flow sip.Flow, to netip.AddrPort) {
	if r.odd != nil {
		return r.odd.flow, r.odd.to
	}
	flow = sip.Flow{Transport: r.transport, Serial: r.serial, Local: unpack(&r.local, r.families.local(), r.ports[0]),
		Remote: unpack(&r.remote, r.families.remote(), r.ports[1])}
	return flow, netip.AddrPortFrom(flow.Remote.Addr(), r.ports[2])
}
