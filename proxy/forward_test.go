package proxy

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"biloxi/sip"
)

// names is a Self: our hosts, at the default ports.
type names []string

func (n names) Is(host []byte, port uint16) bool {
	for _, own := range n {
		if strings.EqualFold(own, string(host)) {
			return port == 0 || port == 5060 || port == 5061
		}
	}
	return false
}

var ours = names{"ss2.biloxi.example.com", "192.0.2.222"}

// decode parses a request, which has LF for CRLF where crlf says so.
func decode(t testing.TB, text []byte) *sip.Request {
	t.Helper()
	m, req := new(sip.Message), new(sip.Request)
	if err := m.Parse(text); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if err := req.Decode(m); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return req
}

// crlf ends the lines of a text in CRLF.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// flowFrom reads "UDP 192.0.2.101:5060".
func flowFrom(s string) sip.Flow {
	transport, remote, _ := strings.Cut(s, " ")
	f := sip.Flow{Transport: sip.TransportOf([]byte(transport)), Remote: netip.MustParseAddrPort(remote),
		Local: netip.MustParseAddrPort("192.0.2.222:5060")}
	if f.Transport.Reliable() {
		f.Serial = 7
	}
	return f
}

// forwarding is one section of testdata/forward.txt.
type forwarding struct {
	name, in, copy, refused, next string
	request, want                 []string
}

func readForwardings(t testing.TB) (all []forwarding) {
	text, err := os.ReadFile("testdata/forward.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Split(string(text), "\n== ")[1:] {
		lines := strings.Split(s, "\n")
		f := forwarding{name: lines[0]}
		for _, line := range lines[1:] {
			verb, rest, _ := strings.Cut(line, " ")
			switch verb {
			case "in":
				f.in = rest
			case "copy":
				f.copy = rest
			case "refused":
				f.refused = rest
			case "next":
				f.next = rest
			case ">":
				f.request = append(f.request, rest)
			case "<":
				f.want = append(f.want, rest)
			}
		}
		all = append(all, f)
	}
	return all
}

// message joins the lines of a message; a body of one line has no line end.
func message(lines []string) []byte { return crlf(strings.Join(lines, "\n") + ending(lines)) }

func ending(lines []string) string {
	if lines[len(lines)-1] == "" && len(lines) > 1 && lines[len(lines)-2] != "" {
		return "\n"
	}
	return ""
}

func (f *forwarding) makeCopy(t testing.TB) (c Copy) {
	for _, word := range strings.Fields(f.copy) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "over":
			c.Transport = sip.TransportOf([]byte(value))
		case "uri":
			c.URI = []byte(value)
		case "rr":
			c.RecordRoute = []byte(value)
		case "routes":
			c.Routes = []byte(value)
		case "realm":
			c.Realms = [][]byte{[]byte(value)}
		case "breadth":
			fmt.Sscan(value, &c.MaxBreadth)
		default:
			t.Fatalf("copy %s", word)
		}
	}
	c.SentBy = []byte("ss2.biloxi.example.com")
	return c
}

var ourBranch = regexp.MustCompile(`z9hG4bK[0-9a-v]{20}\.[0-9a-f]{8}`)

// TestForward runs testdata/forward.txt.
func TestForward(t *testing.T) {
	for _, f := range readForwardings(t) {
		t.Run(f.name, f.run)
	}
}

func (f *forwarding) run(t *testing.T) {
	p := New(Config{Options: []string{"known"}})
	req := decode(t, message(f.request))
	var in Received
	refusal := p.Validate(req)
	if refusal == nil {
		refusal = in.Preprocess(req, flowFrom(f.in), ours)
	}
	if refusal != nil {
		f.checkRefusal(t, p, req, refusal)
		return
	}
	if f.refused != "" {
		t.Fatalf("not refused: wanted %s", f.refused)
	}
	c := f.makeCopy(t)
	c.Branch = p.AppendBranch(nil, &in, 0)
	out := in.Append(nil, &c)
	got := ourBranch.ReplaceAllString(string(out), "z9hG4bK@.#")
	if want := string(message(f.want)); got != want {
		t.Fatalf("got\n%s\nwanted\n%s", got, want)
	}
	var u sip.URI
	if _, refusal := in.NextHop(&Target{URI: c.URI, Routes: c.Routes}, &u); refusal != nil {
		t.Fatal(refusal)
	}
	if f.next != "" && string(u.Raw()) != f.next {
		t.Errorf("next hop %s, wanted %s", u.Raw(), f.next)
	}
}

