package server

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"biloxi/config"
	"biloxi/digest"
	"biloxi/proxy"
	"biloxi/registrar"
	"biloxi/resolve"
	"biloxi/sip"
	"biloxi/store/journal"
	"biloxi/transport"
)

// The packages below know nothing of the configuration's file: here its values become theirs.

func registrarConfig(c config.Registrar, s *Server) registrar.Config {
	return registrar.Config{
		DefaultExpires:          time.Duration(c.DefaultExpires),
		MinExpires:              time.Duration(c.MinExpires),
		MaxExpires:              time.Duration(c.MaxExpires),
		MaxContacts:             c.MaxContacts,
		Jitter:                  c.Jitter,
		LenientCSeq:             c.LenientCSeq,
		PathWithoutSupport:      string(c.PathWithoutSupport),
		WhenFull:                string(c.WhenFull),
		FirstHopWithoutOutbound: string(c.FirstHopWithoutOutbound),
		Flows:                   s.transport,
		Place:                   s.place,
		AtSource:                c.ContactsAtSource,
		ServiceRoute:            c.ServiceRoute,
	}
}

func digestConfig(c config.Auth) digest.Config {
	return digest.Config{
		AuthInt:       c.AuthInt,
		NonceLifetime: time.Duration(c.NonceLifetime),
		MaxNonces:     c.MaxNonces,
	}
}

func journalDurability(d config.Durability) journal.Durability {
	switch d {
	case config.DurabilityInterval:
		return journal.Interval
	case config.DurabilityNone:
		return journal.None
	}
	return journal.Sync
}

func transportConfig(c config.Config, tls transport.TLSConfig, opt Options, log *slog.Logger) transport.Config {
	l := c.Limits
	out := transport.Config{
		TLS:          tls,
		Logger:       log,
		ListenPacket: opt.ListenPacket,
		ListenStream: opt.ListenStream,
		Dial:         opt.Dial,
		Limits: transport.Limits{
			MaxHead:           int(l.HeadSize),
			MaxBody:           int(l.BodySize),
			MaxConns:          l.Connections,
			MaxConnsPerSource: l.ConnectionsPerSource,
			Unauthenticated:   time.Duration(l.UnauthenticatedTimeout),
			Idle:              time.Duration(l.IdleTimeout),
			Message:           time.Duration(l.MessageTimeout),
			WriteQueue:        int(l.WriteQueue),
			Write:             time.Duration(l.WriteTimeout),
			Handshake:         time.Duration(l.HandshakeTimeout),
		},
	}
	for _, a := range c.Listeners {
		out.Listeners = append(out.Listeners, transport.Listener{Transport: sip.Transport(a.Transport), Address: a.Address})
	}
	return out
}

func proxyConfig(c config.Proxy, secret [32]byte, dialogs *proxy.Dialogs) proxy.Config {
	return proxy.Config{
		TimerC:     time.Duration(c.TimerC),
		NoAnswer:   c.NoAnswer,
		Recurse:    c.Recurse,
		MaxBreadth: uint32(c.MaxBreadth),
		TLSParam:   true, // phones take a sip URI without it for one of UDP
		Secret:     secret,
		Dialog:     time.Duration(c.DialogLifetime),
		Dialogs:    dialogs,
	}
}

// resolverConfig has the resolver find what can be reached: over the transports and address families of the listeners.
func resolverConfig(c config.Config, opt Options, now func() time.Time) (resolve.Config, error) {
	out := resolve.Config{Exchanger: opt.Exchanger, Now: now}
	four, six := false, false
	for _, l := range c.Listeners {
		if t := sip.Transport(l.Transport); !slices.Contains(out.Transports, t) {
			out.Transports = append(out.Transports, t)
		}
		a, err := netip.ParseAddrPort(l.Address)
		switch {
		case err != nil, a.Addr().IsUnspecified() && a.Addr().Is6():
			four, six = true, true // every address
		case a.Addr().Unmap().Is4():
			four = true
		default:
			six = true
		}
	}
	slices.Sort(out.Transports)
	switch {
	case !six:
		out.Families = resolve.IPv4Only
	case !four:
		out.Families = resolve.IPv6Only
	}
	var err error
	out.Servers, out.Hosts, err = nameServers(c.DNS)
	return out, err
}

// nameServers are those of the configuration, and the names that it gives addresses itself.
func nameServers(c config.DNS) (servers []netip.AddrPort, hosts map[string][]netip.Addr, err error) {
	for _, text := range c.Servers {
		a, err := netip.ParseAddrPort(text)
		if err != nil {
			return nil, nil, fmt.Errorf("name server %q: %w", text, err)
		}
		servers = append(servers, a)
	}
	hosts = map[string][]netip.Addr{}
	for name, list := range c.Hosts {
		for _, text := range list {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return nil, nil, fmt.Errorf("address of %s: %w", name, err)
			}
			hosts[name] = append(hosts[name], a)
		}
	}
	return servers, hosts, nil
}
