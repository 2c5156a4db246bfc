// Package bed is a whole server in process, for tests: a configuration, a data folder, subscribers, a
// certificate, and connections to the server over a real or a simulated network.
package bed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/digest"
	"biloxi/resolve"
	"biloxi/server"
	"biloxi/sip"
	"biloxi/store/sqlite"
	"biloxi/subscriber"
	"biloxi/transaction"
)

// The domain of RFC 3665 §2, whose realm is that of another domain, and a host name of its registrar.
const (
	Domain = "biloxi.example.com"
	Realm  = "atlanta.example.com"
	Host   = "ss2.biloxi.example.com"
)

// Users are provisioned beside alice and bob: u0, u1 …, so that each test can have AORs of its own.
const Users = 200

// Password is the password of a user.
func Password(user string) string { return user + "-secret" }

// Network is what a server listens to and phones dial from, where it is not the real one.
type Network interface {
	ListenPacket(network, address string) (net.PacketConn, error)
	Listen(network, address string) (net.Listener, error)
	Dial(ctx context.Context, network, from, to string) (net.Conn, error)
}

// Options change a bed. The zero value is a server on loopback with the configuration of [Config].
type Options struct {
	Network Network              // nil: the real one
	Address string               // IP address to listen on: 127.0.0.1 if empty; of the certificate, if there is a File
	File    string               // a configuration file to use instead of [Config]; its data folder and TLS files are not
	Config  func(*config.Config) // changes the configuration
	Data    string               // the data folder: a new one if empty
	Keep    bool                 // Data has its subscribers already
	Logger  *slog.Logger
	Names   []string   // of the certificate; none: Domain and Host. The address is always one
	CA      *Authority // of the certificate; nil: one of its own

	DNS    resolve.Exchanger  // name servers that are simulated, as [siptest.DNS] is; nil: what the configuration says
	Timers transaction.Timers // zero: those of RFC 3261
	Wall   func() time.Time   // the time of day; nil: the system's
}

// Bed is a server that runs, with what a test needs to talk to it.
type Bed struct {
	Server *server.Server
	Config config.Config
	CA     string // file of the CA of its certificate

	options Options
	t       testing.TB
	network Network
	ca      *Authority
	names   []string
	addr    map[sip.Transport]netip.AddrPort
	served  chan error
	stop    sync.Once
	mu      sync.Mutex
	next    int // of the users that nobody has taken
	source  int // of the simulated phones' addresses
}

// Config is the configuration of a bed's server: UDP, TCP and TLS on free ports of the address.
func Config(data, address string) config.Config {
	cfg := config.Default()
	cfg.Data = data
	cfg.Domains = []config.Domain{{Name: Domain, Realm: Realm, Aliases: []string{Host, "127.0.0.1"},
		Algorithms: []config.Algorithm{config.Algorithm(sip.MD5), config.Algorithm(sip.SHA256)}, ThirdParty: []string{"admin"}}}
	cfg.Listeners = nil
	for _, t := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		cfg.Listeners = append(cfg.Listeners, config.Listener{Transport: config.Transport(t), Address: net.JoinHostPort(address, "0")})
	}
	return cfg
}

// Start starts a server, and has the test end it.
func Start(t testing.TB, opt Options) *Bed {
	t.Helper()
	if opt.Address == "" {
		opt.Address = "127.0.0.1"
	}
	b := &Bed{t: t, network: opt.Network, options: opt, ca: opt.CA, names: opt.Names, served: make(chan error, 1)}
	if opt.Data == "" {
		opt.Data = t.TempDir()
	}
	b.configure(opt)
	if !opt.Keep {
		provision(t, b.Config)
	}
	b.start(opt.Logger)
	t.Cleanup(b.Stop)
	return b
}

// configure makes the configuration and the certificate.
func (b *Bed) configure(opt Options) {
	b.t.Helper()
	b.Config = Config(opt.Data, opt.Address)
	if opt.File != "" {
		cfg, err := config.Load(opt.File, nil)
		if err != nil {
			b.t.Fatalf("configuration: %v", err)
		}
		b.Config = cfg
		b.Config.Data, b.Config.TLS = opt.Data, config.Default().TLS
	}
	if b.ca == nil {
		b.ca = NewAuthority(b.t, b.t.TempDir())
	}
	if b.names == nil {
		b.names = []string{Domain, Host}
	}
	b.CA, b.Config.TLS.CA = b.ca.File, b.ca.File
	b.Config.TLS.Certificate, b.Config.TLS.Key = b.ca.Files(b.t.TempDir(), append(slices.Clone(b.names), opt.Address)...)
	if opt.DNS != nil && len(b.Config.DNS.Servers) == 0 {
		b.Config.DNS.Servers = []string{"192.0.2.53:53"} // not the system's, of whom nobody asks anything
	}
	if opt.Config != nil {
		opt.Config(&b.Config)
	}
}

