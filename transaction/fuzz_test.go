package transaction

import (
	"net/netip"
	"testing"
	"time"

	"biloxi/sip"
)

// rank orders the states as the figures do: no machine goes back.
var rank = map[State]int{Calling: 1, Trying: 1, Proceeding: 2, Completed: 3, Accepted: 3, Confirmed: 4, Terminated: 5}

// FuzzMachine gives a machine any events in any order, with any time between them. It never goes back; it is silent
// once it is over; no timer stands in the past; the user hears of a timeout or an error only at the end, but for a
// server's; and when all timers have run it is over, or waits for its user or its peer as the RFC has it.
func FuzzMachine(f *testing.F) {
	f.Add(uint8(0), []byte{0, 10, 1, 20, 2, 30})
	f.Add(uint8(1), []byte{0, 10, 1, 20, 2, 30})
	f.Add(uint8(2), []byte{0, 10, 8, 20, 2, 30})
	f.Add(uint8(5), []byte{9, 0, 0, 1, 5, 255})
	f.Add(uint8(7), []byte{3, 40, 2, 250})
	f.Fuzz(func(t *testing.T, which uint8, events []byte) {
		timers := Timers{T1: time.Duration(which/8) * 100 * time.Millisecond}.orDefault()
		k := kind(which%4) + inviteClient
		c := &checked{t: t, timers: timers, m: start(k, which/4%2 == 1, timers, 0)}
		for i := 0; i+1 < len(events); i += 2 {
			c.run(c.now + time.Duration(events[i+1])*50*time.Millisecond)
			if e := event(events[i]%10) + provisional; e != againFires && e != endFires && takes(c.m, e) {
				c.step(e)
			}
		}
		c.run(c.now + time.Hour)
		if k == inviteClient && c.m.state == Proceeding && !c.m.cancelled || k == inviteServer && c.m.state == Proceeding {
			c.step(failure) // which the user or the peer owes
			c.run(c.now + time.Hour)
		}
		if c.m.state != Terminated || c.m.due() != never {
			t.Fatalf("not over: %+v", c.m)
		}
	})
}

// checked is a machine each of whose steps is checked.
type checked struct {
	t      *testing.T
	timers Timers
	m      machine
	now    moment
}

func (c *checked) run(until moment) {
	for n := 0; c.m.due() <= until; n++ {
		if n > 20_000 {
			c.t.Fatalf("timers without end: %+v", c.m)
		}
		c.now = c.m.due()
		e, _ := c.m.fired(c.now)
		c.step(e)
	}
	c.now = until
}

func (c *checked) step(e event) {
	before := c.m
	next, d := c.m.step(c.timers, c.now, e)
	again, same := before.step(c.timers, c.now, e)
	client := next.kind == inviteClient || next.kind == nonInviteClient
	switch {
	case again != next || same != d:
		c.t.Fatal("a step is no function")
	case before.state == Terminated && (next != before || d != 0):
		c.t.Fatalf("%v after the end", d)
	case rank[next.state] < rank[before.state]:
		c.t.Fatalf("from %v back to %v", before.state, next.state)
	case next.due() < c.now:
		c.t.Fatalf("a timer in the past: %+v", next)
	case d&tellTimeout != 0 && next.state != Terminated, client && d&tellError != 0 && next.state != Terminated:
		c.t.Fatalf("told of the end in %v", next.state)
	case client && d&sendResponse != 0, !client && d&(sendRequest|sendAck|sendCancel|tellResponse) != 0:
		c.t.Fatalf("%v is another's", d)
	case next.kind == inviteServer && next.state == Accepted && d&sendResponse != 0 && e != success:
		c.t.Fatal("a 2xx sent on its own") // RFC 6026 §7.1
	case next.kind == inviteClient && e == success && d&sendAck != 0:
		c.t.Fatal("an ACK for a 2xx") // RFC 6026 §7.2
	case next.reliable && e == againFires && (next.kind == inviteClient || next.kind == nonInviteClient || before.state == Completed):
		c.t.Fatal("sent again over a reliable transport")
	}
	c.m = next
}

// FuzzLayer has a network and a user do anything in any order on a few branches. Nothing panics; for each transaction
// the user hears Terminated once and last; nothing is sent for what is over; and when all timers have run nothing is
// held and nothing is kept.
func FuzzLayer(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	f.Add([]byte{0x00, 0x03, 0x07, 0x08, 0x0f, 0x04, 0x0f, 0x0f})
	f.Add([]byte{0x02, 0x09, 0x0a, 0x0b, 0x0c, 0x0e, 0x1f, 0x2f})
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 300 {
			return
		}
		z := &zoo{t: t, now: time.Unix(1e9, 0), live: map[ID]string{}, detached: map[ID]bool{}}
		z.layer = New(Config{Max: 12, MaxFinished: []int64{0, 64 << 10}[len(ops)/2%2]}, z.now, z, z)
		for _, op := range ops {
			z.do(op)
		}
		z.broken = false
		for id := range z.detached {
			z.layer.Terminate(z.now, id)
		}
		for id := range z.live { // those that wait for their user, and all others too
			if len(ops)%2 == 0 || z.layer.State(id) == Proceeding {
				z.layer.Terminate(z.now, id)
			}
		}
		z.pass(3 * time.Minute)
		if s := z.layer.Stats(); len(z.live) != 0 || s.Clients+s.Servers != 0 || s.Bytes != 0 || s.Logged != 0 || s.LoggedBytes != 0 || !z.layer.clean() {
			t.Fatalf("left: %+v, %v", s, z.live)
		}
		for i := range z.layer.shards {
			for _, tx := range z.layer.shards[i].wheel.slots {
				if tx != nil {
					t.Fatal("left in the wheel")
				}
			}
		}
	})
}

