package registrar

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is an AOR as RFC 3261 §10.3 tells of it, with requests for writers.
type model struct {
	max      int
	now      time.Time
	bindings []modelBinding
}

type modelBinding struct {
	contact        int // which; a contact has several spellings
	removed        bool
	until          time.Time
	granted        time.Duration
	writer, before *modelRequest
}

// modelRequest is a REGISTER: resent, it is the same one.
type modelRequest struct {
	callID   string
	cseq     int
	star     bool
	contacts []modelContact
	text     []byte
}

type modelContact struct {
	contact int
	expires time.Duration
}

// expire forgets what is over.
func (m *model) expire() {
	m.bindings = slices.DeleteFunc(m.bindings, func(b modelBinding) bool { return !m.now.Before(b.until) })
}

func (m *model) find(contact int) *modelBinding {
	for i := range m.bindings {
		if m.bindings[i].contact == contact {
			return &m.bindings[i]
		}
	}
	return nil
}

func (m *model) live() (n int) {
	for _, b := range m.bindings {
		if !b.removed {
			n++
		}
	}
	return n
}

// handle is the status that a request gets; a retransmission changes nothing.
func (m *model) handle(r *modelRequest) int {
	m.expire()
	if r.star {
		return m.removeAll(r)
	}
	for _, c := range r.contacts {
		if c.expires > 0 && c.expires < time.Minute {
			return 423
		}
	}
	repeated, fresh, stale := false, false, false
	live := m.live()
	adds, removes := 0, 0
	for _, c := range r.contacts {
		b := m.find(c.contact)
		isLive := b != nil && !b.removed
		switch {
		case b != nil && (b.writer == r || b.before == r):
			repeated = true
		case b != nil && b.writer.callID == r.callID && b.writer.cseq >= r.cseq,
			b != nil && b.removed && b.before != nil && b.before.callID == r.callID && b.before.cseq >= r.cseq:
			stale = true
		default:
			fresh = true
		}
		if c.expires > 0 && !isLive {
			adds++
		}
		if c.expires == 0 && isLive {
			removes++
		}
	}
	switch {
	case stale || repeated && fresh:
		return 500
	case repeated:
		return 200
	case adds > removes && live+adds-removes > m.max:
		return 500
	}
	for _, c := range r.contacts {
		m.write(r, c)
	}
	return 200
}

func (m *model) removeAll(r *modelRequest) int {
	repeated, stale := false, false
	for i := range m.bindings {
		b := &m.bindings[i]
		repeated = repeated || b.removed && b.writer == r || b.before == r
		stale = stale || !b.removed && b.writer.callID == r.callID && b.writer.cseq >= r.cseq
	}
	if stale {
		return 500
	}
	if repeated {
		return 200
	}
	for _, b := range slices.Clone(m.bindings) {
		if !b.removed {
			m.write(r, modelContact{contact: b.contact})
		}
	}
	return 200
}

// write puts a contact into the list: in its place while it is live, else at the end.
func (m *model) write(r *modelRequest, c modelContact) {
	b := modelBinding{contact: c.contact, removed: c.expires == 0, granted: c.expires, writer: r,
		until: m.now.Add(c.expires)}
	if b.removed {
		b.until = m.now.Add(32 * time.Second)
	}
	old := m.find(c.contact)
	if old != nil {
		b.before = old.writer
		if old.writer.callID == r.callID {
			b.before = old.before
		}
	}
	if old != nil && (!old.removed || b.removed) {
		*old = b
		return
	}
	m.bindings = slices.DeleteFunc(m.bindings, func(b modelBinding) bool { return b.contact == c.contact })
	m.bindings = append(m.bindings, b)
}

// spell writes a contact in one of the ways in which it is the same by §19.1.4.
func spell(t *rapid.T, contact int) string {
	return fmt.Sprintf(rapid.SampledFrom([]string{
		"sip:bob@h%d.example.com;transport=tcp", "sip:%%62ob@H%d.EXAMPLE.com;Transport=TCP",
		"SIP:bob@h%d.example.com;x=1;transport=tcp",
	}).Draw(t, "spelling"), contact)
}

