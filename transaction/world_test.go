package transaction

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

var (
	local  = netip.MustParseAddrPort("192.0.2.1:5060")
	remote = netip.MustParseAddrPort("192.0.2.101:5062")
	udp    = sip.Flow{Transport: sip.UDP, Local: local, Remote: remote}
	tcp    = sip.Flow{Transport: sip.TCP, Local: local, Remote: remote, Serial: 7}
)

var errBroken = errors.New("broken")

// crlf makes a message of a Go literal: lines end in CRLF.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// requestText is a request as a client sends it, with headers and parameters to look for in what is made of it.
func requestText(method, branch string) []byte {
	return crlf(fmt.Sprintf(`%[1]s sip:bob@biloxi.example.com SIP/2.0
Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=%[2]s
Via: SIP/2.0/UDP phone.atlanta.example.com;branch=z9hG4bKphone
Max-Forwards: 69
Route: <sip:ss1.example.com;lr>, <sip:ss2.example.com;lr>
Route: <sip:ss3.example.com;lr>
From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl
To: Bob <sip:bob@biloxi.example.com>
Call-ID: 3848276298220188511@atlanta.example.com
CSeq: 17 %[1]s
Require: precondition
Proxy-Require: foo
Contact: <sip:alice@client.atlanta.example.com>
Content-Type: application/sdp
Content-Length: 9

v=0
s=-
`, method, branch))
}

// parseRequest decodes a request, which must be well-formed.
func parseRequest(t testing.TB, b []byte) *sip.Request {
	t.Helper()
	m, req := new(sip.Message), new(sip.Request)
	if err := m.Parse(b); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	if err := req.Decode(m); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return req
}

func parse(t testing.TB, b []byte) *sip.Message {
	t.Helper()
	m := new(sip.Message)
	if err := m.Parse(b); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return m
}

// responseTo is a response to a request, with that To tag.
func responseTo(t testing.TB, request []byte, code int, tag string) []byte {
	t.Helper()
	b := sip.AppendResponse(nil, parse(t, request), code, "", []byte(tag), remote)
	return sip.AppendEnd(b, nil)
}

// title is what a message is: its method or its status code.
func title(b []byte) string {
	var m sip.Message
	if err := m.Parse(b); err != nil {
		return err.Error()
	}
	if m.IsRequest() {
		return string(m.Method())
	}
	return strconv.Itoa(m.StatusCode())
}

// layerRig runs a layer with one transaction, and plays its network and its user. It is for one goroutine.
type layerRig struct {
	t       *testing.T
	s       scenario
	layer   *Layer
	epoch   time.Time
	now     moment
	flow    sip.Flow
	request []byte
	id      ID
	state   State
	broken  bool
	key     key               // of a record that the transaction has become, and for which the script has the figure go on
	becomes State             // what its state is then
	cancel  []byte            // a CANCEL that was sent and not answered
	sent    map[string][]byte // the last of each
	lines   []line
}

func newLayerRig(t *testing.T, s scenario) *layerRig {
	r := &layerRig{t: t, s: s, epoch: time.Unix(1e9, 0), flow: udp, sent: map[string][]byte{}}
	if s.reliable {
		r.flow = tcp
	}
	method := "INVITE"
	if s.kind == nonInviteClient || s.kind == nonInviteServer {
		method = "MESSAGE"
	}
	r.request = requestText(method, "z9hG4bKscript")
	r.layer = New(Config{}, r.epoch, r, r)
	return r
}

func (r *layerRig) log() []line { return r.lines }

func (r *layerRig) add(verb, what string) { r.lines = append(r.lines, line{r.now, verb, what}) }

func (r *layerRig) time() time.Time { return r.epoch.Add(r.now) }

func (r *layerRig) advance(at moment) {
	for next := (r.now/tick + 1) * tick; next <= at; next += tick {
		r.now = next
		if t := r.id.lock(); t != nil {
			e, due := t.fired(r.now)
			m := t.machine
			t.shard.mu.Unlock()
			if due {
				r.add("timer", letter(m, e))
			}
		}
		r.layer.Advance(r.time())
		if r.key != (key{}) && !r.layer.recorded(r.key) {
			r.key = key{}
			r.add("timer", letter(machine{kind: r.s.kind, state: r.state}, endFires))
			r.add("state", Terminated.String())
		}
		r.after()
	}
	r.now = at
}

