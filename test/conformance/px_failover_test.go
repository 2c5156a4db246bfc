package conformance

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// trustAll has the server relay for whoever is in the tests' networks.
func trustAll(c *config.Config) {
	c.Proxy.Trusted = []config.Prefix{config.Prefix(netip.MustParsePrefix("192.0.2.0/24")), config.Prefix(netip.MustParsePrefix("127.0.0.0/8"))}
}

// TestNextAddress: where DNS leads (RFC 3263 §4).
func TestNextAddress(t *testing.T) {
	t.Run("PX-092", onStage(func(s *stage) {
		one, two, three := s.agent("one", "192.0.2.31"), s.agent("two", "192.0.2.32"), s.agent("three", "192.0.2.33")
		high := s.agent("high", "192.0.2.34", func(o *AgentOptions) { o.Port = 5070 })
		s.dns.Add(s.t, `
			one.example.net. A 192.0.2.31
			two.example.net. A 192.0.2.32
			three.example.net. A 192.0.2.33
			high.example.net. A 192.0.2.34

			naptr.example.net. NAPTR 20 10 s SIP+D2U _sip._udp.naptr.example.net.
			naptr.example.net. NAPTR 10 20 s SIP+D2U _sip._udp.second.example.net.
			naptr.example.net. NAPTR 10 10 s SIP+D2T _sip._tcp.naptr.example.net.
			_sip._udp.naptr.example.net. SRV 1 1 5060 one.example.net.
			_sip._udp.second.example.net. SRV 1 1 5060 two.example.net.
			_sip._tcp.naptr.example.net. SRV 1 1 5060 three.example.net.
			naptr.example.net. A 192.0.2.34

			srv.example.net. A 192.0.2.33
			_sip._udp.srv.example.net. SRV 20 100 5060 one.example.net.
			_sip._udp.srv.example.net. SRV 10 0 5070 high.example.net.
			_sip._udp.srv.example.net. SRV 30 100 5060 two.example.net.

			weight.example.net. NAPTR 1 1 s SIP+D2U _sip._udp.weight.example.net.
			_sip._udp.weight.example.net. SRV 1 90 5060 one.example.net.
			_sip._udp.weight.example.net. SRV 1 10 5060 two.example.net.`)
		to := func(uri string, want *Agent, transport string) {
			s.t.Helper()
			s.alice.Request("MESSAGE", uri)
			got := want.Expect("MESSAGE").WantURI(uri)
			if got.Hop.Transport.String() != transport {
				got.Fatalf("%s: over %s, want %s", uri, got.Hop.Transport, transport)
			}
			want.Reply(got, 200)
			s.alice.Expect(200)
			silent(0, one, two, three, high)
		}
		// unasked fails the test if since the last time there was a question of one of these types.
		unasked := func(types ...string) {
			s.t.Helper()
			for _, q := range s.dns.Asked() {
				if name, kind, _ := strings.Cut(q, " "); slices.Contains(types, kind) || strings.HasPrefix(name, "192.") {
					s.t.Errorf("%s is asked", q)
				}
			}
		}
		// The order, and of one order the preference.
		to("sip:x@naptr.example.net", three, "TCP")
		unasked()
		// A transport says where to look: no NAPTR.
		to("sip:x@naptr.example.net;transport=udp", one, "UDP")
		unasked("NAPTR")
		// A port says that there is nothing but addresses.
		to("sip:x@srv.example.net:5060", three, "UDP")
		to("sip:x@srv.example.net:5060;transport=tcp", three, "TCP")
		unasked("NAPTR", "SRV")
		// Without NAPTR the SRV records, by priority and not by weight, with their port.
		to("sip:x@srv.example.net", high, "UDP")
		// Without those the address, or none to ask for.
		to("sip:x@two.example.net", two, "UDP")
		to("sip:x@192.0.2.34:5070", high, "UDP")
		to("sip:x@192.0.2.31;transport=tcp", one, "TCP")
		unasked()
		// The weight: 9 to 1, with room for chance (5 standard deviations of 400 throws are 30).
		count := 0
		for range 400 {
			s.alice.Request("MESSAGE", "sip:x@weight.example.net")
			if list := one.Drain(); len(list) > 0 {
				count++
				one.Reply(list[0], 200)
			} else {
				two.Reply(two.Expect("MESSAGE"), 200)
			}
			s.alice.Expect(200)
		}
		if count < 330 || count > 390 {
			s.t.Errorf("%d of 400 went to the one of weight 90 to 10", count)
		}
	}, trustAll))
}