func (f *forwarding) checkRefusal(t *testing.T, p *Proxy, req *sip.Request, r *Refusal) {
	t.Helper()
	status, extra, _ := strings.Cut(f.refused, " ")
	if fmt.Sprint(r.Status) != status {
		t.Fatalf("refused with %d, wanted %q", r.Status, f.refused)
	}
	var resp sip.Message
	b := r.Append(nil, p, req, []byte("tag"), flowFrom(f.in).Remote)
	if err := resp.Parse(b); err != nil || fmt.Sprint(resp.StatusCode()) != status || !bytes.Contains(b, []byte(extra)) {
		t.Errorf("%v in\n%s", err, b)
	}
}

// TestBody: RFC 3261 §16.6 step 1: a body of any bytes is the same in the copy.
func TestBody(t *testing.T) {
	body := make([]byte, 60<<10)
	for i := range body {
		body[i] = byte(i * 7)
	}
	head := crlf("MESSAGE sip:x@other.example SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\nFrom: <sip:a@a>;tag=1\n" +
		"To: <sip:b@b>\nCall-ID: c\nCSeq: 1 MESSAGE\nMax-Forwards: 5\nContent-Length: 61440\n\n")
	var in Received
	if r := in.Preprocess(decode(t, append(head, body...)), flowFrom("TCP 192.0.2.1:5060"), ours); r != nil {
		t.Fatal(r)
	}
	out := in.Append(nil, &Copy{Transport: sip.TCP, SentBy: []byte("h"), Branch: []byte("z9hG4bK2")})
	if !bytes.HasSuffix(out, append([]byte("\r\n\r\n"), body...)) {
		t.Error("the body has changed")
	}
}

// invite is what a proxy mostly forwards: through another proxy, with a session description.
var invite = crlf(`INVITE sip:bob@biloxi.example.com SIP/2.0
Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1
Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101
Max-Forwards: 69
Record-Route: <sip:ss1.atlanta.example.com;lr>
From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl
To: Bob <sip:bob@biloxi.example.com>
Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com
CSeq: 1 INVITE
Contact: <sip:alice@client.atlanta.example.com>
Content-Type: application/sdp
Content-Length: 151

v=0
o=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com
s=-
c=IN IP4 192.0.2.101
t=0 0
m=audio 49172 RTP/AVP 0
a=rtpmap:0 PCMU/8000
`)

func BenchmarkForward(b *testing.B) {
	p := New(Config{})
	var m sip.Message
	var req sip.Request
	var in Received
	c := Copy{URI: []byte("sip:bob@client.biloxi.example.com"), MaxBreadth: 60, Transport: sip.UDP,
		SentBy: []byte("ss2.biloxi.example.com"), RecordRoute: []byte("<sip:ss2.biloxi.example.com;lr>")}
	flow := flowFrom("UDP 192.0.2.111:5060")
	var out, branch []byte
	var self Self = ours
	run := func() {
		if m.Parse(invite) != nil || req.Decode(&m) != nil {
			b.Fatal("parse")
		}
		if p.Validate(&req) != nil || in.Preprocess(&req, flow, self) != nil || in.Looped(self) {
			b.Fatal("refused")
		}
		branch = p.AppendBranch(branch[:0], &in, 0)
		c.Branch = branch
		out = in.Append(out[:0], &c)
	}
	b.Run("with parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			run()
		}
	})
	b.Run("copy alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out = in.Append(out[:0], &c)
		}
	})
}
