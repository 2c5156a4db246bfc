package transport

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/sip"
)

// Errors of Open and Send.
var (
	ErrGone   = errors.New("transport: the connection has closed and none can be opened to its peer")
	ErrFull   = errors.New("transport: too much waits for the peer")
	ErrClosed = errors.New("transport: shut down")
	ErrFlow   = errors.New("transport: no socket of ours has the flow's address")
	ErrTo     = errors.New("transport: it cannot be sent there: no address of a host, or of the socket's family, or a datagram too large")
)

// Transport owns the sockets. Its methods may be called from any goroutine.
//
// Who owns what: each socket and each connection belongs to one goroutine, its reader, which on Linux reads many
// connections ([loop]); others reach a connection's queue and a socket's outbox under their locks, and the books
// (connections by serial, admission, dials) under theirs.
type Transport struct {
	cfg     Config
	handler Handler
	log     *slog.Logger
	epoch   time.Time // now counts from here
	tls     certificates

	descriptors int          // that the process may have, 0: as many as are wanted
	wantedConns int          // MaxConns as it was configured
	mostSeconds int          // second descriptors that there may be
	seconds     atomic.Int64 // and are

	processors int // what GOMAXPROCS was before readers brought more along

	counts     tally
	notices    notices
	conns      registry
	admission  admission
	turns      turns
	userSeed   maphash.Seed
	dials      dials
	routes     routes
	unflushed  atomic.Pointer[conn] // the last that was marked, see mark
	serial     atomic.Uint64
	unfinished budgets // what was read of messages that are not there yet
	queued     budgets // what waits for peers to read it

	mu        sync.Mutex // of the life below
	state     state
	sockets   []*socket // set by Listen
	listeners []*listener
	bound     []endpoint // in the order of the listeners; set by Listen
	loops     []*loop    // from the first connection on

	stopping atomic.Bool
	stop     chan struct{}  // closed when reading is to end
	finish   chan struct{}  // closed when connections are to close
	force    chan struct{}  // closed when they are to close at once
	readers  sync.WaitGroup // what may call the Handler
	all      sync.WaitGroup // every goroutine
}

// state is a Transport's place in its life.
type state uint8

const (
	made state = iota
	listening
	serving
	finished
)

// New checks cfg and returns a Transport that gives what comes to h. It starts nothing.
func New(cfg Config, h Handler) (*Transport, error) {
	cfg.Limits = cfg.Limits.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t := &Transport{cfg: cfg, handler: h, log: cfg.Logger, epoch: time.Now().Add(-1), processors: runtime.GOMAXPROCS(0),
		stop: make(chan struct{}), finish: make(chan struct{}), force: make(chan struct{})}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.wantedConns, t.descriptors = t.cfg.Limits.MaxConns, t.cfg.Limits.Descriptors
	if t.descriptors == 0 && t.cfg.ListenStream == nil && t.cfg.Dial == nil {
		t.descriptors = systemDescriptors()
	}
	t.mostSeconds = t.cfg.Limits.fit(t.descriptors)
	t.admission = newAdmission(&t.cfg.Limits)
	if t.cfg.Limits.Handshaking == 0 {
		t.cfg.Limits.Handshaking = t.processors
	}
	t.unfinished.init(t.cfg.Limits.MaxUnfinished)
	t.queued.init(t.cfg.Limits.MaxQueued)
	t.turns = newTurns(t.cfg.Limits.Handshaking)
	t.userSeed = maphash.MakeSeed()
	t.dials.to = map[hop]*conn{}
	t.routes.known = map[netip.Addr]route{}
	// Serials of another life of the process, which bindings on disk remember, are not met again.
	t.serial.Store(rand.Uint64() << 32)
	if err := t.SetTLS(cfg.TLS); err != nil {
		return nil, err
	}
	return t, nil
}

// now is the time since the Transport was made, never 0.
func (t *Transport) now() time.Duration { return time.Since(t.epoch) }

// Listen binds all listeners, or none and says why.
func (t *Transport) Listen() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != made {
		return errors.New("transport: Listen has been called before")
	}
	t.warnOfDescriptors()
	for _, l := range t.cfg.Listeners {
		if err := t.bind(l); err != nil {
			t.unbind()
			return err
		}
	}
	t.state = listening
	return nil
}

// Serve reads from all sockets until Shutdown has ended; it then returns nil.
func (t *Transport) Serve() error {
	t.mu.Lock()
	if t.state != listening {
		defer t.mu.Unlock()
		if t.state == finished {
			return nil
		}
		return errors.New("transport: Serve needs Listen, once")
	}
	t.state = serving
	if !t.stopping.Load() {
		for _, s := range t.sockets {
			t.start(s.serve)
			if b, ok := s.io.(bouncer); ok && t.cfg.Undelivered != nil {
				t.all.Go(func() { s.hear(b) })
			}
		}
		for _, l := range t.listeners {
			t.start(l.serve)
		}
	}
	t.mu.Unlock()
	<-t.finish
	t.all.Wait()
	return nil
}

