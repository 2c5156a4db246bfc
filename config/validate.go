package config

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"biloxi/sip"
)

// validate reports all that does not fit together, each with what would be right.
func (s *source) validate(cfg *Config) {
	if cfg.Data == "" {
		s.fail("data", "data is empty; name the folder that bindings and subscribers are kept in")
	}
	s.validateDomains(cfg.Domains)
	s.validateListeners(cfg)
	s.validateTLS(&cfg.TLS)
	s.validateRegistrar(&cfg.Registrar)
	s.validateLocation(&cfg.Location)
	s.validateAuth(&cfg.Auth)
	s.validateDefence(&cfg.Defence)
	s.validateProxy(&cfg.Proxy)
	s.validateRoutes(cfg.Routes)
	s.validateDNS(&cfg.DNS)
	s.validateLimits(&cfg.Limits)
}

func (s *source) validateDomains(domains []Domain) {
	if len(domains) == 0 {
		s.fail("domain", "there is no domain; add [[domain]] with a name")
	}
	taken := map[string]string{} // host → path that it was first given at
	claim := func(path, what, host string) {
		if host == "" {
			s.fail(path, "%s is missing; write the domain, such as \"example.com\"", what)
			return
		}
		if !isHost(host) {
			s.fail(path, "%q is no host; write a domain or an IP address, without scheme and port", host)
			return
		}
		if first, ok := taken[host]; ok {
			s.fail(path, "%q is taken already, by %s (%s)", host, first, s.where(first))
			return
		}
		taken[host] = path
	}
	for i, d := range domains {
		path := fmt.Sprintf("domain.%d", i)
		claim(path+".name", "name", d.Name)
		for j, alias := range d.Aliases {
			claim(fmt.Sprintf("%s.aliases.%d", path, j), "alias", alias)
		}
		s.validateDomain(path, &d)
	}
}

func (s *source) validateDomain(path string, d *Domain) {
	if strings.ContainsFunc(d.Realm, func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' || r == '\\' }) {
		s.fail(path+".realm", "realm %q has quotes, backslashes or control characters; leave them out", d.Realm)
	}
	if len(d.Algorithms) == 0 {
		s.fail(path+".algorithms", "algorithms is empty; write [\"MD5\"], or leave it out")
	}
	for i, a := range d.Algorithms {
		if slices.Contains(d.Algorithms[:i], a) {
			s.fail(fmt.Sprintf("%s.algorithms.%d", path, i), "%s stands twice in algorithms; keep one", a)
		}
	}
	if d.Mode == ModeRedirect && d.Callers != CallersAnyone {
		s.fail(s.given(path+".callers", path), "callers = %q has no effect with mode = \"redirect\", which tells anybody where to go; leave one of them out", d.Callers)
	}
	for i, user := range d.ThirdParty {
		if !isUser(user) {
			s.fail(fmt.Sprintf("%s.third_party.%d", path, i), "%q is no user; write the part before the @ alone", user)
		}
	}
}

// isHost reports whether text is a host name without a final dot, or an address, IPv6 in brackets, and nothing
// more.
func isHost(text string) bool {
	u, err := sip.ParseURI([]byte("sip:" + text))
	return err == nil && u.Port == 0 && string(u.Host) == text && !strings.Contains("."+text+".", "..")
}

// isUser reports whether text is the user part of a URI, or a beginning of one, and nothing more.
func isUser(text string) bool {
	u, err := sip.ParseURI([]byte("sip:" + text + "@host"))
	return err == nil && u.Password == nil && string(u.User) == text
}

