package bench

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/digest"
	"biloxi/sip"
)

// peer is a wire with a small registrar and proxy at its other end, which answers within a flush.
type peer struct {
	to       netip.AddrPort
	contacts map[string]string // contact by user, as registered
	out, in  [][]byte
	given    [][]byte

	// change, if set, alters an answer before it is sent; nil drops it.
	change func(b []byte) []byte
}

var here = netip.MustParseAddrPort("192.0.2.1:5060")

func newPeer() *peer {
	return &peer{to: netip.MustParseAddrPort("192.0.2.2:5060"), contacts: map[string]string{}}
}

func (p *peer) local() netip.AddrPort { return here }
func (p *peer) close()                {}
func (p *peer) send(b []byte)         { p.out = append(p.out, b) }
func (p *peer) message(i int) []byte  { return p.given[i] }

func (p *peer) receive(until time.Time, _ time.Duration) (int, error) {
	p.given, p.in = p.in, p.given[:0]
	if len(p.given) == 0 {
		time.Sleep(time.Until(until))
	}
	return len(p.given), nil
}

func (p *peer) flush() error {
	for _, b := range p.out {
		var m sip.Message
		if err := m.Parse(b); err != nil {
			return err
		}
		if m.IsResponse() {
			p.back(&m)
		} else {
			p.request(&m)
		}
	}
	p.out = p.out[:0]
	return nil
}

// deliver gives a message to the tool.
func (p *peer) deliver(b []byte) {
	if p.change != nil {
		if b = p.change(b); b == nil {
			return
		}
	}
	p.in = append(p.in, b)
}

func (p *peer) answer(m *sip.Message, code int, more string) {
	b := sip.AppendResponse(nil, m, code, "", []byte("314159"), here)
	b = append(b, more...)
	p.deliver(sip.AppendEnd(b, nil))
}

func (p *peer) request(m *sip.Message) {
	switch m.Method() {
	case sip.Options:
		p.answer(m, 200, "")
	case sip.Register:
		p.register(m)
	default:
		p.forward(m)
	}
}

func (p *peer) register(m *sip.Message) {
	to, _ := m.To()
	user := string(to.URI.User)
	if !p.proves(m, user) {
		p.answer(m, 401, "WWW-Authenticate: Digest realm=\"biloxi.example.com\", nonce=\"ea9c8e88df84f1ce\", opaque=\"5ccc\", qop=\"auth\", algorithm=SHA-256\r\n")
		return
	}
	if m.Star() != sip.NoStar {
		delete(p.contacts, user)
	}
	for contacts := m.Values(sip.HeaderContact); contacts.Next(); {
		p.contacts[user] = string(contacts.URI.Raw())
	}
	more := ""
	if uri, ok := p.contacts[user]; ok {
		more = fmt.Sprintf("Contact: <%s>;expires=3600\r\n", uri)
	}
	p.answer(m, 200, more)
}

// proves checks credentials as a client would make them.
func (p *peer) proves(m *sip.Message, user string) bool {
	value, ok := m.Value(sip.HeaderAuthorization)
	if !ok {
		return false
	}
	c, _, err := sip.ParseCredentials(value)
	if err != nil || string(c.Username) != user || string(c.Opaque) != "5ccc" {
		return false
	}
	var nc uint32
	fmt.Sscanf(string(c.NC), "%08x", &nc)
	ch := sip.Challenge{Realm: c.Realm, Nonce: c.Nonce, Opaque: c.Opaque, Algorithm: c.Algorithm, QOP: c.QOP}
	want := string(digest.AppendAuthorization(nil, sip.HeaderAuthorization, m.Method(), c.URI, ch, []byte(user), []byte("secret-"+user), nc, c.CNonce, nil))
	return strings.Contains(want, `response="`+string(c.Response)+`"`)
}

// forward is a proxy that stays in the way of calls.
func (p *peer) forward(m *sip.Message) {
	uri, _ := sip.ParseURI(m.RequestURI())
	target := string(m.RequestURI())
	if string(uri.Host) == "biloxi.example.com" {
		target = p.contacts[string(uri.User)]
	}
	if target == "" {
		p.answer(m, 404, "")
		return
	}
	via := fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bKproxy\r\n", p.to)
	route := "Route: <sip:" + p.to.String() + ";lr>\r\n"
	text := strings.Replace(string(m.Bytes()), string(m.RequestURI()), target, 1)
	text = strings.Replace(text, "Max-Forwards: 70", "Max-Forwards: 69", 1)
	text = strings.Replace(text, route, "", 1)
	if m.Method() == sip.Invite {
		p.answer(m, 100, "")
		via += strings.Replace(route, "Route", "Record-Route", 1)
	}
	line, rest, _ := strings.Cut(text, "\r\n")
	p.deliver([]byte(line + "\r\n" + via + rest))
}

// back passes an answer of a phone on.
func (p *peer) back(m *sip.Message) {
	line, rest, _ := strings.Cut(string(m.Bytes()), "\r\n")
	_, rest, _ = strings.Cut(rest, "\r\n") // our own Via
	p.deliver([]byte(line + "\r\n" + rest))
}

// config is a small measurement.
func config(s Scenario) Config {
	users, _ := Pattern(8, 0, "user%d", "secret-%s")
	return Config{Scenario: s, Transport: sip.UDP, Server: netip.MustParseAddrPort("192.0.2.2:5060"), Domain: "biloxi.example.com",
		Users: users, Concurrency: 4, Workers: 1, Count: 100}
}

// runOn measures over a peer.
func runOn(t *testing.T, c Config, p *peer) *Result {
	t.Helper()
	return runUntil(t, context.Background(), c, p)
}

// runUntil is runOn with a context that may end the measured stage.
func runUntil(t *testing.T, ctx context.Context, c Config, p *peer) *Result {
	t.Helper()
	r := newRun(&c)
	r.workers = []*worker{newWorker(r, 0, c.Concurrency, shareUsers(c.Users, 1)[0], p)}
	before, main, after := c.stages()
	res := r.newResult()
	if before != nil {
		if err := r.prepare(context.Background(), before); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.measure(ctx, main, res); err != nil {
		t.Fatal(err)
	}
	r.total(res)
	if after != nil {
		if err := r.do(context.Background(), after, func(<-chan struct{}) {}); err != nil {
			t.Fatal(err)
		}
	}
	return res
}
