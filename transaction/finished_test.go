package transaction

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// path is a world that notes the way of what is sent.
type path struct {
	world
	flow sip.Flow
	to   netip.AddrPort
}

func (p *path) Send(flow sip.Flow, to netip.AddrPort, b []byte) error {
	p.flow, p.to = flow, to
	return p.world.Send(flow, to, b)
}

// TestRetransmissionOfFinished: a request that comes again is answered with the same bytes along the same way, until
// Timer J fires, by what is left of its transaction.
func TestRetransmissionOfFinished(t *testing.T) {
	big := strings.Repeat("x", maxLogged)
	for _, row := range []struct {
		name   string
		flow   sip.Flow
		to     string
		phrase string
		logged int
	}{
		{"IPv4", sip.Flow{Transport: sip.UDP, Local: hosts[0], Remote: hosts[1]}, "192.0.2.101:5099", "OK", 1},
		{"IPv6", sip.Flow{Transport: sip.UDP, Local: hosts[2], Remote: hosts[3]}, "[2001:db8::101]:5060", "OK", 1},
		{"IPv6 within a zone", sip.Flow{Transport: sip.UDP, Local: hosts[2], Remote: hosts[7]}, "[fe80::1%eth0]:5060", "OK", 0},
		{"to another host (maddr)", sip.Flow{Transport: sip.UDP, Local: hosts[0], Remote: hosts[1]}, "192.0.2.9:5060", "OK", 0},
		{"a response that fills a chunk", sip.Flow{Transport: sip.UDP, Local: hosts[0], Remote: hosts[1]}, "192.0.2.101:5060", big, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := &path{world: world{t: t, now: time.Unix(1e9, 0)}}
			p.layer = New(Config{}, p.now, p, p)
			to := netip.MustParseAddrPort(row.to)
			b := requestText("MESSAGE", branch(1))
			req := parseRequest(t, b)
			id, err := p.layer.NewServer(p.now, req, row.flow, to, p)
			if err != nil {
				t.Fatal(err)
			}
			ok := sip.AppendEnd(req.AppendResponse(nil, 200, row.phrase, []byte("x"), remote), nil)
			if err := p.layer.Respond(p.now, id, ok); err != nil {
				t.Fatal(err)
			}
			if s := p.layer.Stats(); s.Logged != row.logged || s.Servers != 1 || s.Bytes < int64(len(ok)) {
				t.Fatalf("%+v", s)
			}
			if row.logged == 1 {
				p.want("send 200", "terminated")
				if err := p.layer.Respond(p.now, id, ok); err != ErrTerminated || p.layer.State(id) != Terminated || p.layer.Detach(id) {
					t.Errorf("the user's part is not over: %v", err)
				}
			}
			for range 3 {
				p.pass(10 * time.Second)
				p.events, p.last, p.flow, p.to = nil, nil, sip.Flow{}, netip.AddrPort{}
				if !p.layer.Absorb(p.now, req, row.flow) {
					t.Fatal("is new")
				}
				p.want("send 200")
				if p.flow != row.flow || p.to != to || string(p.last) != string(ok) {
					t.Errorf("went along %v to %v:\n%s", p.flow, p.to, p.last)
				}
			}
			// Timer J does not begin again, and neither does what came at the same time make another.
			if _, err := p.layer.NewServer(p.now, req, row.flow, to, p); err != ErrExists {
				t.Error(err)
			}
			p.pass(1990 * time.Millisecond)
			if !p.layer.Absorb(p.now, req, row.flow) {
				t.Error("is new before 32 s")
			}
			p.pass(10 * time.Millisecond)
			if p.layer.Absorb(p.now, req, row.flow) {
				t.Error("is known after 32 s")
			}
			if s := p.layer.Stats(); s.Servers+s.Clients+s.Logged != 0 || s.Bytes != 0 || !p.layer.clean() {
				t.Errorf("left: %+v", s)
			}
		})
	}
}

// TestFinishedInTheirOrder: each is forgotten 32 s after its own answer, in virtual time, whatever comes between, and old
// clients' requests as well.
func TestFinishedInTheirOrder(t *testing.T) {
	w := newWorld(t, Config{})
	const n, apart = 300, 150 * time.Millisecond
	text := func(i int) []byte {
		b := requestText([]string{"MESSAGE", "OPTIONS", "SUBSCRIBE"}[i%3], branch(i))
		if i%4 == 0 { // RFC 2543
			return edit(b, "branch="+branch(i), "branch=1", "CSeq: 17", fmt.Sprint("CSeq: ", i))
		}
		return b
	}
	began := w.now
	for i := range n {
		w.receive(text(i))
		if err := w.answer(text(i), 200); err != nil {
			t.Fatal(err)
		}
		w.pass(apart)
		if i%10 > 0 {
			continue
		}
		for j := range i + 1 {
			w.events, w.stray = nil, true
			w.receive(text(j))
			age := w.now.Sub(began) - time.Duration(j)*apart
			if known := w.events[0] == "send 200"; known != (age < 32*time.Second) {
				t.Fatalf("%v after its answer the request is known: %v", age, known)
			}
		}
		w.stray = false
	}
}

