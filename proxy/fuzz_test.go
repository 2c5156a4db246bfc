package proxy

import (
	"bytes"
	"testing"

	"biloxi/sip"
)

// FuzzForward: a copy parses, and differs from the request in nothing but what §16.4 and §16.6 name.
func FuzzForward(f *testing.F) {
	f.Add(invite, []byte("sip:bob@192.0.2.5"), byte(0))
	for i, c := range readForwardings(f) {
		f.Add(message(c.request), []byte("sip:x@192.0.2.5;transport=tcp"), byte(i))
	}
	p := New(Config{})
	f.Fuzz(func(t *testing.T, data, uri []byte, choice byte) {
		var m, got sip.Message
		var req sip.Request
		if m.Parse(data) != nil || !m.IsRequest() || req.Decode(&m) != nil {
			return
		}
		if u, err := sip.ParseURI(uri); err != nil || !u.IsSIP() || u.Headers != nil {
			uri = nil
		}
		var in Received
		if p.Validate(&req) != nil || in.Preprocess(&req, flowFrom("UDP 192.0.2.111:5060"), ours) != nil {
			return
		}
		before := string(m.Bytes())
		in.Looped(ours)
		c := Copy{URI: uri, MaxBreadth: uint32(choice & 1), Transport: sip.UDP, SentBy: []byte("me"), Branch: p.AppendBranch(nil, &in, 0)}
		if choice&2 != 0 {
			c.Transport, c.RecordRoute = sip.TCP, []byte("<sip:me;lr>")
		}
		if choice&4 != 0 {
			c.Routes = []byte("<sip:edge;lr>, <sip:border;lr>")
		}
		out := in.Append(nil, &c)
		if string(m.Bytes()) != before {
			t.Fatal("the request was written to")
		}
		if err := got.Parse(out); err != nil {
			t.Fatalf("%v: %q of %q", err, out, data)
		}
		checkCopy(t, &in, &c, &got)
	})
}

// checkCopy is the oracle: it reads the copy without knowing how it was made.
func checkCopy(t *testing.T, in *Received, c *Copy, got *sip.Message) {
	t.Helper()
	changed := []sip.Header{sip.HeaderVia, sip.HeaderMaxForwards, sip.HeaderRoute}
	if c.MaxBreadth > 0 {
		changed = append(changed, sip.HeaderMaxBreadth)
		if n, p := got.Uint32(sip.HeaderMaxBreadth); p != sip.Present || n != c.MaxBreadth || got.Next(got.Index(sip.HeaderMaxBreadth)) >= 0 {
			t.Fatalf("Max-Breadth in %q", got.Bytes())
		}
	}
	want := others(in.Message, changed...)
	if c.RecordRoute != nil {
		line := "Record-Route: <sip:me;lr>\r\n"
		if i := got.Index(sip.HeaderRecordRoute); i < 0 || string(got.Line(i)) != line {
			t.Fatalf("Record-Route in %q", got.Bytes())
		}
		want = append(want, line)
	}
	if c.Transport.Reliable() && !in.Has(sip.HeaderContentLength) {
		changed = append(changed, sip.HeaderContentLength)
		if _, _, err := frame(got); err != nil {
			t.Fatalf("%v in %q", err, got.Bytes())
		}
	}
	left := others(got, changed...)
	if c.RecordRoute != nil {
		left = moveLast(left, "Record-Route: <sip:me;lr>\r\n")
	}
	if !equalLists(left, want) || !bytes.Equal(got.Body(), in.Body()) || got.Method() != in.Method() {
		t.Fatalf("%q\nof\n%q", got.Bytes(), in.Bytes())
	}
	checkVias(t, in, c, got)
	checkRoutes(t, in, c, got)
	was, had := in.MaxForwards()
	if is, p := got.MaxForwards(); p != sip.Present || had == sip.Present && is != was-1 || had != sip.Present && is != 70 {
		t.Fatalf("Max-Forwards in %q", got.Bytes())
	}
}

func frame(m *sip.Message) (int, int, error) {
	skip, length, _, err := sip.Frame(m.Bytes(), sip.MaxDatagram, sip.MaxDatagram)
	if err == nil && length != len(m.Bytes()) {
		return skip, length, &sip.SyntaxError{Reason: "another length"}
	}
	return skip, length, err
}

