package transaction

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"biloxi/sip"
)

// TestLossyLink: a layer calls another over a link that loses, doubles and reorders datagrams. The user above the
// server sees each request once, the one above the client one final response or a timeout, and both sides end.
func TestLossyLink(t *testing.T) {
	for _, loss := range []float64{0, 0.1, 0.5, 0.95, 1} {
		t.Run(fmt.Sprintf("%.0f%% lost", loss*100), func(t *testing.T) {
			k := &link{t: t, now: time.Unix(1e9, 0), random: rand.New(rand.NewPCG(5, 6)), loss: loss,
				requests: map[string]int{}, finals: map[string]int{}}
			k.a = &end{link: k}
			k.b = &end{link: k}
			k.a.layer, k.b.layer = New(Config{}, k.now, k.a, k.a), New(Config{}, k.now, k.b, k.b)
			const n = 200
			var ids [n]ID
			for i := range n {
				b := requestText([]string{"INVITE", "MESSAGE"}[i%2], branch(i))
				id, err := k.a.layer.NewClient(k.now, b, udp, remote, branch(i))
				if err != nil {
					t.Fatal(err)
				}
				ids[i] = id
				k.pass(50 * time.Millisecond)
			}
			k.pass(100 * time.Second)
			// An INVITE whose 180 came and whose 486 never did waits until its user gives it up (Timer C).
			for _, id := range ids {
				k.a.layer.Cancel(k.now, id)
			}
			k.pass(100 * time.Second)
			answered := 0
			for i := range n {
				if k.requests[branch(i)] > 1 {
					t.Errorf("%s was passed up %d times", branch(i), k.requests[branch(i)])
				}
				if k.finals[branch(i)] != 1 {
					t.Errorf("%s had %d ends", branch(i), k.finals[branch(i)])
				}
			}
			answered = n - k.timeouts
			// A MESSAGE is sent eleven times and an INVITE seven times.
			if loss <= 0.1 && answered != n || loss == 0.5 && answered < n*9/10 || loss == 1 && answered != 0 {
				t.Errorf("%d of %d were answered", answered, n)
			}
			for _, l := range []*Layer{k.a.layer, k.b.layer} {
				if s := l.Stats(); s.Clients+s.Servers != 0 {
					t.Errorf("held in the end: %+v", s)
				}
			}
			t.Logf("%d of %d answered", answered, n)
		})
	}
}

// link carries datagrams between two ends.
type link struct {
	t        *testing.T
	now      time.Time
	random   *rand.Rand
	loss     float64
	a, b     *end // a calls b
	flying   []datagram
	requests map[string]int // passed up at b, by branch
	finals   map[string]int // final responses and timeouts at a, by branch
	timeouts int
}

type datagram struct {
	to   *end
	at   time.Time
	data []byte
}

func (k *link) pass(d time.Duration) {
	for range d / tick {
		k.now = k.now.Add(tick)
		arrived := k.flying
		k.flying = nil
		for _, p := range arrived {
			if p.at.After(k.now) {
				k.flying = append(k.flying, p)
				continue
			}
			p.to.receive(p.data)
		}
		k.a.layer.Advance(k.now)
		k.b.layer.Advance(k.now)
	}
}

// end is the network and the user of one layer.
type end struct {
	link  *link
	layer *Layer
}

func (e *end) Send(_ sip.Flow, _ netip.AddrPort, b []byte) error {
	k := e.link
	peer := k.a
	if e == k.a {
		peer = k.b
	}
	copies := 1
	if k.random.Float64() < 0.05 {
		copies = 2
	}
	for range copies {
		if k.random.Float64() >= k.loss {
			delay := time.Duration(k.random.IntN(80)) * time.Millisecond
			k.flying = append(k.flying, datagram{peer, k.now.Add(delay), append([]byte(nil), b...)})
		}
	}
	return nil
}

func (e *end) receive(b []byte) {
	if m := parse(e.link.t, b); m.IsResponse() {
		e.layer.ReceiveResponse(e.link.now, m, udp)
	} else {
		e.layer.ReceiveRequest(e.link.now, parseRequest(e.link.t, b), udp)
	}
}

// Request answers an INVITE with 180 and 486, anything else with 200.
func (e *end) Request(now time.Time, req *sip.Request, flow sip.Flow) {
	if req.Method() == sip.Ack {
		return // its transaction has ended
	}
	if req.Method() != sip.Cancel {
		e.link.requests[string(req.Via.Branch())]++
	}
	id, err := e.layer.NewServer(now, req, flow, remote, nil)
	if err != nil {
		e.link.t.Fatal(err)
	}
	codes := []int{200}
	if req.Method() == sip.Invite {
		codes = []int{180, 486}
	}
	for _, code := range codes {
		b := sip.AppendEnd(req.AppendResponse(nil, code, "", []byte("x"), remote), nil)
		if err := e.layer.Respond(now, id, b); err != nil {
			e.link.t.Fatal(err)
		}
	}
}

func (e *end) Response(_ time.Time, _ ID, owner any, resp *sip.Message, _ sip.Flow) {
	if resp.StatusCode() >= 200 {
		e.link.finals[owner.(string)]++
	}
}

func (e *end) Timeout(_ time.Time, _ ID, owner any) {
	if name, ok := owner.(string); ok { // a client's: b's are the ACKs that never came
		e.link.finals[name]++
		e.link.timeouts++
	}
}

func (e *end) Cancel(time.Time, ID, any, *sip.Request, sip.Flow) { e.link.t.Error("a CANCEL") }
func (e *end) Ack(time.Time, ID, any, *sip.Request, sip.Flow)    { e.link.t.Error("an ACK") }
func (e *end) TransportError(time.Time, ID, any, error)          { e.link.t.Error("a transport error") }
func (e *end) Terminated(time.Time, ID, any)                     {}
