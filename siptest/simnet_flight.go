package siptest

import (
	"container/heap"
	"net/netip"
	"sync"
	"time"
)

// flight holds the datagrams of a Network that are on their way. Those that are due at the same moment arrive in the
// order in which they were sent: timers of one moment run in any order, and a wire does not.
type flight struct {
	mu    sync.Mutex // held while one arrives, so that the next cannot pass it; taken before the Network's
	under underway
	sent  uint64
}

type flying struct {
	at       time.Time
	number   uint64
	from, to netip.AddrPort
	data     []byte
}

// send lets a datagram arrive after d.
func (n *Network) send(d time.Duration, from, to netip.AddrPort, data []byte) {
	f := &n.flight
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent++
	heap.Push(&f.under, flying{time.Now().Add(d), f.sent, from, to, data})
	time.AfterFunc(d, n.arrive)
}

// arrive delivers the datagram that is due first: one call for each, whichever timer runs first.
func (n *Network) arrive() {
	n.flight.mu.Lock()
	defer n.flight.mu.Unlock()
	d := heap.Pop(&n.flight.under).(flying)
	n.deliver(d.from, d.to, d.data)
}

// underway is a heap by the time of arrival.
type underway []flying

func (u underway) Len() int { return len(u) }
func (u underway) Less(i, j int) bool {
	return u[i].at.Before(u[j].at) || u[i].at.Equal(u[j].at) && u[i].number < u[j].number
}
func (u underway) Swap(i, j int) { u[i], u[j] = u[j], u[i] }
func (u *underway) Push(x any)   { *u = append(*u, x.(flying)) }
func (u *underway) Pop() any {
	last := len(*u) - 1
	d := (*u)[last]
	*u = (*u)[:last]
	return d
}
