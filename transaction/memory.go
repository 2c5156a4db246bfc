package transaction

// blockSizes are the sizes of the blocks that messages are kept in, size classes of Go's allocator, so that
// nothing is lost. A larger message has a block of its own size.
var blockSizes = [...]int{128, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 8192, 16384, 32768}

// memory is what a shard keeps of finished transactions for the next ones. The zero memory is empty.
type memory struct {
	transactions *transaction // a list by chain
	spare        int          // how many are in it
	blocks       [len(blockSizes)][][]byte
}

// transaction returns one that is empty but for its shard and serial.
func (m *memory) transaction(s *shard) *transaction {
	t := m.transactions
	if t == nil {
		return &transaction{shard: s}
	}
	m.transactions, t.chain = t.chain, nil
	m.spare--
	return t
}

// recycle takes a transaction that nothing refers to but IDs, which are void from now on.
func (m *memory) recycle(t *transaction) {
	t.serial++
	t.held = held{}
	if m.spare < spareTransactions {
		t.chain, m.transactions = m.transactions, t
		m.spare++
	}
}

// block returns a copy of b.
func (m *memory) block(b []byte) []byte {
	for class, size := range blockSizes {
		if len(b) > size {
			continue
		}
		free := m.blocks[class]
		if len(free) == 0 {
			return append(make([]byte, 0, size), b...)
		}
		last := len(free) - 1
		block := free[last]
		free[last] = nil
		m.blocks[class] = free[:last]
		return append(block, b...)
	}
	return append([]byte(nil), b...)
}

// free takes a block back.
func (m *memory) free(block []byte) {
	for class, size := range blockSizes {
		if cap(block) == size {
			if len(m.blocks[class]) < spareBytes/size {
				m.blocks[class] = append(m.blocks[class], block[:0])
			}
			return
		}
	}
}
