package conformance

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestFaultClock: the time of day is set while the server runs. Nothing ends by it, and nothing lasts longer.
func TestFaultClock(t *testing.T) {
	for name, step := range map[string]time.Duration{
		"an hour forward": time.Hour, "a day forward": 24 * time.Hour, "a year forward": 365 * 24 * time.Hour,
		"an hour back": -time.Hour, "a day back": -24 * time.Hour, "a year back": -365 * 24 * time.Hour,
	} {
		t.Run("§3 the clock is set "+name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				var by atomic.Int64
				b := bed.Start(t, bed.Options{Network: NewNetwork(), Address: "192.0.2.222", Data: data, Config: wellKnownPorts,
					Wall: func() time.Time { return time.Now().Add(time.Duration(by.Load())) }})
				clockIsSet(t, b, func() { by.Store(int64(step)) }, step)
				b.Stop()
			})
		})
	}
}

func clockIsSet(t *testing.T, b *bed.Bed, set func(), step time.Duration) {
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"
	p := phoneOf(t, b, sip.UDP, b.User())
	p.Register(Contact("<" + one + ">;expires=600")).Expect(200)
	p.Register(Contact("<" + two + ">;expires=600")).Expect(200)
	p.Register(Contact("<" + two + ">;expires=0")).Expect(200)
	set()
	time.Sleep(10 * time.Second)
	p.Query().Expect(200).Bound(one).Lasts(one, 590, 1)
	if date, err := time.Parse(time.RFC1123, p.Query().Header("Date")); err != nil || date.Sub(time.Now().Add(step)).Abs() > 2*time.Second {
		t.Errorf("the Date is %v, %v", date, err)
	}
	// RFC 7616 §3.3: the nonce is as old as it is, and no older.
	p.Once(p.Credentials(Credentials{})).Expect(200)
	// RFC 3261 §10.3 step 7: what the phone sends next is newer than what it sent, by CSeq and not by the clock.
	p.Register(Contact("<"+one+">;expires=600")).Expect(200).Lasts(one, 600, 1)
	p.Register(Contact("<"+two+">;expires=600"), CSeq(1)).Expect(500) // its removal is remembered
	time.Sleep(40 * time.Second)
	p.Register(Contact("<"+two+">;expires=600"), CSeq(1)).Expect(200).Bound(one, two) // and is forgotten
	time.Sleep(555 * time.Second)
	p.Query().Expect(200).Bound(one, two)
	time.Sleep(10 * time.Second)
	p.Query().Expect(200).Bound(two)
	time.Sleep(40 * time.Second)
	p.Query().Expect(200).Bound()
}
