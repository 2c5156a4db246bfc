package bench

import (
	"fmt"
	"sync/atomic"
	"time"

	"biloxi/sip"
)

// worker is a socket or connection, the phones that use it, and their operations. Its loop owns all of it
// but the counters, which may be read at any time.
type worker struct {
	run    *run
	config *Config
	index  int
	wire   wire
	parts  parts

	users []user
	next  int    // the user whose turn it is
	peers []user // whose phones are called, of this worker or another; only their names are read
	peer  int

	lanes   []lane
	idle    []uint32
	fresh   []uint32 // lanes whose operation begins with the next flush
	pending int      // lanes that are busy
	answers []answer // by lane of the caller

	logins  [2]login // of 401s and of 407s
	serials uint32   // of the logins
	stage   *stage
	resting bool          // all of its operations of the stage have ended
	now     time.Duration // since the run began; read once for each batch
	due     time.Duration // when the next operation is, with a rate
	scanned time.Duration // when timers were looked at
	every   time.Duration // how often they are
	wake    time.Duration // when it is to go on if nothing comes
	serial  uint32

	message sip.Message
	uri     []byte
	tag     []byte // of the last call to one of the phones
	arena   []byte // what the phones answer, until it is flushed
	routes  [][]byte
	late    lane // the dialog of a call that may be over

	began      time.Duration // when a connection's opening was due; 0: operations begin with their first request
	registered bool          // the last operation went well

	counters *counters
	latency  *Histogram
}

// counters are what the workers count.
type counters struct {
	operations      atomic.Int64 // measured, and right
	done            atomic.Int64 // of the stage, for the progress
	requests        atomic.Int64
	answers         atomic.Int64
	retransmissions atomic.Int64
	unanswered      atomic.Int64
	repeated        atomic.Int64 // answers that came again, or too late
	challenges      atomic.Int64
	acks            atomic.Int64 // that the called phones got
	established     atomic.Int64 // calls whose ACK went out
	overtaken       atomic.Int64 // calls whose 200 came before any 180
	direct          atomic.Int64 // calls without a Record-Route: ACK and BYE would not pass the server
	faults          [faultCount]atomic.Int64
}

func newWorker(r *run, index, lanes int, users []user, wire wire) *worker {
	w := &worker{run: r, config: r.config, index: index, wire: wire, users: users, peers: users,
		counters: &r.counters[index%len(r.counters)], latency: &r.latency[index%len(r.latency)]}
	w.lanes = make([]lane, lanes)
	for i := range w.lanes {
		w.lanes[i].index = uint32(i)
		w.idle = append(w.idle, uint32(lanes-1-i))
	}
	w.logins[0].serials, w.logins[1].serials = &w.serials, &w.serials
	w.layOut()
	return w
}

// loop does a stage: until it has ended and nothing is under way.
func (w *worker) loop(s *stage) error {
	w.enter(s)
	for quiet := false; ; {
		if ended, err := w.act(quiet); ended || err != nil {
			return err
		}
		n, err := w.wire.receive(w.run.epoch.Add(w.wake), w.gather())
		if err != nil {
			return w.abandon(err)
		}
		quiet = n == 0
		w.takeAll(n)
	}
}

// enter begins a stage.
func (w *worker) enter(s *stage) {
	w.stage, w.next, w.resting = s, 0, false
	w.now = w.run.clock()
	w.due = w.now + s.offset(w.index)
	w.every = scanDatagrams
	if w.config.Transport.Reliable() {
		w.every = scanStreams
	}
}

// act begins operations, sends what is to be sent, and says whether the stage has ended for the worker. If not, it
// is to go on at the time wake, or when messages have come; quiet says that none came until then.
func (w *worker) act(quiet bool) (ended bool, err error) {
	w.fill()
	if err := w.flush(); err != nil {
		return true, w.abandon(err)
	}
	ended = w.run.aborted.Load() || w.pending == 0 && w.finished() && w.mayRest(quiet)
	w.wake = w.until()
	return ended, nil
}

