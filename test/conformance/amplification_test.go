package conformance

import (
	"flag"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

var update = flag.Bool("update", false, "write the table of SECURITY.md")

// The source of the datagrams, which somebody has forged, and whom they name beside it.
var (
	forged = netip.MustParseAddrPort("198.51.100.9:5060")
	victim = "203.0.113.7"
)

// caused counts what a server sends.
type caused struct {
	mu              sync.Mutex
	back, elsewhere struct{ packets, bytes int }
}

func (c *caused) add(to netip.AddrPort, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := &c.elsewhere
	if to.Addr() == forged.Addr() {
		one = &c.back
	}
	one.packets++
	one.bytes += n
}

// times is b bytes as a multiple of a, rounded up to a half.
func times(b, a int) float64 { return math.Ceil(2*float64(b)/float64(a)) / 2 }

// datagram is one that needs no credentials, and the most that each copy of it may cause.
type datagram struct {
	name  string
	bytes string // "%d" is its number, where several are sent
	n     int    // how many are sent at once; 0: one
	phone string // how bob's phone behaves: "silent", "rings", "busy", "answers"
	also  []func(*config.Config)

	back, elsewhere       int     // packets
	backBytes, otherBytes float64 // of its own
}

// request is a datagram of a stranger's, whose header is as short as it may be.
func request(method, uri string, lines ...string) string {
	return strings.Join(append([]string{method + " " + uri + " SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK%d",
		"Max-Forwards: 70", "From: <sip:x@example.org>;tag=%d", "To: <" + uri + ">", "Call-ID: %d", "CSeq: 1 " + method,
		"Contact: <sip:x@198.51.100.9>"}, lines...), "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
}

func threeAlgorithms(c *config.Config) {
	c.Domains[0].Algorithms = []config.Algorithm{config.Algorithm(sip.MD5), config.Algorithm(sip.SHA256), config.Algorithm(sip.SHA512_256)}
}

// own makes a request claim to come from a user of ours.
func own(s string) string {
	return strings.Replace(s, "From: <sip:x@example.org>", "From: <sip:u9@"+bed.Domain+">", 1)
}

// toU9 makes a REGISTER one for a user of ours.
func toU9(s string) string { return strings.Replace(s, "To: <sip:", "To: <sip:u9@", 1) }

// The users and domains that strangers ask for.
const nobody, away, other = "sip:nobody@" + bed.Domain, "sip:u1@" + bed.Domain, "sip:bob@elsewhere.example.net"

// datagrams are all kinds that a server takes from a stranger over UDP.
func datagrams() (list []datagram) {
	add := func(d datagram) { list = append(list, d) }
	badDatagrams(add)
	refusedDatagrams(add)
	forwardedDatagrams(add)
	return list
}

// badDatagrams are those that are no request, or one that says too much.
func badDatagrams(add func(datagram)) {
	add(datagram{name: "keep-alive: two empty lines", bytes: "\r\n\r\n"})
	add(datagram{name: "STUN Binding request", bytes: "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", back: 1, backBytes: 2})
	add(datagram{name: "garbage", bytes: strings.Repeat("\x00garbage\xff", 30)})
	add(datagram{name: "a response to nothing", bytes: strings.Replace(request("INVITE", bobAOR), "INVITE "+bobAOR+" SIP/2.0", "SIP/2.0 200 OK", 1)})
	add(datagram{name: "malformed: no Max-Forwards that can be read", bytes: strings.Replace(request("INVITE", bobAOR), "70", "many", 1), back: 1, backBytes: 2})
	add(datagram{name: "malformed: SIP/3.0", bytes: strings.Replace(request("INVITE", bobAOR), "SIP/2.0\r\n", "SIP/3.0\r\n", 1), back: 1, backBytes: 1.5})
	add(datagram{name: "a Via of somebody else, with maddr and received", back: 1, backBytes: 1.5,
		bytes: strings.Replace(request("OPTIONS", nobody), "198.51.100.9;", victim+";maddr="+victim+";received="+victim+";", 1)})
	add(datagram{name: "60 KB of header", bytes: request("MESSAGE", nobody, "X-Large: "+strings.Repeat("x", 60000)), back: 1, backBytes: 1})
	add(datagram{name: "50 Vias, which are all sent back", back: 1, backBytes: 1.5,
		bytes: request("MESSAGE", nobody, strings.Repeat("Via: SIP/2.0/UDP 203.0.113.7;branch=z9hG4bKother\r\n", 49)+"X: y")})
}

// refusedDatagrams are those that go no further.
func refusedDatagrams(add func(datagram)) {
	for _, method := range []string{"OPTIONS", "REGISTER"} {
		add(datagram{name: method + " to the server", bytes: request(method, "sip:"+bed.Domain), back: 1, backBytes: 2.5})
	}
	add(datagram{name: "REGISTER for a user: a challenge, three algorithms", bytes: toU9(request("REGISTER", "sip:"+bed.Domain)), also: []func(*config.Config){threeAlgorithms}, back: 1, backBytes: 3})
	add(datagram{name: "REGISTER with a wrong password, three algorithms", bytes: toU9(own(request("REGISTER", "sip:"+bed.Domain,
		`Authorization: Digest username="u9",realm="`+bed.Realm+`",nonce="AAAAAOphAAAAAAADXnRA85I7mymZdLq5",uri="sip:`+bed.Domain+`",response="00000000000000000000000000000000"`))),
		also: []func(*config.Config){threeAlgorithms}, back: 1, backBytes: 2})
	for _, method := range []string{"INVITE", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "INFO", "UPDATE", "PRACK", "BYE", "FOO"} {
		add(datagram{name: method + " to an unknown user", bytes: request(method, nobody), back: 1, backBytes: 1.5})
	}
	add(datagram{name: "INVITE to a user who is not registered", bytes: request("INVITE", away), back: 1, backBytes: 1.5})
	add(datagram{name: "INVITE to another domain", bytes: request("INVITE", other), back: 1, backBytes: 1.5})
	add(datagram{name: "INVITE from a user of ours: a challenge, three algorithms", bytes: own(request("INVITE", bobAOR)),
		also: []func(*config.Config){threeAlgorithms}, back: 1, backBytes: 3})
	add(datagram{name: "CANCEL of nothing", bytes: request("CANCEL", bobAOR), phone: "silent", back: 1, backBytes: 1.5})
	add(datagram{name: "ACK of nothing", bytes: request("ACK", bobAOR), phone: "silent", elsewhere: 1, otherBytes: 2})
}

// forwardedDatagrams are those that are redirected, or that a phone gets.
func forwardedDatagrams(add func(datagram)) {
	add(datagram{name: "INVITE, redirected", bytes: request("INVITE", bobAOR), phone: "silent", also: []func(*config.Config){redirecting}, back: 11, backBytes: 13})
	add(datagram{name: "INVITE, redirected, each of a hundred", n: 100, bytes: request("INVITE", bobAOR), phone: "silent", also: []func(*config.Config){redirecting}, back: 4, backBytes: 4})
	add(datagram{name: "MESSAGE, redirected", bytes: request("MESSAGE", bobAOR), phone: "silent", also: []func(*config.Config){redirecting}, back: 1, backBytes: 1.5})
	for _, d := range []datagram{
		{phone: "silent", back: 12, backBytes: 12, elsewhere: 3, otherBytes: 6},
		{phone: "rings", back: 13, backBytes: 13, elsewhere: 2, otherBytes: 4},
		{phone: "busy", back: 12, backBytes: 15, elsewhere: 2, otherBytes: 4},
		{phone: "answers", back: 12, backBytes: 15, elsewhere: 1, otherBytes: 3},
	} {
		d.name, d.bytes = "INVITE to a phone that "+map[string]string{"silent": "says nothing"}[d.phone]+strings.Replace(d.phone, "silent", "", 1), request("INVITE", bobAOR)
		d.name = strings.Replace(d.name, "that busy", "that is busy", 1)
		add(d)
	}
	add(datagram{name: "INVITE to a phone that is busy, each of a hundred", n: 100, bytes: request("INVITE", bobAOR), phone: "busy", back: 5, backBytes: 6, elsewhere: 2, otherBytes: 4})
	add(datagram{name: "INVITE to a phone that says nothing, each of a hundred", n: 100, bytes: request("INVITE", bobAOR), phone: "silent", back: 5, backBytes: 5, elsewhere: 3, otherBytes: 6})
	for _, method := range []string{"MESSAGE", "OPTIONS", "SUBSCRIBE"} {
		silent, answers := 5.0, 2.0
		if method == "SUBSCRIBE" { // it has a Record-Route
			silent, answers = 6, 3
		}
		add(datagram{name: method + " to a phone that says nothing", bytes: request(method, bobAOR), phone: "silent", back: 1, backBytes: 1.5, elsewhere: 3, otherBytes: silent})
		add(datagram{name: method + " to a phone that answers", bytes: request(method, bobAOR), phone: "answers", back: 1, backBytes: 1.5, elsewhere: 1, otherBytes: answers})
	}
}

// slack is how much more than what is measured a bound on bytes may be: branches, tags and proofs have not always the
// same length.
const slack = 2

// TestAmplification: what each kind of datagram that needs no credentials causes, at its source, which somebody may have
// forged, and elsewhere. Everything is counted until five minutes later, when all timers have fired.
func TestAmplification(t *testing.T) {
	var table strings.Builder
	table.WriteString("| a datagram | bytes | back: packets | times its bytes, at most | elsewhere: packets | times its bytes, at most |\n|---|---|---|---|---|---|\n")
	for _, d := range datagrams() {
		t.Run(d.name, onStage(func(s *stage) {
			size, c := s.cause(&d)
			n := max(d.n, 1)
			back, elsewhere := (c.back.packets+n-1)/n, (c.elsewhere.packets+n-1)/n
			backBytes, otherBytes := times(c.back.bytes, size*n), times(c.elsewhere.bytes, size*n)
			if back > d.back || elsewhere > d.elsewhere || backBytes > d.backBytes || otherBytes > d.otherBytes {
				s.t.Errorf("it causes %d packets (%v times its bytes) back and %d (%v) elsewhere, want at most %d (%v) and %d (%v)",
					back, backBytes, elsewhere, otherBytes, d.back, d.backBytes, d.elsewhere, d.otherBytes)
			}
			if backBytes < d.backBytes-slack || otherBytes < d.otherBytes-slack {
				s.t.Errorf("it causes %v times its bytes back and %v elsewhere: the bounds of %v and %v say nothing", backBytes, otherBytes, d.backBytes, d.otherBytes)
			}
			fmt.Fprintf(&table, "| %s | %d | %d | %v | %d | %v |\n", d.name, size, back, d.backBytes, elsewhere, d.otherBytes)
		}, d.also...))
	}
	checkTable(t, table.String())
}

// cause sends a datagram, and counts what comes of it.
func (s *stage) cause(d *datagram) (size int, c *caused) {
	from, err := s.net.ListenPacket("udp", forged.String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { from.Close() })
	if d.phone != "" {
		s.reflex("bob", at(0), d.phone)
	}
	c = &caused{}
	server := s.Addr(udp)
	s.net.Script(func(p Packet) []time.Duration {
		if p.From == server {
			c.add(p.To, len(p.Data))
		}
		return []time.Duration{0}
	})
	for i := range max(d.n, 1) {
		b := strings.ReplaceAll(d.bytes, "%d", fmt.Sprintf("%03d", i))
		size = len(b)
		fmt.Fprint(writer{from, net.UDPAddrFromAddrPort(server)}, b)
	}
	time.Sleep(5 * time.Minute)
	s.net.Script(nil)
	return size, c
}

// reflex binds a user to a phone that answers by itself, as a phone does.
func (s *stage) reflex(user, address, how string) {
	s.t.Helper()
	c, err := s.net.ListenPacket("udp", address+":5060")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	s.Bind(s.t, user, fmt.Sprintf("<sip:%s@%s>", user, address))
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			var m sip.Message
			if m.Parse(append([]byte{}, buf[:n]...)) == nil && m.IsRequest() {
				s.react(writer{c, from}, &m, how)
			}
		}
	}()
}

