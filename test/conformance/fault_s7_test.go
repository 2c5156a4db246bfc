package conformance

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// fewTransactions makes max_transactions the least that it may be.
func fewTransactions(c *config.Config) { c.Proxy.MaxTransactions = 1000 }

// flooder sends requests of strangers from addresses of a simulated network, and reads no answer.
type flooder struct {
	s     *stage
	conns []net.PacketConn
	sent  int
}

// flooder has sources at that many addresses, 198.51.100.1 and on.
func (s *stage) flooder(sources int) *flooder {
	s.t.Helper()
	f := &flooder{s: s}
	for i := range sources {
		c, err := s.net.ListenPacket("udp", fmt.Sprintf("198.51.100.%d:5060", 1+i))
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { c.Close() })
		f.conns = append(f.conns, c)
	}
	return f
}

// send sends n requests, each from the next source and to the next of users, with lines and a body of so many bytes.
func (f *flooder) send(n int, method string, users []string, lines string, body int) {
	server := net.UDPAddrFromAddrPort(f.s.Addr(udp))
	for range n {
		f.sent++
		c := f.conns[f.sent%len(f.conns)]
		user := users[f.sent/len(f.conns)%len(users)]
		fmt.Fprintf(writer{c, server}, "%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKflood%d\r\nMax-Forwards: 70\r\n"+
			"From: <sip:x@%s>;tag=%[5]d\r\nTo: <sip:%[2]s@%[3]s>%[7]s\r\nCall-ID: flood%[5]d\r\nCSeq: 1 %[1]s\r\n"+
			"Contact: <sip:x@198.51.100.1>\r\nContent-Length: %[8]d\r\n\r\n%[9]s",
			method, user, bed.Domain, c.LocalAddr(), f.sent, foreign, lines, body, strings.Repeat("v", body))
		if f.sent%50 == 0 {
			time.Sleep(time.Millisecond) // the server's inbox is of some thousand datagrams
		}
	}
	time.Sleep(20 * time.Millisecond)
}

// mute binds a user to an address where somebody takes what comes and says nothing; or says 180 if it rings.
func (s *stage) mute(user, address string, rings bool) {
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
			if got := string(buf[:n]); rings && strings.HasPrefix(got, "INVITE ") {
				head, _, _ := strings.Cut(got, "\r\nContact:")
				_, fields, _ := strings.Cut(head, "\r\n")
				_, _ = c.WriteTo([]byte("SIP/2.0 180 Ringing\r\n"+strings.Replace(fields, bed.Domain+">\r\n", bed.Domain+">;tag=r\r\n", 1)+"\r\nContent-Length: 0\r\n\r\n"), from)
			}
		}
	}()
}

// member is the phone of a subscriber, who shows credentials when asked.
func (s *stage) member(user, address string) *Agent {
	return s.agent(user, address, func(o *AgentOptions) { o.Domain, o.Password = bed.Domain, bed.Password(user) })
}

// calls has an agent call bob and hang up, with credentials if asked; a call that is not served fails the test.
func calls(caller, bob *Agent) {
	caller.T.Helper()
	invite := caller.Invite(bobAOR)
	first := caller.Next(time.Second)
	if first == nil {
		caller.T.Fatalf("%s hears nothing", caller.User)
	}
	if first.Status() == 407 {
		invite.Ack(first)
		invite = invite.Retry(caller.Credentials(first))
	}
	bob.Reply(bob.Expect("INVITE"), 200)
	call := caller.Dialog(invite, caller.Expect(200))
	call.Ack()
	bob.Expect("ACK")
	call.Bye()
	bob.Reply(bob.Expect("BYE"), 200)
	caller.Expect("200 BYE")
}

// served fails the test unless calls by subscribers and their registrations are served as if nothing was.
func (s *stage) served(bob *Agent) {
	s.t.Helper()
	calls(s.member("u9", "192.0.2.79"), bob)
	p := NewPhone(s.t, OverPacket(s.ListenPacket(s.t), s.Addr(udp)), "alice", bed.Domain, bed.Password("alice"))
	p.Register(Contact("<sip:alice@192.0.2.77>")).Expect(200)
	p.Register(Contact("<sip:alice@192.0.2.77>")).Expect(200)
}

