package conformance

import (
	"fmt"
	"sync"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestOrder: which of several REGISTERs counts (RFC 3261 §10.3 step 7).
func TestOrder(t *testing.T) {
	b := start(t)
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"

	t.Run("RG-005", func(t *testing.T) {
		const requests = 50
		p := phoneOver(t, b, tcp)
		p.Challenged()
		for i := range requests {
			p.Start(p.Credentials(Credentials{}), Contact(fmt.Sprintf("<%s>;i=%d", one, i)))
		}
		for i := range requests {
			r := p.Receive().Expect(200)
			if got, _ := r.Binding(one).Param("i"); got != fmt.Sprint(i) {
				r.Fatalf("answer %d shows request %s", i, got)
			}
		}
		if got, _ := p.Bound(one).Binding(one).Param("i"); got != fmt.Sprint(requests-1) {
			t.Errorf("request %s won", got)
		}
	})
	t.Run("RG-007", func(t *testing.T) {
		var both sync.WaitGroup
		good, bad := newPhone(t, b), newPhone(t, b)
		good.Challenged()
		bad.Challenged()
		both.Go(func() {
			for range 20 {
				good.Register(Contact("<" + one + ">"))
			}
		})
		both.Go(func() {
			for range 20 {
				bad.Register(Contact("<" + two + ">;expires=1"))
			}
		})
		both.Wait()
		good.Bound(one)
		bad.Bound()
	})
	t.Run("RG-035", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(CSeq(1000), Contact("<"+one+">;expires=100")).Expect(200)
		p.Reboot()
		p.Register(CSeq(1), Contact("<"+one+">;expires=200")).Expect(200).Bound(one).Lasts(one, 200, 0)
		p.Reboot()
		p.Register(CSeq(1), Contact("<"+one+">;expires=0")).Expect(200).Bound()
	})
	t.Run("RG-036", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(CSeq(10), Contact("<"+one+">;expires=100")).Expect(200)
		p.Register(CSeq(9), Contact("<"+one+">;expires=900")).Failed()
		p.Register(CSeq(10), Contact("<"+one+">;expires=900")).Failed()
		p.Register(CSeq(9), Contact("<"+one+">;expires=0")).Failed()
		p.Query().Expect(200).Bound(one).Lasts(one, 100, 1)
		p.Register(CSeq(11), Contact("<"+one+">;expires=900")).Expect(200).Lasts(one, 900, 0)
	})
	t.Run("HD-015", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(CallID("abc"), CSeq(10), Contact("<"+one+">")).Expect(200)
		p.Register(CallID("ABC"), CSeq(9), Contact("<"+one+">")).Expect(200)
		p.Register(CallID("ABC"), CSeq(8), Contact("<"+one+">")).Failed()
	})
}

// TestOrderRestart: Call-ID and CSeq are kept with the binding on disk.
func TestOrderRestart(t *testing.T) {
	b := start(t)
	const one = "sip:one@192.0.2.1"
	t.Run("RG-039", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(CSeq(10), Contact("<"+one+">;q=0.7;x=y")).Expect(200)
		b.Restart()
		q := again(t, b, p)
		if v, _ := q.Bound(one).Binding(one).Param("q"); v != "0.7" {
			t.Errorf("q is %q after a restart", v)
		}
		q.Register(CallID(p.CallID), CSeq(9), Contact("<"+one+">")).Failed()
		q.Register(CallID(p.CallID), CSeq(11), Contact("<"+one+">")).Expect(200).Bound(one)
	})
}

// TestRetransmission: a request that comes twice is answered twice and done once, though no transaction
// is kept (RFC 3261 §17.2.2).
func TestRetransmission(t *testing.T) {
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"
	t.Run("RG-058/TX-030", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := newPhone(t, b)
			first := p.Register(Contact("<"+one+">;expires=100", "<"+two+">;expires=200")).Expect(200)
			second := p.Again().Expect(200)
			if first.Raw != second.Raw {
				t.Errorf("another answer:\n%s\n%s", first.Raw, second.Raw)
			}
			p.Register(Contact("<" + one + ">;expires=0")).Expect(200).Bound(two)
			time.Sleep(500 * time.Millisecond)
			p.Again().Expect(200).Bound(two)
			p.Register(Contact("*"), Expires(0)).Expect(200).Bound()
			time.Sleep(500 * time.Millisecond)
			p.Again().Expect(200).Bound()
		})
	})
	t.Run("TX-031", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := newPhone(t, b)
			first := p.Register(Contact("<" + one + ">;expires=100")).Expect(200)
			time.Sleep(20 * time.Second)
			if late := p.Again().Expect(200); first.Raw != late.Raw {
				t.Errorf("another answer after 20 s:\n%s\n%s", first.Raw, late.Raw)
			}
			p.Query().Expect(200).Bound(one).Lasts(one, 80, 1)
		})
	})
}

// TestTombstone: a late retransmission does not raise what was removed since.
func TestTombstone(t *testing.T) {
	const one = "sip:one@192.0.2.1"
	simulate(t, func(t *testing.T, b *bed.Bed) {
		p := newPhone(t, b)
		p.Register(Contact("<" + one + ">;expires=100")).Expect(200)
		late := p.Sent
		other := again(t, b, p)
		other.Register(Contact("*"), Expires(0)).Expect(200).Bound()
		for _, wait := range []time.Duration{0, 10 * time.Second, 21 * time.Second} {
			time.Sleep(wait)
			p.Send(late)
			p.Receive()
			other.Bound()
		}
	})
}
