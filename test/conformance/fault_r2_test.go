package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"biloxi/server"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// journalBytes is what the journals of a data folder have written.
func journalBytes(t *testing.T, b *bed.Bed) (n int64) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(b.Config.Data, server.LocationFolder, "*.journal"))
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

// TestFaultR2: what one subscriber can have written to the disk has an end, and others do not feel it.
func TestFaultR2(t *testing.T) {
	fat := func(i int) string {
		return fmt.Sprintf("<sip:%d@192.0.2.1;x=%s>", i, strings.Repeat("x", 700))
	}
	for _, over := range []sip.Transport{udp, tcp} {
		t.Run("R2 a subscriber in a hurry is asked to wait, over "+over.String(), func(t *testing.T) {
			simulate(t, func(t *testing.T, b *bed.Bed) {
				p, other := phoneOf(t, b, over, b.User()), phoneOf(t, b, udp, b.User())
				for i := range 9 {
					p.Register(Contact(fat(i))).Expect(200)
				}
				refused, began := 0, time.Now()
				before := journalBytes(t, b)
				for i := range 1200 {
					r := p.Register(Contact(fat(i%9))).Expect(200, 503)
					if r.Status() == 503 {
						refused++
						if wait := r.Header("Retry-After"); wait != "1" {
							t.Fatalf("Retry-After is %s", wait)
						}
						p.Query().Expect(200)
					}
					if i%100 == 0 {
						other.Register(Contact("<sip:other@192.0.2.2>")).Expect(200)
					}
					time.Sleep(time.Millisecond)
				}
				grown := journalBytes(t, b) - before
				if took := time.Since(began); refused == 0 || grown > int64(8<<20+400_000*took.Seconds()) {
					t.Errorf("%d of 1200 are refused, %d bytes are written in %v", refused, grown, took)
				}
				if n := b.Server.Status().Counters.Refused["too_fast"]; n != uint64(refused) {
					t.Errorf("%d refusals are counted, want %d", n, refused)
				}
				time.Sleep(time.Second)
				p.Register(Contact(fat(3))).Expect(200)
			})
		})
	}
	t.Run("R2 removal and registration in a loop", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := phoneOf(t, b, udp, b.User())
			before, began, refused := journalBytes(t, b), time.Now(), 0
			for i := range 1500 {
				for _, expires := range []string{"600", "0"} {
					if p.Register(Contact(fat(i)+";expires="+expires)).Expect(200, 503).Status() == 503 {
						refused++
					}
				}
				time.Sleep(time.Millisecond)
			}
			if grown, most := journalBytes(t, b)-before, int64(8<<20+400_000*time.Since(began).Seconds()); refused == 0 || grown > most {
				t.Errorf("%d are refused, %d bytes are written in %v", refused, grown, time.Since(began))
			}
		})
	})
	t.Run("R2 phones that refresh at their pace are never refused", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			user := b.User()
			var phones []*Phone
			for range 10 {
				phones = append(phones, phoneOf(t, b, udp, user))
			}
			for range 200 { // all ten at once, every half minute
				for i, p := range phones {
					p.Register(Contact(fat(i))).Expect(200)
				}
				time.Sleep(30 * time.Second)
			}
			if n := b.Server.Status().Counters.Refused["too_fast"]; n != 0 {
				t.Errorf("%d are refused", n)
			}
		})
	})
	t.Run("R2 a record has an end, and what is refused is not there", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := phoneOf(t, b, tcp, b.User())
			for i := range 7 {
				p.Register(Contact(fmt.Sprintf("<sip:%d@192.0.2.1;x=%s>;y=%s", i, strings.Repeat("x", 990), strings.Repeat("y", 990)))).Expect(200)
			}
			p.Register(Contact(fmt.Sprintf("<sip:more@192.0.2.1;x=%s>;y=%s", strings.Repeat("x", 990), strings.Repeat("y", 990)))).Expect(500)
			if n := len(p.Query().Expect(200).Contacts()); n != 7 {
				t.Errorf("%d contacts", n)
			}
			p.Register(Contact("<sip:small@192.0.2.1>")).Expect(200)
		})
	})
}