// TestCancelOfFinished: a CANCEL of what is a record means it, and is answered (RFC 3261 §9.2).
func TestCancelOfFinished(t *testing.T) {
	for name, request := range map[string][]byte{
		"with a branch":    requestText("MESSAGE", "z9hG4bK74bf9"),
		"of an old client": edit(requestText("MESSAGE", "X"), ";branch=X", ""),
		"an INVITE":        requestText("INVITE", "z9hG4bK74bf9"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{})
			w.receive(request)
			if err := w.answer(request, 486); err != nil {
				t.Fatal(err)
			}
			if name == "an INVITE" {
				w.receive(ackOf(t, request, 486, "ours"))
			}
			if w.layer.Stats().Logged != 1 {
				t.Fatal("no record")
			}
			w.events, w.owner = nil, w
			cancel := AppendCancel(nil, parse(t, request))
			w.receive(cancel)
			w.want("cancel", "request CANCEL")
			if !w.meant.IsZero() || w.owner != nil {
				t.Error("means a transaction that is held")
			}
			if err := w.answer(cancel, 200); err != nil {
				t.Error(err)
			}
			w.receive(cancel)
			w.want("send 200", "terminated", "send 200")
		})
	}
}

// TestUndeliveredOfFinished: that an answer was lost changes nothing and is counted.
func TestUndeliveredOfFinished(t *testing.T) {
	w := newWorld(t, Config{})
	message := requestText("MESSAGE", branch(1))
	w.receive(message)
	if err := w.answer(message, 200); err != nil {
		t.Fatal(err)
	}
	w.layer.Undelivered(w.now, parse(t, responseTo(t, message, 200, "ours")), errBroken)
	w.broken = errBroken
	w.receive(message)
	w.broken = nil
	w.receive(message)
	w.want("request MESSAGE", "send 200", "terminated", "send 200")
	if n := w.layer.Stats().TransportErrors; n != 2 {
		t.Errorf("%d errors", n)
	}
}

// TestResponseAgain: until Timer K fires a response that comes again is none that nobody waited for, nor told.
func TestResponseAgain(t *testing.T) {
	w := newWorld(t, Config{})
	message := requestText("MESSAGE", branch(1))
	if _, err := w.layer.NewClient(w.now, message, udp, remote, w); err != nil {
		t.Fatal(err)
	}
	ok := responseTo(t, message, 200, "x")
	w.receive(ok)
	w.want("send MESSAGE", "tell 200", "terminated")
	w.receive(ok)
	w.pass(4990 * time.Millisecond)
	w.receive(ok)
	if _, err := w.layer.NewClient(w.now, message, udp, remote, w); err != ErrExists {
		t.Error(err)
	}
	if n := w.layer.Stats().Strays; n != 0 {
		t.Errorf("%d strays", n)
	}
	w.pass(10 * time.Millisecond)
	w.receive(ok)
	if n := w.layer.Stats().Strays; n != 1 {
		t.Errorf("%d strays behind Timer K", n)
	}
	w.want()
}

// TestFinishedMakeRoom: what has its final response takes no room of what is at work.
func TestFinishedMakeRoom(t *testing.T) {
	w := newWorld(t, Config{Max: 4})
	for i := range 1000 {
		method := []string{"MESSAGE", "INVITE"}[i%2]
		b := requestText(method, branch(i))
		w.receive(b)
		if err := w.answer(b, []int{200, 486, 503, 200}[i%4]); err != nil {
			t.Fatal(i, err)
		}
		if _, err := w.layer.NewClient(w.now, requestText(method, branch(2000+i)), udp, remote, nil); err != nil {
			t.Fatal(i, err)
		}
		w.receive(responseTo(t, requestText(method, branch(2000+i)), 200, "x"))
	}
	if s := w.layer.Stats(); s.Refused != 0 || s.Servers != 1000 || s.Clients != 1000 {
		t.Errorf("%+v", s)
	}
}

