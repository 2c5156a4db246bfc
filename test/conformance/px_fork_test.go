package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	. "biloxi/siptest"
)

// TestForks: the responses of several branches (RFC 3261 §16.7 steps 4 to 7 and 10).
func TestForks(t *testing.T) {
	t.Run("PX-057", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		s.alice.Invite(bobAOR)
		first, second := bobs[0].Expect("INVITE"), bobs[1].Expect("INVITE")
		bobs[0].Reply(first, 180)
		s.alice.Expect(180)
		bobs[1].Reply(second, 180)
		s.alice.Expect(180)
		bobs[0].Reply(first, 200)
		bobs[1].Reply(second, 200)
		for _, bob := range bobs {
			if ok := s.alice.Expect("200 INVITE"); ok.ToTag() != bob.Tag(ok.ID()) {
				ok.Fatalf("not of %s", bob.Address)
			}
		}
		// One that has not been acknowledged comes again, and goes on again.
		bobs[1].Reply(second, 200)
		s.alice.Expect("200 INVITE")
	}))
	t.Run("PX-058", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		s.alice.Request("OPTIONS", bobAOR)
		asked := []*Received{bobs[0].Expect("OPTIONS"), bobs[1].Expect("OPTIONS")}
		for i := range asked {
			sent := time.Now()
			bobs[i].Reply(asked[i], 200)
			if i > 0 {
				continue
			}
			if ok := s.alice.Expect(200); ok.ToTag() != bobs[0].Tag(ok.ID()) || ok.At.Sub(sent) > 50*time.Millisecond {
				ok.Fatalf("not the first one at once")
			}
		}
		bobs[0].Reply(asked[0], 200)
		silent(time.Minute, s.alice, bobs[0])
		// A retransmission gets the same again, and goes nowhere else.
		options := s.alice.Request("OPTIONS", bobAOR)
		bobs[1].Reply(bobs[1].Expect("OPTIONS"), 200)
		ok := s.alice.Expect(200)
		bobs[0].Expect("OPTIONS")
		options.Again()
		if again := s.alice.Expect(200); again.Raw != ok.Raw {
			again.Fatalf("not the same again")
		}
		silent(0, bobs[1])
	}))
	t.Run("PX-059", onStage(func(s *stage) {
		bobs := s.phones("1", "1", "0.5")
		invite := s.alice.Invite(bobAOR)
		first, second := bobs[0].Expect("INVITE"), bobs[1].Expect("INVITE")
		bobs[1].Reply(second, 180)
		s.alice.Expect(180)
		refuse(first, 603)
		bobs[1].Reply(bobs[1].Expect("CANCEL"), 200)
		silent(3*time.Second, s.alice) // the rest has not ended
		refuse(second, 487)
		invite.Ack(s.alice.Expect(603))
		silent(time.Minute, s.alice, bobs[2]) // no branch is new
	}))
	t.Run("PX-060", onStage(func(s *stage) {
		bobs := s.phones("1", "1", "1", "1", "1")
		invite := s.alice.Invite(bobAOR)
		var offers []*Received
		for _, bob := range bobs {
			offers = append(offers, bob.Expect("INVITE"))
			bob.Reply(offers[len(offers)-1], 100)
		}
		s.alice.Expect(100)
		for i, status := range []int{302, 486, 407, 503} {
			refuse(offers[i], status, Line(`Proxy-Authenticate: Digest realm="r", nonce="n"`))
			silent(10*time.Second, s.alice)
			bobs[4].Reply(offers[4], 180)
			s.alice.Expect(180)
		}
		refuse(offers[4], 480)
		invite.Ack(s.alice.Expect(302))
		silent(time.Minute, s.alice)
	}))
	t.Run("PX-061", onStage(func(s *stage) {
		// Nobody says a thing, and one that rings until Timer C.
		bobs := s.phones("1", "1")
		invite := s.alice.Invite(bobAOR)
		bobs[1].Reply(bobs[1].Expect("INVITE"), 180)
		s.alice.Expect(180)
		r := s.alice.ExpectWithin(5*time.Minute, 408)
		invite.Ack(r)
		if r.ToTag() == "" {
			r.Fatalf("no tag in a final response of ours")
		}
		drop(bobs...)
		invite = s.alice.Invite(bobAOR)
		sent := time.Now()
		r = s.alice.ExpectWithin(time.Minute, 408)
		if after := r.At.Sub(sent); after < 32*time.Second || after > 33*time.Second {
			r.Fatalf("after %v", after)
		}
		invite.Ack(r)
	}))
	t.Run("PX-070", onStage(func(s *stage) {
		bobs := s.phones("1", "1", "1", "1")
		invite := s.alice.Invite(bobAOR)
		var offers []*Received
		for _, bob := range bobs {
			offers = append(offers, bob.Expect("INVITE"))
		}
		bobs[0].Reply(offers[0], 180)
		bobs[1].Reply(offers[1], 100)
		refuse(offers[2], 486)
		bobs[3].Reply(offers[3], 180)
		s.alice.Expect(180)
		s.alice.Expect(180)
		bobs[3].Reply(offers[3], 200)
		call := s.alice.Dialog(invite, s.alice.Expect("200 INVITE"))
		for _, i := range []int{0, 1} {
			cancel := bobs[i].Expect("CANCEL")
			if cancel.Branch() != offers[i].Branch() {
				cancel.Fatalf("not of its INVITE")
			}
			bobs[i].Reply(cancel, 200)
			refuse(offers[i], 487)
		}
		call.Ack()
		bobs[3].Expect("ACK")
		silent(time.Minute, append(bobs, s.alice)...) // the 487s end here, and who has ended is not cancelled
	}))
	t.Run("PX-071", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		s.alice.Request("MESSAGE", bobAOR) // both have answered once
		for _, bob := range bobs {
			bob.Reply(bob.Expect("MESSAGE"), 404)
		}
		s.alice.Expect(404)
		s.alice.Invite(bobAOR)
		first, second := bobs[0].Expect("INVITE"), bobs[1].Expect("INVITE")
		bobs[0].Reply(first, 200)
		s.alice.Expect(200)
		for range 3 { // the INVITE comes again, a CANCEL does not
			bobs[1].Expect("INVITE")
		}
		silent(0, bobs[1])
		bobs[1].Reply(second, 180)
		cancel := bobs[1].Expect("CANCEL")
		bobs[1].Reply(cancel, 200)
		refuse(second, 487)
		silent(time.Minute, bobs[1], s.alice)
	}))
}

