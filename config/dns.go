package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// DNS says how the names of next hops become addresses.
type DNS struct {
	Servers []string            `toml:"servers"` // name servers, IP address and port; [Parse] fills in port 53; empty: those of the system
	Hosts   map[string][]string `toml:"hosts"`   // names in lower case with fixed IP addresses, which DNS is not asked for
}

// hostsPath is the path of the only table whose keys are the user's.
const hostsPath = "dns.hosts"

// dnsPort is where name servers listen.
const dnsPort = 53

// complete writes name servers with their port.
func (d *DNS) complete() {
	for i, text := range d.Servers {
		if address, reason := parseServer(text); reason == "" {
			d.Servers[i] = address.String()
		}
	}
}

func (s *source) validateDNS(d *DNS) {
	for i, text := range d.Servers {
		if _, reason := parseServer(text); reason != "" {
			s.fail(fmt.Sprintf("dns.servers.%d", i), "%s", reason)
		}
	}
	s.validateHosts(d)
}

// parseServer reads the address of a name server; reason says what would be right.
func parseServer(text string) (address netip.AddrPort, reason string) {
	address, err := netip.ParseAddrPort(text)
	if err != nil {
		ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
		if err != nil {
			return address, fmt.Sprintf("%q is no address of a name server; write an IP address, with a port or without, such as \"192.0.2.53\" or \"[2001:db8::53]:5353\"", text)
		}
		address = netip.AddrPortFrom(ip, dnsPort)
	}
	switch ip := address.Addr(); {
	case address.Port() == 0:
		return address, fmt.Sprintf("%q: nothing listens on port 0; leave the port out for %d", text, dnsPort)
	case ip.IsUnspecified():
		return address, fmt.Sprintf("%q is the address of no server; write \"127.0.0.1\" for one on this machine", text)
	}
	return address, ""
}

// validateHosts checks the names with fixed addresses, and writes both in their one form.
func (s *source) validateHosts(d *DNS) {
	if d.Hosts == nil {
		return
	}
	hosts := make(map[string][]string, len(d.Hosts))
	for _, name := range slices.Sorted(maps.Keys(d.Hosts)) {
		path := join(hostsPath, name)
		host := canonicalHost(name)
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || !isHost(host) {
			s.fail(path, "%q is no name; write a host name, such as \"sip.example.com\", without scheme and port", name)
			continue
		}
		if _, ok := hosts[host]; ok {
			s.fail(path, "%q stands twice in hosts; give it all of its addresses in one list", host)
			continue
		}
		hosts[host] = s.hostAddresses(path, name, d.Hosts[name])
	}
	d.Hosts = hosts
}

// hostAddresses checks the addresses of one name and returns them in their one form.
func (s *source) hostAddresses(path, name string, addresses []string) []string {
	if len(addresses) == 0 {
		s.fail(path, "%q has no address; write its IP addresses, or leave it out", name)
	}
	out := make([]string, 0, len(addresses))
	for i, text := range addresses {
		address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
		if err != nil || address.Zone() != "" || address.IsUnspecified() {
			s.fail(join(path, strconv.Itoa(i)), "%q is no IP address of a host; write it as \"192.0.2.1\" or \"2001:db8::1\", without a port", text)
			continue
		}
		out = append(out, address.Unmap().String())
	}
	return out
}
