package flows

import (
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestRequestForList is flow 2.3 under other circumstances.
func TestRequestForList(t *testing.T) {
	variants := []struct {
		name string
		run  func(*scene)
	}{
		{"after a time the bindings have less left", func(s *scene) {
			time.Sleep(100 * time.Second)
			s.register(7, "z9hG4bKv1", "t", s.answer()).Expect(200).Lasts(s.contact(), 3500, 0).Lasts(mail, 4294967295, 0)
		}},
		{"a second query shows no more than the first", func(s *scene) {
			first := s.register(7, "z9hG4bKv1", "t", s.answer()).Expect(200).Binding(s.contact()).Expires
			time.Sleep(2 * time.Second)
			s.register(8, "z9hG4bKv2", "t", s.answer()).Expect(200).Lasts(s.contact(), first-2, 0)
		}},
		{"a wrong password", func(s *scene) {
			s.register(7, "z9hG4bKv1", "t", s.bob.Credentials(Credentials{Password: "wrong"})).Expect(401)
		}},
		{"an unknown address", func(s *scene) {
			s.register(7, "z9hG4bKv1", "t", s.answer(), To("<"+s.bob.Scheme+":nosuch@"+bed.Domain+">")).Expect(404)
		}},
		{"somebody else's address", func(s *scene) {
			s.register(7, "z9hG4bKv1", "t", s.answer(), To("<"+s.bob.Scheme+":alice@"+bed.Domain+">")).Expect(403)
		}},
		{"an unknown extension", func(s *scene) {
			s.register(7, "z9hG4bKv1", "t", s.answer(), Line("Require: foo")).Expect(420).Want("Unsupported", "foo")
		}},
		{"sent twice", func(s *scene) {
			first := s.register(7, "z9hG4bKv1", "t", s.answer()).Expect(200)
			if second := s.bob.Again().Expect(200); first.Raw != second.Raw {
				s.t.Errorf("another answer:\n%s\n%s", first.Raw, second.Raw)
			}
		}},
		{"q and other parameters are as registered", func(s *scene) {
			s.register(7, "z9hG4bKv1", "t", s.answer(), Contact("<"+s.contact()+`>;q=0.3;mobility="fixed"`)).Expect(200)
			got := s.register(8, "z9hG4bKv2", "t", s.answer()).Expect(200).Binding(s.contact())
			if q, _ := got.Param("q"); q != "0.3" {
				s.t.Errorf("q is %s", q)
			}
			if v, _ := got.Param("mobility"); v != `"fixed"` {
				s.t.Errorf("mobility is %s", v)
			}
		}},
		{"Call-ID and CSeq of a query are of no account", func(s *scene) {
			s.register(1000, "z9hG4bKv1", "t", s.answer()).Expect(200)
			s.register(8, "z9hG4bKv2", "t", s.answer(), Contact("<"+s.contact()+">")).Expect(200)
		}},
		{"Expires without Contact", func(s *scene) {
			s.register(7, "z9hG4bKv1", "t", s.answer(), Expires(0)).Expect(200).Bound(s.contact(), mail)
			s.looker.Bound(s.contact(), mail)
		}},
		{"quotes around qop", func(s *scene) {
			s.register(7, "z9hG4bKv1", "t", s.bob.Credentials(Credentials{}), Rewrite("qop=auth", `qop="auth"`)).Expect(200)
		}},
		{"nothing is bound", func(s *scene) {
			cancellation(s)
			s.register(7, "z9hG4bKv1", "t", s.answer()).Expect(200).Lacks("Contact")
		}},
	}
	for _, transport := range []sip.Transport{sip.TLS, sip.UDP, sip.TCP} {
		for _, v := range variants {
			t.Run(transport.String()+"/"+v.name, func(t *testing.T) {
				stage(t, transport, func(s *scene) {
					newRegistration(s)
					updateOfList(s)
					v.run(s)
				})
			})
		}
	}
}

// TestCancellationAsPrinted is flow 2.4 letter by letter: the Call-ID of 2.1 with a CSeq that is not
// higher, which must be refused and leave both bindings.
func TestCancellationAsPrinted(t *testing.T) {
	stage(t, sip.TLS, func(s *scene) {
		newRegistration(s)
		updateOfList(s)
		s.register(1, "z9hG4bKnashdsb", "a73kszlfl", Contact("*"), Expires(0), s.answer()).Failed()
		s.looker.Bound(s.contact(), mail)
	})
}

// TestUpdateNonce: what 2.2 needs, and does not get, when the nonce is unknown or too old.
func TestUpdateNonce(t *testing.T) {
	stage(t, sip.TLS, func(s *scene) {
		newRegistration(s)
		time.Sleep(nonceLifetime + time.Second)
		r := s.register(3, "z9hG4bKv1", "t", Contact(mail), s.answer()).Expect(401)
		c := s.challenge(r)
		if !c.Stale {
			r.Fatalf("not stale")
		}
		s.looker.Bound(s.contact())
		s.bob.Answer(c)
		s.register(4, "z9hG4bKv2", "t", Contact(mail), s.answer()).Expect(200).Bound(s.contact(), mail)
	})
}
