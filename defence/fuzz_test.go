package defence

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// FuzzEnemy holds that whatever one /56 does, from any address and port, at any pace, for any users, as far as it is a
// stranger: in each stretch of time, the guesses that are looked at are its tries, and one for each interval of it.
func FuzzEnemy(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, uint16(2000))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := begin(t)
		p.policy.RefuseAfter = p.policy.Tries + 1 + r.IntN(1000)
		pace := time.Duration(1+r.IntN(3000)) * time.Millisecond
		began, looked := p.now, 0
		for range min(steps, 5000) {
			source, user := fmt.Sprintf("2001:db8:0:%x::%x", r.IntN(1+r.IntN(256)), r.IntN(3)), fmt.Sprint("u", r.IntN(1+r.IntN(100)))
			if r.IntN(10) == 0 {
				p.right(source, "mallory", History(r.IntN(3)), 7)
			}
			var v Verdict
			if r.IntN(3) == 0 {
				v = p.ask(source)
			} else {
				v = p.guess(source, user, Stranger, uint16(r.Uint32()))
			}
			if v == Look {
				looked++
			}
			p.now = p.now.Add(time.Duration(r.Int64N(int64(pace))))
		}
		passed := p.now.Sub(began)
		// Two counts, of passwords and of names, each with its tries and what comes back of them.
		most := 2*(25+int(passed/p.policy.Window)*25+25) + int(passed/p.policy.Interval) + 1
		if looked > most {
			t.Errorf("%d were looked at in %v, more than %d", looked, passed, most)
		}
	})
}
