package proxy

import (
	"strings"
	"testing"

	"biloxi/location"
	"biloxi/sip"
)

// TestTargetSet: RFC 3261 §16.5, RFC 5626 §7, RFC 5630 §5.3, RFC 3327 §5.4.
func TestTargetSet(t *testing.T) {
	tcp := func(serial uint64) sip.Flow {
		f := flowFrom("TCP 192.0.2.1:5060")
		f.Serial = serial
		return f
	}
	with := func(b location.Binding, change func(*location.Binding)) location.Binding {
		change(&b)
		return b
	}
	a, b := contact(t, "<sip:a@192.0.2.1>"), contact(t, "<sip:b@192.0.2.2>")
	for _, c := range []struct {
		name     string
		request  string // scheme of the Request-URI
		bindings []location.Binding
		routes   string
		want     string // URI, routes, flags of each
		refusal  *Refusal
	}{
		{name: "no contact", refusal: Unavailable},
		{name: "in order of q", bindings: []location.Binding{contact(t, "<sip:c@h>;q=0.3"), a, contact(t, "<sip:d@h>;q=0.7")},
			want: "sip:a@192.0.2.1 | sip:d@h | sip:c@h"},
		{name: "equal URIs are one target", bindings: []location.Binding{a, contact(t, "<sip:%61@192.0.2.1>"), contact(t, "<SIP:a@192.0.2.1>;q=0.1"), b},
			want: "sip:a@192.0.2.1 | sip:b@192.0.2.2"},
		{name: "expired and removed contacts are none", bindings: []location.Binding{
			with(a, func(b *location.Binding) { b.Expires = noon.UnixMilli() }), with(b, func(b *location.Binding) { b.Removed = true })},
			refusal: Unavailable},
		{name: "a Request-URI has no method and no headers, and keeps parameters that nobody knows",
			bindings: []location.Binding{contact(t, "<sip:b@h;method=BYE;foo=bar;transport=tcp?Subject=x>")}, want: "sip:b@h;foo=bar;transport=tcp"},
		{name: "a Path goes ahead, behind the way out of our own site", routes: "<sip:out;lr>",
			bindings: []location.Binding{with(a, func(b *location.Binding) { b.Path = []byte("<sip:p1;lr>, <sip:p2;lr>"); b.Flow = tcp(1) })},
			want:     "sip:a@192.0.2.1 via <sip:out;lr>, <sip:p1;lr>, <sip:p2;lr>"},
		{name: "the flow of a proxy on the Path may have gone",
			bindings: []location.Binding{with(a, func(b *location.Binding) { b.Path = []byte("<sip:p1;lr>"); b.Flow = tcp(2) })},
			want:     "sip:a@192.0.2.1 via <sip:p1;lr>"},
		{name: "over the flow that it registered over", bindings: []location.Binding{with(a, func(b *location.Binding) { b.Flow = tcp(1) })},
			want: "sip:a@192.0.2.1 flow=1"},
		{name: "a contact whose connection has closed is passed over", bindings: []location.Binding{with(a, func(b *location.Binding) { b.Flow = tcp(2) }), b},
			want: "sip:b@192.0.2.2"},
		{name: "all connections have closed", bindings: []location.Binding{with(a, func(b *location.Binding) { b.Flow = tcp(2) })}, refusal: Disconnected},
		{name: "a mailto contact among others is not forwarded to", bindings: []location.Binding{contact(t, "<mailto:b@b>"), b}, want: "sip:b@192.0.2.2"},
		{name: "a mailto contact alone redirects", bindings: []location.Binding{contact(t, "<mailto:b@b>")}, want: "302"},
		{name: "sip request, sips contact: the scheme is sip and TLS stays", bindings: []location.Binding{contact(t, "<sips:a@h;x=1>")},
			want: "sip:a@h;x=1 secure"},
		{name: "sips request, sips contact", request: "sips", bindings: []location.Binding{contact(t, "<sips:a@h>")}, want: "sips:a@h"},
		{name: "sips request, sip contact", request: "sips", bindings: []location.Binding{a}, refusal: SIPSNotAllowed},
		{name: "sips request, both", request: "sips", bindings: []location.Binding{a, contact(t, "<sips:b@h>")}, want: "sips:b@h"},
		{name: "two flows of an instance are two targets, the newer one first", bindings: []location.Binding{
			with(contact(t, `<sip:a@h>;+sip.instance="<u>";reg-id=1`), func(b *location.Binding) { b.Updated = 1; b.Flow = tcp(1) }),
			with(contact(t, `<sip:a@h>;+sip.instance="<u>";reg-id=2`), func(b *location.Binding) { b.Updated = 2; b.Flow = tcp(3) })},
			want: "sip:a@h flow=3 | sip:a@h flow=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.request == "" {
				c.request = "sip"
			}
			in := receive(t, replaced(invite, "INVITE sip:", "INVITE "+c.request+":"))
			var s TargetSet
			s.Bindings(noon, in, &location.Record{Bindings: c.bindings}, []byte(c.routes), flows{})
			if got := describe(&s); got != c.want {
				t.Errorf("got %s, wanted %s", got, c.want)
			}
			if got := s.Refusal(); got != c.refusal {
				t.Errorf("refusal %v, wanted %v", got, c.refusal)
			}
		})
	}
}

