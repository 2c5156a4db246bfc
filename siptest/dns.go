package siptest

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// DNS is a name server of a test: it has the records of zone files, counts what it is asked, and fails
// where a test wants it to. It carries queries itself (Exchange), so that no socket is needed. Its methods
// may be called from any goroutine.
//
//	zone := siptest.NewDNS(t, `
//		biloxi.example.com. NAPTR 10 10 s SIP+D2U _sip._udp.biloxi.example.com.
//		_sip._udp.biloxi.example.com. SRV 10 5 5060 ss2.biloxi.example.com.
//		ss2.biloxi.example.com. A 192.0.2.222`)
//
// TTLs may be left out (300 s), as may the quotes and the empty regular expression of a NAPTR record.
type DNS struct {
	mu      sync.Mutex
	records map[string][]dns.RR // by lower-case name
	silent  map[string]bool     // names, or names with a type, that get no answer
	codes   map[string]int      // the same, with the RCODE that they get
	asked   []string
}

// NewDNS returns a name server with the records of a zone.
func NewDNS(t testing.TB, zone string) *DNS {
	t.Helper()
	d := &DNS{records: map[string][]dns.RR{}, silent: map[string]bool{}, codes: map[string]int{}}
	d.Add(t, zone)
	return d
}

// dnsTTL is the time to live of records that have none.
const dnsTTL = 300

// Add adds the records of a zone.
func (d *DNS) Add(t testing.TB, zone string) {
	t.Helper()
	var text strings.Builder
	for line := range strings.Lines(zone) {
		text.WriteString(naptrLine(strings.TrimSpace(line)) + "\n")
	}
	p := dns.NewZoneParser(strings.NewReader(text.String()), ".", "")
	p.SetDefaultTTL(dnsTTL)
	d.mu.Lock()
	defer d.mu.Unlock()
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		name := dns.CanonicalName(rr.Header().Name)
		d.records[name] = append(d.records[name], rr)
	}
	if err := p.Err(); err != nil {
		t.Fatalf("zone: %v", err)
	}
}

// naptrLine completes a NAPTR record in short form; another line is as it was.
func naptrLine(line string) string {
	f := strings.Fields(line)
	for i, word := range f {
		if word == "NAPTR" && len(f) == i+6 && !strings.Contains(line, `"`) {
			return strings.Join(f[:i+3], " ") + ` "` + f[i+3] + `" "` + f[i+4] + `" "" ` + f[i+5]
		}
	}
	return line
}

// Remove takes all records of these names away.
func (d *DNS) Remove(names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range names {
		delete(d.records, dns.CanonicalName(n))
	}
}

// Silence has questions go without an answer, until they time out. Each is a name, or a name and a type:
// "ss1.atlanta.example.com A".
func (d *DNS) Silence(questions ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, q := range questions {
		d.silent[canonicalQuestion(q)] = true
	}
}

// Fail has questions, as Silence takes them, answered with an RCODE: "SERVFAIL", "REFUSED", "NXDOMAIN".
// An unknown one is a fault of the test, and panics.
func (d *DNS) Fail(rcode string, questions ...string) {
	code, ok := dns.StringToRcode[rcode]
	if !ok {
		panic("siptest: no RCODE " + rcode)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, q := range questions {
		d.codes[canonicalQuestion(q)] = code
	}
}

// Heal takes back all of Silence and Fail.
func (d *DNS) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.silent)
	clear(d.codes)
}

// Asked returns the questions since the last call, in order: "biloxi.example.com NAPTR".
func (d *DNS) Asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.asked
	d.asked = nil
	return list
}

// Exchange answers a query.
func (d *DNS) Exchange(ctx context.Context, _ string, _ netip.AddrPort, query []byte) ([]byte, error) {
	q := new(dns.Msg)
	if err := q.Unpack(query); err != nil {
		return nil, err
	}
	a, silent := d.answer(q)
	if silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return a.Pack()
}

func (d *DNS) answer(q *dns.Msg) (a *dns.Msg, silent bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name, kind := dns.CanonicalName(q.Question[0].Name), dns.TypeToString[q.Question[0].Qtype]
	d.asked = append(d.asked, strings.TrimSuffix(name, ".")+" "+kind)
	if d.silent[name] || d.silent[name+" "+kind] {
		return nil, true
	}
	a = new(dns.Msg)
	a.SetReply(q)
	for _, what := range []string{name, name + " " + kind} {
		if code, ok := d.codes[what]; ok {
			a.Rcode = code
			return a, false
		}
	}
	for range len(d.records) + 1 { // more steps are a loop of aliases
		alias := ""
		for _, rr := range d.records[name] {
			if c, ok := rr.(*dns.CNAME); ok {
				alias = dns.CanonicalName(c.Target)
			} else if rr.Header().Rrtype != q.Question[0].Qtype {
				continue
			}
			a.Answer = append(a.Answer, rr)
		}
		if alias == "" {
			break
		}
		name = alias
	}
	if len(a.Answer) == 0 && !d.knows(name) {
		a.Rcode = dns.RcodeNameError
	}
	return a, false
}

// knows reports whether there are records of a name or below it; d.mu is held.
func (d *DNS) knows(name string) bool {
	for known := range d.records {
		if dns.IsSubDomain(name, known) {
			return true
		}
	}
	return false
}

func canonicalQuestion(q string) string {
	name, kind, typed := strings.Cut(q, " ")
	if name = dns.CanonicalName(name); typed {
		return name + " " + kind
	}
	return name
}
