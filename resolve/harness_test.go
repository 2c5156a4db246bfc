package resolve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"biloxi/sip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	serverA = netip.MustParseAddrPort("192.0.2.53:53")
	serverB = netip.MustParseAddrPort("192.0.2.54:53")
)

// zones are what a name server of a test knows, and how it behaves. It is an Exchanger by itself, and
// answers on sockets by serveDNS.
type zones struct {
	records    map[string][]dns.RR
	additional bool                // it fills the additional section
	lazy       bool                // it does not follow aliases
	reply      func(q, a *dns.Msg) // changes an answer
	silent     map[string]bool     // servers, or names with their type, that get no answer
	asks       chan struct{}       // if not nil, an exchange waits for one

	mu    sync.Mutex
	asked []string
}

func loadZones(t testing.TB) *zones {
	t.Helper()
	z := &zones{records: map[string][]dns.RR{}, silent: map[string]bool{}}
	for _, file := range []string{"testdata/example.com.zone", "testdata/example.net.zone"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		z.load(t, string(text))
	}
	return z
}

// load adds records in the form of a zone file.
func (z *zones) load(t testing.TB, text string) {
	t.Helper()
	p := dns.NewZoneParser(strings.NewReader(text), ".", "")
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		name := canonical(rr.Header().Name)
		z.records[name] = append(z.records[name], rr)
	}
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
}

// questions are the names that were asked for since the last call.
func (z *zones) questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	list := z.asked
	z.asked = nil
	return list
}

// answer is the answer to a query.
func (z *zones) answer(q *dns.Msg) *dns.Msg {
	a := new(dns.Msg)
	a.SetReply(q)
	a.Authoritative = true
	name := canonical(q.Question[0].Name)
	for range maxAliases {
		cname := ""
		for _, rr := range z.records[name] {
			if rr.Header().Rrtype == q.Question[0].Qtype {
				a.Answer = append(a.Answer, rr)
			} else if c, ok := rr.(*dns.CNAME); ok {
				a.Answer = append(a.Answer, rr)
				cname = canonical(c.Target)
			}
		}
		if cname == "" || z.lazy {
			break
		}
		name = cname
	}
	if len(a.Answer) == 0 {
		z.deny(a, name)
	}
	if z.additional {
		z.add(a, a.Answer)
		z.add(a, a.Extra)
	}
	if z.reply != nil {
		z.reply(q, a)
	}
	return a
}

// deny makes a an answer that there is no such record, or no such name.
func (z *zones) deny(a *dns.Msg, name string) {
	a.Rcode = dns.RcodeNameError
	for known := range z.records {
		if known == name || strings.HasSuffix(known, "."+name) {
			a.Rcode = dns.RcodeSuccess
		}
	}
	for apex := name; ; {
		for _, rr := range z.records[apex] {
			if rr.Header().Rrtype == dns.TypeSOA {
				a.Ns = append(a.Ns, rr)
				return
			}
		}
		_, rest, ok := strings.Cut(apex, ".")
		if !ok {
			return
		}
		apex = rest
	}
}

// add adds what belongs to the records of a section to the additional section.
func (z *zones) add(a *dns.Msg, section []dns.RR) {
	for _, rr := range section {
		switch rr := rr.(type) {
		case *dns.SRV:
			for _, x := range z.records[canonical(rr.Target)] {
				if h := x.Header(); h.Rrtype == dns.TypeA || h.Rrtype == dns.TypeAAAA {
					a.Extra = append(a.Extra, x)
				}
			}
		case *dns.NAPTR:
			for _, x := range z.records[canonical(rr.Replacement)] {
				if x.Header().Rrtype == dns.TypeSRV {
					a.Extra = append(a.Extra, x)
				}
			}
		}
	}
}

