package registrar

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

const oneContact = "Contact: <sip:bob@192.0.2.201:5060;transport=udp>;+sip.instance=\"<urn:uuid:0-1>\";expires=3600"

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name                   string
		cfg                    Config
		byDefault, least, most uint32
	}{
		{"zero", Config{}, 3600, 0, 4294967295},
		{"as given", Config{DefaultExpires: 2 * time.Hour, MinExpires: time.Minute, MaxExpires: 24 * time.Hour}, 7200, 60, 86400},
		{"parts of seconds", Config{DefaultExpires: 1500 * time.Millisecond, MinExpires: time.Millisecond, MaxExpires: 3 * time.Second / 2}, 1, 1, 1},
		{"minimum over maximum", Config{MinExpires: time.Hour, MaxExpires: time.Minute}, 60, 60, 60},
		{"centuries", Config{MaxExpires: 1<<63 - 1, DefaultExpires: 1<<63 - 1}, 4294967295, 0, 4294967295},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(c.cfg)
			if r.defaultExpires != c.byDefault || r.minExpires != c.least || r.maxExpires != c.most {
				t.Errorf("default %d, minimum %d, maximum %d; want %d, %d, %d",
					r.defaultExpires, r.minExpires, r.maxExpires, c.byDefault, c.least, c.most)
			}
		})
	}
}

// What does not fit is refused, and names what it is; the largest that fits is taken.
func TestLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	many := func(n int) (params string) {
		for i := range n {
			params += fmt.Sprintf(";p%d", i)
		}
		return params
	}
	uri := "sip:@192.0.2.201"
	for _, c := range []struct {
		name  string
		over  string
		fits  []string
		lines []string
	}{
		{"URI", "Contact URI Too Long",
			[]string{"Contact: <sip:" + long(maxContactURI-len(uri)) + "@192.0.2.201>"},
			[]string{"Contact: <sip:" + long(maxContactURI-len(uri)+1) + "@192.0.2.201>"}},
		{"URI parameters", "Contact URI Too Long",
			[]string{"Contact: <sip:b@h" + many(maxContactURIParts-1) + "?a=b>"},
			[]string{"Contact: <sip:b@h" + many(maxContactURIParts-1) + "?a=b&c=d>"}},
		{"parameters", "Contact Parameters Too Long",
			[]string{"Contact: <sip:b@h>;expires=60;" + long(maxContactParams-1)},
			[]string{"Contact: <sip:b@h>;" + long(maxContactParams-2) + ";y"}},
		{"Path", "Path Too Long",
			[]string{"Contact: <sip:b@h>", "Supported: path", "Path: <sip:" + long(maxPath-6) + ">"},
			[]string{"Contact: <sip:b@h>", "Supported: path", "Path: <sip:" + long(maxPath-6) + ">", "Path: <sip:h;lr>"}},
		{"Call-ID", "Call-ID Too Long",
			[]string{"Contact: <sip:b@h>", "Call-ID: " + long(maxCallID)},
			[]string{"Contact: <sip:b@h>", "Call-ID: " + long(maxCallID+1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, Config{})
			d.send(d.request(c.lines))
			if d.reg.Status != 400 || d.reg.Reason != ReasonTooLong || !bytes.Contains(d.reg.Response, []byte(c.over)) {
				t.Errorf("over the limit gets\n%s", d.reg.Response)
			}
			if d.send(d.request(c.fits)); d.reg.Status != 200 {
				t.Errorf("at the limit gets\n%s", d.reg.Response)
			}
		})
	}
	t.Run("Contacts", func(t *testing.T) {
		d := newDesk(t, Config{MaxContacts: 100})
		for _, n := range []int{maxRequestContacts + 1, maxRequestContacts} {
			lines := []string{"Expires: 100"}
			for i := range n {
				lines = append(lines, "Contact: <sip:b@h"+strings.Repeat("x", i)+">")
			}
			d.send(d.request(lines))
			if want := map[bool]int{true: 200, false: 400}[n <= maxRequestContacts]; d.reg.Status != want {
				t.Errorf("%d Contacts get %d, want %d", n, d.reg.Status, want)
			}
		}
	})
	t.Run("User-Agent", func(t *testing.T) {
		for agent, want := range map[string]string{
			"Phone 1.0":        "Phone 1.0",
			`Phone\n  1.0`:     "Phone 1.0",
			long(200):          long(maxUserAgent),
			long(127) + "é":    long(127),
			long(126) + "éé":   long(126) + "é",
			"é" + long(126):    "é" + long(126),
			"é" + long(127):    "é" + long(126),
			"\xff" + long(200): "\xff" + long(127),
		} {
			d := newDesk(t, Config{})
			d.send(d.request([]string{"User-Agent: " + agent, oneContact}))
			if got := d.decode().Bindings[0].UserAgent; string(got) != want {
				t.Errorf("of %q %q is stored, want %q", agent, got, want)
			}
		}
	})
}

