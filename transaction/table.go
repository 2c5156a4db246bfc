package transaction

// table holds the transactions of a shard by key, in chains that go through the transactions: to add and to take
// one allocates nothing. The zero table is empty.
type table struct {
	buckets []*transaction // a power of two of them
	count   int
}

func (t *table) find(k key) *transaction {
	if t.count == 0 {
		return nil
	}
	for tx := t.buckets[t.bucket(k)]; tx != nil; tx = tx.chain {
		if tx.key == k {
			return tx
		}
	}
	return nil
}

// bucket is where k's chain is. The hash's low bits chose the shard.
func (t *table) bucket(k key) int { return int(k.a >> 16 & uint64(len(t.buckets)-1)) }

// insert adds tx, whose key is not in the table.
func (t *table) insert(tx *transaction) {
	if t.count >= len(t.buckets) {
		t.resize(max(firstBuckets, 2*len(t.buckets)))
	}
	t.put(tx)
	t.count++
}

func (t *table) put(tx *transaction) {
	b := t.bucket(tx.key)
	tx.chain, t.buckets[b] = t.buckets[b], tx
}

// remove takes tx out, which is in.
func (t *table) remove(tx *transaction) {
	at := &t.buckets[t.bucket(tx.key)]
	for *at != tx {
		at = &(*at).chain
	}
	*at, tx.chain = tx.chain, nil
	t.count--
	// After a flood the table shrinks, well below where it grew.
	if n := len(t.buckets); n > firstBuckets && t.count < n/8 {
		t.resize(n / 2)
	}
}

func (t *table) resize(n int) {
	old := t.buckets
	t.buckets = make([]*transaction, n)
	for _, tx := range old {
		for tx != nil {
			next := tx.chain
			t.put(tx)
			tx = next
		}
	}
}
