package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"biloxi/sip"
)

// Server is where requests go. The zero Server is none.
type Server struct {
	Transport sip.Transport // UDP, TCP or TLS
	Pinned    bool          // the transport was asked for by name, so no other may take its place
	Host      string        // name or address, in lower case, IPv6 without brackets
	Port      uint16
}

// ParseServer reads a server as a URI has it: sip:host[:port][;transport=udp|tcp|tls], or sips: for TLS.
func ParseServer(s string) (Server, error) {
	u, err := parseURI(s)
	if err != nil || !u.IsSIP() {
		if !strings.HasPrefix(strings.ToLower(s), "sip") {
			return Server{}, fmt.Errorf("server %q is not a SIP URI: try sip:%s", printable(s), printable(s))
		}
		if err == nil {
			err = fmt.Errorf("the scheme is not sip or sips")
		}
		return Server{}, fmt.Errorf("server %q: %w", printable(s), err)
	}
	if u.User != nil || u.Headers != nil {
		return Server{}, fmt.Errorf("server %q: only a host, a port and a transport belong there", redacted(u))
	}
	return serverOf(u)
}

// serverOf is where a request to u goes if nothing else is said (RFC 3263 §4 without NAPTR and SRV: the
// transport of the URI, else UDP for sip and TLS for sips).
func serverOf(u sip.URI) (Server, error) {
	s := Server{Transport: sip.UDP, Host: strings.ToLower(string(u.Host)), Port: u.Port}
	if u.Scheme == sip.SchemeSIPS {
		s.Transport = sip.TLS
	}
	if v, ok := u.Params.Value("transport"); ok {
		t := sip.TransportOf(v)
		switch {
		case t != sip.UDP && t != sip.TCP && t != sip.TLS:
			return Server{}, fmt.Errorf("transport %q: it must be udp, tcp or tls", v)
		case u.Scheme == sip.SchemeSIPS && t == sip.UDP:
			return Server{}, fmt.Errorf("a sips URI needs TLS, which does not go over udp")
		case u.Scheme == sip.SchemeSIPS:
			t = sip.TLS // RFC 3261 §26.2.2: sips with transport=tcp is TLS over TCP
		}
		s.Transport, s.Pinned = t, true
	}
	if s.Port == 0 {
		s.Port = s.Transport.DefaultPort()
	}
	if a, ok := u.HostAddr(); ok {
		s.Host = a.Unmap().String()
	}
	return s, nil
}

// String is the server as a URI, as ParseServer reads it.
func (s Server) String() string {
	hostPort := net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port)))
	if s.Transport == sip.TLS {
		return "sips:" + hostPort
	}
	return "sip:" + hostPort + ";transport=" + strings.ToLower(s.Transport.String())
}

// addr is the server's address if the host is one.
func (s Server) addr() (netip.Addr, bool) {
	a, err := netip.ParseAddr(s.Host)
	return a, err == nil
}

// resolve returns the addresses of a server to try, in order.
func (c *Client) resolve(ctx context.Context, s Server) ([]netip.AddrPort, error) {
	if a, ok := s.addr(); ok {
		return []netip.AddrPort{netip.AddrPortFrom(a, s.Port)}, nil
	}
	found, err := c.cfg.Lookup(ctx, s.Host)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errNoAddress
	}
	addrs := make([]netip.AddrPort, 0, maxAddresses)
	for _, a := range found[:min(len(found), maxAddresses)] {
		addrs = append(addrs, netip.AddrPortFrom(a.Unmap(), s.Port))
	}
	return addrs, nil
}

var errNoAddress = errors.New("the name has no address")