// after records a new state, and answers a CANCEL, of which the script says nothing.
func (r *layerRig) after() {
	if s := r.layer.State(r.id); s != r.state && s != Terminated {
		r.state = s
		r.add("state", s.String())
	}
	if r.key != (key{}) && r.state != r.becomes {
		r.state = r.becomes
		r.add("state", r.state.String())
	}
	if r.cancel != nil {
		ok := responseTo(r.t, r.cancel, 200, "x")
		r.cancel = nil
		r.layer.ReceiveResponse(r.time(), parse(r.t, ok), r.flow)
	}
}

func (r *layerRig) input(l line) {
	r.lines = append(r.lines, l)
	defer r.after()
	code, _ := strconv.Atoi(l.what)
	client := r.s.kind == inviteClient || r.s.kind == nonInviteClient
	switch {
	case l.verb == "break" || l.verb == "mend":
		r.broken = l.verb == "break"
	case l.verb == "fail":
		if before := r.layer.Stats(); r.key != (key{}) {
			defer func() { // for a record it is counted
				if r.layer.Stats().TransportErrors > before.TransportErrors {
					r.add("tell", "error")
				}
			}()
		}
		r.layer.Undelivered(r.time(), parse(r.t, r.sent[l.what]), errBroken)
	case l.what == "cancel":
		if err := r.layer.Cancel(r.time(), r.id); err != nil {
			r.t.Error(err)
		}
	case l.what == "trying":
		if err := r.layer.Trying(r.time(), r.id); err != nil {
			r.t.Error(err)
		}
	case l.verb == "recv" && client:
		r.layer.ReceiveResponse(r.time(), parse(r.t, responseTo(r.t, r.request, code, "tag"+l.what)), r.flow)
	case l.verb == "recv":
		r.layer.ReceiveRequest(r.time(), parseRequest(r.t, requestText(l.what, "z9hG4bKscript")), r.flow)
	case client:
		id, err := r.layer.NewClient(r.time(), r.request, r.flow, remote, r)
		if err != nil {
			r.add("tell", "error")
			r.add("state", "Terminated")
		}
		r.id = id
	default:
		switch err := r.layer.Respond(r.time(), r.id, responseTo(r.t, r.request, code, "tag"+l.what)); err {
		case nil:
		case errBroken:
			r.add("tell", "error")
		case ErrTerminated:
			if r.layer.State(r.id) != Terminated {
				r.t.Error("ErrTerminated of a live transaction")
			}
		default:
			r.t.Error(err)
		}
	}
}

func (r *layerRig) Send(flow sip.Flow, to netip.AddrPort, b []byte) error {
	if flow != r.flow || to != remote {
		r.t.Errorf("sent along %v to %v", flow, to)
	}
	if r.broken {
		return errBroken
	}
	what := title(b)
	r.sent[what] = append([]byte(nil), b...)
	if what == "CANCEL" {
		r.cancel = r.sent[what]
	}
	r.add("send", what)
	return nil
}

func (r *layerRig) Request(now time.Time, req *sip.Request, flow sip.Flow) {
	if !r.id.IsZero() {
		r.t.Errorf("%v: %s is new to the layer", r.now, req.Method())
		return
	}
	id, err := r.layer.NewServer(now, req, flow, remote, r)
	if err != nil {
		r.t.Error(err)
	}
	r.id = id
}

func (r *layerRig) check(id ID, owner any) {
	if id != r.id || owner != any(r) {
		r.t.Error("told of another transaction")
	}
}

func (r *layerRig) Cancel(time.Time, ID, any, *sip.Request, sip.Flow) { r.t.Error("a CANCEL") }

func (r *layerRig) Ack(_ time.Time, id ID, owner any, req *sip.Request, _ sip.Flow) {
	r.check(id, owner)
	r.add("tell", string(req.Method()))
}

func (r *layerRig) Response(_ time.Time, id ID, owner any, resp *sip.Message, _ sip.Flow) {
	r.check(id, owner)
	r.add("tell", strconv.Itoa(resp.StatusCode()))
}

func (r *layerRig) Timeout(_ time.Time, id ID, owner any) {
	r.check(id, owner)
	r.add("tell", "timeout")
}

func (r *layerRig) TransportError(_ time.Time, id ID, owner any, err error) {
	r.check(id, owner)
	if err != errBroken {
		r.t.Error("transport error", err)
	}
	r.add("tell", "error")
}

