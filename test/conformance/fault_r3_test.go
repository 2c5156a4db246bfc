package conformance

import (
	"context"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// goDown has the server drain and stop within ten seconds, and returns a function that waits for its end and says how
// long it took.
func (s *stage) goDown() (ended func() time.Duration) {
	began, done := time.Now(), make(chan struct{})
	var took time.Duration
	go func() {
		s.Stop()
		took = time.Since(began)
		close(done)
	}()
	s.t.Cleanup(func() { <-done }) // in virtual time nobody may wait for Stop's lock
	time.Sleep(time.Millisecond)
	return func() time.Duration {
		<-done
		return took
	}
}

// TestFaultR3: a server that is told to end while calls ring.
func TestFaultR3(t *testing.T) {
	t.Run("R3 an answer that comes after SIGTERM reaches the caller, and its ACK the phone", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		ended := s.goDown()
		time.Sleep(100 * time.Millisecond)
		bob.Reply(offer, 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		time.Sleep(200 * time.Millisecond)
		call.Ack()
		bob.Expect("ACK")
		if d := ended(); d > 500*time.Millisecond {
			s.t.Errorf("it ends after %v", d)
		}
	}))
	t.Run("R3 an ACK that is on its way at SIGTERM reaches the phone", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		ended := s.goDown()
		time.Sleep(300 * time.Millisecond)
		call.Ack()
		bob.Expect("ACK")
		ended()
	}))
	t.Run("R3 an ACK that never comes is not waited for", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200)
		s.alice.Expect(200)
		if d := s.goDown()(); d > 2500*time.Millisecond {
			s.t.Errorf("it ends after %v", d)
		}
	}))
	t.Run("R3 without anything under way it ends at once", onStage(func(s *stage) {
		bob := s.phone()
		calls(s.alice, bob)
		if d := s.goDown()(); d > 100*time.Millisecond {
			s.t.Errorf("it ends after %v", d)
		}
	}))
	for _, method := range []string{"INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS", "REFER", "PUBLISH", "FOO", "REGISTER", "BYE"} {
		t.Run("R3 a new "+method+" gets 503 with Retry-After, once for each copy", onStage(func(s *stage) {
			bob := s.phone()
			s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			s.alice.Expect(180)
			held := s.Server.Status().Transactions.Servers
			ended := s.goDown()
			carol := s.member("u9", "192.0.2.79")
			uri := bobAOR
			if method == "REGISTER" {
				uri = "sip:" + bed.Domain
			}
			for _, who := range []*Agent{s.agent("mallory", "192.0.2.66"), carol} {
				request := who.Request(method, uri)
				refused := who.Expect(503)
				if refused.Header("Retry-After") == "" {
					refused.Fatalf("no Retry-After")
				}
				request.Again()
				copyOf(who.Expect(503), refused)
				who.ExpectNothing(time.Second)
			}
			if n := s.Server.Status().Transactions.Servers; n != held {
				s.t.Errorf("%d server transactions are held, want %d", n, held)
			}
			bob.ExpectNothing(0)
			refuse(offer, 486)
			ended()
		}))
	}
	t.Run("R3 a call that rings goes on: PRACK, CANCEL and what answers them", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		ended := s.goDown()
		bob.Reply(offer, 183, Line("Require: 100rel", "RSeq: 1"))
		early := s.alice.Dialog(invite, s.alice.Expect(183))
		early.Request("PRACK", Line("RAck: 1 1 INVITE"))
		bob.Reply(bob.Expect("PRACK"), 200)
		s.alice.Expect("200 PRACK")
		invite.Cancel()
		s.alice.Expect("200 CANCEL")
		give(offer)
		invite.Ack(s.alice.Expect("487 INVITE"))
		if d := ended(); d > time.Second {
			s.t.Errorf("it ends after %v", d)
		}
	}))
	t.Run("R3 a call that is up can end while another rings", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		bob.Expect("ACK")
		s.agent("mallory", "192.0.2.66").Invite(bobAOR)
		offer := bob.Expect("INVITE")
		ended := s.goDown()
		call.Bye()
		bob.Reply(bob.Expect("BYE"), 200)
		s.alice.Expect("200 BYE")
		refuse(offer, 486)
		ended()
	}))
	t.Run("R3 a message under way gets its answer", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Request("MESSAGE", bobAOR)
		offer := bob.Expect("MESSAGE")
		ended := s.goDown()
		time.Sleep(2 * time.Second)
		bob.Reply(offer, 200)
		s.alice.Expect("200 MESSAGE")
		if d := ended(); d > 2100*time.Millisecond {
			s.t.Errorf("it ends after %v", d)
		}
	}))
	t.Run("R3 what rings on is cancelled at shutdown_timeout, and the caller told", onStage(func(s *stage) {
		phones := s.phones("1", "1")
		mallory := s.agent("mallory", "192.0.2.66")
		invite := s.alice.Invite(bobAOR)
		mallory.Request("MESSAGE", "sip:u0@"+bed.Domain)
		mallory.Expect(480)
		var offers []*Received
		for _, p := range phones {
			offers = append(offers, p.Expect("INVITE"))
			p.Reply(offers[len(offers)-1], 180)
			s.alice.Expect(180)
		}
		began := time.Now()
		ended := s.goDown()
		s.alice.ExpectNothing(8 * time.Second)
		refused := s.alice.ExpectWithin(3*time.Second, 503)
		if refused.Header("Retry-After") == "" {
			refused.Fatalf("no Retry-After")
		}
		if d := time.Since(began); d < 9*time.Second || d > 10*time.Second {
			s.t.Errorf("the caller is told after %v", d)
		}
		for i, p := range phones {
			p.Reply(p.Expect("CANCEL"), 200)
			refuse(offers[i], 487)
		}
		invite.Ack(refused)
		if d := ended(); d > 10*time.Second {
			s.t.Errorf("it ends after %v", d)
		}
	}))
	t.Run("R3 a second signal ends it at once, and nobody is left ringing", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		began, drained := time.Now(), make(chan struct{})
		go func() {
			s.Server.Drain(ctx)
			close(drained)
		}()
		s.alice.ExpectNothing(time.Second)
		cancel()
		<-drained
		if d := time.Since(began); d > time.Second+10*time.Millisecond {
			s.t.Errorf("it ends after %v", d)
		}
		s.alice.Expect(503)
		bob.Expect("CANCEL")
	}))
}
