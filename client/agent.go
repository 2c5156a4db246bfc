package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"biloxi/sip"
	"biloxi/transaction"
	"biloxi/transport"
)

// AgentConfig says who an Agent is and how it reaches others. The zero value of each field is usable.
type AgentConfig struct {
	// AOR is who calls, or who is called: sip:alice@atlanta.example.com. Empty: nobody, who can call and not be
	// registered (RFC 3261 §8.1.1.3, the anonymous From).
	AOR string
	// Server is where requests outside a dialog go, as ParseServer reads it. Empty: the first of Routes, or
	// what their Request-URI says, by A and AAAA.
	Server string
	// Routes are the URIs of a pre-loaded route set (RFC 3261 §8.1.2), for requests outside a dialog.
	Routes []string
	// Listen is the IP address and port of our own, "192.0.2.4:5060". Empty: a port that the system chooses,
	// at every address of the family that the server has.
	Listen string
	// Username is that of the credentials. Empty: the user of the AOR.
	Username string
	// Password is that of every realm that Passwords does not name. Nil: there is none.
	Password  []byte
	Passwords map[string][]byte
	// Roots are the authorities whose certificates are taken. Nil: those of the system.
	Roots *x509.CertPool
	// Certificates are the Agent's own. With one it listens on TLS too.
	Certificates []tls.Certificate
	// UserAgent is the header field's value. Empty: "biloxi".
	UserAgent string
	// Timers are those of the transactions. Zero: the RFC's.
	Timers transaction.Timers
	// Trace is called for every message that goes or comes, by one goroutine at a time. Nil: nothing.
	Trace func(Traced)
	// Notify is told what happens, by the goroutine that is in Call or Answer. Nil: nothing.
	Notify func(Event)
	// Lookup finds the addresses of a host name. Nil: the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// ListenPacket, ListenStream and Dial stand in for the system's sockets, as a simulated network does.
	ListenPacket func(network, address string) (net.PacketConn, error)
	ListenStream func(network, address string) (net.Listener, error)
	Dial         func(ctx context.Context, network, from, to string) (net.Conn, error)
}

// Agent is a user agent that makes one call, or answers those for one address of record. It sends and takes no
// media.
//
// Its loop, which runs on the goroutine that is in Call or Answer, owns all of it. What comes from the network
// is put into its inbox by the goroutines of the transport and of the transaction layer.
type Agent struct {
	cfg       AgentConfig
	aor       sip.URI // zero if there is none
	server    Server  // zero: by the Request-URI
	routes    [][]byte
	first     Server // of the first route
	logins    logins
	listen    netip.AddrPort
	session   uint64 // id of our session descriptions
	token     string // begins our branches, behind the cookie
	transport *transport.Transport
	layer     *transaction.Layer
	inbox     *inbox
	tracer    tracer
	sentBy    sentBy

	alarms  alarms
	role    role
	dialogs map[dialogKey]*dialog
	hops    map[attempt]hop // what we opened, by whom to
	dialing map[netip.AddrPort][]func(local netip.AddrPort, err error)
	dialled map[netip.AddrPort]netip.AddrPort // local address of each connection that we opened
	ctx     context.Context                   // of the look-ups
	lookups sync.WaitGroup
	over    bool
	left    error // what Call or Answer returns
}

// role is what an Agent is there for.
type role interface {
	begin()
	// invited takes an INVITE outside a dialog, with its transaction, to be answered.
	invited(in *incoming)
	// silent says that an INVITE is to have no answer at all.
	silent(req *sip.Request, flow sip.Flow) bool
	// interrupted is the end of the context: come to an end, and set Agent.over.
	interrupted()
}