// moveLast moves the first line that is equal to line to the end.
func moveLast(list []string, line string) []string {
	for i, l := range list {
		if l == line {
			return append(append(append([]string{}, list[:i]...), list[i+1:]...), line)
		}
	}
	return list
}

func checkVias(t *testing.T, in *Received, c *Copy, got *sip.Message) {
	t.Helper()
	before, sound := viasOf(in.Message)
	after, _ := viasOf(got)
	if !sound {
		return
	}
	if len(after) != len(before)+1 || after[0] != "SIP/2.0/"+c.Transport.String()+" me;branch="+string(c.Branch) ||
		after[1] != string(in.Via.AppendReceived(nil, in.Flow.Remote)) || !equalLists(after[2:], before[1:]) {
		t.Fatalf("Vias %q of %q", after, before)
	}
}

// checkRoutes does §16.4 and §16.6 step 6 once more, on lists.
func checkRoutes(t *testing.T, in *Received, c *Copy, got *sip.Message) {
	t.Helper()
	var list []string
	if c.Routes != nil {
		list = append(list, "<sip:edge;lr>", "<sip:border;lr>")
	}
	for i := in.kept.first; i < in.kept.end; i++ {
		list = append(list, string(in.routeBytes(i)))
	}
	uri := string(in.URI.Raw())
	if c.URI != nil {
		uri = string(c.URI)
	}
	if len(list) > 0 {
		first, _ := sip.ParseNameAddr([]byte(list[0]))
		if !first.URI.Params.Has("lr") {
			list = append(list[1:], "<"+uri+">")
			uri = string(first.URI.Raw())
		}
	}
	var after []string
	values := got.Values(sip.HeaderRoute)
	for values.Next() {
		after = append(after, string(values.Raw()))
	}
	if values.Err() != nil || string(got.RequestURI()) != uri || !equalLists(after, list) {
		t.Fatalf("%s with Route %q, wanted %s with %q: %v", got.RequestURI(), after, uri, list, values.Err())
	}
}

// FuzzContext feeds a response context events in any order. One byte is one event. Whatever comes, exactly one final
// response goes back (or several 2xx to an INVITE, or silence to another request), it ends when every branch has,
// the breadth in use never exceeds what came in, and nothing is started behind a final response.
func FuzzContext(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 0x10, 0x21, 0x32, 0x43}, byte(3), byte(60))
	f.Add([]byte{5, 0x15, 6, 0x16, 7, 0x17, 8, 0x18, 0x21}, byte(0x43), byte(1))
	f.Add([]byte{9, 0x0a, 0x1a, 0x0b, 0x0c}, byte(0x85), byte(2))
	f.Fuzz(func(t *testing.T, events []byte, shape, breadth byte) {
		m := &contextModel{t: t, breadth: max(uint32(breadth), 1)}
		m.scene = &scene{t: t, method: "INVITE", breadth: m.breadth}
		m.scene.cfg.Recurse = shape&0x40 != 0
		if shape&0x80 != 0 {
			m.scene.method = "MESSAGE"
		}
		for i := range int(shape&7) + 1 {
			text := "<sip:u@192.0.2." + string('1'+rune(i)) + ">;q=0." + string('1'+rune(i/2))
			if shape&0x20 != 0 {
				text += `;+sip.instance="<u>";reg-id=` + string('1'+rune(i))
			}
			m.scene.record.Bindings = append(m.scene.record.Bindings, contact(t, text))
		}
		m.run(events)
	})
}

type contextModel struct {
	t       *testing.T
	scene   *scene
	breadth uint32
	used    map[int]uint32 // by branch without a final response
	// accepted are the branches whose INVITE has had a 2xx: more may come (RFC 6026 §7.2).
	accepted map[int]bool
	finals   int // sent, 2xx to INVITE apart
	ok       int // 2xx sent
	done     bool
	closed   bool // a final response was sent, or the caller cancelled
	advanced bool // the time has been told
}