func describe(s *TargetSet) string {
	if s.NonSIP() {
		return "302"
	}
	var all []string
	for i := range s.Len() {
		target := s.Target(i)
		line := string(target.URI)
		if target.Routes != nil {
			line += " via " + string(target.Routes)
		}
		if !target.Flow.IsZero() {
			line += " flow=" + string('0'+rune(target.Flow.Serial))
		}
		if target.Secure {
			line += " secure"
		}
		all = append(all, line)
	}
	return strings.Join(all, " | ")
}

// TestTargetSetKeeps: the set keeps copies, and is bounded.
func TestTargetSetKeeps(t *testing.T) {
	var rec location.Record
	var texts [][]byte
	for i := range 2 * MaxTargets {
		text := []byte("<sip:user" + strings.Repeat("x", i) + "@192.0.2.1>")
		rec.Bindings = append(rec.Bindings, contact(t, string(text)))
		texts = append(texts, rec.Bindings[i].Contact)
	}
	var s TargetSet
	s.Bindings(noon, receive(t, invite), &rec, nil, flows{})
	if s.Len() != MaxTargets {
		t.Fatalf("%d targets", s.Len())
	}
	for _, b := range texts {
		clear(b)
	}
	for i := range s.Len() {
		if want := "sip:user" + strings.Repeat("x", i) + "@192.0.2.1"; string(s.Target(i).URI) != want {
			t.Errorf("target %d is %q", i, s.Target(i).URI)
		}
	}
}

// TestNextHop: RFC 3261 §16.6 step 7, RFC 5630 §5.3, RFC 5626 §7.
func TestNextHop(t *testing.T) {
	routed := replaced(invite, "Max-Forwards", "Route: <sip:p;lr>\r\nMax-Forwards")
	for _, c := range []struct {
		name   string
		text   []byte
		target Target
		uri    string
		secure bool
		direct bool
	}{
		{name: "the Request-URI", text: invite, uri: "sip:bob@biloxi.example.com"},
		{name: "the target", text: invite, target: Target{URI: []byte("sip:b@h")}, uri: "sip:b@h"},
		{name: "the Route", text: routed, target: Target{URI: []byte("sip:b@h")}, uri: "sip:p;lr"},
		{name: "the target's Path before the Route", text: routed, target: Target{URI: []byte("sip:b@h"), Routes: []byte("<sip:q;lr>")}, uri: "sip:q;lr"},
		{name: "a sips target behind a sip Route is secure", text: routed, target: Target{URI: []byte("sips:b@h")}, uri: "sip:p;lr", secure: true},
		{name: "a target that registered as sips is secure", text: invite, target: Target{URI: []byte("sip:b@h"), Secure: true}, uri: "sip:b@h", secure: true},
		{name: "a flow goes before the URI", text: invite, target: Target{URI: []byte("sip:b@h"), Flow: flowFrom("UDP 192.0.2.9:5060")}, uri: "sip:b@h", direct: true},
		{name: "a Route goes before the flow", text: routed, target: Target{URI: []byte("sip:b@h"), Flow: flowFrom("UDP 192.0.2.9:5060")}, uri: "sip:p;lr"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := receive(t, c.text)
			var u sip.URI
			q, refusal := in.NextHop(&c.target, &u)
			if refusal != nil || string(q.URI.Raw()) != c.uri || q.Secure != c.secure || in.Direct(&c.target) != c.direct {
				t.Errorf("%s secure=%v direct=%v %v", q.URI.Raw(), q.Secure, in.Direct(&c.target), refusal)
			}
			if in.Secure(&c.target) != strings.HasPrefix(string(c.target.URI), "sips:") {
				t.Error("Record-Route would be wrong")
			}
		})
	}
}

// TestMaxBreadth: RFC 5393 §5.3.3.
func TestMaxBreadth(t *testing.T) {
	for _, c := range []struct {
		name, header string
		want         uint32
		refusal      *Refusal
	}{
		{"none: 60", "", 60, nil},
		{"less", "Max-Breadth: 4\r\n", 4, nil},
		{"too much", "Max-Breadth: 10000\r\n", 60, nil},
		{"two", "Max-Breadth: 7\r\nMax-Breadth: 3\r\n", 3, nil},
		{"nothing to give", "Max-Breadth: 0\r\n", 0, TooBroad},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := receive(t, replaced(invite, "Max-Forwards", c.header+"Max-Forwards"))
			if got, refusal := New(Config{}).MaxBreadth(in.Request); got != c.want || refusal != c.refusal {
				t.Errorf("%d %v", got, refusal)
			}
		})
	}
	for left := range uint32(70) {
		for n := 1; n <= MaxTargets; n++ {
			open, each, first := shares(left, n)
			if sum := first + each*uint32(max(open-1, 0)); open > n || sum != left || open > 0 && each == 0 {
				t.Fatalf("%d among %d: %d of %d and %d", left, n, open, each, first)
			}
		}
	}
}

// TestTimerC: RFC 3261 §16.6 step 11: more than three minutes, whatever is configured.
func TestTimerC(t *testing.T) {
	for _, d := range []int{0, 1, 180, 181, 600} {
		p := New(Config{TimerC: sip.Seconds(uint32(d))})
		if p.timerC <= MinTimerC || d > 180 && p.timerC != sip.Seconds(uint32(d)) {
			t.Errorf("%d s: %v", d, p.timerC)
		}
	}
}
