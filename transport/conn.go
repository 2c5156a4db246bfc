package transport

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/sip"
)

// conn is one connection. Its reader owns it from its beginning to its end: it reads, runs the Handler, and in the
// end closes it and says so. That is a [loop], which reads many connections, or where there is none a goroutine.
// Others may only write to it and cut it.
type conn struct {
	t       *Transport
	flow    sip.Flow
	entry   entry     // admission's
	tls     *tls.Conn // nil: TCP
	peer    []string  // see Arrival.PeerCertificate
	wire    wire
	up      bool                      // the TLS handshake is over
	shaking atomic.Pointer[handshake] // under way with a peer that connected to us, else nil

	hop       *hop        // whom we opened it to; nil if the peer opened it
	giveUp    func()      // ends our opening of it; nil if the peer opened it
	connected atomic.Bool // there is a socket
	uncounted bool        // open after Stop: it reads nothing, and is not among Transport.readers

	// Of the reader. Times are those of Transport.now.
	buf           *buffer       // TLS: what came in clear; nil while nothing waits. TCP has it in the wire
	opened        time.Duration // when
	last          time.Duration // when the last message or ping came
	begun         time.Duration // when the first bytes of an unfinished message came, 0 if there is none
	armed         time.Duration // the read deadline that is set, 0 if none is
	authenticated atomic.Bool   // it is no stranger's; set by anybody
	kept          atomic.Bool   // it may live until it is idle all the same
	reads         holding       // what it holds of Transport.unfinished
	charged       int           // so many bytes
	crlfs         uint8         // since the last message or ping

	// Of the loop that reads it, under the loop's lock.
	loop *loop // nil: a goroutine of its own does
	slot int32 // where the loop has it, -1: not any more
	turn int   // its place among the loop's deadlines, -1: none is set

	flushing sync.Mutex // one writes what was posted at a time; taken before mu

	mu      sync.Mutex
	opening bool          // we are opening it: what is posted waits
	closed  bool          // nothing is written any more
	waiting *backlog      // what was posted
	queue   pipe          // what waits for the peer to take it
	leaving int           // bytes that the drainer is writing
	writes  holding       // what all this holds of Transport.queued
	drained chan struct{} // not nil while a drainer runs, closed when it has ended
	held    bool          // the loop does not read it until it is drained

	owed      atomic.Int32             // answers that come later
	settled   atomic.Int64             // when one that was owed was given last, of who has not authenticated
	parting   atomic.Pointer[farewell] // not nil: it ends when they have left
	announced bool                     // its end was told of; of who ends it

	marked atomic.Bool // it is on the list of Transport.mark
	next   *conn       // the next there

	why atomic.Uint32 // the counter of why it was cut, 0 if it was not
}

// newConn makes a connection of a socket that a peer opened; it is to be admitted, and attached.
func (t *Transport) newConn(tr sip.Transport, remote netip.AddrPort) *conn {
	c := &conn{t: t}
	c.entry.from = sourcesOf(remote.Addr())
	c.flow = sip.Flow{Transport: tr, Remote: remote, Serial: t.serial.Add(1)}
	return c
}

// attach gives the connection its socket.
func (c *conn) attach(nc net.Conn) {
	c.opened = c.t.now()
	c.last = c.opened
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(streamSendBuffer) // without it there is only more memory to lose
	}
	c.mu.Lock()
	c.flow.Local = addrPort(nc.LocalAddr())
	c.wire.Conn, c.wire.t = nc, c.t
	if c.flow.Transport == sip.TCP {
		c.up = true
		c.wire.attach()
	}
	c.mu.Unlock()
	c.connected.Store(true)
	c.t.counts.add(c.flow.Transport, connections, 1)
	if c.why.Load() != 0 {
		c.wire.cut() // it gave way before it was there
	}
}

// authenticate makes the connection that of somebody who is known: user, a hash, or with 0 nobody who could have too
// many of them.
func (c *conn) authenticate(user uint64) {
	if c.authenticated.Load() {
		return
	}
	c.authenticated.Store(true)
	out, ok := c.t.admission.promote(c, user)
	if ok {
		c.t.counts.add(c.flow.Transport, unknownConns, -1)
	}
	if out != nil {
		out.cut(closedGaveWay)
	}
}

// demote makes it a stranger's again, which lives as long as it would have.
func (c *conn) demote() {
	c.kept.Store(true)
	c.authenticated.Store(false)
	c.t.counts.add(c.flow.Transport, unknownConns, 1)
}

// is reports whether the connection is a flow's, which may have been made before its local address was known.
func (c *conn) is(flow sip.Flow) bool {
	return c.flow.Transport == flow.Transport && c.flow.Remote == flow.Remote
}

// alive reports whether something can be posted.
func (c *conn) alive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closed && c.why.Load() == 0 && c.parting.Load() == nil
}