// start runs a reader; t.mu is held, and nothing has stopped: nobody waits for the groups yet.
func (t *Transport) start(serve func()) {
	t.all.Add(1)
	t.readers.Add(1)
	go func() {
		defer t.all.Done()
		defer t.readers.Done()
		serve()
	}()
}

// Stop stops accepting and reading, and returns when no Receive runs any more, or with ctx's error when it
// ends first. Send and Flush still work, so that answers that are not ready yet can leave.
func (t *Transport) Stop(ctx context.Context) error {
	t.mu.Lock()
	if !t.stopping.Swap(true) {
		close(t.stop)
		for _, l := range t.listeners {
			_ = l.Close()
		}
		for _, s := range t.sockets {
			s.io.stop()
		}
	}
	for _, l := range t.loops {
		l.stop()
	}
	t.mu.Unlock()
	t.conns.each((*conn).stopReading)
	return wait(ctx, &t.readers)
}

// Shutdown does Stop, lets what waits leave, closes all, and returns when nothing of it runs any more. When
// ctx ends first, what waits is dropped and ctx's error returned.
func (t *Transport) Shutdown(ctx context.Context) error {
	stuck := t.Stop(ctx)
	t.Flush()
	t.mu.Lock()
	if t.state != finished {
		t.state = finished
		close(t.finish)
	}
	t.mu.Unlock()
	t.conns.each((*conn).abandon)
	err := wait(ctx, &t.all)
	t.mu.Lock()
	select {
	case <-t.force:
	default:
		close(t.force)
	}
	t.unbind()
	t.mu.Unlock()
	if err != nil {
		t.conns.each(func(c *conn) { c.cut(closedShutdown) })
		if stuck == nil { // else a Handler does not return, and nothing helps
			t.all.Wait()
		}
	}
	return err
}

// wait waits for a group or for ctx.
func wait(ctx context.Context, g *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Addrs returns what is bound, in the order of the listeners: Transport and Local of each.
func (t *Transport) Addrs() []sip.Flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []sip.Flow
	for _, e := range t.bound {
		all = append(all, e.flow)
	}
	return all
}

// Stats returns all counts.
func (t *Transport) Stats() Stats { return t.counts.stats() }

// SetTLS replaces how TLS peers are met, for handshakes from now on; connections stay as they are. All of
// it or, with an error, nothing is replaced.
func (t *Transport) SetTLS(cfg TLSConfig) error {
	for _, l := range t.cfg.Listeners {
		if l.Transport == sip.TLS && len(cfg.Certificates) == 0 {
			return errors.New("transport: a TLS listener needs a certificate and its key")
		}
	}
	return t.tls.set(cfg)
}

// accept makes a connection of a socket that somebody opened to us.
func (t *Transport) accept(nc net.Conn, tr sip.Transport) {
	c := t.newConn(tr, addrPort(nc.RemoteAddr()))
	out, why := t.admission.enter(c)
	if why != noCounter {
		t.counts.add(tr, why, 1)
		t.notice(why, tr, c.flow.Remote, nil)
		_ = nc.Close()
		return
	}
	if out != nil {
		out.cut(closedGaveWay)
	}
	t.counts.add(tr, accepted, 1)
	t.counts.add(tr, unknownConns, 1)
	c.attach(nc)
	t.conns.put(c)
	t.all.Add(1)
	t.readers.Add(1)
	if tr == sip.TCP {
		t.read(c)
		return
	}
	go func() {
		if why, err := c.handshake(); why != noCounter {
			t.readers.Done()
			c.end(why, err)
			t.all.Done()
			return
		}
		t.read(c)
	}()
}

// read gives an open connection its reader: a loop, or a goroutine with none of the deep stack that opening needed.
func (t *Transport) read(c *conn) {
	if l := t.loopOf(c); l != nil && l.take(c) {
		return
	}
	go func() {
		c.run()
		t.all.Done()
	}()
}

// loopOf returns the loop that is to read a connection, nil if none can. The loops begin with the first connection.
func (t *Transport) loopOf(c *conn) *loop {
	if _, ok := c.wire.Conn.(*net.TCPConn); !ok {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopping.Load() {
		return nil
	}
	if t.loops == nil {
		t.loops = t.newLoops()
		for _, l := range t.loops {
			t.start(l.serve)
		}
	}
	if len(t.loops) == 0 {
		return nil
	}
	return t.loops[c.flow.Serial%uint64(len(t.loops))]
}
