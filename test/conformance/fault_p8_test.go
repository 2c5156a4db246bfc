package conformance

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/subscriber"
	"biloxi/test/bed"
)

// TestFaultP8: clients whose digest username is user@domain.
func TestFaultP8(t *testing.T) {
	const contact = "sip:ims@192.0.2.1"
	t.Run("P8 user@domain is the user, with every algorithm that is offered", func(t *testing.T) {
		for _, algorithm := range []sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256} {
			b := start(t, func(c *config.Config) { c.Domains[0].Algorithms = []config.Algorithm{config.Algorithm(algorithm)} })
			for _, over := range []sip.Transport{udp, tcp} {
				p := phoneOver(t, b, over)
				p.Challenged()
				named := p.Credentials(Credentials{Username: p.User + "@" + bed.Domain})
				p.Once(named, Contact("<"+contact+">")).Expect(200).Bound(contact)
				p.Register(Contact("<"+contact+">"), Expires(0)).Expect(200).Bound()
				p.Once(p.Credentials(Credentials{Username: p.User + "@" + bed.Domain, Password: "wrong"}), Contact("<"+contact+">")).Expect(401)
			}
		}
	})
	t.Run("P8 it is the same user for third_party, the owner of an address, and the From of a call", onStage(func(s *stage) {
		p := phoneOf(s.t, s.Bed, udp, "admin")
		p.Challenged()
		p.Once(p.Credentials(Credentials{Username: "admin@" + bed.Domain}), To("<sip:bob@"+bed.Domain+">"), Contact("<"+contact+">")).Expect(200)
		p = phoneOf(s.t, s.Bed, udp, "alice")
		p.Challenged()
		p.Once(p.Credentials(Credentials{Username: "alice@" + bed.Domain}), To("<sip:bob@"+bed.Domain+">"), Contact("<"+contact+">")).Expect(403)

		carol := s.agent("carol", "192.0.2.210")
		alice := s.agent("alice@"+bed.Domain, "192.0.2.102", func(o *AgentOptions) {
			o.Domain, o.Password = bed.Domain, bed.Password("alice")
		})
		message := alice.Request("MESSAGE", carol.ContactURI(udp), From("<sip:alice@"+bed.Domain+">;tag=1"))
		message.Retry(alice.Credentials(alice.Expect(407)))
		carol.Reply(carol.Expect("MESSAGE"), 200)
		alice.Expect(200)
		message = alice.Request("MESSAGE", carol.ContactURI(udp), From("<sip:bob@"+bed.Domain+">;tag=1"))
		message.Retry(alice.Credentials(alice.Expect(407)))
		alice.Expect(403)
		silent(time.Minute, carol)
	}))
	t.Run("P8 a reload that offers another algorithm knows it of everybody", func(t *testing.T) {
		b := start(t, func(c *config.Config) { c.Domains[0].Algorithms = config.DefaultAlgorithms })
		p := newPhone(t, b)
		cfg := b.Config
		cfg.Domains = append([]config.Domain{}, b.Config.Domains...)
		cfg.Domains[0].Algorithms = []config.Algorithm{config.Algorithm(sip.SHA256)}
		if err := b.Server.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		p.Challenged()
		p.Once(p.Credentials(Credentials{Username: p.User + "@" + bed.Domain}), Contact("<"+contact+">")).Expect(200)
		p.Register(Contact("<" + contact + ">")).Expect(200)
	})
	t.Run("P8 who was stored before is refused as nobody is, and the log says what to do", func(t *testing.T) {
		var log logged
		b := bed.Start(t, bed.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		p := newPhone(t, b)
		old, err := b.Server.Subscribers().Find(context.Background(), p.User, bed.Domain)
		if err != nil {
			t.Fatal(err)
		}
		old.AtDomain = subscriber.HA1s{}
		if err := b.Server.Subscribers().Put(context.Background(), old); err != nil {
			t.Fatal(err)
		}
		p.Challenged()
		var answers []string
		for _, username := range []string{p.User + "@" + bed.Domain, "nobody@" + bed.Domain, "nobody"} {
			r := p.Once(p.Credentials(Credentials{Username: username}), CallID("one"), CSeq(7), Branch("z9hG4bKone"), Contact("<"+contact+">")).Expect(401)
			text := strings.ReplaceAll(r.Raw, r.ToTag(), "TAG")
			for _, c := range r.Challenges() {
				text = strings.ReplaceAll(text, c.Nonce, "NONCE")
			}
			answers = append(answers, text)
		}
		if answers[0] != answers[1] || answers[1] != answers[2] {
			t.Errorf("the answers tell them apart:\n%s", strings.Join(answers, "\n"))
		}
		if log.count("biloxi subscriber passwd") != 1 {
			t.Error("the log does not say what to do")
		}
		p.Register(Contact("<" + contact + ">")).Expect(200)
	})
	t.Run("P8 other domains, and names that only look like it, are nobody", func(t *testing.T) {
		b := start(t)
		p := newPhone(t, b)
		p.Challenged()
		for _, username := range []string{p.User + "@" + bed.Host, p.User + "@" + strings.ToUpper(bed.Domain), p.User + "@", "@" + bed.Domain,
			"sip:" + p.User + "@" + bed.Domain, p.User + "@elsewhere.example", p.User + "@" + bed.Domain + "@" + bed.Domain} {
			p.Once(p.Credentials(Credentials{Username: username}), Contact("<"+contact+">")).Expect(401)
		}
		p.Bound()
	})
	t.Run("P8 a user whose name is user@domain is not the user", func(t *testing.T) {
		b := start(t)
		p := newPhone(t, b)
		other := subscriber.Subscriber{User: p.User + "@" + bed.Domain, Domain: bed.Domain, Realm: bed.Realm}
		stored, err := b.Server.Subscribers().Find(context.Background(), p.User, bed.Domain)
		if err != nil {
			t.Fatal(err)
		}
		other.HA1s = stored.AtDomain // the same password
		if err := b.Server.Subscribers().Add(context.Background(), other); err != nil {
			t.Fatal(err)
		}
		p.Challenged()
		named := func() Edit { return p.Credentials(Credentials{Username: other.User}) }
		p.Once(named(), Contact("<"+contact+">")).Expect(403)
		p.Once(named(), To("<sip:"+p.User+"%40"+bed.Domain+"@"+bed.Domain+">"), Contact("<"+contact+">")).Expect(200)
		p.Bound()
	})
}
