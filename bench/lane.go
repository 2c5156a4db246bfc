package bench

import "time"

// step is what a lane waits for the answer to.
type step uint8

const (
	stepNone     step = iota
	stepClear         // REGISTER that removes all contacts
	stepRegister      // REGISTER with a contact
	stepQuery         // REGISTER without
	stepOptions
	stepMessage
	stepInvite
	stepBye
)

// span is a part of a lane's request.
type span struct{ start, end int }

// lane is one operation under way, and the memory for the next: one request at a time.
type lane struct {
	index  uint32
	busy   bool
	step   step
	then   step // what follows when the step is done; stepNone: the operation is
	user   *user
	peer   string // whom a MESSAGE or INVITE is for
	serial uint32 // of the transaction: with the lane's index it makes the branch
	first  uint32 // serial of the operation's first transaction: in its Call-ID and tag
	cseq   uint32
	tries  int // requests of this step that were challenged

	start time.Duration // when the operation was due, or its first request left

	request []byte // kept for retransmissions
	callID  span   // parts of the request that the answer must have again
	from    span
	to      span
	method  span

	retransmit time.Duration // when; 0: not again
	interval   time.Duration // to the retransmission behind it
	expire     time.Duration // when the answer is given up (RFC 3261 §17.1 Timers B and F)
	ringing    bool          // a provisional answer to the INVITE came

	// The dialog of a call (RFC 3261 §12.1.2).
	ack    []byte
	remote []byte // To with its tag
	target []byte // remote target
	routes []byte // Route header fields
}

func (l *lane) part(s span) []byte { return l.request[s.start:s.end] }
