package transaction

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestWheel: whatever is set, put off and stopped, each transaction comes by at its tick, neither before its timer nor a
// tick after it; checked against a list that is searched.
func TestWheel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var w wheel
	all := make([]*transaction, 300)
	for i := range all {
		all[i] = &transaction{}
		all[i].again, all[i].end = never, never
	}
	now := moment(0)
	for range 20_000 {
		tx := all[random.IntN(len(all))]
		switch random.IntN(10) {
		case 0:
			w.unlink(tx)
			tx.again, tx.end = never, never
		case 1, 2:
			tx.again, tx.end = never, now+moment(random.Int64N(int64(90*time.Second)))
			w.schedule(tx)
		case 3, 4:
			tx.again, tx.end = now+moment(random.Int64N(int64(3*time.Second))), never
			w.schedule(tx)
		case 5:
			if random.IntN(200) == 0 {
				now += time.Minute // nobody advanced it for long
			}
		}
		now += moment(random.Int64N(int64(30 * time.Millisecond)))
		for tx := w.next(now); tx != nil; tx = w.next(now) {
			if tx.due() > now {
				w.schedule(tx)
				continue
			}
			tx.again, tx.end = never, never
		}
		for i, tx := range all {
			if tx.due() != never && (!tx.scheduled || tx.due() <= now-tick) {
				t.Fatalf("%v: transaction %d was due at %v", now, i, tx.due())
			}
		}
	}
}

// TestTable: what is put in is found, and nothing else, while the table grows and shrinks.
func TestTable(t *testing.T) {
	var table table
	random := rand.New(rand.NewPCG(3, 4))
	in := map[key]*transaction{}
	for n := range 30_000 {
		k := key{uint64(random.IntN(4000)) << 16, uint64(random.IntN(2))}
		tx := table.find(k)
		if tx != in[k] {
			t.Fatalf("found %p, wanted %p", tx, in[k])
		}
		switch {
		case tx != nil && n > 15_000 || tx != nil && random.IntN(2) == 0:
			table.remove(tx)
			delete(in, k)
		case tx == nil && n < 15_000:
			tx = &transaction{}
			tx.key = k
			table.insert(tx)
			in[k] = tx
		}
	}
	for k, tx := range in {
		if table.find(k) != tx {
			t.Fatal("lost")
		}
		table.remove(tx)
	}
	if table.count != 0 || len(table.buckets) > 2*firstBuckets {
		t.Errorf("%d left, %d buckets", table.count, len(table.buckets))
	}
}