// Exchange answers without a network.
func (z *zones) Exchange(ctx context.Context, network string, server netip.AddrPort, query []byte) ([]byte, error) {
	q := new(dns.Msg)
	if err := q.Unpack(query); err != nil {
		return nil, err
	}
	what := canonical(q.Question[0].Name) + " " + typeName(q.Question[0].Qtype)
	z.mu.Lock()
	z.asked = append(z.asked, what)
	silent := z.silent[what] || z.silent[server.String()]
	z.mu.Unlock()
	if z.asks != nil {
		select {
		case <-z.asks:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return z.answer(q).Pack()
}

// clock is a time that a test sets forward.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// seeded is a source of random numbers that is the same in each run.
func seeded() func(n uint32) uint32 {
	var mu sync.Mutex
	source := rand.New(rand.NewPCG(3263, 2782))
	return func(n uint32) uint32 {
		mu.Lock()
		defer mu.Unlock()
		return source.Uint32N(n)
	}
}

// rig is a resolver whose questions a test asks by itself, on its own goroutine: no worker runs.
type rig struct {
	t testing.TB
	*Resolver
	zones *zones
	clock *clock
}

func newRig(t testing.TB, change ...func(cfg *Config)) *rig {
	t.Helper()
	g := &rig{t: t, zones: loadZones(t), clock: &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	cfg := Config{Servers: []netip.AddrPort{serverA}, Exchanger: g.zones, Random: seeded(), Now: g.clock.Now}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if g.Resolver, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// result is the Done of a test.
type result struct {
	ended bool
	err   error
}

func (r *result) Resolved(err error) { r.ended, r.err = true, err }

// pump asks all that is in the queue.
func (g *rig) pump() {
	for {
		g.mu.Lock()
		i := g.turns.pop()
		g.mu.Unlock()
		if i == nil {
			return
		}
		g.serve(i, i.deadline)
	}
}

// find looks a URI up.
func (g *rig) find(uri string, needs ...string) ([]string, error) {
	g.t.Helper()
	u := parse(g.t, uri)
	q := Query{URI: &u}
	for _, n := range needs {
		q.Secure = q.Secure || n == "secure"
		q.Stream = q.Stream || n == "stream"
	}
	var t Targets
	var end result
	ready, err := g.Lookup(q, &t, &end)
	return g.wait(&t, ready, err, &end)
}

// sentBy looks the sent-by of a Via up.
func (g *rig) sentBy(value string) ([]string, error) {
	g.t.Helper()
	via, err := sip.ParseVia([]byte(value))
	if err != nil {
		g.t.Fatal(err)
	}
	var t Targets
	var end result
	ready, err := g.LookupSentBy(&via, &t, &end)
	return g.wait(&t, ready, err, &end)
}

func (g *rig) wait(t *Targets, ready bool, err error, end *result) ([]string, error) {
	g.t.Helper()
	if !ready && err == nil {
		g.pump()
		if !end.ended {
			g.t.Fatal("the look-up has no end")
		}
		err = end.err
	} else if end.ended {
		g.t.Fatal("done was called for a look-up that had its result")
	}
	if pending := g.Stats().Pending; pending != 0 {
		g.t.Fatalf("%d look-ups wait after the last has ended", pending)
	}
	if err != nil && t.Len() > 0 {
		g.t.Fatalf("targets with the error %v", err)
	}
	return show(t), err
}

// expect looks a URI up and compares.
func (g *rig) expect(uri string, want ...string) {
	g.t.Helper()
	got, err := g.find(uri)
	if err != nil {
		g.t.Errorf("%s: %v", uri, err)
		return
	}
	same(g.t, uri, got, want)
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// show writes targets as "UDP 192.0.2.1:5060 10/5", with the name of a certificate behind.
func show(t *Targets) (list []string) {
	for {
		target, ok := t.Next()
		if !ok {
			return list
		}
		s := fmt.Sprintf("%s %s %d/%d", target.Transport, target.Addr, target.Priority, target.Weight)
		if target.ServerName != "" {
			s += " " + target.ServerName
		}
		list = append(list, s)
	}
}

func parse(t testing.TB, uri string) sip.URI {
	t.Helper()
	u, err := sip.ParseURI([]byte(uri))
	if err != nil {
		t.Fatal(err)
	}
	return u
}
