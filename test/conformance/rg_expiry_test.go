package conformance

import (
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestExpiry: how long a binding is granted for (RFC 3261 §10.3 step 7). The configuration is the
// default: an hour for who asks for nothing, a minute at least, a day at most.
func TestExpiry(t *testing.T) {
	b := start(t)
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"

	t.Run("RG-025/T4", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">;expires=100"), Expires(200)).Expect(200).Lasts(one, 100, 0)
		p.Register(Contact("<"+one+">;expires=0", "<"+two+">"), Expires(3600)).Expect(200).Bound(two)
		p.Bound(two)
	})
	t.Run("RG-026", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">", "<"+two+">;expires=300"), Expires(200)).Expect(200).Lasts(one, 200, 0).Lasts(two, 300, 0)
	})
	t.Run("RG-027", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">")).Expect(200).Lasts(one, 3600, 0)
	})
	t.Run("RG-028", func(t *testing.T) {
		p := newPhone(t, b)
		for _, asked := range []int64{60, 100, 3599, 3600, 86400, 86401, 1000000} {
			r := p.Register(Contact("<"+one+">"), Expires(asked)).Expect(200)
			if got := r.Binding(one).Expires; got > asked || got < min(asked, 86400) {
				r.Fatalf("asked for %d, granted %d", asked, got)
			}
		}
	})
	t.Run("RG-029/T11", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">;expires=5")).Expect(423).Want("Min-Expires", "60")
		p.Register(Contact("<"+one+">"), Expires(59)).Expect(423).Want("Min-Expires", "60")
		p.Bound()
		// What Min-Expires says is granted in full, so that the phone does not come back with less.
		p.Register(Contact("<"+one+">;expires=60")).Expect(200).Lasts(one, 60, 0)
		p.Register(Contact("<" + one + ">;expires=0")).Expect(200).Bound()
	})
	t.Run("RG-046", func(t *testing.T) {
		p := newPhone(t, b)
		for _, asked := range []string{"4294967295", "4294967296", "99999999999999999999"} {
			p.Register(Contact("<"+one+">;expires="+asked)).Expect(200).Lasts(one, 86400, 0)
			p.Register(Contact("<"+two+">"), Expires(asked)).Expect(200).Lasts(two, 86400, 0)
		}
	})
	t.Run("RG-047", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">;expires=abc")).Expect(200).Lasts(one, 3600, 0)
		p.Register(Contact("<"+one+">;expires=-1")).Expect(200).Lasts(one, 3600, 0)
	})
}

// TestExpiryMinimum: a minimum above an hour shortens nothing that is an hour or more.
func TestExpiryMinimum(t *testing.T) {
	const one = "sip:one@192.0.2.1"
	b := start(t, func(c *config.Config) { c.Registrar.MinExpires = config.Duration(2 * time.Hour) })
	t.Run("RG-030", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">;expires=3600")).Expect(200).Lasts(one, 3600, 0)
		p.Register(Contact("<"+one+">;expires=3599")).Expect(423).Want("Min-Expires", "7200")
	})
}

// TestExpiryPasses runs in virtual time.
func TestExpiryPasses(t *testing.T) {
	const one, two = "sip:one@192.0.2.1", "mailto:two@example.com"
	t.Run("RG-042", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := newPhone(t, b)
			p.Register(Contact("<"+one+">;expires=100", "<"+two+">")).Expect(200).Lasts(one, 100, 0).Lasts(two, 4294967295, 0)
			time.Sleep(3 * time.Second)
			p.Query().Expect(200).Lasts(one, 97, 1).Lasts(two, 4294967295, 0)
			time.Sleep(96 * time.Second)
			p.Query().Expect(200).Lasts(one, 1, 1)
		})
	})
	t.Run("RG-049", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := newPhone(t, b)
			p.Register(Contact("<"+one+">;expires=60", "<"+two+">")).Expect(200).Bound(one, two)
			time.Sleep(61 * time.Second)
			p.Bound(two)
			// It may come back under a lower CSeq of another Call-ID, as new.
			p.Reboot()
			p.Register(CSeq(1), Contact("<"+one+">;expires=60")).Expect(200).Bound(one, two)
		})
	})
}