// zoo is a user and a network for FuzzLayer.
type zoo struct {
	t      *testing.T
	layer  *Layer
	now    time.Time
	live   map[ID]string // branch
	broken bool
	last   ID

	detached map[ID]bool
}

// pass lets time pass in leaps, so that timers fire late and several at once.
func (z *zoo) pass(d time.Duration) {
	const leap = 700 * time.Millisecond
	for range d/leap + 1 {
		z.now = z.now.Add(leap)
		z.layer.Advance(z.now)
	}
}

// do is one event: what in the low half of op, and on which branch, method and transport in the high one.
func (z *zoo) do(op byte) {
	high := op >> 4
	method := []string{"INVITE", "MESSAGE"}[high%2]
	name := []string{"z9hG4bKa", "z9hG4bKb", "1", "z9hG4bKc"}[high/2%4]
	flow := []sip.Flow{udp, tcp}[high/8%2]
	request := requestText(method, name)
	code := []int{100, 183, 200, 404, 500}[int(op)%5]
	switch op & 15 {
	case 0, 1:
		z.layer.ReceiveRequest(z.now, parseRequest(z.t, request), flow)
	case 2, 3:
		if id, err := z.layer.NewClient(z.now, request, flow, remote, name); err == nil {
			z.add(id, name)
		}
	case 4, 5, 6:
		z.layer.ReceiveResponse(z.now, parse(z.t, responseTo(z.t, request, code, "x")), flow)
	case 7, 8:
		z.layer.Respond(z.now, z.last, responseTo(z.t, request, code, "x"))
	case 9:
		z.layer.Cancel(z.now, z.last)
	case 10:
		z.layer.ReceiveRequest(z.now, parseRequest(z.t, AppendCancel(nil, parse(z.t, request))), flow)
	case 11:
		z.layer.ReceiveRequest(z.now, parseRequest(z.t, ackOf(z.t, request, 404, "x")), flow)
	case 12:
		z.layer.Trying(z.now, z.last)
		z.broken = !z.broken
	case 13:
		z.layer.Undelivered(z.now, parse(z.t, request), errBroken)
		z.layer.Undelivered(z.now, parse(z.t, responseTo(z.t, request, code, "x")), errBroken)
	case 14:
		z.part(high, name)
	case 15:
		z.pass(time.Duration(1+high) * time.Second)
	}
}

// part ends the user's part in a transaction in one of three ways.
func (z *zoo) part(how byte, name string) {
	switch how % 3 {
	case 0:
		z.layer.Terminate(z.now, z.last)
	case 1:
		if z.layer.Detach(z.last) {
			delete(z.live, z.last) // nothing is told of it
			z.detached[z.last] = true
		}
	case 2:
		if z.layer.Own(z.last, name) {
			z.live[z.last] = name
		}
	}
}

func (z *zoo) add(id ID, name string) {
	if _, ok := z.live[id]; ok {
		z.t.Fatal("an ID given twice")
	}
	z.live[id], z.last = name, id
}

// told checks that a transaction that the user hears of is one that it has.
func (z *zoo) told(id ID, owner any) {
	if name, ok := z.live[id]; !ok || owner != any(name) {
		z.t.Fatalf("told of %v, which is over", owner)
	}
}

func (z *zoo) Send(_ sip.Flow, _ netip.AddrPort, b []byte) error {
	if title(b) == "" || len(b) == 0 {
		z.t.Fatal("nothing sent")
	}
	if z.broken {
		return errBroken
	}
	return nil
}

func (z *zoo) Request(now time.Time, req *sip.Request, flow sip.Flow) {
	name := string(req.Via.Branch())
	id, err := z.layer.NewServer(now, req, flow, remote, name)
	if err == nil {
		z.add(id, name)
	} else if req.Method() != sip.Ack && err != ErrFull {
		z.t.Fatal(err)
	}
}

func (z *zoo) Cancel(now time.Time, id ID, owner any, req *sip.Request, flow sip.Flow) {
	if owner != nil { // else what it means is a record, or detached
		z.told(id, owner)
	}
	z.Request(now, req, flow)
}
func (z *zoo) Ack(_ time.Time, id ID, owner any, _ *sip.Request, _ sip.Flow)      { z.told(id, owner) }
func (z *zoo) Response(_ time.Time, id ID, owner any, _ *sip.Message, _ sip.Flow) { z.told(id, owner) }
func (z *zoo) Timeout(_ time.Time, id ID, owner any)                              { z.told(id, owner) }
func (z *zoo) TransportError(_ time.Time, id ID, owner any, _ error)              { z.told(id, owner) }
func (z *zoo) Terminated(_ time.Time, id ID, owner any) {
	z.told(id, owner)
	delete(z.live, id)
}
