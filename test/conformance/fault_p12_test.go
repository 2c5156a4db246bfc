package conformance

import (
	"testing"
	"time"

	. "biloxi/siptest"
)

// TestFaultP12: a connection that is lost while the answer is made (RFC 3261 §18.2.2, RFC 3581 §4).
func TestFaultP12(t *testing.T) {
	t.Run("P12 the answer goes to the port of sent-by, not of rport", onStage(func(s *stage) {
		bob := s.phone()
		for _, method := range []string{"INVITE", "MESSAGE"} {
			s.alice.Request(method, bobAOR, SendTo(s.Hop(tcp)), Via("SIP/2.0/TCP "+s.alice.Addr(tcp).String()+";rport;branch=z9hG4bK"+Token()))
			offer := bob.Expect(method)
			s.alice.Hang()
			time.Sleep(100 * time.Millisecond)
			bob.Reply(offer, 486)
			s.alice.Expect(486)
			if method == "INVITE" {
				bob.Expect("ACK")
			}
		}
	}))
	t.Run("P12 the default port without one in sent-by", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Request("MESSAGE", bobAOR, SendTo(s.Hop(tcp)), Via("SIP/2.0/TCP client.atlanta.example.org;rport;branch=z9hG4bK"+Token()))
		offer := bob.Expect("MESSAGE")
		s.alice.Hang()
		time.Sleep(100 * time.Millisecond)
		bob.Reply(offer, 200)
		s.alice.Expect(200)
	}))
	t.Run("P12 a connection that stays is used", onStage(func(s *stage) {
		bob := s.phone()
		c, err := s.net.Host("192.0.2.99").Dial(t.Context(), s.Addr(tcp).String())
		if err != nil {
			s.t.Fatal(err)
		}
		defer c.Close()
		p := phoneOver(s.t, s.Bed, tcp)
		p.Conn = OverStream(tcp, c)
		p.Start(Method("MESSAGE"), URI(bobAOR), From("<sip:carol@"+foreign+">;tag=1"), To("<"+bobAOR+">"), Via("SIP/2.0/TCP 192.0.2.99:9;branch=z9hG4bK"+Token()))
		bob.Reply(bob.Expect("MESSAGE"), 200)
		p.Receive().Expect(200)
	}))
}
