package resolve

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"biloxi/sip"
)

// Resolver finds targets. Its methods may be called from any goroutine.
//
// Who owns what: the caches, the failures and the work under way (jobs, inquiries, turns) are each
// behind a lock, none of which is held while another is taken, but for the cache's within that of the
// work. A job's targets belong to the goroutine that carries it on, of which there is one at a time.
type Resolver struct {
	cfg      Config
	upstream atomic.Pointer[upstream]
	cache    cache
	strange  cache // what only strangers have asked for
	failures failures
	counts   counts
	ctx      context.Context // of all exchanges, until Close
	cancel   context.CancelFunc
	workers  sync.WaitGroup

	mu        sync.Mutex // of the work under way, below
	wake      sync.Cond  // there is something to ask, perhaps, or the resolver has closed
	inquiries map[question]*inquiry
	turns     turns
	silences  silences
	jobs      int
	closed    bool
}

// New checks cfg and returns a Resolver. It starts nothing; it reads /etc/resolv.conf if cfg has no name
// servers.
func New(cfg Config) (*Resolver, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	up, err := newUpstream(cfg.Servers, cfg.Hosts)
	if err != nil {
		return nil, err
	}
	r := &Resolver{cfg: cfg, inquiries: map[question]*inquiry{}, turns: newTurns(cfg.Workers), silences: silences{},
		cache:   cache{answers: map[question]*answer{}, max: cfg.MaxCached},
		strange: cache{answers: map[question]*answer{}, max: max(cfg.MaxCached/strangersCached, 1)}}
	r.upstream.Store(up)
	r.wake.L = &r.mu
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// SetServers replaces the name servers and the hosts, as in [Config], and forgets what the old ones said.
// Look-ups under way may still be answered by the old ones. On an error nothing changes.
func (r *Resolver) SetServers(servers []netip.AddrPort, hosts map[string][]netip.Addr) error {
	up, err := newUpstream(servers, hosts)
	if err != nil {
		return err
	}
	r.upstream.Store(up)
	r.cache.clear()
	r.strange.clear()
	r.mu.Lock()
	clear(r.silences)
	r.mu.Unlock()
	return nil
}

// Run asks name servers what look-ups need until Close. Before Run look-ups wait.
func (r *Resolver) Run() {
	r.mu.Lock()
	if !r.closed {
		for range r.cfg.Workers {
			r.workers.Go(r.work)
		}
	}
	r.mu.Unlock()
	r.workers.Wait()
}

// Close ends Run and all look-ups that wait: each Done is called, with ErrClosed, before Close returns.
// What is in memory is still found.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wake.Broadcast()
	r.workers.Wait()
	r.abandon()
}

// supports reports whether requests can be sent over a transport.
func (r *Resolver) supports(t sip.Transport) bool { return slices.Contains(r.cfg.Transports, t) }

// usable reports whether requests can be sent to an address: a unicast one, of a family that we have.
func (r *Resolver) usable(a netip.Addr) bool {
	if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a == broadcast {
		return false
	}
	if a.Is4() {
		return r.cfg.Families != IPv6Only
	}
	return r.cfg.Families != IPv4Only
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})
