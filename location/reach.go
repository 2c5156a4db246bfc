package location

import (
	"bytes"
	"net/netip"

	"biloxi/sip"
)

// Flows knows which flows are there.
type Flows interface {
	// Alive reports whether something can be sent over the flow: a connection is open. UDP is always alive.
	Alive(flow sip.Flow) bool
}

// Gone reports whether the connection has closed that the binding was registered over, as all have after a
// restart: then nobody reaches the phone over it, and it registers again. nil flows knows no connection.
//
// It is never so over UDP. With a Path (RFC 3327) the flow is that of the proxy in between, which can be
// connected to anew; a contact that is no SIP URI, or names another transport, needs none. A contact that is also
// called where its URI leads may still be there: nobody knows.
func (b *Binding) Gone(flows Flows) bool {
	if !b.Flow.Transport.Reliable() || b.Path != nil || !isSIP(b.Contact) || flows != nil && flows.Alive(b.Flow) {
		return false
	}
	u, err := sip.ParseURI(b.Contact)
	reach := b.Reach(&u)
	return err != nil || reach != ByURI
}

// isSIP reports whether a URI that has been parsed before is a sip or sips URI.
func isSIP(uri []byte) bool {
	scheme, _, _ := bytes.Cut(uri, []byte(":"))
	return bytes.EqualFold(scheme, []byte("sip")) || bytes.EqualFold(scheme, []byte("sips"))
}

// Reach is how a contact is reached.
type Reach uint8

// The ways.
const (
	ByURI         Reach = iota // where its URI leads
	ByFlow                     // over the flow that it was registered over, and no other way
	FlowBeforeURI              // over that flow while it is there, then where its URI leads
	URIBeforeFlow              // where its URI leads, and over that flow if it leads nowhere
)

// Reach says how the binding's contact, whose URI is u, is reached where it has no Path.
//
// RFC 3261 §10.2.1 has a contact say where its user is to be reached, and §16.5 takes it as that. The flow is for what
// cannot be reached so: an outbound client (RFC 5626 §5.3), WebSockets (RFC 7118 §5), ".invalid", a name that no DNS
// has, and an address of a private network that the flow does not come from: a NAT stands in between. Over a connection
// it is also for a contact at its other end: as a rule nobody listens there.
func (b *Binding) Reach(u *sip.URI) Reach {
	switch {
	case b.Flow.IsZero():
		return ByURI
	case b.RegID > 0 || b.Flow.Transport >= sip.WS || uriTransport(u) >= sip.WS || under(u.Host, "invalid"):
		return ByFlow
	}
	addr, literal := u.HostAddr()
	if !literal {
		if bytes.IndexByte(u.Host, '.') < 0 || under(u.Host, "local") {
			return FlowBeforeURI
		}
		return URIBeforeFlow
	}
	addr = addr.Unmap()
	from := netip.AddrPortFrom(b.Flow.Remote.Addr().Unmap(), b.Flow.Remote.Port())
	switch {
	case addr == from.Addr():
		return b.reachSource(u, from.Port())
	case BehindNAT(addr) && !sameNetwork(addr, from.Addr()):
		return ByFlow
	case b.Flow.Transport.Reliable() && !b.otherTransport(u):
		return URIBeforeFlow
	}
	return ByURI
}

// reachSource is Reach for a contact at the address that it was registered from.
func (b *Binding) reachSource(u *sip.URI, port uint16) Reach {
	switch {
	case b.otherTransport(u):
		return ByURI
	case uriPort(u) == port:
		return ByFlow
	case b.Flow.Transport.Reliable():
		return FlowBeforeURI
	}
	return ByURI
}

// otherTransport reports whether the URI names another transport than the flow's. That of a sip URI may be TLS where it
// says tcp, since phones write what their URI's scheme would make TLS.
func (b *Binding) otherTransport(u *sip.URI) bool {
	_, some := u.Params.Value("transport")
	named, flow := uriTransport(u), b.Flow.Transport
	return some && named != flow && !(named == sip.TCP && flow == sip.TLS)
}

// uriTransport is the transport that a URI means (RFC 3261 §19.1.2, RFC 5630 §3.1.4).
func uriTransport(u *sip.URI) sip.Transport {
	name, ok := u.Params.Value("transport")
	transport := sip.TransportOf(name)
	switch {
	case u.Scheme == sip.SchemeSIPS && (!ok || transport == sip.TCP):
		return sip.TLS
	case !ok:
		return sip.UDP
	}
	return transport
}

func uriPort(u *sip.URI) uint16 {
	if u.Port != 0 {
		return u.Port
	}
	return uriTransport(u).DefaultPort()
}

// under reports whether a host is a name in a top-level domain, or that itself, whatever its case and final dot.
func under(host []byte, top string) bool {
	host = bytes.TrimSuffix(host, []byte{'.'})
	n := len(host) - len(top)
	return n >= 0 && bytes.EqualFold(host[n:], []byte(top)) && (n == 0 || host[n-1] == '.')
}

// sharedSpace is what carriers put their customers' NATs into (RFC 6598).
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// BehindNAT reports whether an address is one that means something in its own network only.
func BehindNAT(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || sharedSpace.Contains(a)
}

// sameNetwork reports whether two addresses are of one private network, as far as addresses tell: those at home have 24
// bits in common, larger ones 16; a loopback is one host.
func sameNetwork(a, b netip.Addr) bool {
	if a.IsUnspecified() || !BehindNAT(b) || a.Is4() != b.Is4() {
		return false
	}
	bits := 64
	switch {
	case a.IsLoopback():
		return b.IsLoopback()
	case a.Is4() && (a.As4()[0] == 10 || a.As4()[0] == 172 || a.IsLinkLocalUnicast()):
		bits = 16
	case a.Is4():
		bits = 24
	}
	network, err := a.Prefix(bits)
	return err == nil && network.Contains(b)
}