// TestFailover: the next of several addresses (RFC 3263 §4.3), and what it means that a request cannot be sent (RFC
// 3261 §16.9).
func TestFailover(t *testing.T) {
	const zone = `
		%s.example.net. NAPTR 1 1 s SIP+D2%c _sip._x.%[1]s.example.net.
		_sip._x.%[1]s.example.net. SRV 1 1 5060 a.%[1]s.example.net.
		_sip._x.%[1]s.example.net. SRV 2 1 5060 b.%[1]s.example.net.
		_sip._x.%[1]s.example.net. SRV 3 1 5060 c.%[1]s.example.net.
		a.%[1]s.example.net. A 192.0.2.41
		b.%[1]s.example.net. A 192.0.2.42
		c.%[1]s.example.net. A 192.0.2.43`
	// pass has carol's second server answer, and returns how long it took to come to that.
	pass := func(s *stage, invite *Sent, second *Agent, first string) time.Duration {
		s.t.Helper()
		sent := time.Now()
		offer := second.ExpectWithin(time.Minute, "INVITE")
		if offer.Branch() == first {
			offer.Fatalf("the branch is that of the first attempt")
		}
		second.Reply(offer, 180)
		second.Reply(offer, 200)
		s.alice.Expect(180)
		s.alice.Dialog(invite, s.alice.Expect(200)).Ack()
		second.Expect("ACK")
		return offer.At.Sub(sent)
	}
	t.Run("PX-093", onStage(func(s *stage) {
		s.dns.Add(s.t, fmt.Sprintf(zone, "full", 'U'))
		a, b, c := s.agent("a", "192.0.2.41"), s.agent("b", "192.0.2.42"), s.agent("c", "192.0.2.43")
		invite := s.alice.Invite("sip:carol@full.example.net")
		offer := a.Expect("INVITE")
		refuse(offer, 503, Line("Retry-After: 120"))
		if d := pass(s, invite, b, offer.Branch()); d > time.Second {
			s.t.Errorf("it took %v", d)
		}
		// For as long as it asked for it is left alone; then it is tried again. The others are not in the meantime.
		time.Sleep(time.Minute)
		pass(s, s.alice.Invite("sip:carol@full.example.net"), b, "")
		time.Sleep(2 * time.Minute)
		pass(s, s.alice.Invite("sip:carol@full.example.net"), a, "")
		silent(time.Minute, a, b, c)
		// Another request than INVITE too; another failure than 503 is an answer.
		s.alice.Request("MESSAGE", "sip:carol@full.example.net")
		a.Reply(a.Expect("MESSAGE"), 503)
		b.Reply(b.Expect("MESSAGE"), 500)
		s.alice.Expect(500)
		silent(time.Minute, c)
	}, trustAll))
	t.Run("PX-093/T14", onStage(func(s *stage) {
		s.dns.Add(s.t, fmt.Sprintf(zone, "mute", 'U'))
		b := s.agent("b", "192.0.2.42")
		invite := s.alice.Invite("sip:carol@mute.example.net")
		if d := pass(s, invite, b, ""); d < 32*time.Second || d > 33*time.Second {
			s.t.Errorf("it took %v, Timer B is 32 s", d)
		}
		// Who failed is not waited for again.
		if d := pass(s, s.alice.Invite("sip:carol@mute.example.net"), b, ""); d > time.Second {
			s.t.Errorf("it took %v", d)
		}
	}, trustAll))
	t.Run("T14", onStage(func(s *stage) {
		s.dns.Add(s.t, fmt.Sprintf(zone, "shut", 'T'))
		b := s.agent("b", "192.0.2.42")
		invite := s.alice.Invite("sip:carol@shut.example.net")
		if d := pass(s, invite, b, ""); d > time.Second {
			s.t.Errorf("it took %v", d)
		}
	}, trustAll))
	t.Run("PX-093/a connection that is cut", onStage(func(s *stage) {
		s.dns.Add(s.t, fmt.Sprintf(zone, "cut", 'T'))
		a, b := s.agent("a", "192.0.2.41"), s.agent("b", "192.0.2.42")
		invite := s.alice.Invite("sip:carol@cut.example.net")
		offer := a.Expect("INVITE")
		a.Reply(offer, 503)
		a.Hang()
		a.Close()
		pass(s, invite, b, offer.Branch())
	}, trustAll))
	t.Run("PX-073", onStage(func(s *stage) {
		// A phone whose port is closed, and one that is asked when that has failed.
		there := s.agent("bob", "192.0.2.202")
		s.Bind(s.t, "bob", "<sip:bob@192.0.2.201;transport=tcp>;q=1", "<"+there.ContactURI(udp)+">;q=0.5")
		s.alice.Invite(bobAOR)
		refuse(there.Expect("INVITE"), 486)
		s.alice.Expect(486)
		// None but that one: it is as if it had answered 503, which goes no further as such.
		user := s.User()
		s.Bind(s.t, user, "<sip:x@192.0.2.201;transport=tcp>")
		invite := s.alice.Invite("sip:" + user + "@" + bed.Domain)
		sent := time.Now()
		r := s.alice.Expect(500)
		if r.At.Sub(sent) > time.Second {
			r.Fatalf("after %v", r.At.Sub(sent))
		}
		invite.Ack(r)
		s.alice.Request("MESSAGE", "sip:"+user+"@"+bed.Domain)
		s.alice.Expect(500)
	}))
	// What ICMP brings back, over the sockets of the system.
	t.Run("PX-073/ICMP", func(t *testing.T) {
		b := start(t, trustAll)
		closed := NewAgent(t, AgentOptions{Address: "127.0.0.1"})
		gone := closed.Addr(udp)
		closed.Close()
		alice, there := b.Agent(t, AgentOptions{User: "alice", Domain: foreign}), b.Agent(t, AgentOptions{User: "bob"})
		b.Bind(t, "bob", "<sip:bob@"+gone.String()+">;q=1", "<"+there.ContactURI(udp)+">;q=0.5")
		alice.Invite(bobAOR)
		refuse(there.Expect("INVITE"), 486)
		alice.Expect(486)
		alice.Request("MESSAGE", "sip:x@"+gone.String())
		alice.Expect(500)
	})
}
