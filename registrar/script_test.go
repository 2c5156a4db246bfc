package registrar

import (
	"bytes"
	"embed"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// The scripts in testdata speak SIP. Each section begins with "#", the rows of the conformance table or the
// traps that it shows, and what it shows; it runs on an empty record at noon:
//
//	! max-contacts 2       the policy, before the first request
//	> Contact: <sip:b@h>   one header line of a REGISTER; those that are not given get values that do
//	>> again               the last request once more, byte by byte
//	>> again N             the request N requests ago
//	< 200 OK               the response: its status-line and all header fields that it does not mirror, Date
//	< Contact: …           only if it is named
//	<< again               the response has the bytes of the last request's first response
//	<< unchanged           the record is as it was before the request
//	= sip:b@h …            the whole record: URI, Call-ID/CSeq, seconds granted; a tombstone begins with "-"
//	+3s                    time passes
//	@ TCP 192.0.2.1:40 7   what follows comes over that flow, of connection 7
//	x 7                    connection 7 closes
//
//go:embed testdata/*.txt
var scripts embed.FS

func TestScripts(t *testing.T) {
	files, err := scripts.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := scripts.ReadFile("testdata/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range parseScript(string(b)) {
			for _, id := range s.ids {
				if strings.HasPrefix(id, "P") { // a fault's
					id += " " + s.title
				}
				t.Run(id, func(t *testing.T) { s.run(t, f.Name()) })
			}
		}
	}
}

// section is one scenario of a script.
type section struct {
	ids   []string
	title string
	line  int // of the first step
	steps []string
}

func parseScript(text string) (all []section) {
	for n, line := range strings.Split(text, "\n") {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			ids, what, _ := strings.Cut(title, ": ")
			all = append(all, section{ids: strings.Fields(ids), title: what, line: n + 2})
		} else if len(all) > 0 {
			s := &all[len(all)-1]
			s.steps = append(s.steps, line)
		}
	}
	return all
}

// noon is when every script begins.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 250_000_000, time.UTC)

// desk is a registrar and the record of one AOR, kept encoded as a store does.
type desk struct {
	t         fataler
	registrar *Registrar
	now       time.Time
	record    []byte
	cseq      int
	branch    int
	reg       Registration
	sent      []exchange
	flow      sip.Flow        // of the next request
	closed    map[uint64]bool // connections
}

// Alive implements location.Flows.
func (d *desk) Alive(f sip.Flow) bool { return !d.closed[f.Serial] }

// fataler is what a desk needs of a test: of testing, and of rapid.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// exchange is a request that was sent, and what came of it.
type exchange struct {
	request  []byte
	response string
	before   []byte // the record
}

func newDesk(t fataler, cfg Config) *desk {
	d := &desk{t: t, now: noon, record: (&location.Record{}).Append(nil), flow: bobFlow, closed: map[uint64]bool{}}
	cfg.Flows = d
	d.registrar = New(cfg)
	return d
}

func (s *section) run(t *testing.T, file string) {
	var cfg Config
	var d *desk
	for i := 0; i < len(s.steps); {
		at := fmt.Sprintf("%s:%d: %s", file, s.line+i, s.title)
		block := 1
		mark, rest, _ := strings.Cut(s.steps[i], " ")
		if mark == ">" || mark == "<" || mark == "=" || mark == "!" {
			for i+block < len(s.steps) && strings.HasPrefix(s.steps[i+block], mark+" ") {
				block++
			}
		}
		lines := make([]string, block)
		for j := range lines {
			_, lines[j], _ = strings.Cut(s.steps[i+j], " ")
		}
		if d == nil && mark != "!" {
			d = newDesk(t, cfg)
		}
		switch {
		case mark == "":
		case mark == "!":
			cfg = readConfig(t, lines)
		case mark == ">":
			d.send(d.request(lines))
		case mark == ">>":
			d.send(d.again(rest).request)
		case mark == "<":
			if got := d.shown(lines); !slices.Equal(got, lines) {
				t.Fatalf("%s\n got %s\nwant %s", at, strings.Join(got, "\n     "), strings.Join(lines, "\n     "))
			}
		case mark == "<<":
			d.expect(at, rest)
		case mark == "=":
			if lines[0] == "(empty)" {
				lines = nil
			}
			if got := d.state(); !slices.Equal(got, lines) {
				t.Fatalf("%s\n got record %q\nwant %q", at, got, lines)
			}
		case mark == "@":
			d.flow = readFlow(t, rest)
		case mark == "x":
			serial, err := strconv.ParseUint(rest, 10, 64)
			if err != nil {
				t.Fatal(at, err)
			}
			d.closed[serial] = true
		case mark[0] == '+':
			pass, err := time.ParseDuration(mark[1:])
			if err != nil {
				t.Fatal(at, err)
			}
			d.now = d.now.Add(pass)
		default:
			t.Fatalf("%s\nno step: %s", at, s.steps[i])
		}
		i += block
	}
}

