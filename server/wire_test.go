package server

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/digest"
	"biloxi/sip"
	"biloxi/subscriber"
)

// memoryWire is a UDP socket without a network: run puts datagrams in, the server's reader takes them out, and its
// answers come back. Nothing of it allocates, so that what allocates is the server.
type memoryWire struct {
	net.PacketConn // nil: nothing else is called
	feed           chan [][]byte
	batch          [][]byte // of the reader, what is left of it
	stop           chan struct{}
	once           sync.Once

	mu      sync.Mutex
	waiting int      // answers that run waits for
	status  string   // that each must have
	wrong   []byte   // the first that has another
	last    []byte   // the last answer
	all     [][]byte // what came, if keep says so
	arena   []byte   // where that lies, until the next run
	keep    bool
	done    chan struct{}
}

func newMemoryWire() *memoryWire {
	return &memoryWire{feed: make(chan [][]byte), stop: make(chan struct{}), done: make(chan struct{}, 1)}
}

var (
	wireLocal  = netip.MustParseAddrPort("192.0.2.1:5060")
	wireRemote = netip.MustParseAddrPort("192.0.2.201:5060")
)

func (w *memoryWire) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(wireLocal) }
func (w *memoryWire) Close() error        { return nil }

// SetReadDeadline is how the transport stops reading.
func (w *memoryWire) SetReadDeadline(time.Time) error {
	w.once.Do(func() { close(w.stop) })
	return nil
}

func (w *memoryWire) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	for len(w.batch) == 0 {
		select {
		case w.batch = <-w.feed:
		case <-w.stop:
			return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
		}
	}
	n := copy(b, w.batch[0])
	w.batch = w.batch[1:]
	return n, wireRemote, nil
}

func (w *memoryWire) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if from := len("SIP/2.0 "); w.wrong == nil && w.status != "" && string(b[from:from+3]) != w.status {
		w.wrong = append([]byte(nil), b...)
	}
	w.last = append(w.last[:0], b...)
	if w.keep {
		start := len(w.arena)
		w.arena = append(w.arena, b...)
		w.all = append(w.all, w.arena[start:len(w.arena):len(w.arena)])
	}
	if w.waiting--; w.waiting == 0 {
		w.done <- struct{}{}
	}
	return len(b), nil
}

// run has the server answer a batch, each with this status, and returns the last answer.
func (w *memoryWire) run(t testing.TB, batch [][]byte, status string) []byte {
	return w.runTo(t, batch, len(batch), status)
}

// runTo has the server send so many messages for a batch, and returns the last.
func (w *memoryWire) runTo(t testing.TB, batch [][]byte, sent int, status string) []byte {
	w.mu.Lock()
	w.waiting, w.status, w.all, w.arena = sent, status, w.all[:0], w.arena[:0]
	w.mu.Unlock()
	w.feed <- batch
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong != nil {
		t.Fatalf("got, not %s,\n%s", status, w.wrong)
	}
	return w.last
}

// wired is a server on a memoryWire, with phones.
type wired struct {
	testing.TB
	*memoryWire
	server *Server
	phones []*wiredPhone
}

// wiredPhone is one subscriber's phone.
type wiredPhone struct {
	user        string
	challenge   sip.Challenge
	count, cseq uint32
}

// startWired starts a server with so many phones, which all have a nonce.
func startWired(t testing.TB, durability config.Durability, phones int) *wired {
	t.Helper()
	c := testConfig(t)
	c.Location.Durability = durability
	return startWiredWith(t, c, Options{}, phones)
}

