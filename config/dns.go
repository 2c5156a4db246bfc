package config

// DNS says how the names of next hops become addresses.
type DNS struct {
	Servers []string            `toml:"servers"` // name servers, IP address and port; empty: those of the system
	Hosts   map[string][]string `toml:"hosts"`   // names with fixed IP addresses, which DNS is not asked for
}