// react answers a request. A 2xx to an INVITE is sent again until its ACK comes, which it does not.
func (s *stage) react(to writer, m *sip.Message, how string) {
	invite := m.Method() == sip.Invite
	reply := func(status int) { _, _ = to.Write(replyTo(m, m.Method(), status)) }
	switch {
	case how == "silent" || m.Method() == sip.Ack:
	case m.Method() == sip.Cancel:
		reply(200)
		_, _ = to.Write(replyTo(m, sip.Invite, 487))
	case invite && how == "busy":
		reply(486)
	case invite && how == "rings":
		reply(180)
	case invite:
		for _, d := range timerE {
			time.AfterFunc(time.Duration(d)*time.Millisecond, func() { reply(200) })
		}
	default:
		reply(200)
	}
}

// replyTo is a response to a request, or to the one of another method that it belongs to.
func replyTo(m *sip.Message, method sip.Method, status int) []byte {
	b := fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", status, sip.StatusText(status))
	for i := range m.Len() {
		h, name, value := m.Field(i)
		text := string(value)
		switch h {
		case sip.HeaderTo:
			text += ";tag=r"
		case sip.HeaderCSeq:
			text = strings.Replace(text, string(m.Method()), string(method), 1)
		case sip.HeaderVia, sip.HeaderFrom, sip.HeaderCallID, sip.HeaderRecordRoute:
		default:
			continue
		}
		b = fmt.Appendf(b, "%s: %s\r\n", name, text)
	}
	return fmt.Appendf(b, "Contact: <sip:bob@%s>\r\nContent-Length: 0\r\n\r\n", at(0))
}

// checkTable compares SECURITY.md's table with one that was measured, or writes it there.
func checkTable(t *testing.T, table string) {
	t.Helper()
	const file, begin, end = "../../SECURITY.md", "<!-- amplification -->\n", "<!-- end of amplification -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	have, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	switch {
	case have == table:
	case *update:
		if err := os.WriteFile(file, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("SECURITY.md says something else: go test ./test/conformance -run Amplification -update\n%s", table)
	}
}
