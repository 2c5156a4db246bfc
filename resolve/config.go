package resolve

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"biloxi/sip"
)

// Config says how a Resolver asks and what it prefers. The zero value asks the system's name servers.
type Config struct {
	// Servers are recursive name servers, asked in this order. Nil: those of /etc/resolv.conf. Empty but not
	// nil: none, and only Hosts and addresses are resolved.
	Servers []netip.AddrPort
	// Hosts are names with their addresses that DNS is not asked about: they have no NAPTR or SRV records.
	// localhost is one of them, if it is not given here.
	Hosts map[string][]netip.Addr
	// Transports are those that requests can be sent over, the preferred ones first. Nil: UDP, TCP, TLS. No
	// others are possible.
	Transports []sip.Transport
	// Families are the address families that requests can be sent over, and which goes first.
	Families Families
	// Rest is how long a target that failed is put last. 0: DefaultRest.
	Rest time.Duration
	// Workers is how many questions are asked at once. 0: DefaultWorkers.
	Workers int
	// MaxPending is how many look-ups may wait for DNS. 0: DefaultMaxPending.
	MaxPending int
	// MaxCached is how many answers are remembered. 0: DefaultMaxCached.
	MaxCached int
	// Exchanger carries queries to the name servers. Nil: sockets of the system.
	Exchanger Exchanger
	// Random returns a number from 0 to n-1, each as likely, and is for many goroutines. Nil: one that is
	// seeded anew in each process.
	Random func(n uint32) uint32
	// Now is the time. Nil: time.Now.
	Now func() time.Time
}

// An Exchanger carries one query to a name server and returns its answer, both as they are on the wire,
// without the length that stands before them on TCP. The network is "udp" or "tcp". It ends with ctx, and
// is for many goroutines. An answer with another ID than the query's is refused.
type Exchanger interface {
	Exchange(ctx context.Context, network string, server netip.AddrPort, query []byte) (answer []byte, err error)
}

// Families says over which address families requests can be sent, and which goes first where a host has
// both.
type Families uint8

// The families. IPv6 is first by default, as RFC 6724 §2.1 has it.
const (
	IPv6First Families = iota
	IPv4First
	IPv6Only
	IPv4Only
)

var familyTypes = [...][]uint16{
	IPv6First: {typeAAAA, typeA},
	IPv4First: {typeA, typeAAAA},
	IPv6Only:  {typeAAAA},
	IPv4Only:  {typeA},
}

// types are the record types to ask for, in order.
func (f Families) types() []uint16 { return familyTypes[f] }

// withDefaults checks the configuration and fills in what it leaves out.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.Transports == nil {
		cfg.Transports = []sip.Transport{sip.UDP, sip.TCP, sip.TLS}
	}
	for i, t := range cfg.Transports {
		if t != sip.UDP && t != sip.TCP && t != sip.TLS || slices.Contains(cfg.Transports[:i], t) {
			return cfg, fmt.Errorf("resolve: %q cannot be one of the transports: they are UDP, TCP and TLS, each once", t)
		}
	}
	if int(cfg.Families) >= len(familyTypes) {
		return cfg, errors.New("resolve: no such choice of address families")
	}
	for _, n := range []*int{&cfg.Workers, &cfg.MaxPending, &cfg.MaxCached} {
		if *n < 0 {
			return cfg, errors.New("resolve: Workers, MaxPending and MaxCached cannot be negative")
		}
	}
	if cfg.Rest < 0 || cfg.Rest > MaxRest {
		return cfg, fmt.Errorf("resolve: Rest is to be between 0 and %v", MaxRest)
	}
	setDefault(&cfg.Workers, DefaultWorkers)
	setDefault(&cfg.MaxPending, DefaultMaxPending)
	setDefault(&cfg.MaxCached, DefaultMaxCached)
	setDefault(&cfg.Rest, DefaultRest)
	if cfg.Exchanger == nil {
		cfg.Exchanger = sockets{}
	}
	if cfg.Random == nil {
		cfg.Random = rand.Uint32N
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg, nil
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}