// An AOR over a limit that was lowered since may refresh and replace its bindings, and add none.
func TestLoweredLimit(t *testing.T) {
	t.Run("RG-059", func(t *testing.T) {
		d := newDesk(t, Config{})
		d.send(d.request([]string{"Contact: <sip:b@1>, <sip:b@2>, <sip:b@3>"}))
		d.registrar = New(Config{MaxContacts: 1})
		for _, c := range []struct {
			contact string
			want    int
		}{
			{"<sip:b@1>", 200},
			{"<sip:b@4>, <sip:b@1>;expires=0", 200},
			{"<sip:b@5>", 500},
			{"<sip:b@5>, <sip:b@6>, <sip:b@4>;expires=0", 500},
			{"<sip:b@2>;expires=0", 200},
		} {
			if d.send(d.request([]string{"Contact: " + c.contact})); d.reg.Status != c.want {
				t.Errorf("%s gets %d, want %d", c.contact, d.reg.Status, c.want)
			}
		}
	})
}

// All that a binding holds, in one.
func TestBinding(t *testing.T) {
	d := newDesk(t, Config{})
	text := d.request([]string{"Call-ID: one", "CSeq: 7 REGISTER", "User-Agent: Phone", "Supported: path, outbound",
		"Path: <sip:e.example.com;lr>", "Contact: <sip:bob@h>;q=0.3;reg-id=2;+sip.instance=\"<urn:uuid:0-1>\";expires=60"})
	d.send(text)
	first := d.now.UnixMilli()
	check := func(want location.Binding) {
		t.Helper()
		rec := location.Record{Bindings: []location.Binding{want}}
		if !bytes.Equal(d.record, rec.Append(nil)) {
			t.Errorf("stored %+v\nwant %+v", d.decode().Bindings[0], want)
		}
	}
	want := location.Binding{
		Contact: []byte("sip:bob@h"), Params: []byte(";reg-id=2;+sip.instance=\"<urn:uuid:0-1>\""), Q: 300, HasQ: true,
		Expires: first + 60_000, Granted: 60, Path: []byte("<sip:e.example.com;lr>"),
		Writer:   location.Writer{CallID: []byte("one"), CSeq: 7, Branch: d.decode().Bindings[0].Writer.Branch},
		Instance: []byte("<urn:uuid:0-1>"), RegID: 2, Flow: bobFlow, UserAgent: []byte("Phone"),
		Created: first, Updated: first,
	}
	check(want)

	d.now = d.now.Add(10 * time.Second)
	d.send(d.request([]string{"Call-ID: two", "CSeq: 1 REGISTER",
		"Contact: <sip:bob@h>;reg-id=2;+sip.instance=\"<urn:uuid:0-1>\";expires=0"}))
	removed := location.Binding{
		Contact: want.Contact, Q: 1000, Removed: true, Expires: first + 42_000, Before: want.Writer,
		Writer:   location.Writer{CallID: []byte("two"), CSeq: 1, Branch: d.decode().Bindings[0].Writer.Branch},
		Instance: want.Instance, RegID: 2, Created: first, Updated: first + 10_000,
	}
	check(removed)
}

