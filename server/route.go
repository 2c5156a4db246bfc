package server

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"biloxi/config"
	"biloxi/proxy"
	"biloxi/sip"
)

// routing is what the configuration says of where requests go and whom it trusts. It is never changed.
type routing struct {
	list        []route
	outbound    []hop
	trusted     []config.Prefix
	recordRoute bool
	assert      bool // P-Asserted-Identity for who authenticated
	reserved    *reserved
}

// route is one [[route]].
type route struct {
	name        string
	selector    []byte // the name, which tells the loop check that another route is another way
	domain      string // a host, or ".example.com" for what is below it; empty: any
	user        []byte
	source      []config.Prefix
	hops        []hop
	recordRoute bool
	trusted     bool
}

// hop is a next hop of the configuration.
type hop struct {
	uri   sip.URI
	value []byte // what goes into Route: the URI if it has lr; nil: it only says where to send
}

func newRouting(cfg *config.Config) (*routing, error) {
	r := &routing{trusted: cfg.Proxy.Trusted, recordRoute: cfg.Proxy.RecordRoute, assert: cfg.Proxy.AssertIdentity}
	var err error
	if r.outbound, err = newHops(cfg.Proxy.Outbound); err != nil {
		return nil, err
	}
	for i, c := range cfg.Routes {
		one := route{name: c.Name, domain: strings.TrimPrefix(c.Domain, "*"), user: []byte(c.User), source: c.Source,
			recordRoute: r.recordRoute, trusted: c.Trusted}
		if one.name == "" {
			one.name = fmt.Sprintf("route %d", i+1)
		}
		one.selector = []byte(one.name)
		if c.RecordRoute != nil {
			one.recordRoute = *c.RecordRoute
		}
		if one.hops, err = newHops(c.Hops); err != nil {
			return nil, err
		}
		r.list = append(r.list, one)
	}
	r.reserved = newReserved(r)
	return r, nil
}

func newHops(list []string) (hops []hop, err error) {
	for _, text := range list {
		h := hop{}
		if h.uri, err = sip.ParseURI([]byte(text)); err != nil {
			return nil, fmt.Errorf("next hop %q: %w", text, err)
		}
		// RFC 3261 §16.6 step 6: what is pushed into Route has lr; what has none is only where it is sent.
		if h.uri.Params.Has("lr") {
			h.value = []byte("<" + text + ">")
		}
		hops = append(hops, h)
	}
	return hops, nil
}

// match is the first route for a request, nil if there is none.
func (r *routing) match(in *proxy.Received) *route {
	for i := range r.list {
		if one := &r.list[i]; one.matches(in) {
			return one
		}
	}
	return nil
}

func (r *route) matches(in *proxy.Received) bool {
	if r.domain != "" && !r.isDomain(in.URI.Host) {
		return false
	}
	if len(r.user) > 0 && !bytes.HasPrefix(in.URI.User, r.user) {
		return false
	}
	return len(r.source) == 0 || contains(r.source, in.Flow.Remote.Addr())
}

// forward is the route that a contact of somebody at source takes, counted from 1; 0 if it goes where its URI leads. own
// says that the contact is in a domain of ours: then a route for its user takes it, as it takes the calls of those who
// dial it. Elsewhere the user in a contact is the phone's own affair. A route for a source alone is for what comes from
// there.
func (r *routing) forward(u *sip.URI, own bool, source netip.Addr) int {
	for i := range r.list {
		one := &r.list[i]
		switch {
		case one.domain == "" && (len(one.user) == 0 || !own):
		case one.domain != "" && !one.isDomain(u.Host):
		case !bytes.HasPrefix(u.User, one.user):
		case len(one.source) > 0 && !contains(one.source, source):
		case len(one.hops) == 0:
			return 0
		default:
			return i + 1
		}
	}
	return 0
}

func (r *route) isDomain(host []byte) bool {
	var buf [maxHost]byte
	name := canonicalHost(buf[:0], host)
	if r.domain[0] == '.' {
		return len(name) > len(r.domain) && string(name[len(name)-len(r.domain):]) == r.domain
	}
	return string(name) == r.domain
}

// trusts reports whether whoever sends from an address is not challenged.
func (r *routing) trusts(a netip.Addr) bool { return contains(r.trusted, a) }

func contains(list []config.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