// drawRequest makes a new REGISTER of one of three UAs.
func drawRequest(t *rapid.T, cseq map[string]int) *modelRequest {
	r := &modelRequest{callID: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "call-id")}
	r.cseq = cseq[r.callID] + rapid.SampledFrom([]int{1, 1, 1, 2, 0, -1}).Draw(t, "step")
	r.cseq = max(r.cseq, 1)
	cseq[r.callID] = max(cseq[r.callID], r.cseq)
	if r.star = rapid.IntRange(0, 9).Draw(t, "star") == 0; r.star {
		return r
	}
	which := rapid.SliceOfNDistinct(rapid.IntRange(0, 4), 0, 3, rapid.ID[int]).Draw(t, "contacts")
	for _, contact := range which {
		seconds := rapid.SampledFrom([]int{0, 0, 60, 61, 100, 3600, 59}).Draw(t, "expires")
		r.contacts = append(r.contacts, modelContact{contact, time.Duration(seconds) * time.Second})
	}
	return r
}

// lines are the header lines of a request.
func (r *modelRequest) lines(t *rapid.T) []string {
	lines := []string{"Call-ID: " + r.callID, fmt.Sprintf("CSeq: %d REGISTER", r.cseq)}
	if r.star {
		return append(lines, "Contact: *", "Expires: 0")
	}
	for _, c := range r.contacts {
		lines = append(lines, fmt.Sprintf("Contact: <%s>;expires=%d", spell(t, c.contact), c.expires/time.Second))
	}
	return lines
}

// TestModel sends random REGISTERs, queries and retransmissions, and compares the status and the list of
// bindings with the model's. That a failure changes nothing, a response has what it must, and the record
// survives its codec, is checked of every request by send. RG-002 too: 6xx never comes.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t, Config{MinExpires: time.Minute, MaxContacts: 3})
		m := &model{max: 3, now: noon}
		cseq := map[string]int{}
		var sent []*modelRequest
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			pass := rapid.SampledFrom([]int{0, 0, 1, 500, 1000, 20_000, 33_000, 70_000}).Draw(t, "ms")
			m.now = m.now.Add(time.Duration(pass) * time.Millisecond)
			d.now = m.now
			var r *modelRequest
			if len(sent) > 0 && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
				r = sent[rapid.IntRange(max(0, len(sent)-4), len(sent)-1).Draw(t, "which")]
			} else {
				r = drawRequest(t, cseq)
				r.text = d.request(r.lines(t))
				sent = append(sent, r)
			}
			want := m.handle(r)
			d.send(r.text)
			if d.reg.Status != want {
				t.Fatalf("status %d, want %d, to\n%s", d.reg.Status, want, r.text)
			}
			compareLists(t, d, m)
		}
	})
}

// compareLists queries the AOR and compares what it shows with the model.
func compareLists(t *rapid.T, d *desk, m *model) {
	t.Helper()
	if n := m.live(); n > m.max {
		t.Fatalf("%d bindings", n)
	}
	d.send(d.request([]string{"Call-ID: query"}))
	var got, want []string
	for _, line := range strings.Split(string(d.reg.Response), "\r\n") {
		if value, ok := strings.CutPrefix(line, "Contact: "); ok {
			host := strings.ToLower(value[strings.IndexByte(value, '@')+1:])
			got = append(got, host[:2]+value[strings.LastIndexByte(value, ';'):])
		}
	}
	for _, b := range m.bindings {
		if !b.removed {
			left := min((b.until.Sub(m.now)+time.Second-1)/time.Second, b.granted/time.Second)
			want = append(want, fmt.Sprintf("h%d;expires=%d", b.contact, left))
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the list is %v, want %v", got, want)
	}
}

// TestRepeat sends each request of a random history twice at once: the second time it gets the same
// bytes, and the record stays. If it changed nothing there is nothing to tell that it came before, and it is
// sent again at the same moment.
func TestRepeat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t, Config{MinExpires: time.Minute, MaxContacts: 3})
		cseq := map[string]int{}
		for range rapid.IntRange(1, 20).Draw(t, "requests") {
			r := drawRequest(t, cseq)
			text := d.request(r.lines(t))
			d.send(text)
			first, record := string(d.reg.Response), string(d.record)
			changed := record != string(d.sent[len(d.sent)-1].before)
			if changed {
				d.now = d.now.Add(time.Duration(rapid.IntRange(0, 30_000).Draw(t, "ms")) * time.Millisecond)
			}
			expired := string(d.expired())
			d.send(text)
			if expired == record && string(d.reg.Response) != first {
				t.Fatalf("got\n%s\nand before\n%s", d.reg.Response, first)
			}
			if string(d.expired()) != expired {
				t.Fatalf("the record changed")
			}
		}
	})
}
