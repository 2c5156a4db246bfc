package conformance

import (
	"testing"
	"time"

	. "biloxi/siptest"
)

// calling is a call between alice and bob that stands, by way of the server.
func (s *venue) calling(bob *Agent) (alices, bobs *Dialog) {
	s.t.Helper()
	invite := s.alice.Invite(bobAOR)
	offer := bob.Expect("INVITE")
	bob.Reply(offer, 200)
	alices = s.alice.Dialog(invite, s.alice.Expect(200))
	alices.Ack()
	bob.Expect("ACK")
	return alices, bob.Answered(offer)
}

// TestNonInviteClient: client transactions of other requests (RFC 3261 §17.1.2).
func TestNonInviteClient(t *testing.T) {
	play(t, "TX-026/TX-027", func(s *venue) {
		bob := s.phone()
		call, _ := s.calling(bob)
		silent(time.Minute, s.alice, bob)
		call.Bye()
		wantTimes(t, copies(bob, "BYE", 10*time.Minute), timerE...)
		// RFC 4320 §4: what alice hears is a 100 in good time, and no 408.
		for _, r := range s.alice.Drain() {
			if !r.Is("100 BYE") {
				r.Fatalf("not a 100")
			}
		}
	})
	play(t, "TX-026", func(s *venue) { // with a provisional response it is every T2
		bob := s.phone()
		call, _ := s.calling(bob)
		bye := call.Bye()
		first := bob.Expect("BYE")
		time.Sleep(700 * time.Millisecond)
		bob.Drain()
		bob.Reply(first, 100)
		// The timer that runs is not stopped: 1.5 s, then every 4 s until 32 s.
		times := copies(bob, "BYE", time.Minute)
		wantTimes(t, times, 0, 4000, 8000, 12000, 16000, 20000, 24000, 28000)
		bye.Again()
		bob.Expect("BYE") // the first one is over
	})
	play(t, "TX-026", func(s *venue) { // not over TCP
		bob := s.reached(tcp)
		s.alice.Request("MESSAGE", bobAOR, Body("text/plain", "hi"))
		wantTimes(t, copies(bob, "MESSAGE", time.Minute), 0)
	})
	play(t, "TX-028", func(s *venue) {
		bob := s.phone()
		s.alice.Request("MESSAGE", bobAOR, Body("text/plain", "hi"))
		offer := bob.Expect("MESSAGE")
		bob.Reply(offer, 200)
		s.alice.Expect(200)
		for range 4 {
			bob.Reply(offer, 200)
			silent(2*time.Second, s.alice, bob) // Timer K is over at 5 s; then it is a stray
		}
	})
}

// TestNonInviteServer: server transactions of other requests (RFC 3261 §17.2.2, RFC 4320 §4.1).
func TestNonInviteServer(t *testing.T) {
	play(t, "TX-029/TX-030", func(s *venue) {
		bob := s.phone()
		ask := s.alice.Request("OPTIONS", bobAOR)
		offer := bob.Expect("OPTIONS")
		bob.Reply(offer, 100)
		for range 3 {
			time.Sleep(time.Second)
			ask.Again()
		}
		silent(100*time.Millisecond, s.alice) // in Trying nothing is said
		time.Sleep(time.Second)
		for _, r := range bob.Drain() {
			copyOf(r, offer) // by Timer E
		}
		// In Proceeding the 100 of RFC 4320 §4.1, in Completed the final response.
		trying := s.alice.Expect(100)
		ask.Again()
		copyOf(s.alice.Expect(100), trying)
		bob.ExpectNothing(0)
		bob.Reply(offer, 200)
		answer := s.alice.Expect(200)
		for range 3 {
			time.Sleep(10 * time.Second)
			ask.Again()
			copyOf(s.alice.Expect(200), answer)
		}
		silent(0, s.alice, bob)
	})
	play(t, "TX-031", func(s *venue) {
		bob := s.phone()
		message := s.alice.Request("MESSAGE", bobAOR, Body("text/plain", "hi"))
		bob.Reply(bob.Expect("MESSAGE"), 200)
		answer := s.alice.Expect(200)
		for _, wait := range []time.Duration{20 * time.Second, 11900 * time.Millisecond} {
			time.Sleep(wait)
			message.Again()
			copyOf(s.alice.Expect(200), answer)
			bob.ExpectNothing(0)
		}
		time.Sleep(200 * time.Millisecond) // Timer J
		message.Again()
		bob.Reply(bob.Expect("MESSAGE"), 200)
		s.alice.Expect(200)
		// Over TCP Timer J is 0.
		carol := s.agent("carol", "192.0.2.102", s.through(tcp))
		message = carol.Request("MESSAGE", bobAOR, Body("text/plain", "hi"))
		for range 2 {
			bob.Reply(bob.Expect("MESSAGE"), 200)
			carol.Expect(200)
			time.Sleep(100 * time.Millisecond)
			message.Again()
		}
		bob.Expect("MESSAGE")
	})
	play(t, "TX-032", func(s *venue) {
		// Three phones answer one MESSAGE.
		for _, last := range []int{200, 404, 600} {
			phones := []*Agent{s.agent("bob", at(0)), s.agent("bob", at(1)), s.agent("bob", at(2))}
			s.Bind(s.t, "bob", "<"+phones[0].ContactURI(udp)+">", "<"+phones[1].ContactURI(udp)+">", "<"+phones[2].ContactURI(udp)+">")
			message := s.alice.Request("MESSAGE", bobAOR, Body("text/plain", "hi"))
			for i, status := range []int{404, 200, last} {
				phones[i].Reply(phones[i].Expect("MESSAGE"), status)
			}
			answer := s.alice.Expect(200)
			silent(2*time.Second, s.alice)
			message.Again()
			copyOf(s.alice.Expect(200), answer)
			silent(time.Minute, s.alice)
			for _, p := range phones {
				p.Close()
			}
		}
	})
}

// TestServerForgets: what is over leaves nothing behind.
func TestServerForgets(t *testing.T) {
	play(t, "TX-040", func(s *venue) {
		bob := s.phone()
		base := s.Server.Status().Transactions
		if base.Clients != 0 || base.Servers != 0 || base.Bytes != 0 {
			t.Errorf("before: %+v", base)
		}
		for range 20 {
			call, _ := s.calling(bob)
			call.Bye()
			bob.Reply(bob.Expect("BYE"), 200)
			s.alice.Expect(200)
			busy := s.alice.Invite(bobAOR)
			refuse(bob.Expect("INVITE"), 486)
			busy.Ack(s.alice.Expect(486))
			given := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			s.alice.Expect(180)
			given.Cancel()
			s.alice.Expect("200 CANCEL")
			give(offer)
			given.Ack(s.alice.Expect("487 INVITE"))
			s.alice.Request("MESSAGE", bobAOR, Body("text/plain", "hi")) // that nobody answers
			bob.Expect("MESSAGE")
		}
		if held := s.Server.Status().Transactions; held.Clients < 100 || held.Servers < 100 || held.Bytes == 0 {
			t.Errorf("under load: %+v", held)
		}
		time.Sleep(2 * time.Minute)
		bob.Drain()
		s.alice.Drain()
		if left := s.Server.Status().Transactions; left.Clients != 0 || left.Servers != 0 || left.Bytes != 0 {
			t.Errorf("after: %+v", left)
		}
	})
}
