package transport

import (
	"sync/atomic"

	"biloxi/sip"
)

// Stat is one count, or a level where Level is set.
type Stat struct {
	Name      string        // as received, refused, closed
	Transport sip.Transport // NoTransport if it is of all
	Reason    string        // why, where there is a choice; else empty
	Level     bool          // it can go down
	Value     uint64
}

// Stats is a list of counts.
type Stats []Stat

// Value returns the count of that name, transport and reason; NoTransport and the empty reason add up all.
func (s Stats) Value(name string, tr sip.Transport, reason string) (n uint64) {
	for _, v := range s {
		if v.Name == name && (tr == sip.NoTransport || tr == v.Transport) && (reason == "" || reason == v.Reason) {
			n += v.Value
		}
	}
	return n
}

// counter is something that is counted, per transport.
type counter uint8

const (
	noCounter counter = iota
	received
	sent
	keepAlives
	stunPings
	droppedPort
	unsentLarge
	unsentAddress
	unsentError
	unsentQueue
	unsentGone
	unsentDials
	unsentUnreachable
	unsentBounced
	readErrors
	acceptErrors
	accepted
	opened
	refusedConns
	refusedSource
	refusedHandshakes
	refusedDials
	closedPeer
	closedError
	closedIdle
	closedUnauthenticated
	closedMessage
	closedFraming
	closedMemory
	closedQueue
	closedQueued
	closedWrite
	closedDescriptors
	closedHandshake
	closedHello
	closedHandshakeWay
	closedGaveWay
	closedShutdown
	connections
	partingConns
	unknownConns
	counterCount
)

var counterNames = [counterCount]struct {
	name, reason string
	level        bool
}{
	received:              {name: "received"},                   // messages given to the Handler
	sent:                  {name: "sent"},                       // messages given to the system
	keepAlives:            {name: "keepalives"},                 // CRLF pings and empty datagrams
	stunPings:             {name: "keepalives", reason: "stun"}, // STUN over UDP
	droppedPort:           {name: "dropped", reason: "source port 0"},
	unsentLarge:           {name: "unsent", reason: "too large"},
	unsentAddress:         {name: "unsent", reason: "no address"},
	unsentError:           {name: "unsent", reason: "error"},
	unsentQueue:           {name: "unsent", reason: "queue full"},
	unsentGone:            {name: "unsent", reason: "connection gone"},
	unsentDials:           {name: "unsent", reason: "too many dials"},
	unsentUnreachable:     {name: "unsent", reason: "unreachable"},
	unsentBounced:         {name: "unsent", reason: "bounced"}, // datagrams, by ICMP; they are among those sent
	readErrors:            {name: "read errors"},               // of a UDP socket, ICMP's among them
	acceptErrors:          {name: "accept errors"},
	accepted:              {name: "accepted"},
	opened:                {name: "opened"}, // connections that we opened
	refusedConns:          {name: "refused", reason: "connections"},
	refusedSource:         {name: "refused", reason: "connections of a source"},
	refusedHandshakes:     {name: "refused", reason: "handshakes"},
	refusedDials:          {name: "refused", reason: "dials"}, // by ourselves, to open more connections
	closedPeer:            {name: "closed", reason: "peer"},
	closedError:           {name: "closed", reason: "error"},
	closedIdle:            {name: "closed", reason: "idle"},
	closedUnauthenticated: {name: "closed", reason: "not authenticated"},
	closedMessage:         {name: "closed", reason: "unfinished message"},
	closedFraming:         {name: "closed", reason: "framing"},
	closedMemory:          {name: "closed", reason: "memory for unfinished messages"},
	closedQueue:           {name: "closed", reason: "queue full"},
	closedQueued:          {name: "closed", reason: "memory for what waits"},
	closedWrite:           {name: "closed", reason: "does not read"},
	closedDescriptors:     {name: "closed", reason: "does not read, and no file descriptor is left"},
	closedHandshake:       {name: "closed", reason: "handshake"},
	closedHello:           {name: "closed", reason: "no ClientHello"},
	closedHandshakeWay:    {name: "closed", reason: "gave way in its handshake"},
	closedGaveWay:         {name: "closed", reason: "gave way"}, // a stranger's, to a newer one
	closedShutdown:        {name: "closed", reason: "shutdown"},
	connections:           {name: "connections", level: true},     // open now
	partingConns:          {name: "closing", level: true},         // whose last answers are waited for
	unknownConns:          {name: "unauthenticated", level: true}, // of those that peers opened
}

// tally holds the counts. A reader adds once per batch, so plain atomics do.
type tally [sip.WSS + 1][counterCount]atomic.Uint64

func (c *tally) add(tr sip.Transport, what counter, n int) {
	if n != 0 {
		c[tr][what].Add(uint64(n)) // a negative n wraps around, as Add has it
	}
}

func (c *tally) stats() Stats {
	var all Stats
	for tr := sip.UDP; tr <= sip.TLS; tr++ {
		for what := noCounter + 1; what < counterCount; what++ {
			if name := counterNames[what]; applies(tr, what) {
				all = append(all, Stat{name.name, tr, name.reason, name.level, c[tr][what].Load()})
			}
		}
	}
	return all
}

// applies reports whether a count can be other than 0 for a transport, so that no list is full of noughts.
func applies(tr sip.Transport, what counter) bool {
	switch what {
	case received, sent, keepAlives:
		return true
	case stunPings, droppedPort, unsentLarge, unsentAddress, unsentError, unsentBounced, readErrors:
		return tr == sip.UDP
	case refusedHandshakes, closedHandshake, closedHello, closedHandshakeWay:
		return tr == sip.TLS
	case unsentDials:
		return tr == sip.TCP
	}
	return tr != sip.UDP
}
