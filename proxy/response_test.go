package proxy

import (
	"bytes"
	"strings"
	"testing"

	"biloxi/sip"
)

var ringing = crlf(`SIP/2.0 180 Ringing
Via: SIP/2.0/UDP ss2.biloxi.example.com;branch=z9hG4bK721e4.1
Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;received=192.0.2.111
Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101
Record-Route: <sip:ss2.biloxi.example.com;lr>, <sip:ss1.atlanta.example.com;lr>
From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl
To: Bob <sip:bob@biloxi.example.com>;tag=314159
Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com
Contact: <sip:bob@client.biloxi.example.com>
CSeq: 1 INVITE
Content-Length: 0

`)

// TestPopped: RFC 3261 §16.7 steps 3 and 9.
func TestPopped(t *testing.T) {
	const tail = "From: <sip:a@a>;tag=1\nTo: <sip:b@b>;tag=2\nCall-ID: c\nCSeq: 1 INVITE\nX:  y\nContent-Length: 2\n\nab"
	for _, c := range []struct{ name, vias, want string }{
		{"a line of its own", "Via: SIP/2.0/UDP me;branch=1\nVia: SIP/2.0/UDP a;received=192.0.2.1;branch=2\n",
			"Via: SIP/2.0/UDP a;received=192.0.2.1;branch=2\n"},
		{"the first of a list", "v: SIP/2.0/UDP me;branch=1 ,  SIP/2.0/UDP a;branch=2,SIP/2.0/TCP b\n",
			"v: SIP/2.0/UDP a;branch=2,SIP/2.0/TCP b\n"},
		{"the first of a folded list", "Via: SIP/2.0/UDP me;branch=1,\n SIP/2.0/UDP a;branch=2\nVia: SIP/2.0/UDP b\n",
			"Via: SIP/2.0/UDP a;branch=2\nVia: SIP/2.0/UDP b\n"},
		{"behind other header fields", "Server: x\nVia: SIP/2.0/UDP me\nDate: y\nVia: SIP/2.0/UDP a\n", "Server: x\nDate: y\nVia: SIP/2.0/UDP a\n"},
		{"the only one", "Via: SIP/2.0/UDP me;branch=1\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m sip.Message
			if err := m.Parse(crlf("SIP/2.0 200 OK\n" + c.vias + tail)); err != nil {
				t.Fatal(err)
			}
			got, ok := AppendPopped([]byte("|"), &m)
			want := "|"
			if c.want != "" {
				want = string(crlf("|SIP/2.0 200 OK\n" + c.want + tail))
			}
			if ok != (c.want != "") || string(got) != want {
				t.Errorf("%v, got\n%s\nwanted\n%s", ok, got, want)
			}
		})
	}
}

// TestPoppedLength: linphone leaves the Content-Length out of a datagram, which RFC 3261 §18.3 lets it; on the stream
// that the response goes on over nobody would know where it ends.
func TestPoppedLength(t *testing.T) {
	const head = "SIP/2.0 200 OK\nVia: SIP/2.0/UDP me;branch=1\nVia: SIP/2.0/TCP a\n"
	const rest = "From: <sip:a@a>;tag=1\nTo: <sip:b@b>;tag=2\nCall-ID: c\nCSeq: 1 INVITE\n"
	for body, want := range map[string]string{"": "Content-Length: 0\n\n", "ab": "Content-Length: 2\n\nab"} {
		var m sip.Message
		if err := m.Parse(crlf(head + rest + "\n" + body)); err != nil {
			t.Fatal(err)
		}
		got, ok := AppendPopped(nil, &m)
		if w := crlf("SIP/2.0 200 OK\nVia: SIP/2.0/TCP a\n" + rest + want); !ok || string(got) != string(w) {
			t.Errorf("%v, got\n%s\nwanted\n%s", ok, got, w)
		}
	}
}