func (m *contextModel) run(events []byte) {
	m.used, m.accepted = map[int]uint32{}, map[int]bool{}
	ctx := &m.scene.ctx
	m.scene.begin(noon)
	m.take(append([]Action{}, ctx.acts...), nil)
	for _, e := range events[:min(len(events), 200)] { // longer shows nothing more, and takes long
		m.event(e)
	}
	// Every transaction ends some time.
	for round := 0; len(m.used) > 0; round++ {
		if round > 10*MaxTargets {
			m.t.Fatal("it never ends")
		}
		for b := range m.used {
			delete(m.used, b)
			m.take(ctx.Timeout(noon, b, false), nil)
			break
		}
	}
	invite := m.scene.method == "INVITE"
	switch {
	case !m.done:
		m.t.Fatal("not done")
	case m.finals > 1 || m.finals == 1 && m.ok > 0 || !invite && m.ok > 1:
		m.t.Fatalf("%d final responses and %d 2xx", m.finals, m.ok)
	case m.finals+m.ok == 0:
		m.t.Fatal("no final response")
	}
}

// event is one byte: what happens, and to which branch.
func (m *contextModel) event(e byte) {
	ctx := &m.scene.ctx
	b, more := int(e>>4&7), e&0x80 != 0
	if b >= ctx.Branches() {
		return
	}
	codes := [...]int{100, 180, 200, 302, 404, 407, 401, 430, 503, 603, 487, 408}
	_, open := m.used[b]
	switch k := int(e & 15); {
	case k < len(codes):
		code := codes[k]
		if !open && (code/100 != 2 || !m.accepted[b]) {
			return // a transaction passes up no such thing
		}
		header := ""
		if code == 302 {
			header = "Contact: <sip:r" + string('0'+rune(b)) + "@192.0.2.77>;q=0.3, <sip:u@192.0.2.1>, <tel:1>"
		}
		resp := m.scene.response(code, header)
		if code >= 200 {
			delete(m.used, b)
		}
		m.accepted[b] = m.accepted[b] || code/100 == 2 && m.scene.method == "INVITE"
		m.take(ctx.Response(noon, b, resp, more), resp)
	case k == 12:
		if m.scene.method == "INVITE" {
			m.closed = true
		}
		m.take(ctx.Cancel(noon), nil)
	case k == 13 && open:
		delete(m.used, b)
		m.take(ctx.TransportError(noon, b, more), nil)
	case k == 14 && open:
		delete(m.used, b)
		m.take(ctx.Timeout(noon, b, more), nil)
	case k == 15:
		m.advanced = true
		m.take(ctx.Advance(noon.Add(DefaultTimerC)), nil)
	}
}

func (m *contextModel) take(acts []Action, came *sip.Message) {
	m.t.Helper()
	m.scene.text(acts, came)
	for _, a := range acts {
		final := a.Do == Relay && a.Status >= 200 || a.Do == Respond || a.Do == Answer || a.Do == Silence
		switch {
		case a.Do == Start:
			if m.closed || m.done {
				m.t.Fatal("a branch was started behind the end")
			}
			if old, open := m.used[a.Branch]; open {
				m.t.Fatalf("branch %d with %d is open", a.Branch, old)
			}
			m.used[a.Branch] = a.Breadth
		case a.Do == Abandon:
			delete(m.used, a.Branch)
		case a.Do == Done && m.done:
			m.t.Fatal("done twice")
		case a.Do == Done:
			m.done = true
			if len(m.used) > 0 {
				m.t.Fatal("done with a branch open")
			}
		case final && a.Status/100 == 2:
			m.ok++
			m.closed = true
		case final:
			m.finals++
			m.closed = true
			// A request other than INVITE waits no longer than its client does (RFC 4321 §1.5).
			if len(m.used) > 0 && (m.scene.method == "INVITE" || !m.advanced) {
				m.t.Fatal("a final response while a branch is open")
			}
			if m.scene.method != "INVITE" && a.Status == 408 || a.Status == 503 || a.Status == 430 {
				m.t.Fatalf("%d went back", a.Status)
			}
		}
	}
	sum := uint32(0)
	for _, n := range m.used {
		sum += n
	}
	if sum > m.breadth {
		m.t.Fatalf("%d branches' breadth of %d", sum, m.breadth)
	}
}