// TestMaxFinished: past the bound the oldest answers are given up, and nothing is refused; a retransmission of theirs is
// new. INVITEs, which are none that can be given up, are refused when they alone fill it, requests within a dialog last.
func TestMaxFinished(t *testing.T) {
	t.Run("records", func(t *testing.T) {
		const bound = 1 << 20
		w := newWorld(t, Config{MaxFinished: bound})
		const n = 10_000
		for i := range n {
			w.receive(requestText("MESSAGE", branch(i)))
			if err := w.answer(requestText("MESSAGE", branch(i)), 200); err != nil {
				t.Fatal(i, err)
			}
			if s := w.layer.Stats(); i%100 == 0 && s.LoggedBytes > bound+shardCount*1024 {
				t.Fatalf("%d bytes", s.LoggedBytes)
			}
		}
		s := w.layer.Stats()
		if s.Refused != 0 || s.Logged+int(s.GivenUp) != n || s.Logged < 2000 || s.LoggedBytes < bound*9/10 {
			t.Errorf("%+v", s)
		}
		w.events = nil
		w.stray = true
		w.receive(requestText("MESSAGE", branch(n-1)))
		w.want("send 200")
		w.receive(requestText("MESSAGE", branch(0)))
		w.want("request MESSAGE")
	})
	t.Run("INVITEs", func(t *testing.T) {
		const bound = 1 << 20
		w := newWorld(t, Config{MaxFinished: bound})
		i := 0
		for ; w.layer.Stats().Refused == 0; i++ {
			b := requestText("INVITE", branch(i))
			w.receive(b)
			if len(w.ids) > i {
				if err := w.answer(b, 486); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := i * (transactionBytes + 512); n < bound/4 || n > bound+bound/4 {
			t.Errorf("the %dth is refused", i)
		}
		within := 0
		for j := range 100 {
			b := edit(requestText("BYE", branch(1_000_000+j)), "<sip:bob@biloxi.example.com>", "<sip:bob@biloxi.example.com>;tag=x")
			w.receive(b)
			if err := w.answer(b, 200); err == nil {
				within++
			}
		}
		if within != 100 {
			t.Errorf("%d of 100 within a dialog", within)
		}
		w.pass(40 * time.Second)
		w.events = nil
		w.receive(requestText("INVITE", branch(1)))
		w.want("request INVITE")
		if n := w.layer.Stats().Servers; n != 1 {
			t.Errorf("%d held behind Timer H", n)
		}
	})
}

// owners is a world that notes whose what is told of.
type owners struct{ world }

func (o *owners) Response(now time.Time, id ID, owner any, resp *sip.Message, _ sip.Flow) {
	o.note("tell %d to %v", resp.StatusCode(), owner)
	if owner == any("first") && resp.StatusCode() == 200 && !o.layer.Own(id, "second") {
		o.note("not given")
	}
}
func (o *owners) Terminated(_ time.Time, _ ID, owner any) { o.note("terminated to %v", owner) }

// TestOwn: a transaction has another owner, who hears the rest; also when it is given while its owner is told.
func TestOwn(t *testing.T) {
	for _, flow := range []sip.Flow{udp, tcp} {
		o := &owners{world{t: t, now: time.Unix(1e9, 0)}}
		o.layer = New(Config{}, o.now, o, o)
		invite := requestText("INVITE", branch(1))
		id, err := o.layer.NewClient(o.now, invite, flow, remote, "first")
		if err != nil {
			t.Fatal(err)
		}
		o.receive(responseTo(t, invite, 180, "a"))
		o.receive(responseTo(t, invite, 200, "a"))
		if who := o.layer.Owner(id); who != any("second") {
			t.Errorf("belongs to %v", who)
		}
		o.receive(responseTo(t, invite, 200, "b"))
		o.pass(32 * time.Second)
		o.want("send INVITE", "tell 180 to first", "tell 200 to first", "tell 200 to second", "terminated to second")
		if o.layer.Own(id, "third") || o.layer.Owner(id) != nil || o.layer.Own(ID{}, "third") {
			t.Error("what is over has an owner")
		}
	}
	w := newWorld(t, Config{})
	w.receive(requestText("INVITE", branch(1)))
	if !w.layer.Detach(w.ids[0]) || w.layer.Own(w.ids[0], "other") || w.layer.Owner(w.ids[0]) != nil {
		t.Error("what is detached has an owner")
	}
}

// TestTerminatedToNewOwner: a user that gives a transaction away and ends it while it is told of it: the new owner hears
// the end.
func TestTerminatedToNewOwner(t *testing.T) {
	g := &giver{owners{world{t: t, now: time.Unix(1e9, 0)}}}
	g.layer = New(Config{}, g.now, g, g)
	invite := requestText("INVITE", branch(1))
	if _, err := g.layer.NewClient(g.now, invite, udp, remote, "first"); err != nil {
		t.Fatal(err)
	}
	g.receive(responseTo(t, invite, 180, "a"))
	g.want("send INVITE", "terminated to second")
}

type giver struct{ owners }

func (g *giver) Response(now time.Time, id ID, _ any, _ *sip.Message, _ sip.Flow) {
	g.layer.Own(id, "second")
	g.layer.Terminate(now, id)
}
