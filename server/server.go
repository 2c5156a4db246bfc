// Package server wires the floors into one SIP element: it decides whose a request is, and owns every
// long-lived goroutine and the stores.
//
// It implements what RFC 3261 §8.2 asks of every user agent server, and steps 1 and 3 to 5 of §10.3; the
// rest of §10.3 is in package registrar. Of a proxy it decides whose a request is (§16.3 step 6), where it goes
// (§16.5), and does what package proxy's response context asks for.
//
// It leaves out a REGISTER for another server's domain (§10.3 step 1 would forward it), proxying without a
// transaction but for an ACK (§16.11), 485, and phones that register while a call rings (§16.5).
//
// Who owns what: the transport's readers run [Server.Receive], each with an exchange of its own from a
// pool; the location service owns what answers a registration from Update to Done; a request that is
// forwarded becomes a relay, which is under a lock of its own; what a reload changes is one value behind
// an atomic pointer, replaced and never written to.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/config"
	"biloxi/digest"
	"biloxi/location"
	"biloxi/proxy"
	"biloxi/registrar"
	"biloxi/resolve"
	"biloxi/sip"
	"biloxi/store/journal"
	"biloxi/subscriber"
	"biloxi/transaction"
	"biloxi/transport"
)

// Options are what a server needs beside its configuration. The zero value is right for a real one.
type Options struct {
	Logger *slog.Logger // nil: nothing is logged

	// ListenPacket and ListenStream open sockets; nil: those of the system. Tests give a simulated network.
	ListenPacket func(network, address string) (net.PacketConn, error)
	ListenStream func(network, address string) (net.Listener, error)

	// Dial opens connections, see transport.Config; Exchanger carries queries to name servers. nil: those of the
	// system.
	Dial      func(ctx context.Context, network, from, to string) (net.Conn, error)
	Exchanger resolve.Exchanger

	// Timers are T1, T2 and T4. Zero: the RFC's.
	Timers transaction.Timers

	// Now is the clock of all that lasts; nil: one that begins with the time of day and goes on evenly, also when that
	// is set. Wall is the time of day; nil: the system's, or Now if that is given.
	Now, Wall func() time.Time

	disk journal.FS // of the bindings; nil: the system's. This package's tests have it fail
}

// Server is one SIP element: a registrar with its location service.
type Server struct {
	log         *slog.Logger
	now         func() time.Time
	clock       clock
	pace        *pace // of changes
	ledger      ledger
	tagger      tagger
	secret      [32]byte // of the nonces; of this process alone, so that none outlives what is known of its use
	started     time.Time
	state       atomic.Pointer[state]
	guard       *guard
	reload      sync.Mutex // one Reload at a time
	exchanges   sync.Pool
	registering sync.Pool

	subscribers *subscriber.Cache // all of them, in memory
	store       subscriber.Store
	unsound     bool             // it was told that store cannot be changed; the goroutine of watch has it
	live        *liveSubscribers // both of them, for who changes them
	location    location.Store
	transport   *transport.Transport

	transactions *transaction.Layer
	resolver     *resolve.Resolver
	relays       sync.Pool
	streams      streams
	heldAcks     heldAcks
	viewings     sync.Pool
	answerers    answerers
	shares       *shares
	drain        drain
	alarms       *alarms
	dialogs      *proxy.Dialogs // that go on for long, or whose ends have moved
	flowSecret   [32]byte       // of flow tokens and proofs; kept on disk, so that dialogs outlive a restart
	stop         context.CancelFunc
	running      sync.WaitGroup
}

// state is what a reload replaces.
type state struct {
	config    config.Config
	domains   *domains
	registrar *registrar.Registrar
	digest    *digest.Authenticator
	proxy     *proxy.Proxy
	routing   *routing
	self      *self

	watchfulness watchfulness
}

