package siptest

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// Link is how a Network treats what it carries.
type Link struct {
	Latency   time.Duration // one way
	Jitter    time.Duration // up to so much more for each datagram, which reorders them
	Loss      float64       // the share of datagrams that are lost, 0 to 1
	Duplicate float64       // the share of datagrams that come twice
	Segment   int           // the most bytes of a stream that come in one read; 0: as many as were written
	Seed      uint64        // of the dice; the same seed and the same sends give the same fates
}

// Packet is a datagram on its way.
type Packet struct {
	From, To netip.AddrPort
	Data     []byte // not to be kept or changed
	Number   int    // counts the datagrams of the network from 0
}

// chance throws the dice of a Link; it is guarded by the Network's lock.
type chance struct{ rand *rand.Rand }

func (c chance) hits(share float64) bool { return share > 0 && c.rand.Float64() < share }

func (c chance) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(c.rand.Int64N(int64(d)))
}

// SetLink changes how everything from now on is carried.
func (n *Network) SetLink(l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.link = l
	n.chance = chance{rand.New(rand.NewPCG(l.Seed, l.Seed))}
}

// Script lets fn say what becomes of each datagram instead of the Link: it returns the delay of each copy,
// so nil loses the datagram and two delays double it. fn nil gives it back to the Link. fn is called with
// the network locked: it must not use the network.
func (n *Network) Script(fn func(Packet) []time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.script = fn
}

func (n *Network) latency() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link.Latency
}

func (n *Network) wiretap() *Wiretap {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.tap
}

func (n *Network) segment() (size int, latency time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link.Segment, n.link.Latency
}

// fates returns the delays of the copies of a datagram; n.mu is held.
func (n *Network) fates(p Packet) []time.Duration {
	if n.script != nil {
		return n.script(p)
	}
	if n.chance.hits(n.link.Loss) {
		return nil
	}
	delays := []time.Duration{n.link.Latency + n.chance.upTo(n.link.Jitter)}
	if n.chance.hits(n.link.Duplicate) {
		delays = append(delays, n.link.Latency+n.chance.upTo(n.link.Jitter))
	}
	return delays
}

// carry sends a datagram; data is the network's from now on.
func (n *Network) carry(from, to netip.AddrPort, data []byte) {
	n.mu.Lock()
	delays := n.fates(Packet{From: from, To: to, Data: data, Number: n.number})
	n.number++
	tap := n.tap
	n.mu.Unlock()
	if tap != nil {
		tap.packet(from, to, data)
	}
	for _, d := range delays {
		if d <= 0 {
			n.deliver(from, to, data)
		} else {
			n.send(d, from, to, data)
		}
	}
}

// deliver gives a datagram to the socket that is bound now, if there is one.
func (n *Network) deliver(from, to netip.AddrPort, data []byte) {
	n.mu.Lock()
	p := n.packets[to]
	n.mu.Unlock()
	if p != nil {
		p.put(from, data)
	}
}
