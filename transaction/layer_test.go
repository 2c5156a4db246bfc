package transaction

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

func branch(i int) string { return fmt.Sprintf("z9hG4bK%08d", i) }

// TestFull: past the cap new work is refused, running work goes on (RFC 3261 §21.5.4 is the user's answer).
func TestFull(t *testing.T) {
	w := newWorld(t, Config{Max: 16})
	for i := range 14 {
		w.receive(requestText("INVITE", branch(i)))
	}
	if len(w.ids) != 14 || w.layer.Stats().Refused != 0 {
		t.Fatalf("%d of 14 are held", len(w.ids))
	}
	w.events = nil
	invite := requestText("INVITE", branch(0))
	t.Run("a new request", func(t *testing.T) {
		w.receive(requestText("INVITE", branch(100)))
		w.want("request INVITE", ErrFull.Error())
	})
	t.Run("a request that came before", func(t *testing.T) {
		w.receive(invite)
		w.want("send 100")
	})
	t.Run("a request within a dialog", func(t *testing.T) {
		w.receive(edit(requestText("BYE", branch(101)), "<sip:bob@biloxi.example.com>", "<sip:bob@biloxi.example.com>;tag=x"))
		w.want("request BYE")
	})
	t.Run("a request of ours for one that was let in", func(t *testing.T) {
		if _, err := w.layer.NewClient(w.now, requestText("INVITE", branch(102)), udp, remote, nil); err != nil {
			t.Error(err)
		}
		if _, err := w.layer.NewClient(w.now, requestText("INVITE", branch(103)), udp, remote, nil); err != ErrFull {
			t.Errorf("a 17th: %v", err)
		}
		w.want("send INVITE")
	})
	t.Run("a CANCEL of what is held", func(t *testing.T) {
		w.receive(AppendCancel(nil, parse(t, invite)))
		w.want("cancel", "request CANCEL")
		w.receive(AppendCancel(nil, parse(t, requestText("INVITE", branch(104)))))
		w.want("request CANCEL", ErrFull.Error())
	})
	t.Run("a CANCEL of ours", func(t *testing.T) {
		invite := requestText("INVITE", branch(102))
		w.receive(responseTo(t, invite, 180, "x"))
		s := w.layer.shard(w.layer.keys.client([]byte(branch(102)), sip.Invite))
		s.mu.Lock()
		id := s.find(w.layer.keys.client([]byte(branch(102)), sip.Invite)).id()
		s.mu.Unlock()
		if err := w.layer.Cancel(w.now, id); err != nil {
			t.Error(err)
		}
		w.want("tell 180", "send CANCEL")
	})
	if n := w.layer.Stats().Refused; n != 3 {
		t.Errorf("%d refused", n)
	}
}

// TestFullByBytes: few transactions with much to keep are as full as many.
func TestFullByBytes(t *testing.T) {
	w := newWorld(t, Config{Max: 100})
	big := edit(requestText("MESSAGE", "z9hG4bKX"), "Content-Length: 9", "Content-Length: 40009", "s=-", "s=-"+string(make([]byte, 40000)))
	var err error
	n := 0
	for ; err == nil; n++ {
		_, err = w.layer.NewClient(w.now, edit(big, "z9hG4bKX", branch(n)), udp, remote, nil)
	}
	if err != ErrFull || n > 6 {
		t.Errorf("%v at the %dth", err, n)
	}
}

// TestLateResponse: RFC 4320 §4.2 and RFC 6026 §8.3: what comes after the transaction is discarded.
func TestLateResponse(t *testing.T) {
	w := newWorld(t, Config{})
	message := requestText("MESSAGE", branch(1))
	w.receive(message)
	w.pass(33 * time.Second)
	w.want("request MESSAGE", "send 100", "terminated")
	if err := w.answer(message, 200); err != ErrTerminated {
		t.Error(err)
	}
	w.want()
	// Its memory serves another transaction, and the ID is void all the same.
	w.receive(requestText("MESSAGE", branch(1)))
	if w.ids[0].t != w.ids[1].t {
		t.Error("the memory was not used again")
	}
	if err := w.layer.Respond(w.now, w.ids[0], responseTo(t, message, 200, "x")); err != ErrTerminated {
		t.Error(err)
	}
	if w.layer.State(w.ids[0]) != Terminated || w.layer.State(w.ids[1]) != Trying {
		t.Error("states")
	}
	w.want("request MESSAGE")
}