// abandon gives up opening a connection for nothing.
func (c *conn) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opening && c.waiting == nil {
		c.cut(closedShutdown)
	}
}

// stopReading has the reader find out that the transport stops; one that is being opened does by itself.
func (c *conn) stopReading() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.opening && c.loop == nil {
		_ = c.wire.SetReadDeadline(past)
	}
}

// addrPort is the address of a socket as a Flow has it.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	default:
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// negotiate does the handshake of over, which runs over the connection's socket.
func (c *conn) negotiate(over *tls.Conn) error {
	_ = c.wire.SetDeadline(time.Now().Add(c.t.cfg.Limits.Handshake))
	if c.hop == nil && c.t.stopping.Load() {
		return ErrClosed
	}
	c.tls = over
	if err := over.Handshake(); err != nil {
		return err
	}
	if certs := over.ConnectionState().PeerCertificates; len(certs) > 0 {
		c.peer = append([]string{}, Identities(certs[0])...)
		c.authenticate(0) // only verified ones are let through
	}
	_ = c.wire.SetDeadline(time.Time{})
	c.wire.attach()
	c.up = true
	return nil
}

// run is the reader on a goroutine of its own: it returns when the connection has ended.
func (c *conn) run() {
	c.arm()
	why := c.read()
	if !c.uncounted {
		c.t.readers.Done()
	}
	c.finish(why)
}

// finish ends the connection when what was in hand is answered.
func (c *conn) finish(why counter) {
	if why == closedShutdown {
		<-c.t.finish
	}
	if c.owed.Load() > 0 && waitsForAnswers(why) {
		c.sayFarewell()
	}
	c.end(why, nil)
}

// read reads and answers until the connection is to be closed, and returns why.
func (c *conn) read() counter {
	for {
		c.waitDrained(c.t.stop)
		if why := c.settle(); why != noCounter {
			return why
		}
		if err := c.fill(); err != nil {
			if why := c.failed(err); why != noCounter {
				return why
			}
			c.arm()
			continue
		}
		out := borrowOut(c)
		why := c.receive(out)
		out.flush()
		out.giveBack()
		c.t.Flush() // what the Handler sent elsewhere
		if why != noCounter {
			return why
		}
	}
}

// ready reads once, for the loop, since something has come or may have, and answers: the loop writes it. It returns
// why the connection is to be closed, or none if it goes on; broken says that the socket is closed in both directions.
func (c *conn) ready(broken bool) counter {
	if why := counter(c.why.Load()); why != noCounter {
		return why
	}
	c.wire.due = true
	if c.tls != nil && c.wire.buf == nil {
		// Before TLS is asked: it mostly waits for just that. What was left when it was held comes first.
		if err := c.wire.fill(); err != nil && err != (errWait{}) {
			return c.lost(err)
		}
	}
	for {
		if c.hold() {
			if why := c.charge(); why != noCounter {
				return why
			}
			if broken {
				return c.lost(net.ErrClosed) // nobody takes what it waits for
			}
			return noCounter
		}
		if why := c.settle(); why != noCounter {
			return why
		}
		if err := c.fill(); err == (errWait{}) {
			return noCounter
		} else if err != nil {
			return c.lost(err)
		}
		if why := c.receive(c.loop.out(c)); why != noCounter {
			return why
		}
	}
}

// lost is failed where there are no deadlines of reading.
func (c *conn) lost(err error) counter {
	if why := c.failed(err); why != noCounter {
		return why
	}
	return closedError
}

// pending is the buffer of what came in clear, nil if nothing waits.
func (c *conn) pending() **buffer {
	if c.tls != nil {
		return &c.buf
	}
	return &c.wire.buf
}

// fill waits for bytes in clear and reads once.
func (c *conn) fill() error {
	if c.tls == nil {
		return c.wire.fill()
	}
	for {
		if c.buf == nil {
			c.buf = borrowBuffer()
		}
		n, err := c.tls.Read(c.buf.free())
		if c.buf.read(n); n > 0 {
			return nil
		}
		if c.buf.empty() {
			c.buf.release()
			c.buf = nil
		}
		if _, wait := err.(errWait); !wait {
			return err
		}
		if err := c.wire.fill(); err != nil {
			return err
		}
	}
}

// receive runs what came through the Handler, which answers to out.
func (c *conn) receive(out *Out) counter {
	buf := *c.pending()
	messages := 0
	for !buf.empty() {
		skip, length, known, err := buf.frame(c.t.cfg.Limits.MaxHead, c.t.cfg.Limits.MaxBody)
		c.skipCRLFs(out, buf.bytes()[:skip])
		if skip > 0 {
			buf.take(skip)
		}
		if err != nil {
			c.deliver(out, framingHead(buf.bytes(), known, c.t.cfg.Limits.MaxHead), err)
			c.t.counts.add(c.flow.Transport, received, messages)
			return closedFraming
		}
		if length == 0 {
			break
		}
		c.crlfs = 0
		messages++
		c.deliver(out, buf.bytes()[:length:length], nil)
		buf.take(length)
		c.last, c.begun = c.t.now(), 0
	}
	c.t.counts.add(c.flow.Transport, received, messages)
	out.messages += messages
	return noCounter
}

