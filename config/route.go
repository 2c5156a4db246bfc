package config

import (
	"fmt"
	"strings"
	"unicode"
)

// Route says what is done with the requests that it matches. The first that matches counts. At least one of
// Domain, User and Source is given, and all that are given must match.
type Route struct {
	Name        string   `toml:"name"`         // for logs; empty: its number
	Domain      string   `toml:"domain"`       // host of the Request-URI, in lower case; "*.example.com" is any subdomain; empty: any
	User        string   `toml:"user"`         // what the user part of the Request-URI begins with; empty: any
	Source      []Prefix `toml:"source"`       // where the request comes from; empty: anywhere
	Hops        []string `toml:"hops"`         // SIP URIs of next hops, tried in order; empty: the ordinary way
	RecordRoute *bool    `toml:"record_route"` // nil: as [Proxy] has it
	Trusted     bool     `toml:"trusted"`      // not challenged, and relayed; only with Source
}

func (s *source) validateRoutes(routes []Route) {
	names := map[string]string{} // name → path that it was first given at
	for i, r := range routes {
		path := fmt.Sprintf("route.%d", i)
		s.validateRouteName(path, r.Name, names)
		s.validateMatch(path, &r)
		s.validateHops(path+".hops", r.Hops)
		if !r.Trusted {
			continue
		}
		if len(r.Source) == 0 {
			s.fail(path+".trusted", "trusted = true needs source: anybody can write such a request; name the addresses that may")
		}
		s.validateTrusted(path+".source", r.Source)
	}
}

func (s *source) validateRouteName(path, name string, taken map[string]string) {
	if name == "" {
		return
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		s.fail(path+".name", "name %q has control characters; leave them out", name)
	}
	if first, ok := taken[name]; ok {
		s.fail(path+".name", "the name %q is taken already, by %s (%s)", name, first, s.where(first))
		return
	}
	taken[name] = path
}

// validateMatch checks what a route matches.
func (s *source) validateMatch(path string, r *Route) {
	if r.Domain == "" && r.User == "" && len(r.Source) == 0 {
		s.fail(path, "the route matches nothing; give domain, user or source (for all other domains, there is outbound in [proxy])")
	}
	if host := strings.TrimPrefix(r.Domain, "*."); r.Domain != "" && !isHost(host) {
		s.fail(path+".domain", "%q is no domain; write the host of the Request-URI, such as \"example.com\", or \"*.example.com\" for what is below it", r.Domain)
	}
	if r.User != "" && !isUser(r.User) {
		s.fail(path+".user", "%q is no user; write what the part before the @ begins with, such as \"+\" or \"+1\"", r.User)
	}
}