// NewAgent checks the configuration. It opens and starts nothing.
func NewAgent(cfg AgentConfig) (*Agent, error) {
	a := &Agent{cfg: cfg, inbox: newInbox(), session: rand.Uint64() >> 2, token: random()[:8],
		dialogs: map[dialogKey]*dialog{}, hops: map[attempt]hop{},
		dialing: map[netip.AddrPort][]func(netip.AddrPort, error){}, dialled: map[netip.AddrPort]netip.AddrPort{},
		logins: logins{username: []byte(cfg.Username), password: cfg.Password, passwords: cfg.Passwords}}
	a.tracer.tell = cfg.Trace
	if err := a.identify(); err != nil {
		return nil, err
	}
	if err := a.aim(); err != nil {
		return nil, err
	}
	if a.cfg.Lookup == nil {
		a.cfg.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if a.cfg.Dial == nil {
		a.cfg.Dial = dialSystem
	}
	return a, a.build()
}

// identify reads who the Agent is.
func (a *Agent) identify() error {
	if a.cfg.UserAgent == "" {
		a.cfg.UserAgent = "biloxi"
	}
	if hasControl(a.cfg.UserAgent) {
		return fmt.Errorf("user agent: %w", errControl)
	}
	if a.cfg.AOR != "" {
		aor, err := parseAOR(a.cfg.AOR)
		if err != nil {
			return err
		}
		if a.aor = aor; a.cfg.Username == "" {
			a.logins.username = sip.AppendUnescaped(nil, aor.User)
		}
	}
	if hasControl(string(a.logins.username)) {
		return fmt.Errorf("username: %w", errControl)
	}
	return nil
}

// aim reads where requests go.
func (a *Agent) aim() (err error) {
	if a.cfg.Server != "" {
		if a.server, err = ParseServer(a.cfg.Server); err != nil {
			return err
		}
	}
	for i, text := range a.cfg.Routes {
		u, err := parseURI(text)
		if err != nil || !u.IsSIP() {
			return fmt.Errorf("route %q is not a SIP URI", printable(text))
		}
		if i == 0 {
			if a.first, err = serverOf(u); err != nil {
				return err
			}
		}
		a.routes = append(a.routes, nameAddr(u))
	}
	if a.cfg.Listen != "" {
		if a.listen, err = netip.ParseAddrPort(a.cfg.Listen); err != nil {
			return fmt.Errorf("listen address %q is not an IP address and a port, as 192.0.2.4:5060", printable(a.cfg.Listen))
		}
	}
	return nil
}

// build makes the floors that the Agent stands on.
func (a *Agent) build() error {
	cfg := transport.Config{
		Listeners:    a.listeners(),
		TLS:          transport.TLSConfig{Certificates: a.cfg.Certificates, RootCAs: a.cfg.Roots},
		ListenPacket: a.cfg.ListenPacket,
		ListenStream: a.cfg.ListenStream,
		Dial:         a.dial,
		Undelivered:  a.undelivered,
		Closed:       func(flow sip.Flow) { a.inbox.post(func() { a.closed(flow) }) },
	}
	var err error
	if a.transport, err = transport.New(cfg, a); err != nil {
		return err
	}
	a.layer = transaction.New(transaction.Config{Timers: a.cfg.Timers, Fired: a.transport.Flush}, time.Now(), a, a)
	return nil
}

// listeners are those of one address: UDP and TCP, and TLS with a certificate, at the port that was asked for
// or another each.
func (a *Agent) listeners() []transport.Listener {
	at := a.listen
	if !at.IsValid() {
		at = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
		if addr, ok := a.toward().addr(); ok && addr.Is6() {
			at = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
		}
	}
	list := []transport.Listener{{Transport: sip.UDP, Address: at.String()}, {Transport: sip.TCP, Address: at.String()}}
	if len(a.cfg.Certificates) > 0 {
		if at.Port() != 0 {
			at = netip.AddrPortFrom(at.Addr(), at.Port()+1) // as 5061 stands to 5060
		}
		list = append(list, transport.Listener{Transport: sip.TLS, Address: at.String()})
	}
	return list
}

// toward is the server that requests go to, zero if that is not known before their Request-URI is.
func (a *Agent) toward() Server {
	if a.server != (Server{}) {
		return a.server
	}
	return a.first
}

// Listen binds the sockets, so that Addrs says where.
func (a *Agent) Listen() error { return a.transport.Listen() }

// Addrs is where the Agent listens: transport and local address of each socket.
func (a *Agent) Addrs() []sip.Flow { return a.transport.Addrs() }

// Counts are the messages that were sent again and those that nobody waited for, since the Agent was made.
func (a *Agent) Counts() (requestsAgain, responsesAgain, strays uint64) {
	s := a.layer.Stats()
	return s.RequestsAgain, s.ResponsesAgain, s.Strays
}

var errAgentUsed = errors.New("an Agent makes one call, or answers once")

// run is the Agent's life: it does what r is there for until that is over, or ctx is done and its last words are
// said.
func (a *Agent) run(ctx context.Context, r role) error {
	if a.role != nil {
		return errAgentUsed
	}
	if len(a.Addrs()) == 0 {
		if err := a.Listen(); err != nil {
			return err
		}
	}
	a.role = r
	var all sync.WaitGroup
	all.Go(func() { _ = a.transport.Serve() })
	ticking, stop := context.WithCancel(context.Background())
	all.Go(func() { a.layer.Run(ticking) })
	a.ctx = ticking
	a.loop(ctx)
	stop()
	a.lookups.Wait()
	last, cancel := context.WithTimeout(context.Background(), graceTime)
	defer cancel()
	_ = a.transport.Shutdown(last)
	all.Wait()
	return a.left
}

// loop does what comes, until it is over.
func (a *Agent) loop(ctx context.Context) {
	a.role.begin()
	done := ctx.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !a.over {
		a.transport.Flush()
		var due <-chan time.Time
		if d, ok := a.alarms.next(time.Now()); ok {
			timer.Reset(d)
			due = timer.C
		}
		select {
		case <-a.inbox.ready:
			for _, f := range a.inbox.take() {
				f()
			}
		case <-due:
			a.alarms.fire(time.Now())
		case <-done:
			done = nil
			a.alarms.set(graceTime, a.end)
			a.role.interrupted()
		}
	}
	a.transport.Flush()
}

// end ends the loop.
func (a *Agent) end() { a.over = true }

// fail ends the loop with an error, unless there is one.
func (a *Agent) fail(err error) {
	if a.left == nil {
		a.left = err
	}
	a.end()
}

// notify tells what happened.
func (a *Agent) notify(e Event) {
	if a.cfg.Notify != nil {
		e.Time = time.Now()
		a.cfg.Notify(e)
	}
}

// timers are the base values, of which the RFC's stand for those that are not set.
func (a *Agent) timers() transaction.Timers {
	d := Timers{T1: a.cfg.Timers.T1, T2: a.cfg.Timers.T2}.orDefault()
	return transaction.Timers{T1: d.T1, T2: d.T2, T4: a.cfg.Timers.T4}
}

// branch is one that nobody else has, and that tells our responses (RFC 3261 §8.1.1.7).
func (a *Agent) branch() string { return sip.MagicCookie + a.token + random() }
