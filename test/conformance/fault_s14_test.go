package conformance

import (
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestFaultS14: what somebody has overheard gets the answer nowhere but where it went first.
func TestFaultS14(t *testing.T) {
	b := start(t)
	for _, over := range []sip.Transport{udp, tcp, tls} {
		for _, from := range []sip.Transport{udp, tcp, tls} {
			t.Run("S14 a REGISTER over "+over.String()+", the same bytes from elsewhere over "+from.String(), func(t *testing.T) {
				p := phoneOver(t, b, over)
				contact := p.Scheme + ":phone@192.0.2.1"
				first := p.Register(Contact("<" + contact + ">")).Expect(200).Bound(contact)
				thief := phoneOf(t, b, from, p.User)
				thief.Send(p.Sent)
				r := thief.Receive().Expect(401, 403) // 403: sips needs TLS
				if r.Has(sip.HeaderContact) {
					r.T.Errorf("the thief is told\n%s", r.Raw)
				}
				if again := p.Again().Expect(200); again.Raw != first.Raw {
					t.Errorf("the phone's own retransmission gets\n%s\nand at first\n%s", again.Raw, first.Raw)
				}
				p.Bound(contact)
			})
		}
	}
	t.Run("S14 a query", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<sip:phone@192.0.2.1>")).Expect(200)
		p.Query().Expect(200).Bound("sip:phone@192.0.2.1")
		thief := again(t, b, p)
		thief.Send(p.Sent)
		if r := thief.Receive().Expect(401); r.Has(sip.HeaderContact) {
			t.Errorf("the thief is told\n%s", r.Raw)
		}
	})
	for _, over := range []sip.Transport{udp, tcp} {
		t.Run("S14 credentials for a MESSAGE over "+over.String()+" from elsewhere", onStage(func(s *stage) {
			carol := s.agent("carol", "192.0.2.210")
			own := func(o *AgentOptions) { o.Domain, o.Outbound = bed.Domain, Over(over, "192.0.2.222") }
			alice, thief := s.agent("alice", "192.0.2.102", own), s.agent("thief", "192.0.2.66", own)
			message := alice.Request("MESSAGE", carol.ContactURI(udp))
			message = message.Retry(alice.Credentials(alice.Expect(407)))
			carol.Reply(carol.Expect("MESSAGE"), 200)
			alice.Expect(200)
			time.Sleep(10 * time.Second)
			thief.Send(thief.Outbound, []byte(message.Raw))
			for _, r := range thief.Drain() {
				if r.Status() < 300 {
					r.Fatalf("the thief is served")
				}
			}
			silent(10*time.Second, carol)
		}))
	}
}
