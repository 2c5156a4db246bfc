package transaction

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/sip"
	"biloxi/tally"
)

// What the layer refuses.
var (
	// ErrFull: as many transactions are at work as may be. A request gets 503 with Retry-After, without a
	// transaction.
	ErrFull = errors.New("transaction: too many transactions")

	// ErrTerminated: the transaction is over.
	ErrTerminated = errors.New("transaction: terminated")

	// ErrExists: there is such a transaction. Of a request from the network this is a retransmission that came
	// at the same time as the request, and has been absorbed.
	ErrExists = errors.New("transaction: exists")

	// ErrMessage: what was given is not a request or response that a transaction can send or begin with.
	ErrMessage = errors.New("transaction: not a message for a transaction")

	// ErrProvisional: RFC 4320 §4.1 has no provisional response but 100 to a non-INVITE request.
	ErrProvisional = errors.New("transaction: a provisional response to a non-INVITE request")
)

// Config is what a layer is told once.
type Config struct {
	Timers Timers
	Max    int // most transactions at work at a time, that have no final response yet; 0: DefaultMax

	// MaxFinished is how many bytes may be held of transactions that have their final response, and are there to
	// absorb what comes again: DefaultMaxFinished if 0. Past it the oldest that absorb retransmissions of other
	// requests than INVITE are given up before their Timer J fires: a retransmission that comes later is a new
	// request. Where INVITEs alone are too much new work is refused, as past Max.
	MaxFinished int64

	Fired func() // called by Run behind each Advance, so that what was sent can leave at once; nil: nothing
}

// Layer is the transaction layer of one element (RFC 3261 §17). All its methods may be called from any goroutine
// at any time.
type Layer struct {
	sender Sender
	user   User
	timers Timers
	max    int64
	share  int64 // of a shard of the bytes of finished transactions
	fired  func()
	epoch  time.Time
	keys   matcher
	chunks *chunks

	unacknowledged atomic.Int64  // refusals of strangers' INVITEs that are sent again by Timer G
	refused        *tally.Counts // the same, by source

	working atomic.Int64  // transactions without a final response
	bytes   atomic.Int64  // of messages that they keep
	wake    chan struct{} // Run waits there while nothing is held
	parsed  sync.Pool     // *sip.Message

	shards [shardCount]shard
}

// New makes a layer that sends through s for u. now is when its time begins. It starts nothing: who uses it calls
// Run, or Advance at least every 10 ms.
func New(cfg Config, now time.Time, s Sender, u User) *Layer {
	l := &Layer{sender: s, user: u, timers: cfg.Timers.orDefault(), max: int64(cfg.Max), fired: cfg.Fired, epoch: now,
		keys: newMatcher(), chunks: newChunks(), refused: tally.New(refusedSlots), wake: make(chan struct{}, 1)}
	if l.max <= 0 {
		l.max = DefaultMax
	}
	if cfg.MaxFinished <= 0 {
		cfg.MaxFinished = DefaultMaxFinished
	}
	l.share = cfg.MaxFinished / shardCount
	// The chunks outlive no layer, and no layer is used while nothing refers to it.
	runtime.AddCleanup(l, (*chunks).close, l.chunks)
	l.parsed.New = func() any { return new(sip.Message) }
	for i := range l.shards {
		l.shards[i].layer = l
	}
	return l
}

func (l *Layer) moment(now time.Time) moment { return now.Sub(l.epoch) }

func (l *Layer) shard(k key) *shard { return &l.shards[k.a%shardCount] }

// crowded reports whether the finished transactions of the shard leave no room for strangers' new work.
func (s *shard) crowded(limit int64) bool {
	l := s.layer
	if 2*s.ended*l.max < l.share*limit {
		return false
	}
	s.stats.Refused++
	return true
}

