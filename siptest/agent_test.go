package siptest

import (
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

// pair are the phones of RFC 3665 §3.1, who talk to each other without a server.
func pair(t *testing.T, transport sip.Transport) (alice, bob *Agent, tap *Wiretap) {
	n := NewNetwork()
	tap = n.Wiretap()
	alice = NewAgent(t, AgentOptions{Sockets: n, Address: "192.0.2.101", Host: "client.atlanta.example.com", User: "alice",
		Domain: "atlanta.example.com", Outbound: Over(transport, "192.0.2.201")})
	bob = NewAgent(t, AgentOptions{Sockets: n, Address: "192.0.2.201", Host: "client.biloxi.example.com", User: "bob",
		Domain: "biloxi.example.com"})
	return alice, bob, tap
}

// TestAgents is flow 3.1 of RFC 3665 and what a call may have beside it.
func TestAgents(t *testing.T) {
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP} {
		t.Run(transport.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				alice, bob, tap := pair(t, transport)
				invite := alice.Invite("sip:bob@biloxi.example.com")
				offer := bob.Expect("INVITE").Want("Max-Forwards", "70").WantBody(SDP("192.0.2.101"))
				bob.Reply(offer, 100)
				bob.Reply(offer, 180)
				ringing := alice.Expect(180)
				if ringing.ToTag() == "" || ringing.Branch() != invite.Branch() {
					ringing.Fatalf("not an answer to the INVITE")
				}
				ringing.Carries("Via", ";received=192.0.2.101").Carries("Contact", bob.ContactURI(transport))
				bob.Reply(offer, 200)
				call := alice.Dialog(invite, alice.Expect("200 INVITE").WantBody(SDP("192.0.2.201")))
				call.Ack()
				if ack := bob.Expect("ACK").WantURI(bob.ContactURI(transport)); ack.Branch() == offer.Branch() {
					ack.Fatalf("the ACK has the branch of the INVITE")
				}
				bob.Answered(offer).Bye()
				alice.Reply(alice.Expect("BYE").WantURI(alice.ContactURI(transport)).Want("CSeq", "1 BYE"), 200)
				bob.Expect("200 BYE")
				alice.ExpectNothing(time.Minute)
				bob.ExpectNothing(time.Minute)
				want := []string{"INVITE", "100 INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"}
				heard := tap.Messages()
				for i := range max(len(heard), len(want)) {
					if i >= len(heard) || i >= len(want) || heard[i].Is() != want[i] || heard[i].Transport != transport {
						t.Fatalf("heard %v, want %v", heard, want)
					}
				}
			})
		})
	}
}

// TestAgentRefused: what is acknowledged, cancelled and tried again hop by hop.
func TestAgentRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, _ := pair(t, sip.UDP)
		alice.Password = "secret"
		invite := alice.Invite("sip:bob@biloxi.example.com", Route("<sip:192.0.2.201;lr>"), NoBody())
		offer := bob.Expect("INVITE").Lacks("Content-Type")
		bob.Reply(offer, 407, Line(`Proxy-Authenticate: Digest realm="biloxi.example.com", nonce="n1", qop="auth"`))
		refusal := alice.Expect(407).Lacks("Contact")
		invite.Ack(refusal)
		ack := bob.Expect("ACK").Want("Route", "<sip:192.0.2.201;lr>").Want("CSeq", "1 ACK")
		if ack.Branch() != offer.Branch() || ack.ToTag() != refusal.ToTag() {
			ack.Fatalf("not of the transaction")
		}
		invite.Retry(alice.Credentials(refusal), Replace("Subject", "again"), Without("Route"), Top("Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx"))
		again := bob.Expect("INVITE").Want("CSeq", "2 INVITE").Want("Subject", "again").Lacks("Route").Lacks("Authorization").
			Carries("Proxy-Authorization", "nc=00000001")
		if again.Branch() != "z9hG4bKx" || len(again.List("Via")) != 2 || again.FromTag() != offer.FromTag() || again.ID() != offer.ID() {
			again.Fatalf("not the same call")
		}
		invite = alice.Invite("sip:bob@biloxi.example.com", alice.Known("biloxi.example.com"), Body("text/plain", "hi"))
		offer = bob.Expect("INVITE").Carries("Proxy-Authorization", "nc=00000002").Want("Content-Type", "text/plain").WantBody("hi")
		bob.Reply(offer, 183, Line("Record-Route: <sip:p2;lr>, <sip:p1;lr>"))
		early := alice.Dialog(invite, alice.Expect(183))
		if early.Routes[0] != "<sip:p1;lr>" || len(early.Routes) != 2 {
			t.Errorf("routes %v", early.Routes)
		}
		invite.Cancel()
		cancel := bob.Expect("CANCEL").WantURI(offer.URI()).Lacks("Content-Type")
		if cancel.Branch() != offer.Branch() {
			cancel.Fatalf("not of the transaction")
		}
		bob.Reply(cancel, 200)
		bob.Reply(offer, 487)
		alice.Expect("200 CANCEL")
		invite.Ack(alice.Expect("487 INVITE"))
		bob.Expect("ACK")
		early.Routes = []string{"<sip:192.0.2.201>"}
		early.Bye()
		bob.Expect("BYE").WantURI("sip:192.0.2.201").WantList("Route", "<"+bob.ContactURI(sip.UDP)+">")
	})
}

// TestAgentOnLoopback: the sockets of the system.
func TestAgentOnLoopback(t *testing.T) {
	bob := NewAgent(t, AgentOptions{Address: "127.0.0.1", User: "bob"})
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP} {
		alice := NewAgent(t, AgentOptions{Address: "127.0.0.1", User: "alice", Outbound: Over(transport, bob.Addr(transport).String())})
		alice.Request("OPTIONS", bob.ContactURI(transport))
		bob.Reply(bob.Expect("OPTIONS"), 200)
		alice.Expect(200).Lacks("Contact")
	}
}