func startWiredWith(t testing.TB, c config.Config, opt Options, phones int) *wired {
	t.Helper()
	w := &wired{TB: t, memoryWire: newMemoryWire()}
	c.Listeners = []config.Listener{{Transport: config.Transport(sip.UDP), Address: wireLocal.String()}}
	opt.ListenPacket = func(string, string) (net.PacketConn, error) { return w.memoryWire, nil }
	w.server = startWith(t, c, opt)
	d := c.Domains[0]
	for i := range phones {
		w.phones = append(w.phones, &wiredPhone{user: fmt.Sprint("user", i)})
	}
	if _, err := w.server.Subscribers().Import(t.Context(), func(yield func(subscriber.Subscriber, error) bool) {
		for _, p := range w.phones {
			if !yield(subscriberOf(p.user, d), nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, p := range w.phones {
		var m sip.Message
		if err := m.Parse(w.run(t, [][]byte{p.register("")}, "401")); err != nil {
			t.Fatal(err)
		}
		value, _ := m.Value(sip.HeaderWWWAuthenticate)
		p.challenge, _, _ = sip.ParseChallenge(append([]byte(nil), value...))
	}
	return w
}

func subscriberOf(user string, d config.Domain) subscriber.Subscriber {
	s := subscriber.Subscriber{User: user, Domain: d.Name, Realm: d.Realm}
	var ha1 [32]byte
	digest.HA1(sip.MD5, []byte(user), []byte(d.Realm), []byte(passwordOf(user)), &ha1)
	copy(s.HA1s.MD5[:], ha1[:])
	s.HA1s.Has = 1 << sip.MD5
	return s
}

func passwordOf(user string) string { return user + "-secret" }

// register is the phone's next REGISTER, a refresh as phones send it, with these Contact lines.
func (p *wiredPhone) register(contacts string) []byte {
	const uri = "sip:biloxi.example.com"
	aor := "sip:" + p.user + "@biloxi.example.com"
	p.cseq++
	n := strconv.Itoa(int(p.cseq))
	b := []byte("REGISTER " + uri + " SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bK" + p.user + n + ";rport\r\n" +
		"Max-Forwards: 70\r\n" +
		"From: <" + aor + ">;tag=ja743ks76zlflH\r\n" +
		"To: <" + aor + ">\r\n" +
		"Call-ID: 1j9FpLxk3uxtm8tn@" + p.user + "\r\n" +
		"CSeq: " + n + " REGISTER\r\n" + contacts)
	if p.challenge.Nonce != nil {
		p.count++
		b = digest.AppendAuthorization(b, sip.HeaderAuthorization, sip.Register, []byte(uri), p.challenge,
			[]byte(p.user), []byte(passwordOf(p.user)), p.count, []byte("0a4f113b"), nil)
	}
	return append(b, "User-Agent: biloxi/1.0\r\nContent-Length: 0\r\n\r\n"...)
}

// bind is a registration of the phone's contact, unbind takes it off, query asks for it.
func (p *wiredPhone) bind() []byte {
	return p.register("Contact: <sip:" + p.user + "@192.0.2.201:5060>;expires=3600\r\n")
}

func (p *wiredPhone) unbind() []byte { return p.register("Contact: *\r\nExpires: 0\r\n") }
func (p *wiredPhone) query() []byte  { return p.register("") }

// each makes a batch of a request of each phone.
func (w *wired) each(request func(*wiredPhone) []byte) (batch [][]byte) {
	for _, p := range w.phones {
		batch = append(batch, request(p))
	}
	return batch
}

// challenged is a REGISTER that has no credentials yet.
func challenged() []byte { return (&wiredPhone{user: "user0"}).bind() }

func options() []byte {
	return []byte("OPTIONS sip:biloxi.example.com SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bKnashd92;rport\r\n" +
		"Max-Forwards: 70\r\n" +
		"From: <sip:user0@biloxi.example.com>;tag=ja743ks76zlflH\r\n" +
		"To: <sip:biloxi.example.com>\r\n" +
		"Call-ID: 1j9FpLxk3uxtm8tn@192.0.2.201\r\n" +
		"CSeq: 1 OPTIONS\r\n" +
		"Content-Length: 0\r\n\r\n")
}
