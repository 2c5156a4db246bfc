package proxy

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

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// flows is a Flows: those with an odd serial are alive, and all of UDP.
type flows struct{}

func (flows) Alive(f sip.Flow) bool { return f.Transport == sip.UDP || f.Serial%2 == 1 }

// It is the Home of nobody, too.
func (flows) Lead(sip.URI, netip.Addr) Lead                       { return Lead{} }
func (flows) View(time.Time, []byte, func(*location.Record)) bool { return false }
func (flows) Passed(path []byte) []byte                           { return path }

// TestContexts runs testdata/contexts.txt.
func TestContexts(t *testing.T) {
	text, err := os.ReadFile("testdata/contexts.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Split(string(text), "\n== ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		t.Run(name, func(t *testing.T) { runContext(t, strings.Split(strings.TrimSpace(body), "\n")) })
	}
}

// scene is a response context with what goes in and comes out, as text.
type scene struct {
	t       *testing.T
	cfg     Config
	method  string
	scheme  string // of the Request-URI; empty: sip
	breadth uint32
	record  location.Record
	only    bool
	ctx     ResponseContext
}

func runContext(t *testing.T, lines []string) {
	s := &scene{t: t, method: "INVITE", breadth: 60}
	var got, want []string
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "> "); ok {
			want = append(want, rest)
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "> ") {
				continue
			}
		} else {
			want = nil
			got = s.line(line)
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "> ") {
				continue
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Fatalf("line %d: %s\ngot\n\t%s\nwanted\n\t%s", i+1, line, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}

// line does what a line says, and returns what comes of it.
func (s *scene) line(line string) []string {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "only":
		s.only = true
	case "request":
		s.method = rest
	case "scheme":
		s.scheme = rest
	case "breadth":
		fmt.Sscan(rest, &s.breadth)
	case "option":
		s.cfg.Recurse = s.cfg.Recurse || rest == "recurse"
		fmt.Sscanf(rest, "noanswer=%d", &s.cfg.NoAnswer)
	case "contact":
		s.record.Bindings = append(s.record.Bindings, contact(s.t, rest))
	case "deadline":
		got := "none"
		if at := s.ctx.Deadline(); !at.IsZero() {
			got = at.Sub(noon).String()
		}
		if d, err := time.ParseDuration(rest); err == nil {
			rest = d.String()
		}
		if got != rest {
			s.t.Fatalf("deadline %s, wanted %s", got, rest)
		}
	default:
		at, err := time.ParseDuration(verb)
		if err != nil {
			s.t.Fatal(err)
		}
		return s.event(noon.Add(at), rest)
	}
	return nil
}