func (r *layerRig) Terminated(_ time.Time, id ID, owner any) {
	r.check(id, owner)
	r.state = Terminated
	// A record is a transaction that goes on as its figure says.
	id.t.shard.mu.Lock()
	k, state := id.t.key, map[kind]State{nonInviteServer: Completed, nonInviteClient: Completed, inviteServer: Confirmed}[id.t.kind]
	id.t.shard.mu.Unlock()
	if r.layer.recorded(k) {
		r.key, r.becomes = k, state
		return
	}
	r.add("state", r.state.String())
}

// recorded reports whether there is a record with that key.
func (l *Layer) recorded(k key) bool {
	s := l.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logs[forJ].find(k) != nil || s.logs[forT4].find(k) != nil
}

// clean reports whether all counts are as those of a layer that holds nothing, and all its memory is spare.
func (l *Layer) clean() bool {
	for i := range l.shards {
		if l.shards[i].ended != 0 {
			return false
		}
	}
	return l.working.Load() == 0 && l.bytes.Load() == 0 && len(l.chunks.spare) == len(l.chunks.held)
}

// world plays the network and the user of a layer, and records what happens as "send 200", "tell 180" and so on. It is
// for one goroutine.
type world struct {
	t      testing.TB
	layer  *Layer
	now    time.Time
	broken error
	events []string
	last   []byte // sent
	ids    []ID   // of the requests that became server transactions
	stray  bool   // the user makes no server transaction of a request
	meant  ID     // by a CANCEL
	owner  any    // of what a CANCEL meant
}

func newWorld(t testing.TB, cfg Config) *world {
	w := &world{t: t, now: time.Unix(1e9, 0)}
	w.layer = New(cfg, w.now, w, w)
	return w
}

func (w *world) note(format string, args ...any) {
	w.events = append(w.events, fmt.Sprintf(format, args...))
}

// want checks what has happened since the last call.
func (w *world) want(events ...string) {
	w.t.Helper()
	if got, want := strings.Join(w.events, ", "), strings.Join(events, ", "); got != want {
		w.t.Errorf("happened: %s\nwanted:   %s", got, want)
	}
	w.events = nil
}

func (w *world) receive(b []byte) {
	w.t.Helper()
	if m := parse(w.t, b); m.IsResponse() {
		w.layer.ReceiveResponse(w.now, m, udp)
		return
	}
	w.layer.ReceiveRequest(w.now, parseRequest(w.t, b), udp)
}

// pass lets time pass, timer by timer.
func (w *world) pass(d time.Duration) {
	for range d / tick {
		w.now = w.now.Add(tick)
		w.layer.Advance(w.now)
	}
}

func (w *world) Send(_ sip.Flow, _ netip.AddrPort, b []byte) error {
	if w.broken != nil {
		return w.broken
	}
	w.last = append(w.last[:0], b...)
	w.note("send %s", title(b))
	return nil
}

func (w *world) Request(now time.Time, req *sip.Request, flow sip.Flow) {
	w.note("request %s", req.Method())
	if w.stray || req.Method() == sip.Ack {
		return
	}
	id, err := w.layer.NewServer(now, req, flow, remote, w)
	if err != nil {
		w.note("%v", err)
		return
	}
	w.ids = append(w.ids, id)
}

func (w *world) Cancel(now time.Time, id ID, owner any, req *sip.Request, flow sip.Flow) {
	w.note("cancel")
	w.meant, w.owner = id, owner
	w.Request(now, req, flow)
}

func (w *world) Ack(time.Time, ID, any, *sip.Request, sip.Flow) { w.note("ack") }

func (w *world) Response(_ time.Time, _ ID, _ any, resp *sip.Message, _ sip.Flow) {
	w.note("tell %d", resp.StatusCode())
}

func (w *world) Timeout(time.Time, ID, any)                         { w.note("timeout") }
func (w *world) TransportError(_ time.Time, _ ID, _ any, err error) { w.note("%v", err) }
func (w *world) Terminated(time.Time, ID, any)                      { w.note("terminated") }

// answer responds on the server transaction that came last.
func (w *world) answer(request []byte, code int) error {
	w.t.Helper()
	return w.layer.Respond(w.now, w.ids[len(w.ids)-1], responseTo(w.t, request, code, "ours"))
}