// takeAll is given the messages that came, and looks at timers now and then.
func (w *worker) takeAll(n int) {
	w.now = w.run.clock()
	w.counters.answers.Add(int64(n))
	for i := range n {
		w.take(w.wire.message(i))
	}
	if w.now-w.scanned >= w.every {
		w.scanned = w.now
		w.scan()
	}
}

// mayRest reports whether a worker that has ended its own operations is needed by none of the others: all
// have ended theirs, no ACK is missing, and nothing more comes for its phones.
func (w *worker) mayRest(quiet bool) bool {
	if !w.stage.proxied {
		return true
	}
	if !w.resting {
		w.resting = true
		w.run.resting.Add(1)
		return false
	}
	return quiet && int(w.run.resting.Load()) >= len(w.run.workers) && w.allAcknowledged()
}

// abandon gives up all that is under way on a wire that is broken, and says which it is.
func (w *worker) abandon(err error) error {
	if !w.resting {
		w.run.resting.Add(1)
	}
	for i := range w.lanes {
		if l := &w.lanes[i]; l.busy {
			w.fail(l, faultConnection, nil)
		}
	}
	return fmt.Errorf("%s: %w", w, err)
}

// finished reports whether no operation is to begin any more.
func (w *worker) finished() bool {
	if w.stage.once {
		return w.next >= len(w.users)
	}
	return w.stage.ended.Load()
}

// until is when the worker must wake up if nothing comes.
func (w *worker) until() time.Duration {
	t := w.now + w.every
	if w.resting {
		t = w.now + restTime
	}
	if w.stage.interval > 0 && len(w.idle) > 0 && !w.stage.ended.Load() {
		t = min(t, w.due)
	}
	return t
}

// gather is how long to wait for more answers when one has come: with many operations under way and none
// due at a time, being woken for each answer would cost more than all else.
func (w *worker) gather() time.Duration {
	if w.stage.interval > 0 || w.pending < gatherFrom {
		return 0
	}
	return gatherTime
}

// flush sends what is queued. Operations without a due time begin now.
func (w *worker) flush() error {
	if len(w.fresh) > 0 {
		w.now = w.run.clock()
		for _, i := range w.fresh {
			w.lanes[i].start = w.now
			if w.began > 0 {
				w.lanes[i].start = w.began
			}
		}
		w.fresh = w.fresh[:0]
	}
	err := w.wire.flush()
	w.arena = w.arena[:0]
	return err
}

// fill begins as many operations as may.
func (w *worker) fill() {
	for len(w.idle) > 0 && !w.finished() {
		if w.stage.interval > 0 && w.due > w.now {
			return
		}
		u := w.free()
		if u == nil || !w.stage.allow(w.run) {
			return
		}
		n := len(w.idle) - 1
		l := &w.lanes[w.idle[n]]
		w.idle = w.idle[:n]
		w.begin(l, u)
	}
}

// free is the next user that has no request under way, nil if none is found.
func (w *worker) free() *user {
	if w.stage.once {
		w.next++
		return &w.users[w.next-1]
	}
	for range min(len(w.users), maxSearch) {
		u := &w.users[w.next]
		if w.next++; w.next == len(w.users) {
			w.next = 0
		}
		if !u.busy {
			return u
		}
	}
	return nil
}

// begin starts an operation of the stage for a user.
func (w *worker) begin(l *lane, u *user) {
	u.busy = true
	w.pending++
	w.serial++
	l.busy, l.user, l.step, l.then, l.tries = true, u, w.stage.step, w.stage.then, 0
	l.first = w.serial
	if w.stage.interval > 0 {
		l.start = w.due
		w.due += w.stage.interval
	} else {
		w.fresh = append(w.fresh, l.index)
	}
	if w.stage.fresh {
		u.nonce = nil
	}
	if l.step == stepMessage || l.step == stepInvite {
		l.peer = w.callee(u)
	}
	l.cseq = 0
	w.request(l)
}

// callee is whom a user calls: the next one, not itself.
func (w *worker) callee(u *user) string {
	for {
		if w.peer++; w.peer >= len(w.peers) {
			w.peer = 0
		}
		if p := &w.peers[w.peer]; p != u {
			return p.name
		}
	}
}

