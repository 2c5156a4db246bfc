package resolve

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// systemServers is the file that names the system's name servers.
const systemServers = "/etc/resolv.conf"

// upstream is where answers come from: name servers, and names that configuration gives addresses. Only
// the servers' rests change.
type upstream struct {
	servers []server
	hosts   map[string]*host
}

// server is a name server.
type server struct {
	addr netip.AddrPort
	rest atomic.Int64 // Unix nanoseconds; until then it is asked after the others
}

// host is a name with addresses from configuration.
type host struct{ v4, v6 *answer }

func newUpstream(servers []netip.AddrPort, hosts map[string][]netip.Addr) (*upstream, error) {
	up := &upstream{hosts: map[string]*host{
		"localhost": newHost("localhost", []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}),
	}}
	for name, addrs := range hosts {
		key := canonical(name)
		if !validName([]byte(key)) {
			return nil, fmt.Errorf("resolve: %q cannot be one of the hosts: it is no name that can stand in DNS", name)
		}
		for _, addr := range addrs {
			if !addr.IsValid() {
				return nil, fmt.Errorf("resolve: an address of the host %q is none", name)
			}
		}
		up.hosts[key] = newHost(key, addrs)
	}
	if servers == nil {
		var err error
		if servers, err = readServers(systemServers); err != nil {
			return nil, err
		}
	}
	up.servers = make([]server, len(servers))
	for i, addr := range servers {
		if !addr.IsValid() || addr.Port() == 0 {
			return nil, fmt.Errorf("resolve: name server %v is no address with a port, as 192.0.2.1:53 is", addr)
		}
		up.servers[i].addr = addr
	}
	return up, nil
}

// newHost makes answers of addresses. Their time is not looked at: they hold until the configuration
// changes.
func newHost(name string, addrs []netip.Addr) *host {
	h := &host{v4: &answer{outcome: found, asked: name}, v6: &answer{outcome: found, asked: name}}
	for _, addr := range addrs {
		a := h.v6
		if addr = addr.Unmap(); addr.Is4() {
			a = h.v4
		}
		a.addrs = append(a.addrs, addr)
	}
	for _, a := range []*answer{h.v4, h.v6} {
		if len(a.addrs) == 0 {
			a.outcome = none
			a.err = &Error{Name: name, Kind: ErrNoAddress, Detail: "the table of hosts has no address of a family that we can send to"}
		}
	}
	return h
}

// of is the answer to a question for addresses.
func (h *host) of(qtype uint16) *answer {
	if qtype == typeA {
		return h.v4
	}
	return h.v6
}

// readServers returns the name servers of a file as resolv.conf(5) describes it. Without any there is
// one on this machine.
func readServers(file string) (list []netip.AddrPort, err error) {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("resolve: the system's name servers: %w: name some in the configuration", err)
	}
	conf, err := dns.ClientConfigFromReader(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("resolve: %s: %w: name servers in the configuration", file, err)
	}
	for _, s := range conf.Servers {
		// A line that is no address is passed over, as the system does.
		if addr, err := netip.ParseAddr(s); err == nil {
			list = append(list, netip.AddrPortFrom(addr, 53))
		}
	}
	if len(list) == 0 {
		list = append(list, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53))
	}
	return list, nil
}

// order returns the servers as they are to be asked: those that lately said nothing come last.
func (up *upstream) order(now time.Time) []*server {
	list := make([]*server, 0, len(up.servers))
	for _, resting := range [...]bool{false, true} {
		for i := range up.servers {
			if s := &up.servers[i]; (s.rest.Load() > now.UnixNano()) == resting {
				list = append(list, s)
			}
		}
	}
	return list
}
