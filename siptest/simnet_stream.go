package siptest

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// simListener is a TCP listener of a Network.
type simListener struct {
	net     *Network
	addr    netip.AddrPort
	backlog chan *Conn
	closed  chan struct{}
	once    sync.Once
}

func (l *simListener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, simError("accept", "tcp", l.addr, net.ErrClosed)
	default:
	}
	select {
	case c := <-l.backlog:
		return c, nil
	case <-l.closed:
		return nil, simError("accept", "tcp", l.addr, net.ErrClosed)
	}
}

// Close stops listening; connections that nobody accepted are reset.
func (l *simListener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.listeners, l.addr)
		l.net.mu.Unlock()
		close(l.closed)
		for {
			select {
			case c := <-l.backlog:
				c.Reset()
				continue
			default:
			}
			return
		}
	})
	return nil
}

func (l *simListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// Conn is one end of a TCP connection of a Network.
type Conn struct {
	net           *Network
	local, remote netip.AddrPort
	in, out       *simPipe
	read, write   *simDeadline
	once          sync.Once
}

func newSimConns(n *Network, near, far netip.AddrPort) (*Conn, *Conn) {
	there, back := newSimPipe(n), newSimPipe(n)
	return &Conn{net: n, local: near, remote: far, in: back, out: there, read: newSimDeadline(), write: newSimDeadline()},
		&Conn{net: n, local: far, remote: near, in: there, out: back, read: newSimDeadline(), write: newSimDeadline()}
}

func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.take(b, c.read)
	if err != nil && err != io.EOF {
		err = simError("read", "tcp", c.remote, err)
	}
	return n, err
}

func (c *Conn) Write(b []byte) (int, error) {
	if tap := c.net.wiretap(); tap != nil {
		tap.segment(c.local, c.remote, b)
	}
	n, err := c.out.give(b, c.write)
	if err != nil {
		err = simError("write", "tcp", c.remote, err)
	}
	return n, err
}

// CloseWrite ends what we write: the other end reads io.EOF behind it.
func (c *Conn) CloseWrite() error {
	c.out.finish()
	return nil
}

// Close ends both directions: what was written still arrives.
func (c *Conn) Close() error {
	err := error(simError("close", "tcp", c.remote, net.ErrClosed))
	c.once.Do(func() {
		err = nil
		c.out.finish()
		c.in.abandon(net.ErrClosed, syscall.ECONNRESET)
		c.end()
	})
	return err
}

// Reset destroys the connection: both ends fail at once, and what was under way is lost.
func (c *Conn) Reset() {
	c.once.Do(func() {
		c.out.abandon(syscall.ECONNRESET, net.ErrClosed)
		c.in.abandon(net.ErrClosed, syscall.ECONNRESET)
		c.end()
	})
}

func (c *Conn) end() {
	c.net.forgetConn(c.local, c.remote)
	c.read.set(time.Time{})
	c.write.set(time.Time{})
}

func (c *Conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func (c *Conn) SetDeadline(t time.Time) error {
	c.read.set(t)
	c.write.set(t)
	return nil
}
func (c *Conn) SetReadDeadline(t time.Time) error  { c.read.set(t); return nil }
func (c *Conn) SetWriteDeadline(t time.Time) error { c.write.set(t); return nil }

// simPipe is one direction of a connection: bytes in order, each segment after the network's latency, no
// more than a window of them unread.
type simPipe struct {
	net *Network

	mu       sync.Mutex
	changed  chan struct{} // closed and made anew when anything below changes
	under    [][]byte      // segments under way, in order; nil is the end
	waits    [][]byte      // segments that have arrived
	bytes    int           // in both
	last     time.Time     // when the last segment under way arrives
	finished bool          // the writer writes no more
	ended    bool          // the end has arrived
	readErr  error         // what the reader gets at once, if anything
	writeErr error         // what the writer gets at once
}

func newSimPipe(n *Network) *simPipe { return &simPipe{net: n, changed: make(chan struct{})} }

// wake tells those who wait; mu is held.
func (p *simPipe) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *simPipe) take(b []byte, deadline *simDeadline) (int, error) {
	for {
		if deadline.over() {
			return 0, os.ErrDeadlineExceeded
		}
		p.mu.Lock()
		switch {
		case p.readErr != nil:
			defer p.mu.Unlock()
			return 0, p.readErr
		case len(p.waits) > 0:
			defer p.mu.Unlock()
			return p.takeWaiting(b), nil
		case p.ended:
			defer p.mu.Unlock()
			return 0, io.EOF
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-deadline.wait():
		}
	}
}

// takeWaiting reads one segment, or its beginning; mu is held.
func (p *simPipe) takeWaiting(b []byte) int {
	n := copy(b, p.waits[0])
	if p.waits[0] = p.waits[0][n:]; len(p.waits[0]) == 0 {
		p.waits = p.waits[1:]
	}
	p.bytes -= n
	p.wake()
	return n
}

func (p *simPipe) give(b []byte, deadline *simDeadline) (done int, err error) {
	size, latency := p.net.segment()
	for {
		if deadline.over() {
			return done, os.ErrDeadlineExceeded
		}
		p.mu.Lock()
		switch room := simWindow - p.bytes; {
		case p.writeErr != nil:
			err = p.writeErr
		case p.finished:
			err = net.ErrClosed
		case done < len(b) && room > 0:
			n := min(len(b)-done, room)
			if size > 0 {
				n = min(n, size)
			}
			p.send(append([]byte(nil), b[done:done+n]...), latency)
			done += n
		}
		if err != nil || done == len(b) {
			p.mu.Unlock()
			return done, err
		}
		full, changed := p.bytes == simWindow, p.changed
		p.mu.Unlock()
		if full {
			select {
			case <-changed:
			case <-deadline.wait():
			}
		}
	}
}

// send puts a segment, or nil for the end, on its way; mu is held.
func (p *simPipe) send(segment []byte, latency time.Duration) {
	p.bytes += len(segment)
	p.under = append(p.under, segment)
	if latency <= 0 && len(p.under) == 1 {
		p.arriveLocked()
		return
	}
	at := time.Now().Add(latency)
	if at.Before(p.last) {
		at = p.last
	}
	p.last = at
	time.AfterFunc(time.Until(at), p.arrive)
}

// arrive lets the first segment under way arrive: one call for each, whichever comes first.
func (p *simPipe) arrive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arriveLocked()
}

func (p *simPipe) arriveLocked() {
	if len(p.under) == 0 { // the connection was reset
		return
	}
	if s := p.under[0]; s == nil {
		p.ended = true
	} else {
		p.waits = append(p.waits, s)
	}
	p.under = p.under[1:]
	p.wake()
}

// finish sends the end behind what was written.
func (p *simPipe) finish() {
	_, latency := p.net.segment()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.finished {
		p.finished = true
		p.send(nil, latency)
	}
}

// abandon drops everything: the reader and the writer get their errors from now on.
func (p *simPipe) abandon(read, write error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under, p.waits, p.bytes = nil, nil, 0
	if p.readErr == nil {
		p.readErr = read
	}
	if p.writeErr == nil {
		p.writeErr = write
	}
	p.wake()
}