// request sends the request of the lane's step, as a new transaction.
func (w *worker) request(l *lane) {
	w.serial++
	l.serial = w.serial
	switch l.step {
	case stepClear, stepRegister, stepQuery:
		l.user.cseq++
		l.cseq = l.user.cseq
	default:
		l.cseq++
	}
	l.ringing = false
	w.appendRequest(l)
	l.expire = w.now + w.config.timeout()
	l.retransmit, l.interval = 0, w.config.T1
	if !w.config.Transport.Reliable() {
		l.retransmit = w.now + l.interval
	}
	w.counters.requests.Add(1)
	w.wire.send(l.request)
}

// finish ends an operation that went well.
func (w *worker) finish(l *lane) {
	w.registered = true
	w.counters.done.Add(1)
	if w.stage.measured && w.run.measuring.Load() {
		w.latency.Record(w.now - l.start)
		w.counters.operations.Add(1)
	}
	w.release(l)
}

// fail ends an operation that went wrong; m is what showed it, nil if nothing came.
func (w *worker) fail(l *lane, f fault, m *sip.Message) {
	w.registered = false
	w.counters.faults[f].Add(1)
	w.counters.done.Add(1)
	if m != nil {
		w.run.keepSample(f, m.Bytes(), l.request)
	}
	w.release(l)
}

func (w *worker) release(l *lane) {
	l.busy, l.step = false, stepNone
	l.user.busy = false
	w.pending--
	w.idle = append(w.idle, l.index)
}

// scan looks at the timers of all that is under way.
func (w *worker) scan() {
	for i := range w.lanes {
		l := &w.lanes[i]
		switch {
		case !l.busy:
		case w.now >= l.expire:
			w.counters.unanswered.Add(1)
			w.counters.done.Add(1)
			w.run.keepUnanswered(l.request)
			w.release(l)
		case l.retransmit > 0 && w.now >= l.retransmit:
			w.retransmit(l)
		}
	}
	for i := range w.answers {
		w.repeatAnswer(&w.answers[i])
	}
}

// retransmit sends a request again (RFC 3261 §17.1.1.2 Timer A: the interval doubles; §17.1.2.2 Timer E:
// up to T2).
func (w *worker) retransmit(l *lane) {
	l.interval *= 2
	if l.step != stepInvite {
		l.interval = min(l.interval, w.config.T2)
	}
	l.retransmit = w.now + l.interval
	w.counters.retransmissions.Add(1)
	w.wire.send(l.request)
}

// take is given each message that came.
func (w *worker) take(b []byte) {
	m := &w.message
	if err := m.Parse(b); err != nil {
		if len(b) > 0 {
			w.counters.faults[faultSyntax].Add(1)
			w.run.keepSample(faultSyntax, b, nil)
		}
		return
	}
	if m.IsRequest() {
		w.called(m)
		return
	}
	l, serial := w.match(m)
	switch {
	case l == nil:
		w.counters.faults[faultVia].Add(1)
		w.run.keepSample(faultVia, b, nil)
	case !l.busy || serial != l.serial:
		w.counters.repeated.Add(1)
		w.acknowledgeAgain(m)
	default:
		w.response(l, m)
	}
}

// match finds the lane of an answer by the branch of its topmost Via (RFC 3261 §17.1.3), nil if none of
// this worker's.
func (w *worker) match(m *sip.Message) (l *lane, serial uint32) {
	via, err := m.Via()
	branch := via.Branch()
	at := w.parts.branchAt
	if err != nil || len(branch) != at+14 || string(branch[:at]) != string(w.parts.via[len(w.parts.via)-at:]) {
		return nil, 0
	}
	index, ok := parseHex(branch[at : at+6])
	number, ok2 := parseHex(branch[at+6:])
	if !ok || !ok2 || index >= uint64(len(w.lanes)) {
		return nil, 0
	}
	return &w.lanes[index], uint32(number)
}

func (w *worker) String() string { return fmt.Sprintf("socket %d at %s", w.index, w.wire.local()) }
