package transaction

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"biloxi/sip"
)

// null is a network and a user that do nothing but let every request in and answer it.
type null struct {
	layer    *Layer
	response []byte
	id       ID
}

func (n *null) Send(sip.Flow, netip.AddrPort, []byte) error { return nil }

func (n *null) Request(now time.Time, req *sip.Request, flow sip.Flow) {
	id, err := n.layer.NewServer(now, req, flow, remote, n)
	if err != nil {
		return
	}
	n.id = id
	n.response = sip.AppendEnd(req.AppendResponse(n.response[:0], 200, "", nil, remote), nil)
	n.layer.Respond(now, id, n.response)
}

func (n *null) Cancel(time.Time, ID, any, *sip.Request, sip.Flow)   {}
func (n *null) Ack(time.Time, ID, any, *sip.Request, sip.Flow)      {}
func (n *null) Response(time.Time, ID, any, *sip.Message, sip.Flow) {}
func (n *null) Timeout(time.Time, ID, any)                          {}
func (n *null) TransportError(time.Time, ID, any, error)            {}
func (n *null) Terminated(time.Time, ID, any)                       {}

// load is one kind of transaction, made over and over.
type load struct {
	null
	now      time.Time
	rate     time.Duration // virtual time between two of them
	next     int           // branch
	request  []byte
	response []byte // from the network
	m        sip.Message
	r        sip.Message
	req      sip.Request
	at, rat  int // where the branch's digits stand
}

func newLoad(t testing.TB, method string, code int, max int, rate time.Duration) *load {
	l := &load{now: time.Unix(1e9, 0), rate: rate, request: requestText(method, branch(0))}
	l.layer = New(Config{Max: max}, l.now, l, l)
	l.response = responseTo(t, l.request, code, "x")
	l.at = indexOf(t, l.request, branch(0)) + len("z9hG4bK")
	l.rat = indexOf(t, l.response, branch(0)) + len("z9hG4bK")
	return l
}

func indexOf(t testing.TB, b []byte, s string) int {
	for i := range b {
		if len(b)-i >= len(s) && string(b[i:i+len(s)]) == s {
			return i
		}
	}
	t.Fatal("not there")
	return 0
}

// turn gives the next transaction its branch, and lets its time come.
func (l *load) turn() {
	l.next++
	for i, n := 7, l.next; i >= 0; i, n = i-1, n/10 {
		l.request[l.at+i] = byte('0' + n%10)
		l.response[l.rat+i] = byte('0' + n%10)
	}
	l.now = l.now.Add(l.rate)
	if l.next%int(tick/l.rate) == 0 {
		l.layer.Advance(l.now)
	}
}

// server is a request from the network and its 200. The parse is part of it.
func (l *load) server() {
	l.turn()
	if l.m.Parse(l.request) != nil || l.req.Decode(&l.m) != nil {
		panic("malformed")
	}
	l.layer.ReceiveRequest(l.now, &l.req, udp)
}

// client is a request of ours and its response.
func (l *load) client() error {
	l.turn()
	if _, err := l.layer.NewClient(l.now, l.request, udp, remote, l); err != nil {
		return err
	}
	if err := l.r.Parse(l.response); err != nil {
		return err
	}
	l.layer.ReceiveResponse(l.now, &l.r, udp)
	return nil
}

// warm runs f until what it leaves behind has been there for longer than any timer.
func (l *load) warm(f func()) {
	for range int(40 * time.Second / l.rate) {
		f()
	}
}

func (l *load) mustClient(t testing.TB) func() {
	return func() {
		if err := l.client(); err != nil {
			t.Fatal(err)
		}
	}
}

// sdp makes the body as large as a session description of a phone is.
func sdp(b []byte) []byte {
	body := make([]byte, 600)
	for i := range body {
		body[i] = "v=0\r\n"[i%5]
	}
	return append(edit(b, "Content-Length: 9", "Content-Length: 600", "\r\n\r\nv=0\r\ns=-\r\n", "\r\n\r\n"), body...)
}

// idle lets every request in and does not answer it.
type idle struct {
	null
	ids []ID
}

func (i *idle) Request(now time.Time, req *sip.Request, flow sip.Flow) {
	id, err := i.layer.NewServer(now, req, flow, remote, i)
	if err == nil {
		i.ids = append(i.ids, id)
	}
}

// receive makes a server transaction and answers it with code, if that is not 0.
func receive(code int) func(*Layer, time.Time, []byte, *sip.Message, *sip.Request) {
	var out []byte
	return func(l *Layer, now time.Time, b []byte, m *sip.Message, req *sip.Request) {
		m.Parse(b)
		req.Decode(m)
		l.ReceiveRequest(now, req, udp)
		if code == 0 {
			return
		}
		user := l.user.(*idle)
		out = sip.AppendEnd(req.AppendResponse(out[:0], code, "", []byte("tag"), remote), nil)
		l.Respond(now, user.ids[len(user.ids)-1], out)
		user.ids = user.ids[:0]
	}
}

