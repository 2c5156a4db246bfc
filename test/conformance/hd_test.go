package conformance

import (
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestHeaders: what every user agent server does with header fields (RFC 3261 §8.2, §20).
func TestHeaders(t *testing.T) {
	b := start(t)
	const one = "sip:one@192.0.2.1"

	t.Run("HD-002", func(t *testing.T) {
		p := newPhone(t, b)
		// The same request has the same tag in all its answers; another tag if the To has none yet.
		first := p.Once().Expect(401).ToTag()
		if second := p.Again().ToTag(); first == "" || first != second {
			t.Errorf("tags %q and %q", first, second)
		}
		if r := p.Once(To("<" + p.AOR() + ">;tag=mine")).Expect(401); r.ToTag() != "mine" {
			r.Fatalf("a second tag")
		}
		p.Once(Method("OPTIONS")).Expect(200)
		if tag := p.Once(CSeqMethod("INVITE")).Expect(400).ToTag(); tag == "" {
			t.Error("a 400 without a tag")
		}
	})
	t.Run("HD-003", func(t *testing.T) {
		p := newPhone(t, b)
		seen := map[string]bool{}
		for range 300 {
			tag := p.Once(CallID(Token())).ToTag()
			if len(tag) < 6 || seen[tag] {
				t.Fatalf("tag %q", tag)
			}
			seen[tag] = true
		}
	})
	t.Run("HD-004", func(t *testing.T) {
		newPhone(t, b).Once(Method("OPTIONS"), From("<sip:carol@chicago.example.com>;tag=1"), URI("sip:unknown@"+bed.Domain)).Expect(404)
	})
	t.Run("HD-005", func(t *testing.T) {
		p := newPhone(t, b)
		if r := p.Register(Body("text/x", "hello"), Line("Content-Disposition: session;handling=required"), Contact("<"+one+">")).Expect(415); len(r.Values("Accept")) == 0 {
			r.Fatalf("no Accept")
		}
		p.Bound()
		p.Register(Body("text/x", "hello"), Line("Content-Disposition: session;handling=optional"), Contact("<"+one+">")).Expect(200).Bound(one)
	})
	t.Run("HD-007", func(t *testing.T) {
		p := newPhone(t, b)
		for _, uri := range []string{"sip:" + bed.Domain, "sip:" + bed.Host, "sip:" + b.Addr(udp).String()} {
			r := p.Once(Method("OPTIONS"), URI(uri)).Expect(200)
			for _, name := range []string{"Allow", "Accept", "Accept-Encoding", "Accept-Language", "Supported"} {
				if len(r.Values(name)) == 0 {
					r.Fatalf("no %s", name)
				}
			}
		}
	})
	t.Run("HD-010", func(t *testing.T) {
		newPhone(t, b).Once(Version("SIP/7.0")).Expect(505)
	})
	t.Run("HD-011", func(t *testing.T) {
		p := newPhone(t, b)
		p.Once(CSeqMethod("INVITE")).Expect(400)
		p.Once(CSeq(1 << 31)).Expect(400)
		p.Once(CSeq(1<<32 - 1)).Expect(400)
		p.Once(CSeq(1<<31 - 1)).Expect(401)
		p.Once(CallID(Token()), CSeq(1)).Expect(401)
	})
	t.Run("HD-012", func(t *testing.T) {
		p := newPhone(t, b)
		at := p.Conn.Local().String()
		for _, via := range []string{"SIP  /  2.0  /  UDP " + at + ";branch=z9hG4bKa;rport", "sip/2.0/udp " + at + " ; branch = z9hG4bKb ; rport",
			"SIP/2.0/UDP\t" + at + ";BRANCH=Z9HG4BKC;rport"} {
			r := p.Once(Via(via)).Expect(401)
			if v, err := r.Message.Via(); err != nil || len(v.Branch()) != len("z9hG4bKa") {
				r.Fatalf("Via %v", err)
			}
		}
	})
	t.Run("HD-013", func(t *testing.T) {
		p := newPhone(t, b)
		r := p.Once(CSeqMethod("INVITE")).Expect(400)
		if !strings.Contains(string(r.Reason()), "CSeq") {
			r.Fatalf("the reason does not name the CSeq")
		}
		r.Want("Call-ID", p.CallID)
		p.Once(From("\"no end <sip:a@b>")).Expect(400)
	})
	t.Run("HD-014", func(t *testing.T) {
		p := newPhone(t, b)
		const from = `"Μπ\"ομπ ☎" <sip:b%C3%B6b@biloxi.example.com;x=%20>;tag=1;y="ü\\"`
		p.Once(From(from)).Expect(401).Want("From", from)
		p.Register(From(from), Contact("<"+one+">;+x=\"ü\"")).Expect(200).Want("From", from)
		if v, _ := p.Bound(one).Binding(one).Param("+x"); v != `"ü"` {
			t.Errorf("+x is %s", v)
		}
	})
	t.Run("HD-016", func(t *testing.T) {
		for _, twice := range []string{"From: <sip:a@b>;tag=2", "To: <sip:a@b>", "f: <sip:a@b>;tag=2", "CSeq: 7 REGISTER", "Call-ID: other", "Max-Forwards: 3"} {
			newPhone(t, b).Once(Line(twice)).Expect(400)
		}
	})
	t.Run("HD-006/OB-003", func(t *testing.T) {
		p := newPhone(t, b)
		contact := Contact(`<` + one + `>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>";reg-id=1`)
		p.Register(contact).Expect(200).Lacks("Require")
		p.Register(contact, Line("Supported: outbound, path")).Expect(200).Want("Require", "outbound")
		p.Register(Contact("<"+one+">"), Line("Supported: outbound, path")).Expect(200).Lacks("Require")
	})
}

// TestMissing: requests without what a request must have are answered 400 if they can be answered.
func TestMissing(t *testing.T) {
	b := start(t)
	t.Run("Max-Forwards", func(t *testing.T) {
		newPhone(t, b).Once(MaxForwards("")).Expect(401)
	})
	t.Run("mirrored", func(t *testing.T) {
		for _, name := range []string{"From", "To", "Call-ID", "CSeq"} {
			p := newPhone(t, b)
			p.Start()
			p.Receive()
			request := string(p.Sent)
			p.Send([]byte(strings.Replace(request, lineOf(request, name)+"\r\n", "", 1)))
			// Without what an answer is matched by, there is none.
			if name == "CSeq" {
				p.Silence(50 * time.Millisecond)
			} else {
				p.Receive().Expect(400)
			}
			p.Once().Expect(401)
		}
	})
}

// TestFinalAnswers: a registrar says nothing before its answer (RFC 4320 §4.1).
func TestFinalAnswers(t *testing.T) {
	t.Run("NI-001/NI-002", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			for _, transport := range []sip.Transport{udp, tcp} {
				p := phoneOver(t, b, transport)
				p.Challenged()
				for _, edits := range [][]Edit{{Method("OPTIONS")}, {p.Credentials(Credentials{}), Contact("<sip:one@192.0.2.1>")}} {
					p.Once(edits...).Expect(200)
					p.Silence(10 * time.Second)
				}
			}
		})
	})
}

// TestNoTransactions: what other requests meet, where no transaction is kept.
func TestNoTransactions(t *testing.T) {
	b := start(t)
	t.Run("TX-033", func(t *testing.T) {
		newPhone(t, b).Once(Method("OPTIONS")).Expect(200)
	})
	t.Run("TX-036", func(t *testing.T) {
		p := newPhone(t, b)
		p.Start(Method("ACK"))
		p.Silence(200 * time.Millisecond)
	})
	t.Run("TX-041", func(t *testing.T) {
		p := newPhone(t, b)
		p.Once(Method("CANCEL")).Expect(481)
	})
}