func TestJitter(t *testing.T) {
	d := newDesk(t, Config{MinExpires: 50 * time.Minute, Jitter: 0.5})
	seen := map[uint32]int{}
	for i := range 200 {
		callID := "Call-ID: " + strings.Repeat("x", i+1)
		for range 2 {
			d.send(d.request([]string{callID, oneContact}))
		}
		first := d.decode().Bindings[0].Granted
		if first < 3000 || first > 3600 {
			t.Fatalf("granted %d, want 3000 to 3600", first)
		}
		seen[first]++
		d.send(d.request([]string{callID, oneContact}))
		if again := d.decode().Bindings[0].Granted; again != first {
			t.Fatalf("granted %d, and %d to the same UA", first, again)
		}
		d.send(d.request([]string{callID, "Contact: <sip:bob@h>;expires=0", oneContact + "00"}))
		if d.reg.Status != 200 {
			t.Fatalf("%s", d.reg.Response)
		}
	}
	if seen[3000] == len(seen) || len(seen) < 20 {
		t.Errorf("200 UAs get %d intervals", len(seen))
	}
	t.Run("T11", func(t *testing.T) {
		// What was granted is asked for again, over and over: it is never refused, and settles.
		d := newDesk(t, Config{MinExpires: time.Minute, Jitter: 0.5})
		granted := "3600"
		for range 40 {
			d.send(d.request([]string{"Contact: <sip:bob@h>;expires=" + granted}))
			if d.reg.Status != 200 {
				t.Fatalf("%s", d.reg.Response)
			}
			_, granted, _ = strings.Cut(d.shown(nil)[1], ";expires=")
		}
		if granted != "60" && granted != "61" {
			t.Errorf("ends at %s", granted)
		}
	})
}

func TestUnavailable(t *testing.T) {
	t.Run("RG-040", func(t *testing.T) {
		d := newDesk(t, Config{ServiceRoute: []string{"<sip:p;lr>"}})
		text := d.request([]string{oneContact})
		d.send(text)
		clear(text) // the request is gone when the store tells
		for _, c := range []struct {
			retryAfter time.Duration
			want       []string
		}{
			{0, []string{"500 Server Internal Error"}},
			{1, []string{"503 Service Unavailable", "Retry-After: 1"}},
			{1500 * time.Millisecond, []string{"503 Service Unavailable", "Retry-After: 2"}},
		} {
			d.reg.Unavailable(c.retryAfter)
			if got := d.shown(nil); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var m sip.Message
			if err := m.Parse(d.reg.Response); err != nil || m.StatusCode() != d.reg.Status {
				t.Errorf("%v, %d in\n%s", err, d.reg.Status, d.reg.Response)
			}
			if to, _ := m.To(); string(to.Tag()) != string(toTag) || !m.Has(sip.HeaderVia) || string(m.CallID()) != "one" {
				t.Errorf("not mirrored in\n%s", d.reg.Response)
			}
		}
	})
	t.Run("refused before", func(t *testing.T) {
		d := newDesk(t, Config{})
		d.send(d.request([]string{"Contact: *"}))
		before := string(d.reg.Response)
		if d.reg.Unavailable(time.Second); string(d.reg.Response) != before || d.reg.Status != 400 {
			t.Errorf("got\n%s", d.reg.Response)
		}
	})
}

func TestExtensions(t *testing.T) {
	d := newDesk(t, Config{})
	for require, want := range map[string]bool{"Require: path": true, "Require: path, foo": false, "": true} {
		var m sip.Message
		var req sip.Request
		if err := m.Parse(d.request([]string{require})); err != nil {
			t.Fatal(err)
		}
		if err := req.Decode(&m); err != nil {
			t.Fatal(err)
		}
		ok := d.registrar.Extensions(&d.reg, &req, bobFlow, toTag)
		if ok != want || !ok && (d.reg.Status != 420 || !bytes.Contains(d.reg.Response, []byte("\r\nUnsupported: foo\r\n"))) {
			t.Errorf("%q: %v\n%s", require, ok, d.reg.Response)
		}
	}
}

