package server

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"biloxi/config"
	"biloxi/sip"
)

// self is what leads to this server, and how others are told to reach it. It is built once the sockets are bound
// and again at a reload, and never changed.
type self struct {
	domains   *domains
	names     map[string][]uint16 // of listeners: a host in lower case or an address, with its ports; 0 stands for a URI without one
	ports     []uint16            // of all listeners
	listeners []listenerName
	local     []netip.Addr // this machine's, for listeners at every address
}

// listenerName is a listener with how it is told of.
type listenerName struct {
	sip.Flow        // Transport and Local
	sentBy   []byte // host, and port unless it is the transport's own; nil: the address that a packet leaves by
}

// newSelf makes what the listeners of a configuration and what they were bound to say. Both are in one order.
func newSelf(d *domains, listeners []config.Listener, bound []sip.Flow, local []netip.Addr) *self {
	f := &self{domains: d, names: map[string][]uint16{}, local: local}
	for i, flow := range bound {
		l := listenerName{Flow: flow}
		port := flow.Local.Port()
		f.ports = append(f.ports, port)
		if flow.Local.Addr().IsUnspecified() {
			for _, a := range local {
				f.know(a, port)
			}
		} else {
			f.know(flow.Local.Addr(), port)
			l.sentBy = appendHostPort(nil, flow.Local.Addr(), port, flow.Transport)
		}
		if i < len(listeners) && listeners[i].Advertise != "" {
			l.sentBy = f.advertise(listeners[i].Advertise, port, flow.Transport)
		}
		f.listeners = append(f.listeners, l)
	}
	return f
}

// know makes an address and port ours. A URI without a port means the default one.
func (f *self) know(a netip.Addr, port uint16) {
	f.add(string(appendHost(nil, a.Unmap())), port)
}

func (f *self) add(host string, port uint16) {
	f.names[host] = append(f.names[host], port)
	if port == sip.UDP.DefaultPort() || port == sip.TLS.DefaultPort() {
		f.names[host] = append(f.names[host], 0)
	}
}

// advertise makes a name ours, and returns the sent-by that tells it.
func (f *self) advertise(name string, port uint16, t sip.Transport) []byte {
	host := name
	if h, p, err := net.SplitHostPort(name); err == nil {
		host = h
		if strings.Contains(h, ":") {
			host = "[" + h + "]"
		}
		if n, err := strconv.ParseUint(p, 10, 16); err == nil {
			port = uint16(n)
		}
		f.ports = append(f.ports, port)
	}
	f.add(host, port)
	f.names[host] = append(f.names[host], 0) // DNS may give the name its port
	if port == t.DefaultPort() {
		return []byte(host)
	}
	return strconv.AppendUint(append([]byte(host), ':'), uint64(port), 10)
}

// Is implements proxy.Self. A domain's name without a port leads here, since DNS says where; with a port it does if
// that is one of ours.
func (f *self) Is(host []byte, port uint16) bool {
	var buf [maxHost]byte
	name := canonicalHost(buf[:0], host)
	if name == nil {
		return false
	}
	if slices.Contains(f.names[string(name)], port) {
		return true
	}
	if f.domains.byHost[string(name)].domain == nil {
		return false
	}
	return port == 0 || slices.Contains(f.ports, port)
}

// listensAt reports whether what is sent to an address comes back to one of our own listeners.
func (f *self) listensAt(t sip.Transport, a netip.AddrPort) bool {
	addr := a.Addr().Unmap()
	for i := range f.listeners {
		l := &f.listeners[i]
		if l.Transport != t || l.Local.Port() != a.Port() {
			continue
		}
		if own := l.Local.Addr().Unmap(); own == addr || own.IsUnspecified() && (addr.IsLoopback() || slices.Contains(f.local, addr)) {
			return true
		}
	}
	// An advertised address is one that a NAT brings back to us.
	var buf [64]byte
	ports, named := f.names[string(appendHost(buf[:0], addr))]
	return named && slices.Contains(ports, a.Port()) && f.transports(t)
}

// transports reports whether a transport is listened to.
func (f *self) transports(t sip.Transport) bool {
	return slices.ContainsFunc(f.listeners, func(l listenerName) bool { return l.Transport == t })
}

// appendSentBy appends the host and port by which the peer of a flow reaches us: that of the listener at the flow's
// address, else the first one of its transport and family.
func (f *self) appendSentBy(dst []byte, flow sip.Flow) []byte {
	l := f.listener(flow)
	switch {
	case l == nil:
		return appendHostPort(dst, flow.Local.Addr(), flow.Local.Port(), flow.Transport)
	case l.sentBy == nil:
		return appendHostPort(dst, flow.Local.Addr(), l.Local.Port(), flow.Transport)
	}
	return append(dst, l.sentBy...)
}

func (f *self) listener(flow sip.Flow) *listenerName {
	var both, same *listenerName
	for i := range f.listeners {
		l := &f.listeners[i]
		if l.Transport != flow.Transport {
			continue
		}
		if l.Local == flow.Local {
			return l
		}
		wild := l.Local.Addr().IsUnspecified()
		family := l.Local.Addr().Is4() == flow.Remote.Addr().Unmap().Is4()
		switch {
		case wild && l.Local.Port() == flow.Local.Port() && family:
			return l
		case wild && l.Local.Port() == flow.Local.Port() && both == nil && l.Local.Addr().Is6():
			both = l // it has IPv4 too, unless another of that port has
		case same == nil && (family || wild && l.Local.Addr().Is6()):
			same = l
		}
	}
	if both != nil {
		return both
	}
	return same
}

// appendHostPort appends an address as a URI or a Via has it, with the port unless it is the transport's own.
func appendHostPort(dst []byte, a netip.Addr, port uint16, t sip.Transport) []byte {
	dst = appendHost(dst, a.Unmap())
	if port == t.DefaultPort() {
		return dst
	}
	return strconv.AppendUint(append(dst, ':'), uint64(port), 10)
}

func appendHost(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		return a.AppendTo(dst)
	}
	return append(a.WithZone("").AppendTo(append(dst, '[')), ']')
}

// localAddrs are the addresses of this machine.
func localAddrs() (list []netip.Addr) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list
}