// New opens the stores in the data folder and makes a server that listens to nothing yet. On an error
// nothing stays open.
func New(cfg config.Config, opt Options) (_ *Server, err error) {
	s := &Server{log: opt.Logger, now: opt.Now, tagger: newTagger(), subscribers: subscriber.NewCache(), alarms: newAlarms(), dialogs: proxy.NewDialogs()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.now, s.pace = s.clock.start(opt.Now, opt.Wall), newPace()
	s.ledger.log = s.log
	s.started = s.now()
	s.exchanges.New, s.registering.New, s.relays.New = s.newExchange, s.newRegistering, s.newRelay
	s.viewings.New = func() any { return new(viewing) }
	if _, err := rand.Read(s.secret[:]); err != nil {
		return nil, err
	}
	if err := s.open(cfg, opt); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// newState makes what cfg says of domains, registrar, authentication and proxy. The digest is kept from old if its
// keys have not changed, and with it what it knows of nonces in use.
func (s *Server) newState(cfg config.Config, old *state) (*state, error) {
	st := &state{config: cfg, domains: newDomains(cfg.Domains), registrar: registrar.New(registrarConfig(cfg.Registrar, s)),
		proxy: proxy.New(proxyConfig(cfg.Proxy, s.flowSecret, s.dialogs))}
	var err error
	if st.routing, err = newRouting(&cfg); err != nil {
		return nil, err
	}
	st.watchfulness = watchfulnessOf(&cfg)
	st.self = newSelf(st.domains, cfg.Listeners, s.transport.Addrs(), localAddrs())
	if old != nil && old.config.Auth == cfg.Auth {
		st.digest = old.digest
	} else {
		st.digest = digest.New(digestConfig(cfg.Auth), &s.secret)
	}
	return st, nil
}

// open opens the stores, reads all subscribers into memory, and makes what stands on them.
func (s *Server) open(cfg config.Config, opt Options) (err error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	s.flowSecret, err = loadSecret(filepath.Join(cfg.Data, SecretFile))
	if keepsNothing(err) {
		s.log.Error("the secret cannot be kept: calls that are up at the next start cannot be routed then", "error", err)
	} else if err != nil {
		return err
	}
	if s.guard, err = openGuard(s.now(), s.log, filepath.Join(cfg.Data, DefenceFile)); err != nil {
		return err
	}
	if err := s.openNetwork(cfg, opt); err != nil {
		return err
	}
	st, err := s.newState(cfg, nil)
	if err != nil {
		return err
	}
	s.state.Store(st)
	if err := s.openStores(cfg, opt.disk); err != nil {
		return err
	}
	s.checkRealms(cfg)
	return nil
}

// openNetwork makes what sends and receives. Nothing is bound yet.
func (s *Server) openNetwork(cfg config.Config, opt Options) error {
	tls, err := loadTLS(cfg.TLS)
	if err != nil {
		return err
	}
	t := transportConfig(cfg, tls, opt, s.log)
	t.Undelivered, t.Closed = s.undelivered, s.disconnected
	if s.transport, err = transport.New(t, s); err != nil {
		return err
	}
	r, err := resolverConfig(cfg, opt, s.now)
	if err != nil {
		return err
	}
	if s.resolver, err = resolve.New(r); err != nil {
		return err
	}
	s.shares = newShares(cfg.Proxy.MaxTransactions)
	s.transactions = transaction.New(transaction.Config{Timers: opt.Timers, Max: cfg.Proxy.MaxTransactions, Fired: s.transport.Flush},
		s.now(), s.transport, user{s})
	return nil
}

// checkRealms warns of subscribers who can never authenticate, since their digests were made for another
// realm than the one that they are challenged with.
func (s *Server) checkRealms(cfg config.Config) {
	for _, have := range s.subscribers.Domains() {
		i := slices.IndexFunc(cfg.Domains, func(d config.Domain) bool { return d.Name == have.Name })
		switch {
		case i < 0:
			s.log.Warn("subscribers of a domain that is not served", "domain", have.Name)
		case cfg.Domains[i].Realm != have.Realm:
			s.log.Warn("subscribers whose passwords were stored for another realm cannot register: give them new ones, or the domain its old realm",
				"domain", have.Name, "realm", cfg.Domains[i].Realm, "stored", have.Realm)
		}
	}
}

// What is in the data folder.
const (
	SubscriberFile = "subscribers.db" // the database of subscribers
	LocationFolder = "location"       // the bindings: package journal's folder
	DefenceFile    = "defence.json"   // an administrator's rules on sources
	SecretFile     = "secret"         // 32 random bytes: the key of what the server writes into Record-Route
)

// Listen binds all sockets, or none and says which could not be had.
func (s *Server) Listen() error {
	s.reload.Lock()
	defer s.reload.Unlock()
	if err := s.transport.Listen(); err != nil {
		return err
	}
	st := *s.state.Load()
	st.self = newSelf(st.domains, st.config.Listeners, s.transport.Addrs(), localAddrs())
	s.state.Store(&st)
	return nil
}

// Addrs are what is listened to, after Listen: Transport and Local of each flow, in the order of the
// configuration.
func (s *Server) Addrs() []sip.Flow { return s.transport.Addrs() }

// Serve answers what arrives, until Shutdown.
func (s *Server) Serve() error {
	ctx, cancel := context.WithCancel(context.Background())
	s.reload.Lock()
	s.stop = cancel
	s.running.Go(func() { s.transactions.Run(ctx) })
	s.running.Go(func() { s.watch(ctx) })
	s.running.Go(func() { s.sweep(ctx) })
	s.running.Go(func() { s.learnHops(ctx) })
	s.running.Go(s.resolver.Run)
	s.reload.Unlock()
	return s.transport.Serve()
}

// Shutdown drains the server ([Server.Drain]), stops receiving, lets the answers that wait for the disk go out, and
// closes sockets and stores. When ctx ends it stops waiting for peers; what was acknowledged is on disk all the same.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain(ctx)
	stopped := s.transport.Stop(ctx)
	closed := s.location.Close() // tells each exchange that waits: their answers go to the sockets
	s.resolver.Close()
	s.reload.Lock()
	if s.stop != nil {
		s.stop()
	}
	s.reload.Unlock()
	s.running.Wait()
	s.transport.Flush()
	return errors.Join(stopped, closed, s.transport.Shutdown(ctx), s.store.Close())
}

// close closes the stores that New has opened so far.
func (s *Server) close() error {
	var errs []error
	if s.location != nil {
		errs = append(errs, s.location.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