func (b *Bed) start(logger *slog.Logger) {
	b.t.Helper()
	opt := server.Options{Logger: logger}
	b.options.calls(&opt)
	if b.network != nil {
		opt.ListenPacket, opt.ListenStream = b.network.ListenPacket, b.network.Listen
	}
	s, err := server.New(b.Config, opt)
	if err != nil {
		b.t.Fatalf("server: %v", err)
	}
	if err := s.Listen(); err != nil {
		b.t.Fatalf("listen: %v", err)
	}
	b.Server, b.addr = s, map[sip.Transport]netip.AddrPort{}
	for _, a := range s.Addrs() {
		b.addr[a.Transport] = a.Local
	}
	go func() { b.served <- s.Serve() }()
}

// Stop ends the server and fails the test if it does not end well.
func (b *Bed) Stop() {
	b.stop.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Server.Shutdown(ctx); err != nil {
			b.t.Errorf("shutdown: %v", err)
		}
		if err := <-b.served; err != nil {
			b.t.Errorf("serve: %v", err)
		}
	})
}

// Restart ends the server and starts another on its data.
func (b *Bed) Restart() {
	b.t.Helper()
	b.Stop()
	b.stop = sync.Once{}
	b.start(nil)
}

// provision adds the subscribers, to each domain the same.
func provision(t testing.TB, cfg config.Config) {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(cfg.Data, server.SubscriberFile))
	if err != nil {
		t.Fatalf("subscribers: %v", err)
	}
	users := []string{"alice", "bob", "admin", "+12025550100", "7042"}
	for i := range Users {
		users = append(users, fmt.Sprint("u", i))
	}
	if _, err := store.Import(context.Background(), func(yield func(subscriber.Subscriber, error) bool) {
		for _, d := range cfg.Domains {
			for _, u := range users {
				if !yield(subscriber.Subscriber{User: u, Domain: d.Name, Realm: d.Realm, HA1s: hash(u, d.Realm, Password(u)),
					AtDomain: hash(subscriber.AtDomain(u, d.Name), d.Realm, Password(u))}, nil) {
					return
				}
			}
		}
	}); err != nil {
		t.Fatalf("subscribers: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatalf("subscribers: %v", err)
	}
}

func hash(username, realm, password string) (h subscriber.HA1s) {
	for _, a := range []sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256} {
		var ha1 [32]byte
		digest.HA1(a, []byte(username), []byte(realm), []byte(password), &ha1)
		switch a {
		case sip.MD5:
			copy(h.MD5[:], ha1[:])
		case sip.SHA256:
			h.SHA256 = ha1
		case sip.SHA512_256:
			h.SHA512_256 = ha1
		}
		h.Has |= 1 << a
	}
	return h
}

// User takes a user that no other test of this bed has.
func (b *Bed) User() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == Users {
		b.t.Fatal("no user is left: raise bed.Users")
	}
	b.next++
	return fmt.Sprint("u", b.next-1)
}

// Addr is where the server listens.
func (b *Bed) Addr(t sip.Transport) netip.AddrPort {
	a, ok := b.addr[t]
	if !ok {
		b.t.Fatalf("the server does not listen to %s", t)
	}
	return a
}

// ListenPacket opens a datagram socket of a phone, at a free port of an address of its own on a
// simulated network.
func (b *Bed) ListenPacket(t testing.TB) net.PacketConn {
	t.Helper()
	var c net.PacketConn
	var err error
	if b.network != nil {
		c, err = b.network.ListenPacket("udp", b.from())
	} else {
		c, err = net.ListenPacket("udp", net.JoinHostPort(b.Addr(sip.UDP).Addr().String(), "0"))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Dial opens a stream to the server; over TLS with its certificate verified as of RFC 3665's host name.
func (b *Bed) Dial(t testing.TB, transport sip.Transport) net.Conn {
	t.Helper()
	c, err := b.dial(transport)
	if err != nil {
		t.Fatal(err)
	}
	if transport == sip.TLS {
		s := tls.Client(c, b.TLS())
		if err := s.HandshakeContext(context.Background()); err != nil {
			t.Fatal(err)
		}
		c = s
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (b *Bed) dial(t sip.Transport) (net.Conn, error) {
	to := b.Addr(t).String()
	if b.network != nil {
		return b.network.Dial(context.Background(), "tcp", b.from(), to)
	}
	return net.Dial("tcp", to)
}

// TLS is what a client needs to verify the server.
func (b *Bed) TLS() *tls.Config { return b.ca.Client(b.names[len(b.names)-1]) }

// ClientCertificate is a certificate of a phone, signed by the CA of the server's.
func (b *Bed) ClientCertificate() tls.Certificate { return b.ca.Certificate("phone.example.com") }

// Network is the simulated network, nil on the real one.
func (b *Bed) Network() Network { return b.network }

// from is an address that no other simulated phone has.
func (b *Bed) from() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.source++
	return fmt.Sprintf("192.0.2.%d:%d", 1+b.source%250, 10000+b.source)
}

// ErrClosed reports whether err is one that a connection gives that the server has closed.
func ErrClosed(err error) bool {
	var timeout net.Error
	return err != nil && !(errors.As(err, &timeout) && timeout.Timeout())
}