func (s *source) validateListeners(cfg *Config) {
	if len(cfg.Listeners) == 0 {
		s.fail("listen", "there is no listener; add [[listen]] with transport and address")
	}
	type socket struct {
		datagram bool
		address  netip.AddrPort
	}
	taken := map[socket]string{}
	for i, l := range cfg.Listeners {
		path := fmt.Sprintf("listen.%d", i)
		if l.Transport == Transport(sip.NoTransport) {
			s.fail(path, "transport is missing; it is one of udp, tcp, tls")
			continue
		}
		if l.Transport == Transport(sip.TLS) && cfg.TLS.Certificate == "" && len(cfg.TLS.SNI) == 0 {
			s.fail(path+".transport", "a tls listener needs a certificate; give certificate and key in [tls]")
		}
		if _, reason := parseAdvertise(l.Advertise); l.Advertise != "" && reason != "" {
			s.fail(path+".advertise", "%s", reason)
		}
		address, reason := parseAddress(l)
		if reason != "" {
			s.fail(path+".address", "%s", reason)
			continue
		}
		key := socket{l.Transport == Transport(sip.UDP), address}
		if first, ok := taken[key]; ok && address.Port() != 0 {
			s.fail(path+".address", "%s is taken already, by %s (%s)", l.Address, first, s.where(first))
		}
		taken[key] = path
	}
}

// parseAddress reads a listener's address; reason says what would be right.
func parseAddress(l Listener) (address netip.AddrPort, reason string) {
	port := sip.Transport(l.Transport).DefaultPort()
	if l.Address == "" {
		return address, fmt.Sprintf("address is missing; write an IP address and a port, such as \"0.0.0.0:%d\"", port)
	}
	if address, err := netip.ParseAddrPort(l.Address); err == nil {
		return netip.AddrPortFrom(address.Addr().Unmap(), address.Port()), ""
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(l.Address, "["), "]")
	if ip, err := netip.ParseAddr(bare); err == nil {
		return address, fmt.Sprintf("address %q has no port; write %q", l.Address, netip.AddrPortFrom(ip, port))
	}
	if digits, ok := strings.CutPrefix(l.Address, ":"); ok {
		return address, fmt.Sprintf("address %q has no IP address; write \"0.0.0.0:%s\" or \"[::]:%s\" for all of them", l.Address, digits, digits)
	}
	return address, fmt.Sprintf("address %q is not an IP address and a port; write it as \"192.0.2.1:%d\" or \"[2001:db8::1]:%d\"", l.Address, port, port)
}

func (s *source) validateTLS(t *TLS) {
	s.validatePair("tls", t.Certificate, t.Key)
	for i, c := range t.SNI {
		path := fmt.Sprintf("tls.sni.%d", i)
		if c.Certificate == "" && c.Key == "" {
			s.fail(path, "certificate and key are missing")
		}
		s.validatePair(path, c.Certificate, c.Key)
	}
	switch {
	case t.ClientCertificates == ClientCertsNone && t.ClientCA != "":
		s.fail("tls.client_ca", "client_ca has no effect while client_certificates is \"none\"; make that \"request\" or \"require\"")
	case t.ClientCertificates != ClientCertsNone && t.ClientCA == "":
		s.fail("tls.client_certificates", "client_certificates = %q needs client_ca, the CA that signs them", string(t.ClientCertificates))
	}
}

func (s *source) validatePair(path, certificate, key string) {
	if certificate != "" && key == "" {
		s.fail(path+".certificate", "certificate has no key; give key in [%s]", withoutIndex(path))
	}
	if key != "" && certificate == "" {
		s.fail(path+".key", "key has no certificate; give certificate in [%s]", withoutIndex(path))
	}
}