// FuzzPopped: what is popped has the same header fields but for the topmost Via value and a Content-Length
// that was not there, and the same body.
func FuzzPopped(f *testing.F) {
	f.Add(ringing)
	f.Add(crlf("SIP/2.0 200 OK\nv: SIP/2.0/UDP me;branch=1 , SIP/2.0/UDP a\nX: y\n\nbody"))
	f.Add(crlf("sip/2.0 486\nVia: SIP/2.0/UDP me\nv: SIP/2.0/UDP a\nf: a\nFrom: a\nt: b\nTo: b\nl: 1\nl: 1\nno colon\ni: c\nCSeq: x INVITE\n\nbody"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m, popped sip.Message
		_ = m.Parse(data)
		if !m.IsResponse() {
			return
		}
		damage := Damage(&m, nil)
		b, ok := AppendPopped(nil, &m)
		vias, sound := viasOf(&m)
		if !ok {
			if _, _, err := m.TopVia(); err == nil && sound && len(vias) > 1 || damage == "" {
				t.Fatalf("not popped: %q", data)
			}
			return
		}
		if damage != "" {
			return // it is not passed on
		}
		_ = popped.Parse(b)
		if again := popped.StatusCode(); again != m.StatusCode() || !popped.Bounded() || !bytes.HasPrefix(b, []byte("SIP/2.0 ")) {
			t.Fatalf("%q of %q", b, data)
		}
		left, _ := viasOf(&popped)
		if sound && !equalLists(left, vias[1:]) {
			t.Fatalf("Vias %q of %q", left, vias)
		}
		not := []sip.Header{sip.HeaderVia, sip.HeaderContentLength}
		for _, h := range single {
			if i := popped.Index(h); i < 0 || popped.Next(i) >= 0 {
				t.Fatalf("not one %s: %q of %q", h, b, data)
			}
			if i := m.Index(h); i >= 0 && m.Next(i) >= 0 {
				not = append(not, h)
			}
		}
		if !equalLists(others(&popped, not...), others(&m, not...)) || !bytes.Equal(popped.Body(), m.Body()) {
			t.Fatalf("%q of %q", b, data)
		}
	})
}

// FuzzOwnBranch: what is found is a branch as ours are, and the first of them.
func FuzzOwnBranch(f *testing.F) {
	in := receive(f, invite)
	branch := New(Config{}).AppendBranch(nil, in, 0)
	f.Add([]byte("SIP/2.0 abc\r\nVia: z9hG4bK;branch="+string(branch)+"\r\n"), 3)
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		if found := OwnBranch(data); found != nil {
			if _, ok := branchHash(found); !ok || !bytes.Contains(data, found) {
				t.Fatalf("%q in %q", found, data)
			}
		}
		if bytes.Contains(data, []byte("z9hG4bK")) {
			return
		}
		at = min(max(at, 0), len(data))
		whole := append(append(append([]byte{}, data[:at]...), branch...), data[at:]...)
		if found := OwnBranch(whole); !bytes.Equal(found, branch) {
			t.Fatalf("%q in %q", found, whole)
		}
	})
}

// viasOf are the Via values of a message, and whether all could be read.
func viasOf(m *sip.Message) (list []string, sound bool) {
	vias := m.Vias()
	for vias.Next() {
		list = append(list, string(vias.Raw()))
	}
	return list, vias.Err() == nil
}

// others are the lines of all header fields but those named.
func others(m *sip.Message, not ...sip.Header) (list []string) {
	for i := range m.Len() {
		h, _, _ := m.Field(i)
		keep := true
		for _, n := range not {
			keep = keep && h != n
		}
		if keep {
			list = append(list, string(m.Line(i)))
		}
	}
	return list
}

func equalLists(a, b []string) bool {
	return len(a) == len(b) && strings.Join(a, "\x00") == strings.Join(b, "\x00")
}

// TestPoppedAllocations: a response goes through without allocation, with the context's part.
func TestPoppedAllocations(t *testing.T) {
	s := &scene{t: t, only: true, method: "INVITE", breadth: 60}
	s.begin(noon)
	var m sip.Message
	out := make([]byte, 0, 4096)
	run := func() {
		if m.Parse(ringing) != nil {
			t.Fatal("parse")
		}
		if acts := s.ctx.Response(noon, 0, &m, false); len(acts) != 1 || acts[0].Do != Relay {
			t.Fatal(acts)
		}
		out, _ = AppendPopped(out[:0], &m)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkResponse(b *testing.B) {
	var m sip.Message
	var ctx ResponseContext
	var in Received
	if in.Preprocess(decode(b, invite), flowFrom("UDP 192.0.2.111:5060"), ours) != nil {
		b.Fatal("refused")
	}
	ctx.Reset(New(Config{}), sip.Invite, 60)
	ctx.Targets.Only(&in, nil)
	ctx.Begin(noon)
	var out []byte
	b.Run("with parse and context", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if m.Parse(ringing) != nil || len(ctx.Response(noon, 0, &m, false)) != 1 {
				b.Fatal("parse")
			}
			out, _ = AppendPopped(out[:0], &m)
		}
	})
	b.Run("pop alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out, _ = AppendPopped(out[:0], &m)
		}
	})
}
