package subscriber

import (
	"context"
	"runtime"
	"sync"
)

// Load makes the cache hold what a store holds, no more and no less. Lookups find the old state until it
// is done, and keep it if it fails. Put and Remove wait for it.
//
// A start waits for it: the records are gathered by shard first, and then each shard gets its slots, all at once
// and as many as it needs.
func (c *Cache) Load(ctx context.Context, st Store) error {
	c.changes.Lock()
	defer c.changes.Unlock()
	gathered := new([shards]gathering)
	err := st.All(ctx, func(s Subscriber) error {
		if takes(&s) {
			domain := c.intern(Domain{s.Domain, s.Realm})
			of(gathered, c.hash([]byte(s.User), domain)).add(domain, c.kept(&s))
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	c.replaceAll(gathered)
	return nil
}

// replaceAll replaces all shards. Of n goroutines each owns every n-th shard and what was gathered for it.
func (c *Cache) replaceAll(all *[shards]gathering) {
	var running sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for first := range n {
		running.Go(func() {
			for i := first; i < shards; i += n {
				c.shards[i].replace(all[i].shard(c))
				all[i] = gathering{}
			}
		})
	}
	running.Wait()
}

// gathering is the records of a shard to be.
type gathering struct {
	records []byte
	count   int
}

func (g *gathering) add(domain uint32, s *Subscriber) {
	var buf [maxRecord]byte
	record := appendRecord(buf[:0], domain, []byte(s.User), &s.HA1s, &s.AtDomain)
	if len(g.records)+len(record) > cap(g.records) {
		// Twice as much: append would grow by a quarter, and copy everything five times over.
		g.records = append(make([]byte, 0, max(minWaste, 2*cap(g.records))), g.records...)
	}
	g.records = append(g.records, record...)
	g.count++
}

// shard makes a shard of the records; of two for one AOR the later one counts.
func (g *gathering) shard(c *Cache) *shard {
	s := &shard{arena: append(make([]byte, 0, len(g.records)), g.records...)}
	if g.count > 0 {
		s.slots = make([]uint64, slotsFor(g.count))
	}
	for offset := 0; offset < len(s.arena); {
		record := s.arena[offset:]
		domain, user := owner(record)
		hash := c.hash(user, domain)
		i, ok := s.find(hash, domain, user)
		if ok {
			s.waste += size(s.arena[int(s.slots[i]&slotOffsetMask)-1:])
		} else {
			s.live++
		}
		s.slots[i] = slotOf(hash, offset)
		offset += size(record)
	}
	s.tidy()
	return s
}