// readFlow reads the transport, the remote address and, of a connection, its number.
func readFlow(t *testing.T, text string) sip.Flow {
	f := sip.Flow{Local: bobFlow.Local}
	var transport, remote string
	if n, _ := fmt.Sscan(text, &transport, &remote, &f.Serial); n < 2 {
		t.Fatalf("no flow: %s", text)
	}
	f.Transport, f.Remote = sip.TransportOf([]byte(transport)), netip.MustParseAddrPort(remote)
	return f
}

func readConfig(t *testing.T, lines []string) (cfg Config) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, " ")
		var err error
		switch name {
		case "default":
			cfg.DefaultExpires, err = time.ParseDuration(value)
		case "min":
			cfg.MinExpires, err = time.ParseDuration(value)
		case "max":
			cfg.MaxExpires, err = time.ParseDuration(value)
		case "max-contacts":
			cfg.MaxContacts, err = strconv.Atoi(value)
		case "jitter":
			cfg.Jitter, err = strconv.ParseFloat(value, 64)
		case "lenient-cseq":
			cfg.LenientCSeq = true
		case "path-without-support":
			cfg.PathWithoutSupport = value
		case "first-hop-without-outbound":
			cfg.FirstHopWithoutOutbound = value
		case "when-full":
			cfg.WhenFull = value
		case "service-route":
			cfg.ServiceRoute = append(cfg.ServiceRoute, value)
		default:
			t.Fatalf("no such policy: %s", line)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// request makes a REGISTER of the lines and of defaults for what they leave out.
func (d *desk) request(lines []string) []byte {
	d.cseq++
	d.branch++
	first := "REGISTER sip:biloxi.example.com SIP/2.0"
	if strings.HasPrefix(lines[0], "REGISTER ") {
		first, lines = lines[0], lines[1:]
	}
	given := strings.ToLower("\n" + strings.Join(lines, "\n"))
	text := first + "\r\n"
	for _, field := range []string{
		fmt.Sprintf("Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bK%d", d.branch),
		"Max-Forwards: 70",
		"From: Bob <sip:bob@biloxi.example.com>;tag=a73kszlfl",
		"To: Bob <sip:bob@biloxi.example.com>",
		"Call-ID: one",
		fmt.Sprintf("CSeq: %d REGISTER", d.cseq),
	} {
		name, _, _ := strings.Cut(field, ":")
		if !strings.Contains(given, "\n"+strings.ToLower(name)+":") {
			text += field + "\r\n"
		}
	}
	for _, line := range lines {
		if line != "" {
			text += strings.ReplaceAll(line, `\n`, "\r\n") + "\r\n"
		}
	}
	return []byte(text + "Content-Length: 0\r\n\r\n")
}

func (d *desk) again(back string) *exchange {
	n := 1
	if _, count, ok := strings.Cut(back, " "); ok {
		n, _ = strconv.Atoi(count)
	}
	return &d.sent[len(d.sent)-n]
}

var bobFlow = sip.Flow{
	Transport: sip.UDP,
	Local:     netip.MustParseAddrPort("192.0.2.222:5060"),
	Remote:    netip.MustParseAddrPort("192.0.2.201:5060"),
}

var toTag = []byte("37GkEhwl6")

// branchHash stands for the server's hash.
func branchHash(req *sip.Request) uint64 {
	h := fnv.New64a()
	h.Write(req.Via.Branch())
	return h.Sum64()
}

// send runs a request against the record, as a store would that had to try twice, and checks what holds of
// every request.
func (d *desk) send(text []byte) {
	d.t.Helper()
	var m sip.Message
	var req sip.Request
	if err := m.Parse(text); err != nil {
		d.t.Fatalf("%v in\n%s", err, text)
	}
	if err := req.Decode(&m); err != nil {
		d.t.Fatalf("%v in\n%s", err, text)
	}
	was := d.expired()
	if d.registrar.Prepare(&d.reg, d.now, &req, d.flow, toTag, branchHash(&req)) {
		var other location.Record
		d.reg.Apply(&other)
		d.apply()
	}
	if d.reg.Status != 200 && !bytes.Equal(was, d.expired()) {
		d.t.Fatalf("the record changed, but the answer is\n%s", d.reg.Response)
	}
	d.checkResponse(&req)
	d.sent = append(d.sent, exchange{slices.Clone(text), string(d.reg.Response), was})
}

// apply is what a store does.
func (d *desk) apply() {
	d.t.Helper()
	d.record = d.expired()
	rec, kept := d.decode(), d.record
	if d.reg.Apply(rec) {
		kept = rec.Append(nil)
	} else if got := rec.Append(nil); !bytes.Equal(got, kept) {
		d.t.Fatalf("the record changed, but Apply says that it did not")
	}
	d.record = kept
	if again := d.decode().Append(nil); !bytes.Equal(again, kept) {
		d.t.Fatalf("the record is another after its codec")
	}
}

// expired is the record without what has expired.
func (d *desk) expired() []byte {
	d.t.Helper()
	rec := d.decode()
	rec.Expire(d.now.UnixMilli())
	return rec.Append(nil)
}

func (d *desk) decode() *location.Record {
	d.t.Helper()
	var rec location.Record
	if err := rec.Decode(slices.Clone(d.record)); err != nil {
		d.t.Fatal(err)
	}
	return &rec
}

// checkResponse checks what every response to a REGISTER has, and what none may have.
func (d *desk) checkResponse(req *sip.Request) {
	d.t.Helper()
	var m sip.Message
	if err := m.Parse(d.reg.Response); err != nil {
		d.t.Fatalf("%v in\n%s", err, d.reg.Response)
	}
	if m.StatusCode() != d.reg.Status || !slices.Contains(reasons, d.reg.Reason) {
		d.t.Fatalf("status %d, reason %q, but\n%s", d.reg.Status, d.reg.Reason, d.reg.Response)
	}
	if m.StatusCode() >= 600 || m.Has(sip.HeaderRecordRoute) {
		d.t.Fatalf("no registrar answers\n%s", d.reg.Response)
	}
	for _, h := range []sip.Header{sip.HeaderFrom, sip.HeaderCallID, sip.HeaderCSeq} {
		got, _ := m.Value(h)
		if want, _ := req.Value(h); !bytes.Equal(got, want) {
			d.t.Fatalf("%v is not mirrored in\n%s", h, d.reg.Response)
		}
	}
	if via, err := m.Via(); err != nil || !bytes.Equal(via.Branch(), req.Via.Branch()) {
		d.t.Fatalf("the Via is not mirrored in\n%s", d.reg.Response)
	}
	if to, err := m.To(); err != nil || len(to.Tag()) == 0 {
		d.t.Fatalf("no To-tag in\n%s", d.reg.Response)
	}
	if length, ok := m.Value(sip.HeaderContentLength); !ok || string(length) != "0" {
		d.t.Fatalf("no Content-Length: 0 in\n%s", d.reg.Response)
	}
	if m.StatusCode() == 200 && !m.Has(sip.HeaderDate) {
		d.t.Fatalf("no Date in\n%s", d.reg.Response)
	}
}

// shown is the last response as scripts have it.
func (d *desk) shown(want []string) (lines []string) {
	hidden := []string{"Via", "From", "To", "Call-ID", "CSeq", "Content-Length", "Date"}
	for _, line := range want {
		if strings.HasPrefix(line, "Date:") {
			hidden = hidden[:len(hidden)-1]
		}
	}
	head, _, _ := strings.Cut(string(d.reg.Response), "\r\n\r\n")
	for i, line := range strings.Split(head, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		if i == 0 {
			lines = append(lines, strings.TrimPrefix(line, "SIP/2.0 "))
		} else if !slices.Contains(hidden, name) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (d *desk) expect(at, what string) {
	d.t.Helper()
	last := &d.sent[len(d.sent)-1]
	switch what {
	case "again":
		for i := range d.sent {
			if first := &d.sent[i]; bytes.Equal(first.request, last.request) {
				if last.response != first.response {
					d.t.Fatalf("%s\n got %s\nwant %s", at, last.response, first.response)
				}
				return
			}
		}
	case "unchanged":
		if !bytes.Equal(d.expired(), last.before) {
			d.t.Fatalf("%s\nthe record changed", at)
		}
	default:
		d.t.Fatalf("%s\nno step: << %s", at, what)
	}
}

// state is the record as scripts have it.
func (d *desk) state() (lines []string) {
	for _, b := range d.decode().Bindings {
		line := fmt.Sprintf("%s %s/%d", b.Contact, b.Writer.CallID, b.Writer.CSeq)
		if b.Removed {
			line = "-" + line
		} else {
			line += fmt.Sprintf(" %d", b.Granted)
		}
		if b.RegID != 0 {
			line += fmt.Sprintf(" reg-id=%d %s", b.RegID, b.Instance)
		}
		if b.Path != nil {
			line += fmt.Sprintf(" path %s", b.Path)
		}
		if b.Before.CallID != nil {
			line += fmt.Sprintf(" before %s/%d", b.Before.CallID, b.Before.CSeq)
		}
		lines = append(lines, line)
	}
	return lines
}

// reasons are all values of [Registration].Reason.
var reasons = []string{ReasonRegistered, ReasonRefreshed, ReasonRemoved, ReasonQueried, ReasonRetransmission,
	ReasonExtension, ReasonPath, ReasonMalformed, ReasonContacts, ReasonTooLong, ReasonSecurity,
	ReasonTooMany, ReasonTooLarge, ReasonBrief, ReasonFirstHop, ReasonOrder, ReasonFailed, ReasonUnavailable}