func (c *conn) deliver(out *Out, data []byte, err error) {
	out.in = Arrival{Flow: c.flow, Data: data, Err: err, PeerCertificate: c.peer}
	c.t.handler.Receive(out, &out.in)
}

// framingHead is as much of the header section as is known of a message that cannot be bounded: all of it,
// or its whole lines up to the limit.
func framingHead(b []byte, known, maxHead int) []byte {
	if known > 0 {
		return b[:known:known]
	}
	b = b[:min(len(b), maxHead)]
	for len(b) > 0 && b[len(b)-1] != '\n' {
		b = b[:len(b)-1]
	}
	return b[:len(b):len(b)]
}

// skipCRLFs answers the pings among the empty lines between messages.
//
// RFC 5626 §4.4.1: a double CRLF is a ping, a single CRLF its pong. RFC 3261 §7.5: other CRLFs are ignored.
func (c *conn) skipCRLFs(out *Out, lines []byte) {
	if len(lines) > 0 {
		c.last = c.t.now()
	}
	for range bytes.Count(lines, []byte{'\r'}) {
		if c.crlfs++; c.crlfs == 2 {
			c.crlfs = 0
			out.write([]byte("\r\n"))
			c.t.counts.add(c.flow.Transport, keepAlives, 1)
		}
	}
}

// settle gets ready for the next read: it gives an empty buffer back, makes room in one that is full, and sets the
// deadline of an unfinished message.
func (c *conn) settle() counter {
	p := c.pending()
	if *p == nil {
		return noCounter
	}
	if (*p).empty() {
		(*p).release()
		*p = nil
		c.begun = 0
		return c.charge()
	}
	(*p).room()
	if why := c.charge(); why != noCounter {
		return why
	}
	if c.begun == 0 {
		c.begun = c.t.now()
		c.arm()
	}
	return noCounter
}

// charge has what the connection has read and not handled count as what it holds.
func (c *conn) charge() counter {
	n := c.buf.memory() + c.wire.buf.memory()
	if h := c.shaking.Load(); h != nil {
		n += h.held
	}
	if n == c.charged {
		return noCounter
	}
	c.charged = n
	if !c.t.unfinished.hold(c, &c.reads, n, closedMemory) {
		return closedMemory
	}
	return noCounter
}

// failed says what an error of reading means: why the connection ends, or none if it goes on.
func (c *conn) failed(err error) counter {
	if why := counter(c.why.Load()); why != noCounter {
		return why
	}
	if e, ok := err.(net.Error); ok && e.Timeout() {
		if c.t.stopping.Load() {
			return closedShutdown
		}
		// The deadline may be an old one: those that moved away were not set again.
		at, why := c.due()
		if c.t.now() >= at {
			return why
		}
		c.armed = 0
		return noCounter
	}
	if isEnd(err) {
		return closedPeer
	}
	return closedError
}

// due is when the connection is to be closed if nothing comes, and why.
func (c *conn) due() (at time.Duration, why counter) {
	l := &c.t.cfg.Limits
	at, why = c.last+l.Idle, closedIdle
	if c.begun != 0 && c.begun+l.Message < at {
		at, why = c.begun+l.Message, closedMessage
	}
	if !c.authenticated.Load() && !c.kept.Load() {
		// RFC 3261 §18: open for 64*T1 after the last message, but only one that came in time counts.
		until := c.opened + l.Unauthenticated
		if last := min(c.last, until); last > c.opened {
			until = max(until, last+transactionLife)
		}
		// A stranger's call that rings for longer keeps its way until it is answered, and its ACK that too. How many may
		// ring is bounded by what holds them.
		if c.owed.Load() > 0 {
			until = max(until, c.t.now()+transactionLife)
		} else if settled := time.Duration(c.settled.Load()); settled != 0 {
			until = max(until, settled+transactionLife)
		}
		if until < at {
			at, why = until, closedUnauthenticated
		}
	}
	return at, why
}

// arm sets the read deadline if it is to be earlier than the one that is set. One that has moved away is
// left until it is over: to set it costs more than to find it out of date now and then.
func (c *conn) arm() {
	at, _ := c.due()
	if c.armed != 0 && c.armed <= at {
		return
	}
	if c.loop != nil {
		c.loop.arm(c, at)
		return
	}
	c.armed = at
	_ = c.wire.SetReadDeadline(c.t.epoch.Add(at))
	if c.t.stopping.Load() {
		_ = c.wire.SetReadDeadline(past)
	}
}

// past is a deadline that is over.
var past = time.Unix(1, 0)
