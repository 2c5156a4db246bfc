package transport

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"biloxi/sip"
)

// datagram is one that is to be sent.
type datagram struct {
	data []byte
	to   netip.AddrPort
	from netip.Addr // the address of ours that it leaves from
}

// packetIO is a UDP socket as a batch of datagrams at a time. Its reader's methods are for one goroutine.
type packetIO interface {
	// receive waits for datagrams and returns how many came.
	receive() (int, error)
	// packet returns one of those that came, until the next receive. local is the address of ours that it
	// was sent to, invalid if the system does not tell.
	packet(i int) (data []byte, remote netip.AddrPort, local netip.Addr)
	// newSender returns a writer for one goroutine at a time; several may write at once.
	newSender() packetSender
	// yield says that others have been given something to do, which is to run before the next receive waits.
	yield()
	// stop ends the receive under way and all later ones with an error; sending goes on.
	stop()
	close()
}

// packetSender sends datagrams in order and returns how many the system did not take.
type packetSender interface {
	send(p []datagram) (failed int)
}

// socket is a bound UDP socket: its reader's goroutine reads and answers, anyone may send.
//
// There is one for each listener. To have one per core, several sockets with SO_REUSEPORT can be made for
// one listener: nothing else here would change, since a flow finds any socket with its local address.
type socket struct {
	endpoint
	t  *Transport
	io packetIO

	posted  atomic.Bool // something is in waiting
	mu      sync.Mutex
	waiting outbox // what Send collected

	flushing sync.Mutex
	leaving  outbox // what Flush writes
	sender   packetSender
}

// waitingReaders is how many readers may wait on threads of their own: there is nothing to gain where more of them
// can be at work than there are cores, less one for the rest.
func (t *Transport) waitingReaders() int { return t.processors - 1 }

// outbox holds datagrams as one run of bytes.
type outbox struct {
	arena   []byte
	packets []datagram // data is made when they leave
	ends    []int
}

func (b *outbox) reset() { b.arena, b.packets, b.ends = b.arena[:0], b.packets[:0], b.ends[:0] }

func newSocket(t *Transport, io packetIO, e endpoint) *socket {
	return &socket{endpoint: e, t: t, io: io, sender: io.newSender()}
}

// serve reads batches and answers them until the transport stops.
func (s *socket) serve() {
	out := &Out{arena: make([]byte, 0, outBuffer), packets: make([]datagram, 0, batchSize), socket: s, sender: s.io.newSender()}
	failed := 0
	for {
		n, err := s.io.receive()
		if err != nil {
			if s.t.stopping.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				// An ICMP error that an earlier datagram met, as a rule: of no use to a server.
				s.t.counts.add(sip.UDP, readErrors, 1)
			}
			if failed++; failed >= maxReadErrors {
				s.t.pause(readErrorPause)
			}
			continue
		}
		failed = 0
		s.batch(out, n)
		if s.t.stopping.Load() {
			return
		}
	}
}

// batch runs n datagrams to their answers, which leave in one write.
func (s *socket) batch(out *Out, n int) {
	messages := 0
	for i := range n {
		data, remote, local := s.io.packet(i)
		out.in = Arrival{Flow: s.flow, Data: data}
		out.in.Flow.Remote = remote
		if local.IsValid() {
			out.in.Flow.Local = netip.AddrPortFrom(local, s.flow.Local.Port())
		}
		if why := refuse(data, remote); why != noCounter {
			s.t.counts.add(sip.UDP, why, 1)
			if why == stunPings {
				out.Reply(&out.in, remote, appendSTUN(out.Buffer(), data, remote))
			}
			continue
		}
		messages++
		s.t.handler.Receive(out, &out.in)
	}
	s.t.counts.add(sip.UDP, received, messages)
	left := len(out.packets)
	out.flush()
	left += s.t.flush() // what the Handler sent elsewhere
	if left < messages {
		s.io.yield() // the journal has what was not answered, say
	}
}

// refuse says of a datagram that is no message of SIP what it is, none of all others.
func refuse(data []byte, remote netip.AddrPort) counter {
	switch {
	case remote.Port() == 0:
		return droppedPort // nothing can be answered
	case len(data) == 0 || data[0] <= '\r' && isKeepAlive(data):
		return keepAlives
	case isSTUN(data):
		return stunPings
	}
	return noCounter
}

// isKeepAlive reports whether a datagram only holds a NAT binding open: CRLFs, or the NULs of some servers.
func isKeepAlive(b []byte) bool {
	for _, c := range b {
		if c != '\r' && c != '\n' && c != 0 {
			return false
		}
	}
	return true
}

// unsendable says why a datagram cannot be sent, none if it can.
func (s *socket) unsendable(to netip.AddrPort, b []byte) counter {
	switch {
	case to.Port() == 0 || !isHost(to.Addr()) || !s.reaches(to.Addr()):
		return unsentAddress
	case len(b) > maxPayload:
		return unsentLarge
	}
	return noCounter
}

// isHost reports whether an address can be that of one host. A broadcast or a multicast would make of one
// request many answers.
func isHost(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && a.Unmap() != broadcast
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// write sends datagrams that are for this socket.
func (s *socket) write(by packetSender, p []datagram) {
	failed := by.send(p)
	s.t.counts.add(sip.UDP, sent, len(p)-failed)
	s.t.counts.add(sip.UDP, unsentError, failed)
}

// post collects a datagram for the next flush; when much waits it flushes itself.
func (s *socket) post(d datagram) {
	s.mu.Lock()
	b := &s.waiting
	b.arena = append(b.arena, d.data...)
	d.data = nil
	b.packets = append(b.packets, d)
	b.ends = append(b.ends, len(b.arena))
	full := len(b.arena) > outBuffer
	s.posted.Store(true)
	s.mu.Unlock()
	if full {
		s.flush()
	}
}

// flush sends what was collected, in order, and returns how many those were.
func (s *socket) flush() int {
	if !s.posted.Load() {
		return 0
	}
	s.flushing.Lock()
	defer s.flushing.Unlock()
	s.mu.Lock()
	s.waiting, s.leaving = s.leaving, s.waiting
	s.posted.Store(false)
	s.mu.Unlock()
	b := &s.leaving
	if len(b.packets) == 0 {
		return 0
	}
	start := 0
	for i, end := range b.ends {
		b.packets[i].data = b.arena[start:end]
		start = end
	}
	n := len(b.packets)
	s.write(s.sender, b.packets)
	b.reset()
	return n
}
