package transaction

// ID names a transaction for as long as it lives, and nothing afterwards: what the layer is asked about one that is
// over gives [ErrTerminated]. IDs can be compared. The zero ID is none.
type ID struct {
	t      *transaction
	serial uint32
}

// IsZero reports whether id is none.
func (id ID) IsZero() bool { return id.t == nil }

// transaction is the memory that holds one transaction after the other. It belongs to its shard; but for the
// pointer to that, which never changes, it is under the shard's lock.
type transaction struct {
	shard  *shard
	serial uint32 // how many it has held before
	calls  int32  // methods of the user's that run for it
	held
}

// held is a machine with what it needs to do what the machine says.
type held struct {
	machine
	key   key
	chain *transaction
	owner any
	route route
	kept  []byte // what may be sent again, or what an ACK and a CANCEL are made of; a block of the shard's

	before, after *transaction // in its list of the wheel
	turn          int64        // where that is

	toTag uint64 // of an RFC 2543 client: hash of the To tag of the final response

	scheduled bool // it is in the wheel
	old       bool // its client is one of RFC 2543
	short     bool // of the INVITE that it sent only what an ACK and a CANCEL need is kept
	silent    bool // it is the layer's own, the user does not know it
	stranger  bool // its client is one that nothing is known of
	counted   bool // it is one of Layer.unacknowledged
	finished  bool // it is counted among those that have their final response
}

func (t *transaction) id() ID { return ID{t, t.serial} }

func (t *transaction) server() bool { return t.kind == inviteServer || t.kind == nonInviteServer }

// lock returns the transaction that id names, with its shard locked, nil if it is over.
func (id ID) lock() *transaction {
	if id.t == nil {
		return nil
	}
	s := id.t.shard
	s.mu.Lock()
	if id.t.serial != id.serial || id.t.state == Terminated {
		s.mu.Unlock()
		return nil
	}
	return id.t
}

// statusEvent is what a response of that status code is to a machine.
func statusEvent(code int) event {
	switch {
	case code < 200:
		return provisional
	case code < 300:
		return success
	}
	return failure
}
