package conformance

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/defence"
)

func TestFaultS11Modes(t *testing.T) {
	const enemy = "198.51.100.7:5060"
	t.Run("S11 mode watch counts and tells, and lets through", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		if n := looked(200, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }); n != 200 {
			s.t.Errorf("%d of 200 are answered", n)
		}
		if n := looked(100, 404, func(i int) int { return ask(p, "OPTIONS", fmt.Sprint("nobody", i)) }); n != 100 {
			s.t.Errorf("%d of 100 names are answered", n)
		}
		if s.log.count(`msg="defence watches" action=throttled address=198.51.100.7`) != 1 || s.log.count("msg=defence ") != 0 {
			s.t.Errorf("the log:\n%s", s.log.text.String())
		}
		if c := s.Server.Status().Defence; c.Guesses != 200 || c.Unknown != 100 {
			s.t.Errorf("counted: %+v", c)
		}
	}, func(c *config.Config) { c.Defence.Mode = config.DefenceWatch }))
	t.Run("S11 mode off counts nothing", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		if n := looked(200, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }); n != 200 {
			s.t.Errorf("%d of 200 are answered", n)
		}
		if c := s.Server.Status().Defence; c.Guesses+c.Unknown != 0 || c.Records != 0 {
			s.t.Errorf("counted: %+v", c)
		}
	}, func(c *config.Config) { c.Defence.Mode = config.DefenceOff }))
	t.Run("S11 an exempt source is not counted", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		if n := looked(200, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }); n != 200 {
			s.t.Errorf("%d of 200 are answered", n)
		}
	}, func(c *config.Config) { c.Defence.Exempt = prefixesOf("198.51.100.0/24") }))
	t.Run("S11 a reload changes all keys at once", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) })
		reload := func(change func(*config.Defence)) {
			s.t.Helper()
			cfg := s.Config
			change(&cfg.Defence)
			if err := s.Server.Reload(cfg); err != nil {
				s.t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			change func(*config.Defence)
			want   int
		}{
			"silence": {func(d *config.Defence) { d.Answer = config.DefenceSilent }, 0},
			"watch":   {func(d *config.Defence) { d.Mode = config.DefenceWatch }, 401},
			"exempt":  {func(d *config.Defence) { d.Exempt = prefixesOf("198.51.100.7/32") }, 401},
			"nothing": {func(d *config.Defence) {}, 403},
		} {
			reload(c.change)
			if st := guess(p, "u120"); st != c.want {
				s.t.Errorf("%s: %d, want %d", name, st, c.want)
			}
		}
		reload(func(d *config.Defence) { d.Tries, d.RefuseAfter = 4, 8 })
		other := s.at("198.51.100.8:5060", "bob")
		s.nonce(other)
		atMost(s.t, 5, looked(50, 401, func(i int) int { return guess(other, fmt.Sprint("u", i)) }))
	}))
	t.Run("S11 an administrator allows, denies and forgets", underSiege(func(s *siege) {
		p, d := s.at(enemy, "bob"), s.Server.Defence()
		s.nonce(p)
		looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) })
		net := netip.MustParsePrefix("198.51.100.0/24")
		step := func(what string, err error, want int) {
			s.t.Helper()
			if st := right(p, "u150"); err != nil || st != want {
				s.t.Errorf("%s: %d, want %d (%v)", what, st, want, err)
			}
		}
		_, _, err := d.Forget(net)
		step("forget", err, 200)
		step("deny", d.Rule(defence.Rule{Action: defence.Deny, Source: net, Until: time.Now().Add(time.Hour)}), 403)
		if st := ask(p, "OPTIONS", "bob"); st != 403 {
			s.t.Errorf("any request of a denied source gets %d", st)
		}
		step("allow a part", d.Rule(defence.Rule{Action: defence.Allow, Source: netip.MustParsePrefix("198.51.100.7/32")}), 200)
		if n := looked(100, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }); n != 100 {
			s.t.Errorf("of an allowed source %d of 100 are answered", n)
		}
		s.Restart()
		if n := len(s.Server.Defence().Rules()); n != 2 {
			s.t.Errorf("%d rules outlive a restart", n)
		}
		d = s.Server.Defence()
		rules, _, err := d.Forget(netip.MustParsePrefix("198.51.100.7/32"))
		if rules != 1 {
			s.t.Errorf("%d rules are forgotten", rules)
		}
		s.nonce(p)
		step("the rest", err, 403)
		time.Sleep(time.Hour)
		s.nonce(p)
		step("when its time is over", nil, 200)
	}))
}
