package siptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"biloxi/sip"
)

// Agent is a scripted user agent for calls. It listens to UDP, TCP and, if it has a certificate, TLS at
// one address, keeps what comes, in order, and sends what a test tells it to: it retransmits nothing and
// answers nothing by itself. The messages that it makes are right unless edits make them wrong. It fails
// its test when something else comes than was expected, with what came. A script reads as a call does:
//
//	network := siptest.NewNetwork()
//	alice := siptest.NewAgent(t, siptest.AgentOptions{Sockets: network, Address: "192.0.2.101", User: "alice",
//		Domain: "atlanta.example.com", Password: "secret", Outbound: siptest.Over(sip.UDP, "192.0.2.111")})
//	bob := siptest.NewAgent(t, siptest.AgentOptions{Sockets: network, Address: "192.0.2.201", User: "bob"})
//
//	invite := alice.Invite("sip:bob@biloxi.example.com")     // *Sent
//	busy := alice.Expect(407)                                // *Received
//	invite.Ack(busy)                                         // same branch, as for any 3xx to 6xx
//	invite = invite.Retry(alice.Credentials(busy))           // next CSeq, new branch
//	alice.Expect(100)                                        // else a 100 is passed over
//	offer := bob.Expect("INVITE").Want("Max-Forwards", "69")
//	bob.Reply(offer, 180)
//	alice.Expect(180).Lacks("Proxy-Authenticate")
//	bob.Reply(offer, 200, siptest.Line("Supported: timer"))
//	call := alice.Dialog(invite, alice.Expect(200))          // route set and remote target
//	call.Ack()
//	bob.Expect("ACK")
//	bye := bob.Answered(offer).Bye()                         // the other side of the dialog
//	alice.Reply(alice.Expect("BYE"), 200)
//	bob.Expect("200 BYE")
//	alice.ExpectNothing(time.Minute)                         // in a bubble of testing/synctest only
//
// In a bubble of testing/synctest, on a [Network], all waiting is in virtual time. The agent closes when
// its test (or bubble) ends. One goroutine at a time may use it.
type Agent struct {
	AgentOptions
	T    testing.TB
	CSeq uint32 // of its last request outside of dialogs that chose none

	packet   net.PacketConn
	listen   map[sip.Transport]net.Listener
	inbox    chan *Received
	readers  sync.WaitGroup
	mu       sync.Mutex
	streams  map[*agentStream]struct{} // that are open
	dialled  map[Hop]*agentStream      // those that it opened itself
	closed   bool
	tags     map[string]string    // of its own, by Call-ID
	asked    map[string]Challenge // that it has answered, by realm
	counts   map[string]uint32    // of requests, by nonce
	observer func(sent bool, peer Hop, message []byte)
}

// AgentOptions say who an agent is and where. Only Address is needed.
type AgentOptions struct {
	Sockets   Sockets         // where it opens its sockets; nil: the system's
	Address   string          // its IP address
	Port      uint16          // of UDP and TCP; TLS has the next. 0: 5060 on a Network, else some that are free
	Host      string          // how it calls itself in Via and Contact; empty: Address
	User      string          // of its AOR, Contact and credentials; empty: "agent"
	Display   string          // the display name in its From; may be empty
	Domain    string          // of its AOR; empty: Host
	Password  string          // for each realm that challenges it
	Outbound  Hop             // where its requests outside of dialogs go, unless SendTo says otherwise
	Lenient   bool            // what comes to it may be malformed, if it begins as a message does
	Secure    bool            // its AOR and Contact are sips URIs
	TLS       *tls.Config     // with its certificate: then it listens to TLS
	ClientTLS *tls.Config     // with whom it trusts: then it can dial TLS
	Wait      time.Duration   // for what it expects; 0: 5 s
	Without   []sip.Transport // that it does not listen to
	Token     func() string   // a new Call-ID, tag or end of a branch; nil: Token
}

// agentInbox is how many messages may wait for a script; more are a fault of the test.
const agentInbox = 4096

// NewAgent opens an agent's sockets, and has the test close them.
func NewAgent(t testing.TB, opt AgentOptions) *Agent {
	t.Helper()
	if opt.Sockets == nil {
		opt.Sockets = System{}
	}
	if _, simulated := opt.Sockets.(*Network); simulated && opt.Port == 0 {
		opt.Port = sip.UDP.DefaultPort()
	}
	or(&opt.Host, opt.Address)
	or(&opt.User, "agent")
	or(&opt.Domain, opt.Host)
	if opt.Token == nil {
		opt.Token = Token
	}
	if opt.Wait == 0 {
		opt.Wait = 5 * time.Second
	}
	a := &Agent{AgentOptions: opt, T: t, listen: map[sip.Transport]net.Listener{}, inbox: make(chan *Received, agentInbox),
		streams: map[*agentStream]struct{}{}, dialled: map[Hop]*agentStream{}, tags: map[string]string{},
		asked: map[string]Challenge{}, counts: map[string]uint32{}}
	t.Cleanup(a.Close)
	a.bind()
	return a
}

func or(s *string, otherwise string) {
	if *s == "" {
		*s = otherwise
	}
}

