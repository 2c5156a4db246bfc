package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "biloxi/siptest"
)

const takenElsewhere = `SIP;cause=200;text="Call completed elsewhere"`

// TestFaultP4: why a phone stops ringing stands in its CANCEL (RFC 3326).
func TestFaultP4(t *testing.T) {
	// ring has phones of bob's ring for a call of alice's.
	ring := func(s *stage, phones ...*Agent) (*Sent, []*Received) {
		s.t.Helper()
		invite := s.alice.Invite(bobAOR)
		var offers []*Received
		for _, phone := range phones {
			offers = append(offers, phone.Expect("INVITE"))
			phone.Reply(offers[len(offers)-1], 180)
			s.alice.Expect(180)
		}
		return invite, offers
	}
	t.Run("P4 the phones of a call that another has taken show no missed call", onStage(func(s *stage) {
		bobs := s.phones("1", "1", "1")
		_, offers := ring(s, bobs...)
		bobs[1].Reply(offers[1], 200)
		for _, i := range []int{0, 2} {
			bobs[i].Reply(bobs[i].Expect("CANCEL").Want("Reason", takenElsewhere).Want("Content-Length", "0"), 200)
			refuse(offers[i], 487)
		}
	}))
	t.Run("P4 nor does one whose first response comes after that", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		s.alice.Invite(bobAOR)
		late, offer := bobs[0].Expect("INVITE"), bobs[1].Expect("INVITE")
		bobs[1].Reply(offer, 200)
		s.alice.Expect(200)
		silent(100*time.Millisecond, bobs[0])
		bobs[0].Reply(late, 180)
		cancel := bobs[0].Expect("CANCEL").Want("Reason", takenElsewhere)
		if again := bobs[0].Expect("CANCEL"); again.Raw != cancel.Raw {
			again.Fatalf("a retransmission that is another")
		}
	}))
	t.Run("P4 over TCP and TLS", onStage(func(s *stage) {
		s.net.SetLink(Link{Latency: time.Millisecond})
		var phones []*Agent
		for i, over := range []Hop{s.Hop(tcp), s.Hop(tls)} {
			phones = append(phones, s.agent("bob", at(i), func(o *AgentOptions) { o.Outbound, o.Domain = over, "biloxi.example.com" }))
			phones[i].Register()
		}
		_, offers := ring(s, phones...)
		phones[0].Reply(offers[0], 200)
		phones[1].Expect("CANCEL").Want("Reason", takenElsewhere)
	}))
	t.Run("P4 a refusal for all of them says which", onStage(func(s *stage) {
		for status, reason := range map[int]string{600: `SIP;cause=600;text="Busy Everywhere"`, 603: `SIP;cause=603;text="Decline"`, 699: "SIP;cause=699"} {
			bobs := s.phones("1", "1")
			_, offers := ring(s, bobs...)
			refuse(offers[0], status)
			bobs[1].Expect("CANCEL").Want("Reason", reason)
			refuse(offers[1], 487)
			s.alice.Expect(status)
			for _, bob := range bobs {
				bob.Close()
			}
		}
	}))
	t.Run("P4 the caller's own Reasons go on", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		invite, offers := ring(s, bobs[0])
		unheard := bobs[1].Expect("INVITE")
		invite.Cancel(Line(`Reason: SIP ;cause=487 ;text="Request Terminated"`, "reason: Q.850;cause=16;text=\"Normal\r\n call clearing\", X-Odd;y"))
		want := []string{`SIP ;cause=487 ;text="Request Terminated"`, "Q.850;cause=16;text=\"Normal   call clearing\", X-Odd;y"}
		check := func(cancel *Received) {
			if got := cancel.Values("Reason"); strings.Join(got, "\n") != strings.Join(want, "\n") {
				cancel.Fatalf("Reason is %q, want %q", got, want)
			}
		}
		check(bobs[0].Expect("CANCEL"))
		refuse(offers[0], 487)
		bobs[1].Reply(unheard, 100)
		check(bobs[1].ExpectWithin(10*time.Second, "CANCEL"))
	}))
	t.Run("P4 a call that is cancelled without one is a missed call", onStage(func(s *stage) {
		bob := s.phone()
		invite, _ := ring(s, bob)
		invite.Cancel()
		bob.Expect("CANCEL").Lacks("Reason")
	}))
	t.Run("P4 no more of them than there is room for", onStage(func(s *stage) {
		bob := s.phone()
		invite, _ := ring(s, bob)
		var lines []string
		for i := range 20 {
			lines = append(lines, fmt.Sprintf("Reason: p%d;cause=1;text=%q", i, strings.Repeat("x", 100)))
		}
		invite.Cancel(Line(lines...))
		if cancel := bob.Expect("CANCEL"); len(cancel.Values("Reason")) != 4 {
			cancel.Fatalf("%d Reasons", len(cancel.Values("Reason")))
		}
	}))
}