// TestNotForATransaction: what the layer does not take from its user.
func TestNotForATransaction(t *testing.T) {
	w := newWorld(t, Config{})
	for name, b := range map[string][]byte{
		"nothing":           nil,
		"no message":        []byte("hello"),
		"a response":        responseTo(t, requestText("INVITE", branch(1)), 200, "x"),
		"an ACK":            requestText("ACK", branch(1)),
		"no cookie":         requestText("INVITE", "1"),
		"the cookie alone":  requestText("INVITE", "z9hG4bK"),
		"a CSeq of another": edit(requestText("INVITE", branch(1)), "17 INVITE", "17 BYE"),
	} {
		if _, err := w.layer.NewClient(w.now, b, udp, remote, nil); err != ErrMessage {
			t.Errorf("%s: %v", name, err)
		}
	}
	id, err := w.layer.NewClient(w.now, requestText("INVITE", branch(1)), udp, remote, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.layer.NewClient(w.now, requestText("INVITE", branch(1)), udp, remote, nil); err != ErrExists {
		t.Error(err)
	}
	message := requestText("MESSAGE", branch(2))
	w.receive(message)
	w.events = nil
	for name, err := range map[string]error{
		"a request as a response":      w.layer.Respond(w.now, w.ids[0], message),
		"half a status-line":           w.layer.Respond(w.now, w.ids[0], []byte("SIP/2.0 20")),
		"a status code of four digits": w.layer.Respond(w.now, w.ids[0], []byte("SIP/2.0 999 X\r\n")),
		"a response on a client's":     w.layer.Respond(w.now, id, responseTo(t, message, 200, "x")),
	} {
		if err != ErrMessage {
			t.Errorf("%s: %v", name, err)
		}
	}
	// NI-001
	if err := w.answer(message, 183); err != ErrProvisional {
		t.Error(err)
	}
	if err := w.layer.Trying(w.now, w.ids[0]); err != nil { // a 100 to a MESSAGE goes when it is due
		t.Error(err)
	}
	if err := w.layer.Respond(w.now, ID{}, responseTo(t, message, 200, "x")); err != ErrTerminated {
		t.Error(err)
	}
	w.want()
}

// TestTrying: RFC 3261 §17.2.1 and §8.2.6.1 (TX-034): the 100 has no To tag, and the Timestamp.
func TestTrying(t *testing.T) {
	for method, want := range map[string]string{"INVITE": "Timestamp: 54\r\n", "MESSAGE": "Timestamp: 54 3.500\r\n"} {
		w := newWorld(t, Config{})
		w.receive(edit(requestText(method, branch(1)), "Contact:", "Timestamp: 54 0.5\r\nContact:"))
		w.pass(4 * time.Second)
		w.want("request "+method, "send 100")
		trying := parse(t, w.last)
		if to, err := trying.To(); err != nil || to.Tag() != nil {
			t.Errorf("To: %s, %v", to.Raw(), err)
		}
		if i := trying.Index(sip.HeaderTimestamp); i < 0 || string(trying.Line(i)) != want {
			t.Errorf("no %q in\n%s", want, w.last)
		}
	}
}

// TestTerminate: the user ends a transaction, of which nothing comes any more.
func TestTerminate(t *testing.T) {
	w := newWorld(t, Config{})
	invite := requestText("INVITE", branch(1))
	id, _ := w.layer.NewClient(w.now, invite, udp, remote, nil)
	w.layer.Terminate(w.now, id)
	w.layer.Terminate(w.now, id)
	w.receive(responseTo(t, invite, 180, "x"))
	w.pass(40 * time.Second)
	w.want("send INVITE", "terminated")
	if err := w.layer.Cancel(w.now, id); err != ErrTerminated {
		t.Error(err)
	}
	if s := w.layer.Stats(); s.Clients != 0 || s.Bytes != 0 || s.Strays != 1 {
		t.Errorf("%+v", s)
	}
}

// TestUndelivered: what cannot be told whose it was does nothing.
func TestUndelivered(t *testing.T) {
	w := newWorld(t, Config{})
	w.layer.Undelivered(w.now, parse(t, requestText("INVITE", branch(1))), errBroken)
	w.layer.Undelivered(w.now, parse(t, responseTo(t, requestText("INVITE", branch(1)), 200, "x")), errBroken)
	w.layer.Undelivered(w.now, new(sip.Message), errBroken)
	w.want()
}

// TestCancelUndeliverable: the CANCEL's transaction ends, the INVITE's goes on.
func TestCancelUndeliverable(t *testing.T) {
	w := newWorld(t, Config{})
	invite := requestText("INVITE", branch(1))
	id, _ := w.layer.NewClient(w.now, invite, tcp, remote, nil)
	w.receive(responseTo(t, invite, 180, "x"))
	w.broken = errBroken
	if err := w.layer.Cancel(w.now, id); err != nil {
		t.Error(err)
	}
	w.broken = nil
	w.pass(33 * time.Second)
	w.want("send INVITE", "tell 180", "timeout", "terminated")
	if !w.layer.clean() {
		t.Error("counted as held")
	}
}

// TestTimers: the base values scale all timers (TX-039).
func TestTimers(t *testing.T) {
	d := Timers{}.orDefault()
	if d != (Timers{500 * time.Millisecond, 4 * time.Second, 5 * time.Second}) || d.timeout() != 32*time.Second ||
		d.d() != 32*time.Second || d.untilT2() != 3500*time.Millisecond {
		t.Errorf("%+v", d)
	}
	slow := Timers{T1: 2 * time.Second}.orDefault()
	if slow.timeout() != 128*time.Second || slow.d() != 128*time.Second || slow.untilT2() != 2*time.Second {
		t.Errorf("%v %v %v", slow.timeout(), slow.d(), slow.untilT2())
	}
	if fast := (Timers{T1: 100 * time.Millisecond}).orDefault(); fast.d() != 32*time.Second {
		t.Error("Timer D below 32 s")
	}
	w := newWorld(t, Config{Timers: Timers{T1: 20 * time.Millisecond, T2: 40 * time.Millisecond}})
	if _, err := w.layer.NewClient(w.now, requestText("MESSAGE", branch(1)), udp, remote, nil); err != nil {
		t.Fatal(err)
	}
	w.pass(110 * time.Millisecond)
	w.want("send MESSAGE", "send MESSAGE", "send MESSAGE", "send MESSAGE") // 0, 20, 60, 100 ms
	w.pass(time.Second + 170*time.Millisecond)
	if e := w.events[len(w.events)-2:]; e[0] != "timeout" || e[1] != "terminated" {
		t.Errorf("%v", e)
	}
}

// A user that calls the layer back about the transaction that it is told of: Terminated comes when its method has
// returned, and is the last.
type reentrant struct {
	world
}

func (r *reentrant) Response(now time.Time, id ID, _ any, resp *sip.Message, _ sip.Flow) {
	r.note("tell %d", resp.StatusCode())
	r.layer.Terminate(now, id)
	r.note("returned")
}

func TestTerminatedIsLast(t *testing.T) {
	r := &reentrant{world{t: t, now: time.Unix(1e9, 0)}}
	r.layer = New(Config{}, r.now, r, r)
	invite := requestText("INVITE", branch(1))
	if _, err := r.layer.NewClient(r.now, invite, udp, remote, nil); err != nil {
		t.Fatal(err)
	}
	r.receive(responseTo(t, invite, 180, "x"))
	r.receive(responseTo(t, invite, 180, "x"))
	r.want("send INVITE", "tell 180", "returned", "terminated")
}

// crowd is a user and a network of many goroutines: it answers every request, and checks that for each transaction
// Terminated comes once and last.
type crowd struct {
	t     *testing.T
	layer *Layer
	mu    sync.Mutex
	over  map[ID]bool
	told  int
	sent  int
}

func (c *crowd) live(id ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told++
	if c.over[id] {
		c.t.Error("told of a transaction that is over")
	}
}

func (c *crowd) Send(sip.Flow, netip.AddrPort, []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent++; c.sent%50 == 0 {
		return errBroken
	}
	return nil
}

func (c *crowd) Request(now time.Time, req *sip.Request, flow sip.Flow) {
	id, err := c.layer.NewServer(now, req, flow, remote, c)
	if err != nil {
		return
	}
	c.layer.Trying(now, id)
	b := sip.AppendEnd(req.AppendResponse(nil, 200+int(req.CSeq.Number%5)*100, "", []byte("x"), remote), nil)
	go c.layer.Respond(time.Now(), id, b)
}

func (c *crowd) Cancel(now time.Time, id ID, _ any, req *sip.Request, flow sip.Flow) {
	c.live(id)
	c.Request(now, req, flow)
}
func (c *crowd) Ack(_ time.Time, id ID, _ any, _ *sip.Request, _ sip.Flow)      { c.live(id) }
func (c *crowd) Response(_ time.Time, id ID, _ any, _ *sip.Message, _ sip.Flow) { c.live(id) }
func (c *crowd) Timeout(_ time.Time, id ID, _ any)                              { c.live(id) }
func (c *crowd) TransportError(_ time.Time, id ID, _ any, _ error)              { c.live(id) }
func (c *crowd) Terminated(_ time.Time, id ID, _ any) {
	c.live(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over[id] = true
}

// TestCrowd: many goroutines play both sides while timers fire, in virtual time; all is over in the end.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{t: t, over: map[ID]bool{}}
		fired := 0
		c.layer = New(Config{Max: 16, Fired: func() { fired++ }}, time.Now(), c, c)
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { c.layer.Run(ctx) })

		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 100 {
					method := []string{"INVITE", "MESSAGE"}[i%2]
					// Pairs of goroutines use the same branches, so that they meet.
					b := edit(requestText(method, branch(g/2*100+i)), "CSeq: 17", fmt.Sprintf("CSeq: %d", i))
					id, err := c.layer.NewClient(time.Now(), b, udp, remote, c)
					req := parseRequest(t, b)
					c.layer.ReceiveRequest(time.Now(), req, udp)
					c.layer.ReceiveRequest(time.Now(), req, udp)
					for _, code := range []int{180, 200 + i%3*200} {
						c.layer.ReceiveResponse(time.Now(), parse(t, responseTo(t, b, code, "x")), udp)
						if err == nil && i%7 == 0 {
							c.layer.Cancel(time.Now(), id)
						}
					}
					if method == "INVITE" {
						c.layer.ReceiveRequest(time.Now(), parseRequest(t, AppendCancel(nil, parse(t, b))), udp)
						c.layer.ReceiveRequest(time.Now(), parseRequest(t, ackOf(t, b, 486, "x")), udp)
					}
					if i%11 == 0 {
						c.layer.Terminate(time.Now(), id)
					}
					time.Sleep(time.Duration(i%13) * time.Millisecond)
				}
			})
		}
		all.Wait()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := c.layer.Stats(); s.Clients+s.Servers != 0 || s.Bytes != 0 || s.Logged != 0 || !c.layer.clean() {
			t.Errorf("held in the end: %+v", s)
		}
		if s := c.layer.Stats(); s.Created < 100 || c.told < 200 || s.Refused == 0 || fired == 0 || s.RequestsAgain == 0 || s.Absorbed == 0 {
			t.Errorf("too little happened: %+v, %d told", s, c.told)
		}
		// With nothing held Run sleeps.
		before := fired
		time.Sleep(time.Minute)
		if fired > before+1 {
			t.Errorf("fired %d times with nothing to do", fired-before)
		}
		stop()
		run.Wait()
	})
}
