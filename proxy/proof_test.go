package proxy

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// dialogScene is a dialog through us: alice of example.com called bob, to whom a copy went at 198.51.100.7.
type dialogScene struct {
	*testing.T
	p     *Proxy
	now   time.Time
	proof Proof
}

const (
	aliceParty = "<sip:alice@example.com>;tag=a"
	bobParty   = "<sip:bob@biloxi.example.com>"
	bobTagged  = bobParty + ";tag=b"
	aliceAt    = "sip:alice@192.0.2.1"
	bobAt      = "sip:bob@198.51.100.7:5080"
)

func newDialogScene(t *testing.T, class uint8, changes ...func(*Config)) *dialogScene {
	t.Helper()
	cfg := Config{Secret: [32]byte{1}}
	for _, change := range changes {
		change(&cfg)
	}
	s := &dialogScene{T: t, p: New(cfg), now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	s.prove(class, aliceAt)
	return s
}

// prove makes the proof anew, for a caller with that Contact.
func (s *dialogScene) prove(class uint8, contact string) {
	s.Helper()
	invite := s.request("INVITE sip:bob@biloxi.example.com", "", aliceParty, bobParty, "Contact: <"+contact+">\r\n")
	s.proof = s.p.Prove(s.now, invite, class, []byte(bobAt), netip.MustParseAddr("198.51.100.7"))
}

// request is one that came in, preprocessed; proof, if any, stands in its Route.
func (s *dialogScene) request(line, proof, from, to, more string) *Received {
	s.Helper()
	raw := line + " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
	if proof != "" {
		raw += "Route: <sip:us.example.com;d=" + proof + ";lr>\r\n"
	}
	method := line[:bytes.IndexByte([]byte(line), ' ')]
	raw += more + "From: " + from + "\r\nTo: " + to + "\r\nCall-ID: 1\r\nCSeq: 1 " + method + "\r\n\r\n"
	m, req := new(sip.Message), new(sip.Request)
	if err := m.Parse([]byte(raw)); err != nil {
		s.Fatal(err)
	}
	if err := req.Decode(m); err != nil {
		s.Fatal(err)
	}
	in := new(Received)
	if r := in.Preprocess(req, flowFrom("UDP 192.0.2.1:5060"), selfNamed("us.example.com")); r != nil {
		s.Fatal(r.Status)
	}
	return in
}

// response is bob's, with our Record-Route as he got it.
func (s *dialogScene) response(start, more string) *sip.Message {
	s.Helper()
	m := new(sip.Message)
	if err := m.Parse([]byte("SIP/2.0 " + start + "\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n" + "From: " + aliceParty + "\r\nTo: " + bobParty +
		";tag=b\r\nRecord-Route: <sip:us.example.com;d=" + string(s.proof[:]) + ";lr>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n" + more + "\r\n")); err != nil {
		s.Fatal(err)
	}
	return m
}

// up reports whether alice's request is proved, down whether bob's is; each comes from the address that it should.
func (s *dialogScene) up(line string) bool { return s.proves(line, aliceParty, bobTagged, "192.0.2.1") }
func (s *dialogScene) down(line string) bool {
	return s.proves(line, bobTagged, aliceParty, "198.51.100.7")
}

func (s *dialogScene) proves(line, from, to, source string) bool {
	s.Helper()
	in := s.request(line, string(s.proof[:]), from, to, "")
	in.Flow.Remote = netip.AddrPortFrom(netip.MustParseAddr(source), 5060)
	_, ok := s.p.Proves(s.now, in)
	return ok
}

// TestProof: a request within a dialog shows that it goes to the other end of one that was made through this element.
func TestProof(t *testing.T) {
	for _, c := range []struct {
		name, line, from, to, source string
		class                        uint8
		want                         bool
	}{
		{"the caller to the callee", "BYE " + bobAt, aliceParty, bobTagged, "192.0.2.1", 1, true},
		{"the callee to the caller", "BYE " + aliceAt, bobTagged, aliceParty, "198.51.100.7", 1, true},
		{"a stranger to the callee, from a new address", "BYE " + bobAt, aliceParty, bobTagged, "203.0.113.5", 0, true},
		{"the callee to a stranger", "BYE " + aliceAt, bobTagged, aliceParty, "198.51.100.7", 0, true},
		{"the callee to a user, from elsewhere", "BYE " + aliceAt, bobTagged, aliceParty, "203.0.113.5", 1, true},
		{"another display name and parameters", "BYE " + bobAt + ";ob", `"A" <sip:alice@EXAMPLE.com;user=phone>;tag=a`, bobTagged, "192.0.2.1", 1, true},
		{"S1 a user's requests from elsewhere", "BYE " + bobAt, aliceParty, bobTagged, "203.0.113.5", 1, false},
		{"S1 a stranger who acts as the callee", "MESSAGE " + aliceAt, bobTagged, aliceParty, "192.0.2.1", 0, false},
		{"S1 the caller to another address", "MESSAGE sip:x@203.0.113.9", aliceParty, bobTagged, "192.0.2.1", 0, false},
		{"S1 the caller to another port", "MESSAGE sip:bob@198.51.100.7:25", aliceParty, bobTagged, "192.0.2.1", 0, false},
		{"S1 the caller to another user", "INVITE sip:+1900@198.51.100.7:5080", aliceParty, bobTagged, "192.0.2.1", 0, false},
		{"S1 by another transport", "MESSAGE " + bobAt + ";transport=tcp", aliceParty, bobTagged, "192.0.2.1", 0, false},
		{"S1 by maddr", "MESSAGE " + bobAt + ";maddr=203.0.113.9", aliceParty, bobTagged, "192.0.2.1", 0, false},
		{"S1 in the name of somebody else", "MESSAGE " + bobAt, "<sip:carol@example.com>;tag=a", bobTagged, "192.0.2.1", 0, false},
		{"S1 to somebody else's To", "MESSAGE " + bobAt, aliceParty, "<sip:carol@biloxi.example.com>;tag=b", "192.0.2.1", 0, false},
		{"S1 another From tag", "MESSAGE " + bobAt, "<sip:alice@example.com>;tag=c", bobTagged, "192.0.2.1", 0, false},
		{"S1 the callee to another address", "INVITE sip:x@203.0.113.9", bobTagged, aliceParty, "198.51.100.7", 1, false},
		{"S1 the callee to another user", "INVITE sip:+1900@192.0.2.1", bobTagged, aliceParty, "198.51.100.7", 1, false},
		{"without a To tag", "BYE " + bobAt, aliceParty, bobParty, "192.0.2.1", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := newDialogScene(t, c.class).proves(c.line, c.from, c.to, c.source); got != c.want {
				t.Fatalf("Proves is %v", got)
			}
		})
	}
	t.Run("S1 none, a forged one, one of another element", func(t *testing.T) {
		s := newDialogScene(t, 1)
		other := newDialogScene(t, 1, func(c *Config) { c.Secret[0]++ })
		for _, proof := range []string{"", strings.Repeat("A", ProofSize), string(s.proof[:8]), string(other.proof[:])} {
			if _, ok := s.p.Proves(s.now, s.request("BYE "+bobAt, proof, aliceParty, bobTagged, "")); ok {
				t.Errorf("%q proves", proof)
			}
		}
	})
	t.Run("it says what the caller was", func(t *testing.T) {
		for class := range uint8(3) {
			s := newDialogScene(t, class)
			if got, ok := s.p.Proves(s.now, s.request("BYE "+bobAt, string(s.proof[:]), aliceParty, bobTagged, "")); !ok || got.Class != class {
				t.Errorf("%v %v, want %d", got, ok, class)
			}
		}
	})
}