// TestFaultS7: what strangers have at work leaves room for everybody else.
func TestFaultS7(t *testing.T) {
	for _, rings := range []bool{false, true} {
		phone := "silent"
		if rings {
			phone = "ringing"
		}
		t.Run("S7 one stranger's INVITEs to a "+phone+" phone leave room for everybody", onStage(func(s *stage) {
			bob := s.phone()
			s.mute("u0", "192.0.2.240", rings)
			f := s.flooder(1)
			f.send(3000, "INVITE", []string{"u0"}, "", 0)
			calls(s.alice, bob) // another stranger
			s.alice.Invite("sip:u0@" + bed.Domain)
			s.alice.Expect(100) // to the same phone too
			s.served(bob)
			if n := s.Server.Status().Counters.Refused["overload"]; n < 2900 {
				s.t.Errorf("%d of 3000 INVITEs were refused for the load", n)
			}
		}, fewTransactions))
	}
	for _, method := range []string{"INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS", "REFER", "FOO"} {
		t.Run("S7 "+method+" of many strangers to many phones leaves room for subscribers", onStage(func(s *stage) {
			bob := s.phone()
			var users []string
			for i := range 8 {
				users = append(users, fmt.Sprint("u", i))
				s.mute(users[i], fmt.Sprint("192.0.2.", 240+i), i%2 == 1)
			}
			up := s.alice.Invite(bobAOR)
			bob.Reply(bob.Expect("INVITE"), 200)
			call := s.alice.Dialog(up, s.alice.Expect(200))
			call.Ack()
			bob.Expect("ACK")

			f := s.flooder(200)
			f.send(3000, method, users, "", 0)
			f.send(3000, method, users, ";tag=x", 0) // as if it were within a dialog
			if n := s.Server.Status().Counters.Refused["overload"]; n < 5000 {
				s.t.Errorf("%d of 6000 requests were refused for the load", n)
			}
			s.served(bob)
			peer := s.agent("peer", "192.0.2.90")
			calls(peer, bob)
			call.Bye() // a stranger's call that is up ends as it should
			bob.Reply(bob.Expect("BYE"), 200)
			s.alice.Expect("200 BYE")
		}, fewTransactions, func(c *config.Config) {
			c.Proxy.Trusted = []config.Prefix{config.Prefix(netip.MustParsePrefix("192.0.2.90/32"))}
		}))
	}
	t.Run("S7 large messages of strangers leave room for subscribers", onStage(func(s *stage) {
		bob := s.phone()
		var users []string
		for i := range 8 {
			users = append(users, fmt.Sprint("u", i))
			s.mute(users[i], fmt.Sprint("192.0.2.", 240+i), false)
		}
		f := s.flooder(100)
		f.send(600, "INVITE", users, "", 30000)
		if b := s.Server.Status().Transactions.Bytes; b > 2<<20 {
			s.t.Errorf("%d bytes of messages are kept", b)
		}
		s.served(bob)
	}, fewTransactions))
	t.Run("S7 one subscriber's requests leave room for the others", onStage(func(s *stage) {
		bob := s.phone()
		s.mute("u0", "192.0.2.240", false)
		greedy := s.member("u5", "192.0.2.75")
		greedy.Request("MESSAGE", "sip:u0@"+bed.Domain).Retry(greedy.Credentials(greedy.Expect(407)))
		for range 400 {
			greedy.Request("MESSAGE", "sip:u0@"+bed.Domain, greedy.Known(bed.Realm))
			time.Sleep(time.Millisecond)
		}
		s.served(bob)
		if n := s.Server.Status().Counters.Refused["overload"]; n < 200 {
			s.t.Errorf("%d of 400 requests of one subscriber were refused for the load", n)
		}
	}, fewTransactions))
	t.Run("S7 what is over leaves the shares as they were", onStage(func(s *stage) {
		s.mute("u0", "192.0.2.240", true)
		f := s.flooder(20)
		for range 3 {
			before := s.Server.Status().Counters.Refused["overload"]
			f.send(300, "INVITE", []string{"u0"}, "", 0)
			if n := s.Server.Status().Counters.Refused["overload"] - before; n != 50 {
				s.t.Errorf("%d of 300 INVITEs to one user were refused, want 50", n)
			}
			time.Sleep(10 * time.Minute)
		}
	}, fewTransactions))
}

// perCall is what a call that rings may take, in bytes, with an INVITE of 1.1 KB: docs/configuration.md says some 8 KB.
const perCall = 17 << 9

// TestCallMemory fills max_transactions with calls to a phone that says nothing.
func TestCallMemory(t *testing.T) {
	const most = 10000
	t.Run("S7 a call that rings takes what the documents say", onStage(func(s *stage) {
		var users []string
		for i := range 16 {
			users = append(users, fmt.Sprint("u", i))
			s.Bind(s.t, users[i], "<sip:"+users[i]+"@192.0.2.240>") // where nobody takes what comes
		}
		f := s.flooder(250)
		before := heap()
		f.send(4000, "INVITE", users, "", 750)
		for _, c := range f.conns {
			c.Close() // with the answers in it
		}
		st := s.Server.Status()
		calls := int64(st.Transactions.Clients)
		if calls < 3000 {
			s.t.Fatalf("%d calls ring", calls)
		}
		each := (heap() - before) / calls
		s.t.Logf("%d calls of %d bytes an INVITE take %d bytes each, %d of it messages that are kept", calls, 750+330, each, st.Transactions.Bytes/calls)
		if each > perCall {
			s.t.Errorf("a call takes %d bytes, want at most %d", each, perCall)
		}
	}, func(c *config.Config) { c.Proxy.MaxTransactions = most }))
}