// The error behind a 400 says where, and is not kept for the next request.
func TestErr(t *testing.T) {
	d := newDesk(t, Config{})
	d.send(d.request([]string{"Contact: <sip:bob@192.0.2.1>, bob"}))
	if d.reg.Err == nil || !strings.Contains(d.reg.Err.Error(), "Contact") {
		t.Errorf("Err is %v", d.reg.Err)
	}
	if d.send(d.request([]string{oneContact})); d.reg.Err != nil {
		t.Errorf("Err is %v after a 200", d.reg.Err)
	}
}

func TestSameInstance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"<urn:uuid:a-1>", "<urn:uuid:a-1>", true},
		{"<urn:uuid:a-1>", "<URN:UUID:a-1>", true},
		{"<urn:uuid:a-1>", "<urn:uuid:A-1>", false},
		{"<urn:uuid:a-1>", "<urn:uuid:a-12>", false},
		{"x", "X", false},
		{"<urn:x>", "<urn:X>", false},
	} {
		if got := sameInstance([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s and %s: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// phone is a UA that sends one REGISTER again and again, with a higher CSeq each time, to an AOR whose record
// is kept encoded, as in a store.
type phone struct {
	registrar *Registrar
	reg       Registration
	req       sip.Request
	rec       location.Record
	stored    [2][]byte // the record, and room for the next
	now       time.Time
	branch    uint64
}

// newPhone returns a phone that has registered, and goes on with these Contacts.
func newPhone(t testing.TB, contacts ...string) *phone {
	p := &phone{registrar: New(Config{MinExpires: time.Minute, MaxExpires: 24 * time.Hour}), now: noon}
	lines := []string{"CSeq: 1 REGISTER", "Call-ID: 843817637684230@998sdasdh09", "User-Agent: Phone 1.0",
		"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS", "Supported: path, outbound"}
	p.parse(t, append(lines, oneContact))
	p.register()
	p.parse(t, append(lines, contacts...))
	for range 10 {
		p.register()
	}
	if p.reg.Status != 200 {
		t.Fatalf("%v in\n%s", p.reg.Err, p.reg.Response)
	}
	return p
}

func (p *phone) parse(t testing.TB, lines []string) {
	m := new(sip.Message)
	if err := m.Parse(newDesk(t, Config{}).request(lines)); err != nil {
		t.Fatal(err)
	}
	cseq := p.req.CSeq.Number
	if err := p.req.Decode(m); err != nil {
		t.Fatal(err)
	}
	p.req.CSeq.Number = cseq
}

func (p *phone) register() {
	p.branch++
	p.req.CSeq.Number++
	p.now = p.now.Add(time.Millisecond)
	if !p.registrar.Prepare(&p.reg, p.now, &p.req, bobFlow, toTag, p.branch) {
		return
	}
	p.rec.Bindings = p.rec.Bindings[:0]
	if len(p.stored[0]) > 0 && p.rec.Decode(p.stored[0]) != nil {
		return
	}
	if p.reg.Apply(&p.rec) {
		p.stored[0], p.stored[1] = p.rec.Append(p.stored[1][:0]), p.stored[0]
	}
}

var phones = []struct {
	name     string
	contacts []string
}{
	{"refresh", []string{oneContact}},
	{"query", nil},
	{"removal", []string{strings.Replace(oneContact, "=3600", "=0", 1)}},
	{"three", []string{oneContact, "Contact: <sip:bob@H.example.com>", "Contact: <sip:%62ob@h.example.com:5062>"}},
}

func TestAllocations(t *testing.T) {
	for _, c := range phones {
		t.Run(c.name, func(t *testing.T) {
			p := newPhone(t, c.contacts...)
			if n := testing.AllocsPerRun(100, p.register); n != 0 || p.reg.Status != 200 {
				t.Errorf("%v allocations; %s", n, p.reg.Response)
			}
		})
	}
}

// BenchmarkRegister measures Prepare and Apply, with the record decoded before and encoded after.
func BenchmarkRegister(b *testing.B) {
	for _, c := range phones {
		b.Run(c.name, func(b *testing.B) {
			p := newPhone(b, c.contacts...)
			b.ReportAllocs()
			for b.Loop() {
				p.register()
			}
			if p.reg.Status != 200 {
				b.Fatalf("%s", p.reg.Response)
			}
		})
	}
}
