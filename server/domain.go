package server

import (
	"biloxi/config"
	"biloxi/sip"
)

// domain is one domain that the server is responsible for.
type domain struct {
	name       []byte // canonical
	realm      []byte
	realms     [][]byte // realm, alone
	algorithms []sip.Algorithm
	thirdParty map[string]bool // users who may register any AOR of the domain, and call in the name of any
	redirects  bool            // answers with its users' contacts instead of forwarding
	closed     bool            // only who authenticates may call its users
}

// domains finds the domain that a host stands for. It is built once and never changed: a reload builds
// another.
type domains struct {
	byHost map[string]host
	first  *domain  // of the configuration
	realms [][]byte // of all domains
}

// host is a name that the server answers to.
type host struct {
	domain *domain
	alias  bool // not the domain's own name: the host of a server that may serve several domains
}

func newDomains(list []config.Domain) *domains {
	d := &domains{byHost: make(map[string]host)}
	for _, c := range list {
		one := &domain{name: []byte(c.Name), realm: []byte(c.Realm), realms: [][]byte{[]byte(c.Realm)}, algorithms: c.DigestAlgorithms(),
			thirdParty: make(map[string]bool), redirects: c.Mode == config.ModeRedirect, closed: c.Callers == config.CallersAuthenticated}
		for _, user := range c.ThirdParty {
			one.thirdParty[user] = true
		}
		d.realms = append(d.realms, one.realm)
		if d.first == nil {
			d.first = one
		}
		d.byHost[c.Name] = host{domain: one}
		for _, alias := range c.Aliases {
			if _, taken := d.byHost[alias]; !taken {
				d.byHost[alias] = host{domain: one, alias: true}
			}
		}
	}
	return d
}

// find returns the host of a URI, whose name is compared without its case and final dot, an IPv6 address by
// its value (RFC 5954 §4.2), which may be an IPv4 address; nil domain if the server does not answer to it.
func (d *domains) find(name []byte) host {
	var buf [maxHost]byte
	return d.byHost[string(canonicalHost(buf[:0], name))]
}

// canonicalHost appends the host of a URI as hosts are compared; nil if it is too long to be one.
func canonicalHost(dst, name []byte) []byte {
	if len(name) > 0 && name[0] == '[' {
		reference := sip.URI{Host: name}
		if addr, ok := reference.HostAddr(); ok {
			return appendHost(dst, addr.Unmap())
		}
	}
	if n := len(name); n > 1 && name[n-1] == '.' {
		name = name[:n-1]
	}
	if len(name) > maxHost {
		return nil
	}
	return sip.AppendLower(dst, name)
}
