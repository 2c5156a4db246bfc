package subscriber

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"biloxi/sip"
)

// Cache holds the hashes of all subscribers in memory, in a few hundred heap objects whatever their number: some 80
// bytes for each where MD5 alone is kept, for both usernames, 155 with SHA-256 too, 220 with all three algorithms
// (go test ./subscriber -run CacheKeeps -v).
//
// It is for many goroutines. Subscribers are spread over shards, each with its own lock; the domains'
// numbers have another, which is never held together with one of those. Load takes changes for itself.
// Nothing is stored for Realm, Created and Changed.
type Cache struct {
	seed    maphash.Seed
	dropped atomic.Uint32 // algorithms whose hashes are not kept, bit 1<<algorithm
	changes sync.RWMutex
	shards  [shards]shard

	mu      sync.RWMutex
	domains map[string]uint32 // a number for each domain that was ever seen
	pairs   map[Domain]struct{}
}

// shards is a power of two: enough that writers and readers seldom meet, and that a shard of a million
// subscribers is moved to a larger arena in a few milliseconds.
const (
	shards    = 64
	shardBits = 6
)

// NewCache returns an empty cache.
func NewCache() *Cache {
	return &Cache{seed: maphash.MakeSeed(), domains: map[string]uint32{}, pairs: map[Domain]struct{}{}}
}

// Put adds a subscriber or replaces its hashes, from now on for all lookups. A user that is empty or
// longer than MaxUser is not taken.
func (c *Cache) Put(s Subscriber) {
	c.changes.RLock()
	defer c.changes.RUnlock()
	if !takes(&s) {
		return
	}
	domain := c.intern(Domain{s.Domain, s.Realm})
	user := []byte(s.User)
	hash := c.hash(user, domain)
	k := c.kept(&s)
	of(&c.shards, hash).put(hash, domain, user, &k.HA1s, &k.AtDomain)
}

// Keep says whose hashes are kept from now on: those of the algorithms that are offered. It returns whether that is
// more than before, so that what was dropped is to be loaded. Before the first call all are.
func (c *Cache) Keep(algorithms ...sip.Algorithm) (more bool) {
	has := uint32(0)
	for _, a := range algorithms {
		has |= 1 << a
	}
	was := c.dropped.Swap(hasEvery &^ has)
	return was&has != 0
}

// kept is a subscriber with the hashes that are kept.
func (c *Cache) kept(s *Subscriber) *Subscriber {
	drop := uint8(c.dropped.Load())
	s.HA1s.Has &^= drop
	s.AtDomain.Has &^= drop
	return s
}

// takes reports whether a user has a place: a record's length of it is one byte.
func takes(s *Subscriber) bool { return s.User != "" && len(s.User) <= MaxUser }

// Remove forgets a subscriber, if it is there.
func (c *Cache) Remove(user, domain string) {
	c.changes.RLock()
	defer c.changes.RUnlock()
	if id, ok := c.domainID([]byte(domain)); ok {
		hash := c.hash([]byte(user), id)
		of(&c.shards, hash).remove(hash, id, []byte(user))
	}
}

// Lookup returns the hashes of a subscriber; the user is without escapes, the domain canonical. It does
// not allocate. One that is not there costs about as much as one that is.
func (c *Cache) Lookup(user, domain []byte) (h HA1s, ok bool) {
	id, ok := c.domainID(domain)
	if !ok {
		return HA1s{}, false
	}
	hash := c.hash(user, id)
	return of(&c.shards, hash).lookup(hash, id, user, false)
}

// LookupAtDomain is Lookup for the hashes of the username user@domain, which may be none of a subscriber who is
// there.
func (c *Cache) LookupAtDomain(user, domain []byte) (h HA1s, ok bool) {
	id, ok := c.domainID(domain)
	if !ok {
		return HA1s{}, false
	}
	hash := c.hash(user, id)
	return of(&c.shards, hash).lookup(hash, id, user, true)
}

// Len is the number of subscribers.
func (c *Cache) Len() (n int) {
	for i := range c.shards {
		n += c.shards[i].len()
	}
	return n
}

// Domains returns the domains with their realms as the subscribers had them, also those who have gone. A
// realm that is not the one that is challenged with now tells of hashes that can never match.
func (c *Cache) Domains() (list []Domain) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for d := range c.pairs {
		list = append(list, d)
	}
	return list
}

func (c *Cache) domainID(name []byte) (id uint32, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	id, ok = c.domains[string(name)]
	return id, ok
}

// intern returns the number of a domain, a new one if it has none.
func (c *Cache) intern(d Domain) uint32 {
	c.mu.RLock()
	id, ok := c.domains[d.Name]
	_, known := c.pairs[d]
	c.mu.RUnlock()
	if ok && known {
		return id
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pairs[d] = struct{}{}
	if id, ok = c.domains[d.Name]; !ok {
		id = uint32(len(c.domains))
		c.domains[d.Name] = id
	}
	return id
}

// hash is keyed, so that nobody can choose names that fall together.
func (c *Cache) hash(user []byte, domain uint32) uint64 {
	return (maphash.Bytes(c.seed, user) ^ uint64(domain)) * 0x9e3779b97f4a7c15
}

// of is the shard of a hash, or what stands for it.
func of[T any](all *[shards]T, hash uint64) *T { return &all[hash>>(64-shardBits)] }