// drop takes all that waits for agents out of their inboxes.
func drop(agents ...*Agent) {
	for _, a := range agents {
		a.Drain()
	}
}

// TestBest: which response goes back (RFC 3261 §16.7 steps 6 and 7).
func TestBest(t *testing.T) {
	// fork has one phone after the other refuse, and returns what alice gets, which she acknowledges.
	fork := func(s *stage, want int, answers ...int) *Received {
		s.t.Helper()
		qs := slices.Repeat([]string{"1"}, len(answers))
		bobs := s.phones(qs...)
		invite := s.alice.Invite(bobAOR)
		for i, bob := range bobs {
			offer := bob.Expect("INVITE")
			bob.SetTag(offer.ID(), bob.Address)
			if answers[i] == 408 {
				continue // it says nothing
			}
			refuse(offer, answers[i], Line("X-From: "+bob.Address, "Contact: <sip:"+bob.Address+":9>"))
		}
		r := s.alice.ExpectWithin(time.Minute, want)
		invite.Ack(r)
		for _, bob := range bobs {
			bob.Close()
		}
		return r
	}
	t.Run("PX-062", onStage(func(s *stage) {
		for _, answers := range [][]int{{404, 603}, {302, 600, 480}, {401, 486, 606}, {500, 604}, {408, 603}} {
			r := fork(s, slices.Max(answers), answers...)
			r.Want("X-From", at(slices.Index(answers, slices.Max(answers))))
		}
	}))
	t.Run("PX-063", onStage(func(s *stage) {
		for _, c := range []struct {
			answers []int
			want    int
		}{
			{[]int{486, 407}, 407}, {[]int{302, 486}, 302}, {[]int{503, 404}, 404}, {[]int{500, 480}, 480}, {[]int{486, 401}, 401},
			{[]int{404, 415}, 415}, {[]int{480, 420}, 420}, {[]int{404, 484}, 484}, {[]int{302, 407}, 302}, {[]int{503, 500}, 500},
			{[]int{486, 408}, 486}, {[]int{501, 301, 486}, 301},
		} {
			r := fork(s, c.want, c.answers...)
			i := slices.Index(c.answers, c.want)
			if r.Want("X-From", at(i)); r.ToTag() != at(i) {
				r.Fatalf("%v: not its tag", c.answers)
			}
		}
	}))
	t.Run("PX-064", onStage(func(s *stage) {
		for _, answers := range [][]int{{503}, {503, 503}} {
			r := fork(s, 500, answers...)
			if !strings.HasPrefix(r.Raw, "SIP/2.0 500 Server Internal Error\r\n") {
				r.Fatalf("not a 500 whole")
			}
		}
	}))
	t.Run("PX-067", onStage(func(s *stage) {
		bobs := s.phones("1", "1", "1")
		www := []string{`Digest realm="one, two", nonce="n,1",  qop="auth", algorithm=SHA-256`, `Digest realm="one, two", nonce="n2"`}
		proxies := []string{`Digest realm="p1", nonce="x", stale=TRUE`, `Bearer scope="openid, sip"`}
		s.alice.Invite(bobAOR)
		one, two, three := bobs[0].Expect("INVITE"), bobs[1].Expect("INVITE"), bobs[2].Expect("INVITE")
		refuse(one, 407, Line("Proxy-Authenticate: "+proxies[0]))
		refuse(two, 486)
		refuse(three, 401, Line("WWW-Authenticate: "+www[0], "WWW-Authenticate: "+www[1], "Proxy-Authenticate: "+proxies[1]), Body("text/plain", "three"))
		r := s.alice.Next(time.Second)
		for r.Status() == 100 {
			r = s.alice.Next(time.Second)
		}
		if r.Status() != 401 && r.Status() != 407 {
			r.Fatalf("no challenge")
		}
		got := append(r.Values("WWW-Authenticate"), r.Values("Proxy-Authenticate")...)
		want := append(slices.Clone(www), proxies...)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			r.Fatalf("challenges %q, want %q", got, want)
		}
	}))
}