// admit counts one more transaction at work if there is room among the first limit of them.
func (s *shard) admit(limit int64) bool {
	l := s.layer
	// Of the share of finished ones the same part is free for running work as of those at work.
	if s.ended*l.max >= l.share*limit {
		s.stats.Refused++
		return false
	}
	if l.working.Add(1) > limit || l.bytes.Load() >= limit*MaxBytesEach {
		l.working.Add(-1)
		s.stats.Refused++
		return false
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// deliver tells the user, without a lock.
func (l *Layer) deliver(now time.Time, n notice, req *sip.Request, resp *sip.Message, flow sip.Flow) {
	if n.tells != 0 {
		if n.tells&tellResponse != 0 {
			l.user.Response(now, n.id, n.owner, resp, flow)
		}
		if n.tells&tellAck != 0 {
			l.user.Ack(now, n.id, n.owner, req, flow)
		}
		if n.tells&tellTimeout != 0 {
			l.user.Timeout(now, n.id, n.owner)
		}
		if n.tells&tellError != 0 {
			l.user.TransportError(now, n.id, n.owner, n.err)
		}
		n.id.t.shard.told(&n)
	}
	if n.last {
		if !n.silent {
			l.user.Terminated(now, n.id, n.owner)
		}
		s := n.id.t.shard
		s.mu.Lock()
		s.memory.recycle(n.id.t)
		s.mu.Unlock()
	}
}

// Working is how many transactions are at work: those without a final response.
func (l *Layer) Working() int { return int(l.working.Load()) }

// Open is a server transaction that has no final response, and whose it is.
type Open struct {
	ID    ID
	Owner any
}

// Open returns the server transactions that are at work and have an owner, each as it is at a moment of its own.
func (l *Layer) Open() (list []Open) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for _, t := range s.buckets {
			for ; t != nil; t = t.chain {
				if t.server() && !t.finished && t.owner != nil {
					list = append(list, Open{t.id(), t.owner})
				}
			}
		}
		s.mu.Unlock()
	}
	return list
}

// Terminate ends a transaction without another word on the wire: a client's that is of no interest any more, or a
// server's that will not be answered. What belongs to it is a stray, or new, from now on.
func (l *Layer) Terminate(now time.Time, id ID) {
	t := id.lock()
	if t == nil {
		return
	}
	t.terminate()
	t.shard.settle(t)
	n := t.shard.notice(t, 0, nil)
	t.shard.mu.Unlock()
	l.deliver(now, n, nil, nil, sip.Flow{})
}

// Detach ends the user's part in a transaction whose end it need not see: it hears nothing more of it, Terminated
// included, but for a CANCEL, which is to be answered all the same and has no owner. What has begun to call the user
// on another goroutine still does. The transaction itself lives on as its figure says, and goes on absorbing.
//
// False: it is over, and Terminated comes or has come.
func (l *Layer) Detach(id ID) bool {
	t := id.lock()
	if t == nil {
		return false
	}
	defer t.shard.mu.Unlock()
	if t.silent {
		return false
	}
	t.silent, t.owner = true, nil
	return true
}

// Own gives a transaction to another owner, who hears all that comes of it, Terminated too. What has begun to call the
// user on another goroutine still names the owner before; Terminated never does.
//
// False: it is over, and the owner before hears or has heard Terminated; or it is detached.
func (l *Layer) Own(id ID, owner any) bool {
	t := id.lock()
	if t == nil {
		return false
	}
	defer t.shard.mu.Unlock()
	if t.silent {
		return false
	}
	t.owner = owner
	return true
}

// Owner is whose a transaction is, nil if it is over or detached.
func (l *Layer) Owner(id ID) any {
	t := id.lock()
	if t == nil {
		return nil
	}
	defer t.shard.mu.Unlock()
	return t.owner
}

// State returns the state that a transaction is in, Terminated when its user's part is over.
func (l *Layer) State(id ID) State {
	t := id.lock()
	if t == nil {
		return Terminated
	}
	defer t.shard.mu.Unlock()
	return t.state
}

// Advance lets the timers fire that are due at now.
func (l *Layer) Advance(now time.Time) { l.advance(now) }

// advance is Advance, and reports whether nothing is held any more.
func (l *Layer) advance(now time.Time) (empty bool) {
	var out [fireBudget]notice
	empty = true
	at := l.moment(now)
	for i := range l.shards {
		for more := true; more; {
			var told []notice
			var none bool
			told, more, none = l.shards[i].fire(at, out[:0])
			for _, n := range told {
				l.deliver(now, n, nil, nil, sip.Flow{})
			}
			empty = empty && (more || none)
		}
	}
	return empty
}

// Run advances the layer until ctx is done. Transactions that are held then are left as they are.
func (l *Layer) Run(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		empty := l.advance(time.Now())
		if l.fired != nil {
			l.fired()
		}
		if !empty {
			continue
		}
		ticker.Stop()
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		ticker.Reset(tick)
	}
}
