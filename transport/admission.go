package transport

import (
	"container/list"
	"net/netip"
	"sync"
)

// admission counts connections, in all and per source, and refuses what is over a limit.
//
// Those on which nothing was authenticated are a [crowd]: where there is no place for one more, the oldest of them
// gives way. A connection that has authenticated something is never made to; that of one user are the exception, which
// count as those of strangers where there are more than any user needs.
//
// A connection that we open counts among all. Among those of its peer's address it is counted apart: phones
// that fill what their NAT may open do not keep us from a next hop behind the same address, nor the other
// way round.
type admission struct {
	limits *Limits

	mu        sync.Mutex
	all       use
	sources   map[netip.Prefix]use // narrow and wide ones
	strangers crowd
	users     map[uint64]*list.List // of *conn, the longest authenticated first
	leaving   int                   // that gave way, are off the books, and have not closed yet

	handshakes crowd // those that we have begun to answer, under mu too
}

type use struct {
	conns   int // of all: every one; of a source: that it opened
	ours    int // that we opened, or are opening
	opening int // of ours
}

// entry is a connection in the books of admission, which are under its lock.
type entry struct {
	member
	shaking member
	user    uint64
	place   *list.Element // among those of user
	gone    bool          // it gave way
}

func newAdmission(limits *Limits) admission {
	return admission{limits: limits, sources: map[netip.Prefix]use{}, users: map[uint64]*list.List{},
		strangers:  newCrowd(limits.MaxConns-limits.MaxConns/knownShare, limits.MaxConnsPerSource),
		handshakes: newCrowd(limits.MaxHandshakes, max(1, limits.MaxHandshakes/handshakeShare))}
}

// enter admits a connection, or says what it is over. out is one that gives way to it, to be cut, or nil.
func (a *admission) enter(c *conn) (out *conn, refused counter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := &c.entry.member
	m.conn = c
	var leaves *member
	switch {
	case a.sources[m.from.narrow].conns >= a.limits.MaxConnsPerSource:
		leaves, refused = a.strangers.oldestOf(m.from.narrow), refusedSource
	case a.sources[m.from.wide].conns >= wideShare*a.limits.MaxConnsPerSource:
		leaves, refused = a.strangers.oldestOf(m.from.wide), refusedSource
	case a.all.conns >= a.limits.MaxConns:
		leaves, refused = a.strangers.oldest(), refusedConns
	}
	if refused != noCounter {
		if leaves == nil || a.leaving >= a.mostLeaving() {
			return nil, refused
		}
		a.strangers.leave(leaves)
		a.giveWay(leaves)
	}
	if also := a.strangers.enter(m); also != nil {
		leaves = also
		a.giveWay(also)
	}
	a.count(c, 1)
	if leaves != nil {
		out = leaves.conn
	}
	return out, noCounter
}

// mostLeaving is how many may have given way and not be closed yet: if they are more, somebody opens connections
// faster than they can be closed.
func (a *admission) mostLeaving() int { return max(leastLeaving, a.limits.MaxConns/leavingShare) }

// giveWay takes one that has left the strangers off the books.
func (a *admission) giveWay(m *member) {
	m.conn.entry.gone = true
	a.leaving++
	a.count(m.conn, -1)
}

// count adds n to what a connection that a peer opened is counted as.
func (a *admission) count(c *conn, n int) {
	a.all.conns += n
	from := c.entry.from
	a.change(from.narrow, func(u *use) { u.conns += n })
	if !from.one() {
		a.change(from.wide, func(u *use) { u.conns += n })
	}
}

func (a *admission) change(source netip.Prefix, change func(*use)) {
	u := a.sources[source]
	change(&u)
	if u == (use{}) {
		delete(a.sources, source)
	} else {
		a.sources[source] = u
	}
}

// enterDial admits a connection that we are to open, or says what it is over; opened follows, and leave. out gives
// way to it, or is nil.
func (a *admission) enterDial(c *conn) (out *conn, refused counter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	host := c.entry.from.narrow
	u := a.sources[host]
	switch {
	case a.all.ours >= max(1, a.limits.MaxConns/oursShare):
		return nil, refusedConns
	case u.ours >= a.limits.MaxConnsPerSource:
		return nil, refusedSource
	case a.all.opening >= a.limits.MaxDials, u.opening >= max(1, a.limits.MaxDials/dialShare):
		return nil, refusedDials
	}
	if a.all.conns >= a.limits.MaxConns {
		leaves := a.strangers.oldest()
		if leaves == nil || a.leaving >= a.mostLeaving() {
			return nil, refusedConns
		}
		a.strangers.leave(leaves)
		a.giveWay(leaves)
		out = leaves.conn
	}
	a.all.conns++
	a.all.ours++
	a.all.opening++
	a.change(host, func(u *use) { u.ours++; u.opening++ })
	return out, noCounter
}

// shed takes the oldest of the strangers off, which is to be cut; nil if there is none.
func (a *admission) shed() *conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.strangers.oldest()
	if m == nil {
		return nil
	}
	a.strangers.leave(m)
	a.giveWay(m)
	return m.conn
}

// opened ends the opening of a connection, with success or without.
func (a *admission) opened(c *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all.opening--
	a.change(c.entry.from.narrow, func(u *use) { u.opening-- })
}

// promote takes a connection from the strangers, since user has authenticated on it; 0 is nobody whose connections
// are counted. out gives way, or is nil. It reports false if the connection was no stranger's.
func (a *admission) promote(c *conn, user uint64) (out *conn, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.strangers.leave(&c.entry.member) {
		return nil, false
	}
	if user == 0 {
		return nil, true
	}
	l := a.users[user]
	if l == nil {
		l = list.New()
		a.users[user] = l
	}
	c.entry.user, c.entry.place = user, l.PushBack(c)
	if l.Len() <= maxConnsPerUser {
		return nil, true
	}
	first := l.Front().Value.(*conn)
	a.forgetUser(first)
	first.demote()
	if leaves := a.strangers.enter(&first.entry.member); leaves != nil {
		a.giveWay(leaves)
		out = leaves.conn
	}
	return out, true
}

// forgetUser takes a connection off those of its user.
func (a *admission) forgetUser(c *conn) {
	e := &c.entry
	if e.place == nil {
		return
	}
	l := a.users[e.user]
	if l.Remove(e.place); l.Len() == 0 {
		delete(a.users, e.user)
	}
	e.place = nil
}

// leave takes a connection off, and reports whether it was a stranger's.
func (a *admission) leave(c *conn) (stranger bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case c.hop != nil:
		a.all.conns--
		a.all.ours--
		a.change(c.entry.from.narrow, func(u *use) { u.ours-- })
		return false
	case c.entry.gone:
		a.leaving--
		return true
	}
	stranger = a.strangers.leave(&c.entry.member)
	a.forgetUser(c)
	a.count(c, -1)
	return stranger
}

// enterHandshake makes a connection one whose handshake is under way; out gives way to it, or is nil.
func (a *admission) enterHandshake(c *conn) (out *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := &c.entry.shaking
	m.conn, m.from = c, c.entry.from
	if leaves := a.handshakes.enter(m); leaves != nil {
		out = leaves.conn
	}
	return out
}

func (a *admission) leaveHandshake(c *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handshakes.leave(&c.entry.shaking)
}
