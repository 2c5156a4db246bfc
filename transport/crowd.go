package transport

import (
	"container/list"
	"net/netip"
)

// crowd is those that hold places which others want too. When there are too many, in all or of a source, one gives
// way to the one that comes: the oldest of that source, or of the source that has the most. So a newcomer is let in
// whoever is there, and who comes from many addresses has to come from as many as there are places to drive out one
// that comes from an address of its own.
//
// It has no lock of its own.
type crowd struct {
	most         int // members in all
	mostOfSource int // of a narrow source; a wide one that holds several has twice as many

	groups  map[netip.Prefix]*group
	bySize  []*list.List // of wide sources: those with so many members, the longest at it first; nil: never any
	largest int          // the last of bySize with something in it
	count   int
}

// group is the members of one source, oldest first.
type group struct {
	members list.List // of *member
	ranked  *list.Element
}

// member is one that holds a place in a crowd.
type member struct {
	conn         *conn
	self         *holding // whose it is, if it is of a budget's crowd
	from         sources
	narrow, wide *list.Element // nil: it is not there
}

func newCrowd(most, mostOfSource int) crowd {
	return crowd{most: max(1, most), mostOfSource: max(1, mostOfSource), groups: map[netip.Prefix]*group{}}
}

// enter lets m in and returns who gives way, who has left by then, or nil.
func (c *crowd) enter(m *member) (out *member) {
	switch {
	case c.of(m.from.narrow) >= c.mostOfSource:
		out = c.oldestOf(m.from.narrow)
	case c.of(m.from.wide) >= wideShare*c.mostOfSource:
		out = c.oldestOf(m.from.wide)
	case c.count >= c.most:
		out = c.oldest()
	}
	if out != nil {
		c.leave(out)
	}
	c.count++
	m.wide = c.add(m.from.wide, m)
	if !m.from.one() {
		m.narrow = c.add(m.from.narrow, m)
	}
	c.rank(m.from.wide)
	return out
}

// leave takes m out, and reports whether it was in.
func (c *crowd) leave(m *member) bool {
	if m.wide == nil {
		return false
	}
	c.count--
	c.remove(m.from.wide, m.wide)
	if m.narrow != nil {
		c.remove(m.from.narrow, m.narrow)
	}
	m.wide, m.narrow = nil, nil
	return true
}

// of is how many a source has.
func (c *crowd) of(source netip.Prefix) int {
	if g := c.groups[source]; g != nil {
		return g.members.Len()
	}
	return 0
}

// oldestOf is the oldest of a source, nil if it has none.
func (c *crowd) oldestOf(source netip.Prefix) *member {
	g := c.groups[source]
	if g == nil {
		return nil
	}
	return g.members.Front().Value.(*member)
}

// oldest is the oldest of the source that has the most, nil if nobody is there.
func (c *crowd) oldest() *member {
	if c.count == 0 {
		return nil
	}
	return c.oldestOf(c.bySize[c.largest].Front().Value.(netip.Prefix))
}

func (c *crowd) add(source netip.Prefix, m *member) *list.Element {
	g := c.groups[source]
	if g == nil {
		g = &group{}
		c.groups[source] = g
	}
	c.unrank(g)
	return g.members.PushBack(m)
}

func (c *crowd) remove(source netip.Prefix, e *list.Element) {
	g := c.groups[source]
	ranked := g.ranked != nil
	c.unrank(g)
	g.members.Remove(e)
	switch {
	case g.members.Len() == 0:
		delete(c.groups, source)
	case ranked:
		c.rank(source)
	}
	for c.largest > 0 && c.bySize[c.largest].Len() == 0 {
		c.largest--
	}
}

// rank puts a wide source where its size belongs; unrank takes one off before it changes.
func (c *crowd) rank(source netip.Prefix) {
	g := c.groups[source]
	n := g.members.Len()
	for len(c.bySize) <= n {
		c.bySize = append(c.bySize, list.New())
	}
	g.ranked = c.bySize[n].PushBack(source)
	c.largest = max(c.largest, n)
}

func (c *crowd) unrank(g *group) {
	if g.ranked != nil {
		c.bySize[g.members.Len()].Remove(g.ranked)
		g.ranked = nil
	}
}