// TestProofAnswered: a callee who says in the response that they are elsewhere is found there.
func TestProofAnswered(t *testing.T) {
	const elsewhere = "sip:node7@203.0.113.20:5070"
	answers := map[string]func(s *dialogScene, resp *sip.Message){
		"known":                           func(s *dialogScene, resp *sip.Message) { s.p.Answered(s.now, resp, &s.proof) },
		"known by its Record-Route alone": func(s *dialogScene, resp *sip.Message) { s.p.AnsweredLate(s.now, resp) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			s := newDialogScene(t, 0)
			if s.up("ACK " + elsewhere) {
				t.Fatal("found before the answer")
			}
			answer(s, s.response("486 Busy Here", "Contact: <"+elsewhere+">\r\n"))
			if s.up("ACK " + elsewhere) {
				t.Fatal("S1 a refusal says nothing")
			}
			answer(s, s.response("200 OK", "Contact: <"+elsewhere+">\r\n"))
			if !s.up("ACK " + elsewhere) {
				t.Error("not found")
			}
			if s.up("ACK sip:node8@203.0.113.20:5070") || s.proves("ACK "+elsewhere, aliceParty, bobParty+";tag=c", "192.0.2.1") {
				t.Error("S1 others are found too")
			}
		})
	}
	t.Run("a callee where they were called takes no room", func(t *testing.T) {
		s := newDialogScene(t, 0)
		s.p.Answered(s.now, s.response("200 OK", "Contact: <"+bobAt+";ob>\r\n"), &s.proof)
		if s.p.dialogs.sets != nil {
			t.Error("it is remembered")
		}
	})
}

