package redirect

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	src  = netip.MustParseAddrPort("192.0.2.101:5060")
)

// TestAnswers runs testdata: bindings, a request, and the response that comes of them.
func TestAnswers(t *testing.T) {
	text, err := os.ReadFile("testdata/answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Split("\n"+string(text), "\n== ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		t.Run(name, func(t *testing.T) { run(t, strings.Split(strings.TrimSpace(body), "\n")) })
	}
}

func run(t *testing.T, lines []string) {
	var rec location.Record
	var headers, start string
	exists := true
	for i, line := range lines {
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "unknown":
			exists = false
		case "binding":
			rec.Bindings = append(rec.Bindings, binding(t, rest))
		case "request":
			start = rest
		case "header":
			headers += rest + "\r\n"
		default:
			check(t, request(t, start, headers), &rec, exists, strings.Join(lines[i:], "\n"))
			return
		}
	}
}

// binding reads a contact and words: q, how long it lives from noon on, never, removed.
func binding(t *testing.T, s string) location.Binding {
	words := strings.Fields(s)
	n, err := sip.ParseNameAddr([]byte(words[0]))
	if err != nil {
		t.Fatal(err)
	}
	b := location.Binding{Contact: n.URI.Raw(), Params: n.Params, Q: 1000}
	for _, w := range words[1:] {
		if q, ok := strings.CutPrefix(w, "q="); ok {
			b.Q, b.HasQ = must(sip.ParseQ([]byte(q))), true
		} else if w == "never" {
			b.Expires = location.Never
		} else if w == "removed" {
			b.Removed = true
		} else if d, err := time.ParseDuration(w); err == nil {
			b.Expires = noon.Add(d).UnixMilli()
		} else {
			t.Fatal(err)
		}
	}
	return b
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("malformed script")
	}
	return v
}

func request(t *testing.T, start, headers string) *sip.Request {
	method, _, _ := strings.Cut(start, " ")
	text := start + " SIP/2.0\r\nVia: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9\r\n" +
		"From: <sip:alice@atlanta.example.com>;tag=a\r\nTo: <sip:bob@biloxi.example.com>\r\nCall-ID: c\r\n" +
		"CSeq: 1 " + method + "\r\n" + headers + "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
	var req sip.Request
	m := new(sip.Message)
	if err := m.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := req.Decode(m); err != nil {
		t.Fatal(err)
	}
	return &req
}

// check compares the status and the Contacts, and what every response has (RFC 3261 §8.2.6.2).
func check(t *testing.T, req *sip.Request, rec *location.Record, exists bool, want string) {
	t.Helper()
	b, status := Append(nil, noon, req, rec, exists, []byte("tag1"), src)
	var m sip.Message
	if err := m.Parse(b); err != nil {
		t.Fatal(err)
	}
	got := []string{fmt.Sprint(status)}
	for i := m.Index(sip.HeaderContact); i >= 0; i = m.Next(i) {
		got = append(got, strings.TrimSpace(string(m.Line(i))))
	}
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwanted\n%s", s, want)
	}
	to, _ := m.To()
	via, _ := m.Value(sip.HeaderVia)
	if m.StatusCode() != status || string(to.Tag()) != "tag1" || !strings.HasSuffix(string(via), ";received=192.0.2.101") {
		t.Errorf("not a response to this request:\n%s", b)
	}
	if method := req.Method(); string(must(m.Value(sip.HeaderCSeq))) != "1 "+string(method) {
		t.Errorf("CSeq in\n%s", b)
	}
}

// FuzzRedirect: whatever the request and the contact, the answer is a response to it; a 302 has a contact that is
// not the Request-URI.
func FuzzRedirect(f *testing.F) {
	f.Add("sip:bob@biloxi.example.com", "sip:bob@192.0.2.1;transport=tcp", int64(60_000))
	f.Add("sip:bob@biloxi.example.com", "sip:bob@biloxi.example.com", int64(-1))
	f.Add("sips:bob@biloxi.example.com", "mailto:bob@x", int64(location.Never-noon.UnixMilli()))
	f.Fuzz(func(t *testing.T, target, contact string, left int64) {
		if _, err := sip.ParseURI([]byte(contact)); err != nil {
			return
		}
		text := "INVITE " + target + " SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK7\r\nFrom: <sip:a@a>;tag=a\r\n" +
			"To: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"
		var m, resp sip.Message
		var req sip.Request
		if m.Parse([]byte(text)) != nil || req.Decode(&m) != nil {
			return
		}
		rec := location.Record{Bindings: []location.Binding{{Contact: []byte(contact), Expires: noon.UnixMilli() + left}}}
		b, status := Append(nil, noon, &req, &rec, true, []byte("t"), src)
		if err := resp.Parse(b); err != nil || resp.StatusCode() != status {
			t.Fatalf("%v in %q", err, b)
		}
		contacts := resp.Values(sip.HeaderContact)
		switch some := contacts.Next(); {
		case contacts.Err() != nil:
			t.Fatalf("%v in %q", contacts.Err(), b)
		case some != (status == 302):
			t.Fatalf("%d with %q", status, b)
		case some && contacts.URI.Equal(req.Target):
			t.Fatalf("redirected to itself: %q", b)
		}
	})
}

func BenchmarkRedirect(b *testing.B) {
	req := request(&testing.T{}, "INVITE sip:bob@biloxi.example.com", "")
	all := []location.Binding{{Contact: []byte("sip:bob@chicago.example.com;transport=tcp"), Q: 1000, Expires: location.Never}}
	rec := location.Record{Bindings: make([]location.Binding, 0, 1)}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		rec.Bindings = append(rec.Bindings[:0], all...)
		out, _ = Append(out[:0], noon, req, &rec, true, []byte("tag1"), src)
	}
}
