package flows

import (
	"strings"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// newRegistration is flow 2.1.
func newRegistration(s *scene) {
	s.t.Helper()
	f2 := s.register(1, "z9hG4bKnashds7", "a73kszlfl", Contact("<"+s.contact()+">")).Expect(401)
	f2.Lacks("Contact").Lacks("Proxy-Authenticate")
	c := s.challenge(f2)
	if c.Stale {
		f2.Fatalf("a first challenge is stale")
	}
	s.looker.Bound() // F1 has changed nothing
	s.bob.Answer(c)
	f4 := s.register(2, "z9hG4bKnashd92", "ja743ks76zlflH", Contact("<"+s.contact()+">"), s.answer()).Expect(200)
	f4.Bound(s.contact()).Lasts(s.contact(), 3600, 0)
	if f4.Header("Date") == "" {
		f4.Fatalf("no Date")
	}
	s.looker.Bound(s.contact())
}

// challenge checks a 401's challenge and returns it.
func (s *scene) challenge(r *Response) Challenge {
	s.t.Helper()
	list := r.Challenges()
	if len(list) != 1 {
		r.Fatalf("%d challenges", len(list))
	}
	c := list[0]
	if c.Realm != bed.Realm || len(c.Nonce) < 16 || c.Algorithm != "MD5" || !strings.Contains(r.Header("WWW-Authenticate"), `qop="auth"`) {
		r.Fatalf("the challenge is %+v", c)
	}
	if c.Nonce == s.bob.Challenge().Nonce {
		r.Fatalf("the nonce is not new")
	}
	return c
}

// updateOfList is flow 2.2. Its Call-ID is that of 2.1 and its CSeq lower, which does no harm since the
// mail address is a new binding.
func updateOfList(s *scene) {
	s.t.Helper()
	f2 := s.register(1, "z9hG4bKnashds8", "a73kszlfl", Contact(mail), s.answer()).Expect(200)
	f2.Bound(s.contact(), mail).Lasts(s.contact(), 3600, 0).Lasts(mail, 4294967295, 0)
	if !strings.Contains(f2.Raw, "<"+mail+">;") {
		f2.Fatalf("expires would belong to the URI")
	}
}

// requestForList is flow 2.3.
func requestForList(s *scene) {
	s.t.Helper()
	f2 := s.register(1, "z9hG4bKnashds9", "a73kszlfl", s.answer()).Expect(200)
	f2.Bound(s.contact(), mail).Lasts(s.contact(), 3600, 0).Lasts(mail, 4294967295, 0)
	if f2.Header("Date") == "" {
		f2.Fatalf("no Date")
	}
	s.looker.Bound(s.contact(), mail)
}

// cancellation is flow 2.4. As the RFC prints it, its CSeq is lower than that of the binding of 2.1, so
// that it would have to be refused: here it is higher.
func cancellation(s *scene) {
	s.t.Helper()
	f2 := s.register(3, "z9hG4bKnashdsa", "a73kszlfl", Contact("*"), Expires(0), s.answer()).Expect(200)
	f2.Lacks("Contact")
	s.looker.Bound()
}

// unsuccessful is flow 2.5.
func unsuccessful(s *scene) {
	s.t.Helper()
	contact := Contact("<" + s.contact() + ">")
	f2 := s.register(1, "z9hG4bKnashds7", "a73kszlfl", contact, MaxForwards(""), Rewrite("branch=z9hG4bKnashds7", "branch=z9hG4bKnashds7;received=192.0.2.66")).Expect(401)
	c := s.challenge(f2)
	s.bob.Answer(c)
	wrong := s.bob.Credentials(Credentials{NoQOP: true, NoAlgorithm: true, Password: "wrong"})
	f4 := s.register(2, "z9hG4bKnashd92", "JueHGuidj28dfga", contact, wrong).Expect(401)
	if s.challenge(f4).Stale {
		f4.Fatalf("a wrong password is called stale")
	}
	s.looker.Bound()
}
