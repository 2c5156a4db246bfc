package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output collects what a command writes, for a test that waits for a word of it.
type output struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // has one in it when something was written
}

func newOutput() *output { return &output{more: make(chan struct{}, 1)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await returns all of the output when it matches.
func (o *output) await(t *testing.T, pattern string) []string {
	t.Helper()
	form := regexp.MustCompile(pattern)
	late := time.After(patience)
	for {
		if found := form.FindStringSubmatch(o.String()); found != nil {
			return found
		}
		select {
		case <-o.more:
		case <-late:
			t.Fatalf("no %q in\n%s", pattern, o)
		}
	}
}

// phone is a biloxi answer that runs.
type phone struct {
	t         *testing.T
	signals   chan os.Signal
	out, errs *output
	exit      chan int
}

func answering(t *testing.T, args ...string) *phone {
	t.Helper()
	p := &phone{t: t, signals: make(chan os.Signal, 1), out: newOutput(), errs: newOutput(), exit: make(chan int, 1)}
	c := &console{In: strings.NewReader("zanzibar\n"), Out: p.out, Err: p.errs, Signals: p.signals}
	go func() { p.exit <- run(append([]string{"answer"}, args...), c) }()
	t.Cleanup(func() {
		if p.exit != nil {
			p.signals <- syscall.SIGTERM
			p.ended()
		}
	})
	return p
}

// ended waits for its end, which is a good one.
func (p *phone) ended() {
	p.t.Helper()
	select {
	case code := <-p.exit:
		if code != exitDone {
			p.t.Errorf("answer: exit %d\n%s%s", code, p.out, p.errs)
		}
	case <-time.After(patience):
		p.t.Fatalf("answer does not end\n%s%s", p.out, p.errs)
	}
	p.exit = nil
}

// listening is where it listens on a transport.
func (p *phone) listening(transport string) string {
	p.t.Helper()
	return p.errs.await(p.t, "listening on "+transport+` (\S+)\n`)[1]
}

func TestCallsWithoutAServer(t *testing.T) {
	dir := t.TempDir()
	if err := ensureCertificate(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			bob := answering(t, "bob@biloxi.example.com", "--no-register", "--listen=127.0.0.1:0", "--calls=2", "--ring=10ms", "--json",
				"--cert="+in(demoCert), "--key="+in(demoKey))
			target := "sip:bob@" + bob.listeningJSON(transport) + ";transport=" + transport
			code, out, errs := command(nil, "", "call", target, "--from=alice@atlanta.example.com", "--duration=20ms", "--ca="+in(demoCA), "--trace")
			if code != exitDone || !strings.Contains(out, "answered after ") || !strings.Contains(errs, "  180 Ringing\n") || !strings.Contains(errs, "hanging up") {
				t.Fatalf("exit %d\n%s%s", code, out, errs)
			}
			for i, label := range []string{"INVITE", "180 Ringing", "200 OK", "ACK", "BYE", "200 OK"} {
				if want := fmt.Sprintf("%s F%d %s", label, i+1, strings.ToUpper(transport)); !strings.Contains(out, want) {
					t.Errorf("no %s in\n%s", want, out)
				}
			}
			code, out, errs = command(nil, "", "call", target, "--duration=20ms", "--ca="+in(demoCA), "--json")
			var story storyJSON
			if err := json.Unmarshal([]byte(out), &story); err != nil || code != exitDone || errs != "" {
				t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
			}
			if !story.Answered || story.EndedBy != "us" || story.Transport != transport || len(story.Responses) != 2 || story.Media == "" || story.TalkedMs < 20 {
				t.Errorf("%s", out)
			}
			bob.ended()
			bob.checkEvents("invited progress answered acknowledged hung_up ended", 2)
		})
	}
}

// listeningJSON is listening for one that writes JSON, which says it by an event.
func (p *phone) listeningJSON(transport string) string {
	p.t.Helper()
	return p.out.await(p.t, `"event":"listening","transport":"`+transport+`","address":"([^"]+)"`)[1]
}