// contact reads a binding as a Contact: q, +sip.instance, reg-id.
func contact(t testing.TB, text string) location.Binding {
	n, err := sip.ParseNameAddr([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b := location.Binding{Contact: n.URI.Raw(), Expires: noon.Add(time.Hour).UnixMilli()}
	b.Q, _ = n.Q()
	if v, ok := n.Params.Value("+sip.instance"); ok {
		b.Instance = v[1 : len(v)-1]
	}
	if v, ok := n.Params.Value("reg-id"); ok {
		b.RegID, _ = sip.ParseDeltaSeconds(v)
	}
	return b
}

func (s *scene) event(now time.Time, what string) []string {
	what, more := strings.CutSuffix(what, " more")
	words := strings.Fields(what)
	var branch, code int
	for i, to := range []*int{&branch, &code} {
		if len(words) > i+1 {
			fmt.Sscan(words[i+1], to)
		}
	}
	switch words[0] {
	case "begin":
		return s.begin(now)
	case "recv":
		_, headers, _ := strings.Cut(what, words[2])
		resp := s.response(code, strings.TrimSpace(headers))
		return s.text(s.ctx.Response(now, branch, resp, more), resp)
	case "timeout":
		return s.text(s.ctx.Timeout(now, branch, more), nil)
	case "error":
		return s.text(s.ctx.TransportError(now, branch, more), nil)
	case "unsent":
		return s.text(s.ctx.Unsent(now, branch, code, more), nil)
	case "doubt":
		return s.text(s.ctx.Doubt(now, branch, code, more), nil)
	case "damaged":
		return s.text(s.ctx.Damaged(now, branch, code, len(words) > 3), nil)
	case "cancel":
		return s.text(s.ctx.Cancel(now), nil)
	case "advance":
		return s.text(s.ctx.Advance(now), nil)
	}
	s.t.Fatalf("event %q", what)
	return nil
}

func (s *scene) begin(now time.Time) []string {
	s.ctx.Reset(New(s.cfg), sip.Method(s.method), s.breadth)
	var in Received
	if s.scheme == "" {
		s.scheme = "sip"
	}
	req := decode(s.t, crlf(s.method+" "+s.scheme+":bob@biloxi.example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.101;branch=z9hG4bK1\n"+
		"From: <sip:a@a>;tag=1\nTo: <sip:b@b>\nCall-ID: c\nCSeq: 1 "+s.method+"\n\n"))
	if r := in.Preprocess(req, flowFrom("UDP 192.0.2.101:5060"), ours); r != nil {
		s.t.Fatal(r)
	}
	if s.only {
		s.ctx.Targets.Only(&in, nil)
	} else {
		s.ctx.Targets.Bindings(now, &in, &s.record, nil, flows{})
	}
	return s.text(s.ctx.Begin(now), nil)
}

// response makes a response as it would come: two Vias, the upper one ours. Header fields are parted by " Name: ".
func (s *scene) response(code int, headers string) *sip.Message {
	for _, name := range []string{"Contact: ", "WWW-Authenticate: ", "Proxy-Authenticate: "} {
		headers = strings.ReplaceAll(headers, " "+name, "\n"+name)
	}
	if headers != "" {
		headers += "\n"
	}
	m := new(sip.Message)
	err := m.Parse(crlf(fmt.Sprintf("SIP/2.0 %d %s\nVia: SIP/2.0/UDP ss2.biloxi.example.com;branch=z9hG4bK2\n"+
		"Via: SIP/2.0/UDP 192.0.2.101;branch=z9hG4bK1\nFrom: <sip:a@a>;tag=1\nTo: <sip:b@b>;tag=2\nCall-ID: c\n"+
		"CSeq: 1 %s\n%sContent-Length: 4\n\nbody", code, sip.StatusText(code), s.method, headers)))
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// text writes actions down; what goes upstream is parsed and checked.
func (s *scene) text(acts []Action, came *sip.Message) (all []string) {
	for _, a := range acts {
		switch a.Do {
		case Start:
			line := fmt.Sprintf("start %d", a.Branch)
			if a.Again {
				line += " again"
			} else if uri := s.ctx.Target(a.Branch).URI; uri != nil {
				line += " " + string(uri)
			}
			all = append(all, fmt.Sprintf("%s breadth=%d", line, a.Breadth))
		case Relay:
			if came == nil || came.StatusCode() != a.Status {
				s.t.Fatalf("relay %d, and nothing of the kind came", a.Status)
			}
			all = append(all, fmt.Sprintf("relay %d", a.Status))
		case Respond:
			all = append(all, fmt.Sprintf("respond %d%s", a.Status, s.upstream(a)))
		case Answer:
			all = append(all, fmt.Sprintf("answer %d", a.Status))
		case Silence:
			all = append(all, "silence")
		case CancelBranch:
			line := fmt.Sprintf("cancel %d", a.Branch)
			if a.Status != 0 {
				line += fmt.Sprintf(" for %d", a.Status)
			}
			all = append(all, line)
		case Abandon:
			all = append(all, fmt.Sprintf("abandon %d", a.Branch))
		case Done:
			all = append(all, "done")
		}
	}
	return all
}

// upstream checks a response that the context made, and returns its Contacts and challenges.
func (s *scene) upstream(a Action) (headers string) {
	var m sip.Message
	if err := m.Parse(a.Response); err != nil {
		s.t.Fatalf("%v in\n%s", err, a.Response)
	}
	via, _ := m.Via()
	if m.StatusCode() != a.Status || string(via.Branch()) != "z9hG4bK1" || string(m.Body()) != "body" ||
		string(m.Reason()) != sip.StatusText(a.Status) {
		s.t.Errorf("not the response without its topmost Via:\n%s", a.Response)
	}
	for i := range m.Len() {
		switch h, _, _ := m.Field(i); h {
		case sip.HeaderContact, sip.HeaderWWWAuthenticate, sip.HeaderProxyAuthenticate:
			headers += " " + strings.TrimSpace(string(m.Line(i)))
		}
	}
	return headers
}

// BenchmarkContext is a call's: the targets of one user, one branch, 180 and 200.
func BenchmarkContext(b *testing.B) {
	p := New(Config{})
	in := receive(b, invite)
	record := location.Record{Bindings: []location.Binding{contact(b, "<sip:bob@192.0.2.201:5060;transport=udp>")}}
	record.Bindings[0].Flow = flowFrom("UDP 192.0.2.201:5060")
	var up, ok sip.Message
	if up.Parse(ringing) != nil || ok.Parse(replaced(ringing, "180 Ringing", "200 OK")) != nil {
		b.Fatal("parse")
	}
	var ctx ResponseContext
	var u sip.URI
	b.ReportAllocs()
	for b.Loop() {
		ctx.Reset(p, sip.Invite, 60)
		ctx.Targets.Bindings(noon, in, &record, nil, flows{})
		if len(ctx.Begin(noon)) != 1 {
			b.Fatal("no branch")
		}
		if _, refusal := in.NextHop(ctx.Target(0), &u); refusal != nil {
			b.Fatal(refusal)
		}
		if len(ctx.Response(noon, 0, &up, false)) != 1 || len(ctx.Response(noon, 0, &ok, false)) != 2 {
			b.Fatal("not passed on")
		}
	}
}