// TestProofTime: a proof has its time; a dialog that is refreshed goes on.
func TestProofTime(t *testing.T) {
	hours := func(c *Config) { c.Dialog = 2 * time.Hour }
	t.Run("S1 it ends", func(t *testing.T) {
		s := newDialogScene(t, 0, hours)
		s.now = s.now.Add(2*time.Hour + time.Minute)
		if s.up("BYE " + bobAt) {
			t.Error("it is good after its time")
		}
		s = newDialogScene(t, 0, hours)
		s.now = s.now.Add(2 * time.Hour)
		if !s.up("BYE " + bobAt) {
			t.Error("too early")
		}
	})
	t.Run("S1 a clock that is set back by a year makes it no younger", func(t *testing.T) {
		s := newDialogScene(t, 0, hours)
		s.now = s.now.AddDate(-1, 0, 0)
		if s.up("BYE " + bobAt) {
			t.Error("it is good a year before it was made")
		}
	})
	t.Run("each request in the second half of its time keeps the dialog", func(t *testing.T) {
		s := newDialogScene(t, 0, hours)
		for range 10 {
			s.now = s.now.Add(90 * time.Minute)
			if !s.up("INVITE "+bobAt) || !s.down("INVITE "+aliceAt) {
				t.Fatalf("over at %v", s.now)
			}
		}
		s.now = s.now.Add(3 * time.Hour)
		if s.up("BYE " + bobAt) {
			t.Error("it never ends")
		}
	})
	t.Run("an end that moves is found, and only there", func(t *testing.T) {
		s := newDialogScene(t, 1)
		moved := "sip:bob@203.0.113.20"
		again := s.request("INVITE "+aliceAt, string(s.proof[:]), bobTagged, aliceParty, "Contact: <"+moved+">\r\n")
		first := s.proof
		s.proof = s.p.Prove(s.now, again, 1, nil, netip.MustParseAddr("192.0.2.1"))
		s.p.Refreshed(s.now, again, s.answerOf(again, "488 Not Acceptable Here"), &s.proof)
		s.proof = first
		if s.up("BYE " + moved) {
			t.Fatal("S1 a refusal moves somebody")
		}
		s.proof = s.p.Prove(s.now, again, 1, nil, netip.MustParseAddr("192.0.2.1"))
		s.p.Refreshed(s.now, again, s.answerOf(again, "200 OK"), &s.proof)
		s.proof = first
		if !s.up("BYE " + moved) {
			t.Error("alice does not reach him where he is now")
		}
		if s.up("BYE sip:bob@203.0.113.21") {
			t.Error("alice reaches where nobody is")
		}
		if !s.down("BYE " + aliceAt) {
			t.Error("he does not reach alice any more")
		}
	})
}

// answerOf is a response to a request of bob's within the dialog, by alice.
func (s *dialogScene) answerOf(in *Received, start string) *sip.Message {
	s.Helper()
	m := new(sip.Message)
	if err := m.Parse([]byte("SIP/2.0 " + start + "\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nFrom: " + bobTagged + "\r\nTo: " + aliceParty +
		"\r\nRecord-Route: <sip:us.example.com;d=" + string(s.proof[:]) + ";lr>\r\nContact: <" + aliceAt + ">\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n")); err != nil {
		s.Fatal(err)
	}
	return m
}

// TestProofInside: a stranger's Contact in a private network that they are not in leads nowhere.
func TestProofInside(t *testing.T) {
	for _, c := range []struct {
		name, contact string
		class         uint8
		want          bool
	}{
		{"S1 a stranger's", "sip:x@10.0.0.5:80;transport=tcp", 0, false},
		{"S1 by maddr", "sip:x@example.com;maddr=10.0.0.5", 0, false},
		{"S1 of this host", "sip:x@127.0.0.1:8080", 0, false},
		{"a stranger's own address", "sip:x@192.0.2.1", 0, true},
		{"a user's", "sip:x@10.0.0.5", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newDialogScene(t, c.class)
			s.prove(c.class, c.contact)
			if got := s.down("MESSAGE " + c.contact); got != c.want {
				t.Errorf("Proves is %v", got)
			}
		})
	}
}

// TestDialogs: the table is bounded, and strangers push out none but strangers.
func TestDialogs(t *testing.T) {
	d := NewDialogs()
	d.keep(7, place{}, 1000, 1)
	for i := range uint64(4 * dialogWays) {
		d.keep(7+dialogSets*i, place{1}, 2000, 0)
	}
	if !d.alive(7, 1000) {
		t.Error("a user's dialog gave way to strangers'")
	}
	if d.alive(7, 1001) {
		t.Error("it lasts too long")
	}
	if n := len(d.sets); n != dialogSets {
		t.Errorf("%d sets", n)
	}
}

type selfNamed string

func (s selfNamed) Is(host []byte, _ uint16) bool { return string(host) == string(s) }