// checkEvents holds that each of so many calls has had these events.
func (p *phone) checkEvents(want string, calls int) {
	p.t.Helper()
	byCall := map[string][]string{}
	for line := range strings.Lines(p.out.String()) {
		var e eventJSON
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			p.t.Fatalf("%v: %s", err, line)
		}
		if e.CallID != "" {
			byCall[e.CallID] = append(byCall[e.CallID], e.Event)
		}
	}
	if len(byCall) != calls {
		p.t.Errorf("%d calls:\n%s", len(byCall), p.out)
	}
	for _, events := range byCall {
		if !slices.Equal(events, strings.Fields(want)) {
			p.t.Errorf("events %v, not %s", events, want)
		}
	}
}

// demonstration is a whole server with where it listens, by transport, as --server has it.
func demonstration(t *testing.T) (data string, servers map[string]string) {
	data = filepath.Join(t.TempDir(), "data")
	s := serve(t, demoEnvironment, "--demo", "--data", data)
	servers = map[string]string{}
	for _, m := range regexp.MustCompile(`(udp|tcp|tls) (127\.0\.0\.1:\d+)`).FindAllStringSubmatch(s.out.String(), -1) {
		servers[m[1]] = "--server=sip:" + m[2] + ";transport=" + m[1]
	}
	if len(servers) != 3 {
		t.Fatal(s.out.String())
	}
	return data, servers
}

// Alice calls Bob through a server, over the same and over different transports; either hangs up.
func TestCallsThroughAServer(t *testing.T) {
	data, servers := demonstration(t)
	ca := "--ca=" + filepath.Join(data, demoCA)
	for _, callee := range []string{"udp", "tcp", "tls"} {
		bob := answering(t, "sip:bob@biloxi.example.com", servers[callee], ca, "--ring=10ms", "--duration=60ms", "--calls=6",
			"--password-file="+passwordFile(data, "bob"))
		bob.errs.await(t, "registered sip:bob@biloxi.example.com as sip:bob@")
		for _, caller := range []string{"udp", "tcp", "tls"} {
			for ended, duration := range map[string]string{"we": "10ms", "they": "0"} {
				t.Run(caller+" to "+callee+" "+ended+" hang up", func(t *testing.T) {
					code, out, errs := command(nil, "", "call", "bob@biloxi.example.com", "--from=alice@biloxi.example.com", servers[caller], ca,
						"--duration="+duration, "--password-file="+passwordFile(data, "alice"))
					if code != exitDone || !strings.Contains(out, ended+" hung up") || !strings.Contains(out, "Routes:") ||
						!strings.Contains(errs, "407 Proxy Authentication Required: with credentials now") {
						t.Errorf("exit %d\n%s%s\n%s", code, out, errs, bob.out)
					}
				})
			}
		}
		bob.ended()
		if !strings.Contains(bob.errs.String(), "\nunregistered sip:bob@biloxi.example.com\n") {
			t.Errorf("still registered:\n%s", bob.errs)
		}
	}
}

// What else can become of a call, and what is said of it.
func TestCallsThatAreNotAnswered(t *testing.T) {
	for _, test := range []struct {
		name         string
		answer, call []string
		errs         string
	}{
		{"busy", []string{"--busy", "--ring=0"}, nil, "biloxi: the answer was 486 Busy Here\n"},
		{"unavailable", []string{"--unavailable", "--ring=0"}, nil, "biloxi: the answer was 480 Temporarily Unavailable: is a phone registered?"},
		{"unavailable when it rang", []string{"--unavailable", "--ring=10ms"}, nil, "biloxi: the answer was 480 Temporarily Unavailable\n"},
		{"declined", []string{"--decline", "--ring=0"}, nil, "biloxi: the answer was 603 Decline\n"},
		{"not found", []string{"--status=404", "--ring=0"}, nil, "nobody has this address there"},
		{"forbidden", []string{"--status=403", "--ring=0"}, nil, "is --from the user"},
		{"cancelled", []string{"--ring=1h"}, []string{"--cancel-after=20ms"}, "biloxi: cancelled before it was answered\n"},
		{"rang too long", []string{"--ring=1h"}, []string{"--ring-time=20ms"}, "nobody answered in time: the call was cancelled; a longer --ring-time waits longer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bob := answering(t, append([]string{"bob@biloxi.example.com", "--no-register", "--listen=127.0.0.1:0", "--calls=1"}, test.answer...)...)
			code, out, errs := command(nil, "", append([]string{"call", "sip:bob@" + bob.listening("udp")}, test.call...)...)
			if code != exitFailed || !strings.Contains(errs, test.errs) || !strings.Contains(out, "not answered: ") {
				t.Errorf("exit %d\n%s%s", code, out, errs)
			}
			bob.ended()
		})
	}
}

func TestCallUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		errs string
	}{
		{[]string{"call"}, "<uri>"},
		{[]string{"call", "bob"}, "is no URI"},
		{[]string{"call", "tel:+12125551212"}, "sip or sips URI only"},
		{[]string{"call", "sip:b@127.0.0.1", "--from=sip:example.com"}, "address of record"},
		{[]string{"call", "sip:b@127.0.0.1", "--server=nonsense"}, "--server"},
		{[]string{"call", "sip:b@127.0.0.1", "--route=nonsense"}, "is not a SIP URI"},
		{[]string{"call", "sip:b@127.0.0.1", "--listen=localhost"}, "is not an IP address and a port"},
		{[]string{"call", "sip:b@127.0.0.1", "--cert=x"}, "go together"},
		{[]string{"call", "sip:b@127.0.0.1", "--resolve=x"}, "HOST=ADDR"},
		{[]string{"call", "sip:b@127.0.0.1", "--password-for=x"}, "REALM=FILE"},
		{[]string{"answer", "bob"}, "address of record"},
		{[]string{"answer", "b@127.0.0.1", "--no-register"}, "--listen"},
		{[]string{"answer", "b@127.0.0.1", "--busy", "--decline"}, "can't be used together"},
		{[]string{"answer", "b@127.0.0.1", "--status=200"}, "300 to 699"},
		{[]string{"answer", "b@127.0.0.1", "--expires=0"}, "--no-register"},
		{[]string{"answer", "b@127.0.0.1", "--calls=-1"}, "at least 1"},
	} {
		if code, out, errs := command(nil, "", test.args...); code != exitUsage || !strings.Contains(errs, test.errs) || out != "" {
			t.Errorf("%q: exit %d, %q %q", test.args, code, out, errs)
		}
	}
	for _, test := range []struct {
		args []string
		errs string
	}{
		{[]string{"call", "sip:b@127.0.0.1", "--password-for=x=/nonexistent"}, "the realm x"},
		{[]string{"call", "sip:b@127.0.0.1", "--ca=/nonexistent"}, "no such file"},
		{[]string{"answer", "b@127.0.0.1", "--no-register", "--listen=192.0.2.1:5060"}, "192.0.2.1:5060"},
		{[]string{"call", "sips:b@127.0.0.1", "--server=sip:127.0.0.1"}, "reached by TLS"},
		{[]string{"call", "sip:b@nowhere.invalid", "--resolve=other.invalid=127.0.0.1"}, "nowhere.invalid"},
	} {
		if code, _, errs := command(nil, "", test.args...); code != exitFailed || !strings.Contains(errs, test.errs) {
			t.Errorf("%q: exit %d, %q", test.args, code, errs)
		}
	}
}

// Who is told to stop hangs up first.
func TestCallIsInterrupted(t *testing.T) {
	bob := answering(t, "bob@biloxi.example.com", "--no-register", "--listen=127.0.0.1:0", "--calls=1", "--ring=0")
	signals := make(chan os.Signal, 1)
	out, errs := newOutput(), newOutput()
	exit := make(chan int, 1)
	target := "sip:bob@bob.example.com:" + strings.TrimPrefix(bob.listening("tcp"), "127.0.0.1:") + ";transport=tcp"
	go func() {
		exit <- run([]string{"call", target, "--duration=0", "--resolve=bob.example.com=127.0.0.1"},
			&console{In: strings.NewReader(""), Out: out, Err: errs, Signals: signals})
	}()
	bob.out.await(t, "ms  ACK\n")
	signals <- syscall.SIGTERM
	if code := <-exit; code != exitDone || !strings.Contains(out.String(), "we hung up") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	bob.ended()
}