func (s *source) validateRegistrar(r *Registrar) {
	for _, e := range []struct {
		path string
		d    Duration
	}{
		{"registrar.min_expires", r.MinExpires},
		{"registrar.default_expires", r.DefaultExpires},
		{"registrar.max_expires", r.MaxExpires},
	} {
		d := time.Duration(e.d)
		if d < time.Second || d > maxExpires || d%time.Second != 0 {
			s.fail(e.path, "%s is %s; an expiry is a whole number of seconds from 1s to %s", last(e.path), e.d, Duration(maxExpires))
		}
	}
	switch {
	case r.MinExpires > Duration(maxMinExpires):
		s.fail("registrar.min_expires", "min_expires is %s; RFC 3261 lets nothing over %s be refused as too brief", r.MinExpires, Duration(maxMinExpires))
	case r.MinExpires > r.MaxExpires:
		s.fail(s.given("registrar.min_expires", "registrar.max_expires"),
			"min_expires (%s) is more than max_expires (%s)", r.MinExpires, r.MaxExpires)
	case r.DefaultExpires < r.MinExpires:
		s.fail(s.given("registrar.default_expires", "registrar.min_expires"),
			"default_expires (%s) is less than min_expires (%s)", r.DefaultExpires, r.MinExpires)
	case r.DefaultExpires > r.MaxExpires:
		s.fail(s.given("registrar.default_expires", "registrar.max_expires"),
			"default_expires (%s) is more than max_expires (%s)", r.DefaultExpires, r.MaxExpires)
	}
	s.between("registrar.max_contacts", r.MaxContacts, 1, maxContacts)
	if math.IsNaN(r.Jitter) || r.Jitter < 0 || r.Jitter > maxJitter {
		s.fail("registrar.jitter", "jitter is %v; it is a share of the expiry, from 0 to %v", r.Jitter, maxJitter)
	}
	for i, route := range r.ServiceRoute {
		if u, err := sip.ParseURI([]byte(route)); err != nil || !u.IsSIP() {
			s.fail(fmt.Sprintf("registrar.service_route.%d", i), "%q is no SIP URI; write it as \"sip:proxy.example.com;lr\"", route)
		}
	}
}

// given returns the first of the paths that somebody has set, so that the error stands there.
func (s *source) given(paths ...string) string {
	for _, p := range paths {
		if _, ok := s.places[p]; ok {
			return p
		}
	}
	return paths[0]
}

func (s *source) validateLocation(l *Location) {
	s.atLeast("location.interval", l.Interval, Duration(minInterval))
	s.atLeastBytes("location.snapshot_size", l.SnapshotSize, minSnapshot)
	s.atLeastBytes("location.max_pending", l.MaxPending, minPending)
}

func (s *source) validateAuth(a *Auth) {
	s.atLeast("auth.nonce_lifetime", a.NonceLifetime, Duration(time.Second))
	s.between("auth.max_nonces", a.MaxNonces, 1, maxNonces)
}

func (s *source) validateLimits(l *Limits) {
	s.between("limits.connections", l.Connections, 1, math.MaxInt32)
	s.between("limits.connections_per_source", l.ConnectionsPerSource, 1, math.MaxInt32)
	s.betweenBytes("limits.head_size", l.HeadSize, minHead, maxHead)
	s.betweenBytes("limits.body_size", l.BodySize, minBody, maxBody)
	s.atLeast("limits.handshake_timeout", l.HandshakeTimeout, Duration(time.Second))
	s.atLeast("limits.unauthenticated_timeout", l.UnauthenticatedTimeout, Duration(time.Second))
	s.atLeast("limits.message_timeout", l.MessageTimeout, Duration(time.Second))
	s.atLeast("limits.idle_timeout", l.IdleTimeout, Duration(minIdle))
	s.atLeast("limits.write_timeout", l.WriteTimeout, Duration(time.Second))
	s.atLeastBytes("limits.write_queue", l.WriteQueue, minHead)
	s.atLeast("limits.shutdown_timeout", l.ShutdownTimeout, Duration(time.Second))
}

func (s *source) between(path string, n, low, high int) {
	if n < low || n > high {
		s.fail(path, "%s is %d; it is from %d to %d", last(path), n, low, high)
	}
}

func (s *source) betweenBytes(path string, n, low, high Size) {
	if n < low || n > high {
		s.fail(path, "%s is %s; it is from %s to %s", last(path), n, low, high)
	}
}

func (s *source) atLeast(path string, d, low Duration) {
	if d < low {
		s.fail(path, "%s is %s; it is at least %s", last(path), d, low)
	}
}

func (s *source) atLeastBytes(path string, n, low Size) {
	if n < low {
		s.fail(path, "%s is %s; it is at least %s", last(path), n, low)
	}
}

// canonicalHost writes a host in the one form that it is compared in: lower case, without the final dot
// of a fully qualified name, IPv6 in brackets and in its shortest form.
func canonicalHost(host string) string {
	if ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		if ip.Is6() {
			return "[" + ip.String() + "]"
		}
		return ip.String()
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}
