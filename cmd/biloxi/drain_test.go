package main

import (
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"biloxi/sip"
	"biloxi/siptest"
)

// ringing is a server through which a stranger, alice, calls bob, whose phone rings.
type ringing struct {
	*serving
	alice, bob *siptest.Agent
	invite     *siptest.Sent
	offer      *siptest.Received
}

func newRinging(t *testing.T, timeout string) *ringing {
	t.Helper()
	file := filepath.Join(t.TempDir(), "biloxi.toml")
	if err := os.WriteFile(file, []byte("data = \"data\"\n[[domain]]\nname = \"biloxi.example.com\"\n"+
		"[[listen]]\ntransport = \"udp\"\naddress = \"127.0.0.1:0\"\n[limits]\nshutdown_timeout = \""+timeout+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := command(nil, "secret\n", "subscriber", "add", "bob@biloxi.example.com", "--password-file", "-", "--config", file); code != exitDone {
		t.Fatal(errs)
	}
	r := &ringing{serving: serve(t, nil, "--config", file)}
	found := regexp.MustCompile(`udp (127\.0\.0\.1:\d+)`).FindStringSubmatch(r.log.String())
	if found == nil {
		t.Fatal(r.log.String())
	}
	agent := func(user, domain string) *siptest.Agent {
		return siptest.NewAgent(t, siptest.AgentOptions{Address: "127.0.0.1", User: user, Domain: domain, Password: "secret",
			Outbound: siptest.Over(sip.UDP, found[1]), Without: []sip.Transport{sip.TCP}, Wait: patience})
	}
	r.alice, r.bob = agent("alice", "atlanta.example.com"), agent("bob", "biloxi.example.com")
	r.bob.Register()
	r.invite = r.alice.Invite("sip:bob@biloxi.example.com")
	r.offer = r.bob.Expect("INVITE")
	r.bob.Reply(r.offer, 180)
	r.alice.Expect(180)
	return r
}

// terminate sends SIGTERM, and waits until the service manager knows.
func (r *ringing) terminate() {
	r.t.Helper()
	r.signals <- syscall.SIGTERM
	r.expect("STOPPING=1")
}

// TestDrain: a service that is told to end while a phone rings.
func TestDrain(t *testing.T) {
	t.Run("R3 the answer goes through, and then it ends", func(t *testing.T) {
		r := newRinging(t, "1m")
		r.terminate()
		for refused := false; !refused; { // the service manager may hear of it first
			r.alice.Request("OPTIONS", "sip:"+r.alice.Outbound.Addr.String())
			refused = r.alice.Next(patience).Status() == 503
		}
		r.bob.Reply(r.offer, 200)
		call := r.alice.Dialog(r.invite, r.alice.Expect(200))
		call.Ack()
		r.bob.Expect("ACK")
		if code := r.ended(); code != exitDone {
			t.Errorf("exit code %d\n%s", code, &r.log)
		}
	})
	t.Run("R3 what rings on is told at shutdown_timeout", func(t *testing.T) {
		r := newRinging(t, "1s")
		r.terminate()
		r.alice.Expect(503)
		r.bob.Expect("CANCEL")
		if code := r.ended(); code != exitDone {
			t.Errorf("exit code %d\n%s", code, &r.log)
		}
	})
	t.Run("R3 a second signal ends it at once", func(t *testing.T) {
		r := newRinging(t, "10m")
		r.terminate()
		r.signals <- syscall.SIGTERM
		r.alice.Expect(503)
		r.bob.Expect("CANCEL")
		if code := r.ended(); code != exitFailed {
			t.Errorf("exit code %d\n%s", code, &r.log)
		}
	})
}
