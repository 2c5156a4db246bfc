package conformance

import (
	"testing"

	. "biloxi/siptest"
)

// TestPathCalls: calls to who registered through proxies (RFC 3327 §5.4).
func TestPathCalls(t *testing.T) {
	const p1, p2 = "<sip:192.0.2.210;lr>", `"P, 2" <sip:p2.example.com;lr;x=y>;z=1`
	play(t, "PT-003", func(s *venue) {
		edge, bob := s.agent("edge", "192.0.2.210"), s.agent("bob", at(0))
		phone := phoneOf(s.t, s.Bed, udp, "bob")
		phone.Register(Contact("<"+bob.ContactURI(udp)+">"), Line(supportsPath, "Path: "+p1+", "+p2)).Expect(200)
		for _, method := range []string{"INVITE", "MESSAGE"} {
			s.alice.Request(method, bobAOR)
			offer := edge.Expect(method).WantURI(bob.ContactURI(udp)).WantList("Route", p1, p2)
			edge.Reply(offer, 404)
			s.alice.Expect(404)
			if method == "INVITE" {
				edge.Expect("ACK").WantList("Route", p1, p2)
			}
			s.alice.Drain()
			// What the caller wanted of this server is done; what stands in Route goes on behind the Path.
			s.alice.Request(method, bobAOR, Route("<sip:192.0.2.222;lr>"))
			offer = edge.Expect(method).WantList("Route", p1, p2)
			edge.Reply(offer, 404)
			s.alice.Expect(404)
			if method == "INVITE" {
				edge.Expect("ACK")
			}
		}
		// Another contact has its own way.
		again(s.t, s.Bed, phone).Register(Contact("<" + bob.ContactURI(udp) + ">")).Expect(200)
		s.alice.Request("MESSAGE", bobAOR)
		bob.Expect("MESSAGE").Lacks("Route")
		silent(0, edge)
	})
}
