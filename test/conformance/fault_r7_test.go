package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
)

// TestFaultR7: a request that is too large for a datagram goes over TCP, and where that is refused over UDP after all (RFC
// 3261 §18.1.1). So does the ACK of a 2xx, which no transaction watches over.
func TestFaultR7(t *testing.T) {
	large := Body("application/sdp", SDP("192.0.2.101")+strings.Repeat("a=x:0123456789abcdef\r\n", 60))
	// call is a call that bob has answered; his Contact is what edits say.
	call := func(s *stage, bob *Agent, edits ...Edit) *Dialog {
		s.t.Helper()
		invite := s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200, edits...)
		return s.alice.Dialog(invite, s.alice.Expect(200))
	}
	deaf := func(o *AgentOptions) { o.Without = []sip.Transport{tcp} }
	want := func(ack *Received, transport sip.Transport) {
		ack.T.Helper()
		via := ack.List("Via")[0]
		if ack.Hop.Transport != transport || !strings.HasPrefix(via, fmt.Sprintf("SIP/2.0/%s 192.0.2.222", transport)) || len(ack.Body()) < 1300 {
			ack.Fatalf("not over %s", transport)
		}
	}
	t.Run("R7 a large ACK goes over UDP where nobody hears TCP", onStage(func(s *stage) {
		bob := s.agent("bob", at(0), deaf)
		s.Bind(s.t, "bob", "<"+bob.ContactURI(udp)+">")
		dialog := call(s, bob)
		ack := dialog.Ack(large)
		want(bob.Expect("ACK"), udp)
		ack.Again() // as after a 200 that comes again
		want(bob.Expect("ACK"), udp)
		silent(time.Minute, bob, s.alice)
		// The call goes on, and so does the next.
		dialog.Bye()
		bob.Reply(bob.Expect("BYE"), 200)
		s.alice.Expect("200 BYE")
		call(s, bob).Ack(large)
		want(bob.Expect("ACK"), udp)
	}))
	t.Run("R7 with a network between", onStage(func(s *stage) {
		bob := s.agent("bob", at(0), deaf)
		s.Bind(s.t, "bob", "<"+bob.ContactURI(udp)+">")
		s.net.SetLink(Link{Latency: 40 * time.Millisecond})
		call(s, bob).Ack(large)
		want(bob.Expect("ACK"), udp)
		silent(time.Minute, bob, s.alice)
	}))
	t.Run("R7 over TCP where that is heard", onStage(func(s *stage) {
		bob := s.phone()
		call(s, bob).Ack(large)
		want(bob.Expect("ACK"), tcp)
		silent(time.Minute, bob)
	}))
	t.Run("R7 not as a datagram where the Contact asks for TCP", onStage(func(s *stage) {
		bob := s.agent("bob", at(0), deaf)
		s.Bind(s.t, "bob", "<"+bob.ContactURI(udp)+">")
		call(s, bob, Contact("<sip:bob@"+at(0)+";transport=tcp>")).Ack(large)
		silent(time.Minute, bob)
	}))
	t.Run("R7 where DNS has another port for each", onStage(func(s *stage) {
		bob := s.agent("bob", at(0), deaf, func(o *AgentOptions) { o.Port = 5070 })
		s.dns.Add(s.t, `
			phone.example.net. NAPTR 10 10 s SIP+D2U _sip._udp.phone.example.net.
			_sip._udp.phone.example.net. SRV 1 1 5070 phone.example.net.
			_sip._tcp.phone.example.net. SRV 1 1 5080 phone.example.net.
			phone.example.net. A 192.0.2.201`)
		s.Bind(s.t, "bob", "<sip:bob@phone.example.net>")
		call(s, bob, Contact("<sip:bob@phone.example.net>")).Ack(large)
		want(bob.Expect("ACK"), udp)
	}))
	for _, method := range []string{"INVITE", "INFO", "UPDATE", "BYE", "MESSAGE"} {
		t.Run("R7 a large "+method+" of a call", onStage(func(s *stage) {
			bob := s.agent("bob", at(0), deaf)
			s.Bind(s.t, "bob", "<"+bob.ContactURI(udp)+">")
			dialog := call(s, bob)
			dialog.Ack()
			bob.Expect("ACK")
			dialog.Request(method, large)
			offer := bob.Expect(method)
			want(offer, udp)
			bob.Reply(offer, 200)
			s.alice.Expect("200 " + method)
		}))
	}
	t.Run("R7 a large INVITE that is cancelled or refused", onStage(func(s *stage) {
		bob := s.agent("bob", at(0), deaf)
		s.Bind(s.t, "bob", "<"+bob.ContactURI(udp)+">")
		invite := s.alice.Invite(bobAOR, large)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		invite.Cancel()
		s.alice.Expect(180)
		s.alice.Expect("200 CANCEL")
		give(offer)
		invite.Ack(s.alice.Expect(487))
		silent(time.Minute, s.alice, bob)
	}))
}