// send makes a client transaction and has it answered with code, if that is not 0.
func send(code int) func(*Layer, time.Time, []byte, *sip.Message, *sip.Request) {
	var out []byte
	return func(l *Layer, now time.Time, b []byte, m *sip.Message, _ *sip.Request) {
		id, err := l.NewClient(now, b, udp, remote, l.user)
		if err != nil {
			return
		}
		if code < 200 {
			user := l.user.(*idle)
			user.ids = append(user.ids, id)
		}
		if code == 0 {
			return
		}
		m.Parse(b)
		out = sip.AppendEnd(sip.AppendResponse(out[:0], m, code, "", []byte("tag"), remote), nil)
		m.Parse(out)
		l.ReceiveResponse(now, m, udp)
	}
}

// BenchmarkServer is a request from the network, its server transaction and its 200, from parsing to the end of
// Timer J or L, with 32 s of the same behind it.
func BenchmarkServer(b *testing.B) {
	for _, method := range []string{"INVITE", "MESSAGE"} {
		b.Run(method, func(b *testing.B) {
			l := newLoad(b, method, 200, 0, time.Millisecond)
			l.warm(l.server)
			b.ReportAllocs()
			for b.Loop() {
				l.server()
			}
		})
	}
}

// BenchmarkClient is a request of ours, its client transaction and its response, to the end of Timer D, K or M.
func BenchmarkClient(b *testing.B) {
	for _, method := range []string{"INVITE", "MESSAGE"} {
		for _, code := range []int{200, 486} {
			b.Run(method+"/"+strconv.Itoa(code), func(b *testing.B) {
				l := newLoad(b, method, code, 0, time.Millisecond)
				f := l.mustClient(b)
				l.warm(f)
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
	}
}

// BenchmarkRetransmission is a request that has come before, without its parse.
func BenchmarkRetransmission(b *testing.B) {
	l := newLoad(b, "MESSAGE", 200, 0, time.Millisecond)
	l.server()
	b.ReportAllocs()
	for b.Loop() {
		l.layer.ReceiveRequest(l.now, &l.req, udp)
	}
}

// BenchmarkRetransmissionAmongMany is the same with 32 s of others behind it.
func BenchmarkRetransmissionAmongMany(b *testing.B) {
	l := newLoad(b, "MESSAGE", 200, 0, 100*time.Microsecond)
	l.warm(l.server)
	b.ReportAllocs()
	for b.Loop() {
		l.layer.ReceiveRequest(l.now, &l.req, udp)
	}
}

// BenchmarkMillionFinished is what a million finished transactions with responses of some 350 bytes take of the
// system's memory, once they are there and in a second that is as busy as those before.
func BenchmarkMillionFinished(b *testing.B) {
	const n = 1_000_000
	before := resident(b)
	l := newLoad(b, "MESSAGE", 200, 0, 32*time.Microsecond)
	for b.Loop() {
		for range n {
			l.server()
		}
	}
	many, bytes := l.layer.Stats().Logged, float64(resident(b)-before)
	b.ReportMetric(bytes/1e6, "RSS-MB")
	b.ReportMetric(bytes/float64(many)-float64(len(l.null.response)), "B-overhead/record")
	b.ReportMetric(float64(len(l.null.response)), "B-response")
	b.ReportMetric(float64(many), "records")
	if s := l.layer.Stats(); s.GivenUp > 0 {
		b.Errorf("%+v", s)
	}
}

// resident is the memory that the process has of the system.
func resident(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("no /proc")
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// BenchmarkStray is a response that nothing waits for, without its parse.
func BenchmarkStray(b *testing.B) {
	l := newLoad(b, "MESSAGE", 200, 0, time.Millisecond)
	if err := l.r.Parse(l.response); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		l.layer.ReceiveResponse(l.now, &l.r, udp)
	}
}

// BenchmarkAdvance is a tick with nothing due, of which there are 100 in a second.
func BenchmarkAdvance(b *testing.B) {
	l := newLoad(b, "MESSAGE", 200, 0, time.Millisecond)
	l.server()
	b.ReportAllocs()
	for b.Loop() {
		l.now = l.now.Add(tick)
		l.layer.Advance(l.now)
	}
}

// BenchmarkStep is a step of a machine.
func BenchmarkStep(b *testing.B) {
	t := Timers{}.orDefault()
	m := start(inviteClient, false, t, 0)
	for b.Loop() {
		m.step(t, 0, failure)
	}
}