// bind opens what the agent listens to.
func (a *Agent) bind() {
	a.T.Helper()
	address := func(port uint16) string { return net.JoinHostPort(a.Address, fmt.Sprint(port)) }
	wants := func(t sip.Transport) bool {
		for _, w := range a.Without {
			if w == t {
				return false
			}
		}
		return t != sip.TLS || a.TLS != nil
	}
	if wants(sip.UDP) {
		c, err := a.Sockets.ListenPacket("udp", address(a.Port))
		if err != nil {
			a.T.Fatalf("%s: %v", a.User, err)
		}
		a.packet = c
		a.readers.Go(func() { a.readPackets(c) })
	}
	for _, t := range []sip.Transport{sip.TCP, sip.TLS} {
		if !wants(t) {
			continue
		}
		port := a.Port
		if t == sip.TLS && port != 0 {
			port++
		}
		l, err := a.Sockets.Listen("tcp", address(port))
		if err != nil {
			a.T.Fatalf("%s: %v", a.User, err)
		}
		a.listen[t] = l
		a.readers.Go(func() { a.accept(t, l) })
	}
}

// Close closes the agent's sockets and connections.
func (a *Agent) Close() {
	a.mu.Lock()
	a.closed = true
	if a.packet != nil {
		a.packet.Close()
	}
	for _, l := range a.listen {
		l.Close()
	}
	for s := range a.streams {
		s.conn.Close()
	}
	a.mu.Unlock()
	a.readers.Wait()
}

// Addr is where the agent listens to a transport; zero if it does not.
func (a *Agent) Addr(t sip.Transport) netip.AddrPort {
	if t == sip.UDP && a.packet != nil {
		return addrPort(a.packet.LocalAddr())
	}
	if l := a.listen[t]; l != nil {
		return addrPort(l.Addr())
	}
	return netip.AddrPort{}
}

// AOR is the agent's address-of-record.
func (a *Agent) AOR() string { return a.scheme() + ":" + a.User + "@" + a.Domain }

func (a *Agent) scheme() string {
	if a.Secure {
		return "sips"
	}
	return "sip"
}

// party is the agent's From, or its To where it is called, without a tag.
func (a *Agent) party() string {
	if a.Display == "" {
		return "<" + a.AOR() + ">"
	}
	return a.Display + " <" + a.AOR() + ">"
}

// ContactURI is where the agent can be reached over a transport, as it says in Contact: without a port that is the
// URI's default one, and with a transport where a sip URI does not mean UDP.
func (a *Agent) ContactURI(t sip.Transport) string {
	uri := a.scheme() + ":" + a.User + "@" + a.hostPort(t)
	if t != sip.UDP && !a.Secure {
		uri += ";transport=" + lower(t)
	}
	return uri
}

// port is where the agent listens to a transport.
func (a *Agent) port(t sip.Transport) uint16 {
	if p := a.Addr(t).Port(); p != 0 {
		return p
	}
	return t.DefaultPort()
}

// hostPort is the agent's own name, with the port if it is not the default one of its URIs.
func (a *Agent) hostPort(t sip.Transport) string {
	usual := sip.UDP.DefaultPort()
	if a.Secure {
		usual = sip.TLS.DefaultPort()
	}
	if a.port(t) != usual {
		return a.sentBy(t)
	}
	if strings.Contains(a.Host, ":") {
		return "[" + a.Host + "]"
	}
	return a.Host
}

// sentBy is the agent's own name and port, as in its Via.
func (a *Agent) sentBy(t sip.Transport) string {
	return net.JoinHostPort(a.Host, fmt.Sprint(a.port(t)))
}

// Trace has fn called with every message that the agent sends, and with each that it gets when the script
// comes to it.
func (a *Agent) Trace(fn func(sent bool, peer Hop, message []byte)) { a.observer = fn }

// Send sends bytes as they are. Over a stream they go over the connection that the hop was received with,
// if it is open, else over one that the agent dials, or has dialled to that address before.
func (a *Agent) Send(h Hop, b []byte) {
	a.T.Helper()
	if a.observer != nil {
		a.observer(true, h, b)
	}
	if err := a.send(h, b); err != nil {
		a.T.Fatalf("%s cannot send to %s: %v\n%s", a.User, h, err, b)
	}
}

func (a *Agent) send(h Hop, b []byte) error {
	if !h.Addr.IsValid() {
		return errors.New("no hop: give the agent an Outbound, or the request a SendTo")
	}
	if h.Transport == sip.UDP {
		if a.packet == nil {
			return errors.New("it has no UDP")
		}
		_, err := a.packet.WriteTo(b, net.UDPAddrFromAddrPort(h.Addr))
		return err
	}
	s := h.stream
	if s == nil || s.over() {
		var err error
		if s, err = a.dial(h); err != nil {
			return err
		}
	}
	_, err := s.conn.Write(b)
	return err
}

// dial returns the agent's connection to a hop.
func (a *Agent) dial(h Hop) (*agentStream, error) {
	h.stream = nil
	if s := a.dialled[h]; s != nil && !s.over() {
		return s, nil
	}
	conn, err := a.Sockets.Dial(context.Background(), "tcp", net.JoinHostPort(a.Address, "0"), h.Addr.String())
	if err != nil {
		return nil, err
	}
	if h.Transport == sip.TLS {
		secure := tls.Client(conn, a.ClientTLS)
		if err := secure.HandshakeContext(context.Background()); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	s := a.open(h.Transport, conn)
	a.dialled[h] = s
	return s, nil
}

// Hang closes all connections of the agent, but goes on listening.
func (a *Agent) Hang() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for s := range a.streams {
		s.conn.Close()
	}
}
