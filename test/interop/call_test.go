//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/test/bed"
)

// biloxi is the program: the one that BILOXI names, else one that is built.
func biloxi(t *testing.T) string {
	t.Helper()
	if name := os.Getenv("BILOXI"); name != "" {
		return name
	}
	name := filepath.Join(t.TempDir(), "biloxi")
	if out, err := exec.Command("go", "build", "-o", name, "biloxi/cmd/biloxi").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return name
}

// TestPhones has baresip and linphone call each other: in both directions, over the same and over different transports.
func TestPhones(t *testing.T) {
	t.Parallel()
	program := biloxi(t)
	r := startProcess(t, program, []sip.Algorithm{sip.MD5})
	var baresips, linphones, all []*phone
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		baresips = append(baresips, baresipPhone(t, r, transport))
		linphones = append(linphones, linphonePhone(t, r, transport))
	}
	all = append(append(all, baresips...), linphones...)
	for _, p := range all {
		r.count(t, r.look(t, p.user), 1)
	}
	before := map[string]int{}
	for _, transport := range streams {
		before[transport] = r.counter(t, program, "transport accepted", transport)
	}
	for _, a := range baresips {
		for _, b := range linphones {
			t.Run(a.name+" calls "+b.name, func(t *testing.T) { everyCall(t, a, b) })
			t.Run(b.name+" calls "+a.name, func(t *testing.T) { everyCall(t, b, a) })
		}
	}
	absent := r.user(t)
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			t.Run("unknown", func(t *testing.T) { p.refused(t, "sip:nobody@biloxi.example.com", 404) })
			t.Run("not registered", func(t *testing.T) { p.refused(t, "sip:"+absent+"@biloxi.example.com", 480) })
		})
	}
	r.biloxiCalls(t, program, all)
	// All went over the connections that the phones opened to register: docs/peers.md says what a Record-Route must be
	// like for that.
	for _, transport := range streams {
		if n := r.counter(t, program, "transport opened", transport); n != 0 {
			t.Errorf("the server has opened %d connections over %s", n, transport)
		}
		if n := r.counter(t, program, "transport accepted", transport) - before[transport]; n != 0 {
			t.Errorf("the phones have opened %d more connections over %s", n, transport)
		}
	}
	r.biloxiAnswers(t, program, all)
}

// streams are the transports with connections, as biloxi status names them.
var streams = []string{"tcp", "tls"}

// everyCall makes the calls of two phones.
func everyCall(t *testing.T, from, to *phone) {
	t.Run("caller hangs up", func(t *testing.T) {
		answered(t, from, to)
		from.hangUp()
		to.gets(t, "^BYE sip")
		ended(t, from, to)
	})
	t.Run("callee hangs up", func(t *testing.T) {
		answered(t, from, to)
		to.hangUp()
		from.gets(t, "^BYE sip")
		ended(t, from, to)
	})
	t.Run("cancel", func(t *testing.T) {
		ringing(t, from, to)
		from.hangUp()
		to.gets(t, "^CANCEL sip")
		from.gets(t, "^SIP/2.0 487 ")
		ended(t, from, to)
	})
	t.Run("refuse", func(t *testing.T) {
		ringing(t, from, to)
		to.hangUp()
		from.gets(t, fmt.Sprintf("^SIP/2.0 %d ", to.signs.refuse))
		ended(t, from, to)
	})
}

// biloxiCalls has biloxi call each phone, which answers, and hang up: it looks at what it gets more closely than they do.
func (r *registrar) biloxiCalls(t *testing.T, program string, phones []*phone) {
	for _, p := range phones {
		t.Run("biloxi calls "+p.name, func(t *testing.T) {
			p.begin()
			c := run(t, t.TempDir(), nil, program, "call", p.uri(), "--server", r.route(sip.UDP), "--duration", "500ms", "--json")
			p.sees(t, p.signs.rings)
			p.accept()
			p.gets(t, "^ACK sip")
			p.gets(t, "^BYE sip")
			p.sees(t, p.signs.over)
			if err := c.wait(20 * time.Second); err != nil {
				t.Errorf("biloxi call: %v", err)
			}
		})
	}
}

// biloxiAnswers has each phone call biloxi, which is busy, or answers over TLS and is hung up on.
func (r *registrar) biloxiAnswers(t *testing.T, program string, phones []*phone) {
	answer := func(t *testing.T, args ...string) (user string, p *process) {
		t.Helper()
		user = r.user(t)
		secret := filepath.Join(t.TempDir(), "password")
		write(t, secret, bed.Password(user)+"\n")
		p = run(t, t.TempDir(), nil, program, append([]string{"answer", "sip:" + user + "@" + bed.Domain, "--server", r.route(sip.TLS),
			"--ca", r.ca, "--password-file", secret, "--calls", fmt.Sprint(len(phones)), "--json"}, args...)...)
		r.count(t, r.look(t, user), 1)
		return user, p
	}
	t.Run("biloxi is busy", func(t *testing.T) {
		user, b := answer(t, "--busy", "--ring", "0")
		for _, p := range phones {
			p.refused(t, "sip:"+user+"@"+bed.Domain, 486)
		}
		if err := b.wait(20 * time.Second); err != nil {
			t.Errorf("biloxi answer: %v", err)
		}
	})
	t.Run("biloxi answers", func(t *testing.T) {
		user, b := answer(t, "--ring", "0")
		for _, p := range phones {
			p.begin()
			p.dial("sip:" + user + "@" + bed.Domain)
			p.sees(t, p.signs.talks)
			p.hangUp()
			p.sees(t, p.signs.over)
		}
		if err := b.wait(20 * time.Second); err != nil {
			t.Errorf("biloxi answer: %v", err)
		}
		for _, event := range []string{"acknowledged", "hung_up"} {
			if n := strings.Count(b.output(), fmt.Sprintf("\"event\":%q", event)); n != len(phones) {
				t.Errorf("%d calls of %d were %s", n, len(phones), event)
			}
		}
	})
}

// ringing calls until it rings at both ends.
func ringing(t *testing.T, from, to *phone) {
	t.Helper()
	from.begin()
	to.begin()
	from.dial(to.uri())
	to.sees(t, to.signs.rings)
	from.sees(t, from.signs.rung)
}

// answered calls until both ends talk, and the ACK has come to who was called.
func answered(t *testing.T, from, to *phone) {
	t.Helper()
	ringing(t, from, to)
	to.accept()
	to.gets(t, "^ACK sip")
	to.sees(t, to.signs.talks)
	from.sees(t, from.signs.talks)
}

// ended waits until the call is over at both ends.
func ended(t *testing.T, from, to *phone) {
	t.Helper()
	to.sees(t, to.signs.over)
	from.sees(t, from.signs.over)
}

// refused calls somebody whom nobody reaches.
func (p *phone) refused(t *testing.T, uri string, status int) {
	t.Helper()
	p.begin()
	p.dial(uri)
	p.gets(t, fmt.Sprintf("^SIP/2.0 %d ", status))
	p.sees(t, p.signs.over)
}

// counter is what the server has counted, by biloxi status.
func (r *registrar) counter(t *testing.T, program, name, transport string) int {
	t.Helper()
	out, err := exec.Command(program, "status", "--data", r.data, "--json").Output()
	if err != nil {
		t.Fatalf("biloxi status: %v", err)
	}
	var status struct {
		Counters []struct {
			Name, Transport string
			Value           int
		}
	}
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatal(err)
	}
	for _, c := range status.Counters {
		if c.Name == name && c.Transport == transport {
			return c.Value
		}
	}
	t.Fatalf("biloxi status has no %q of %s", name, transport)
	return 0
}
