package config

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
