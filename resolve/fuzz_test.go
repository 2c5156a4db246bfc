package resolve

import (
	"context"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"biloxi/sip"
)

// rewritten is an Exchanger that answers with what a fuzzer made, under the ID and question of the query
// if it is to be taken for an answer to it.
type rewritten struct {
	answers [][]byte
	asked   int
}

func (x *rewritten) Exchange(_ context.Context, _ string, _ netip.AddrPort, query []byte) ([]byte, error) {
	b := append([]byte(nil), x.answers[x.asked%len(x.answers)]...)
	x.asked++
	var q, a dns.Msg
	if q.Unpack(query) == nil && a.Unpack(b) == nil {
		a.Id, a.Response, a.Opcode, a.Question = q.Id, true, dns.OpcodeQuery, q.Question
		a.Rcode &= 0xf
		if packed, err := a.Pack(); err == nil {
			return packed, nil
		}
	}
	if len(b) >= headerSize {
		copy(b, query[:2])
		b[2] |= 0x80
	}
	return b, nil
}

// FuzzAnswer gives malformed and hostile answers to all questions of a look-up: nothing panics, each
// look-up ends after a bounded number of questions, and the order of what it finds keeps its rules.
func FuzzAnswer(f *testing.F) {
	z := loadZones(f)
	z.additional = true
	for uri, questions := range map[string][2]question{
		"sip:example.com":                 {{"example.com", typeNAPTR}, {"_sips._tcp.example.com", typeSRV}},
		"sips:pref.example.com":           {{"pref.example.com", typeNAPTR}, {"server1.example.com", typeA}},
		"sip:load.example.com":            {{"load.example.com", typeNAPTR}, {"_sip._udp.load.example.com", typeSRV}},
		"sip:no.example.com":              {{"no.example.com", typeNAPTR}, {"_sip._udp.no.example.com", typeSRV}},
		"sip:circle.example.com:5060":     {{"circle.example.com", typeAAAA}, {"elcric.example.com", typeA}},
		"sip:a.example.com;transport=udp": {{"alias.example.com", typeA}, {"_sip._udp.part.example.com", typeSRV}},
	} {
		var answers [2][]byte
		for i, q := range questions {
			m := new(dns.Msg)
			m.SetQuestion(dns.Fqdn(q.name), q.qtype)
			m.Id = 0 // the same in each run
			var err error
			if answers[i], err = z.answer(m).Pack(); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(uri, answers[0], answers[1], uint32(7))
	}
	f.Fuzz(func(t *testing.T, uri string, one, two []byte, random uint32) {
		u, err := sip.ParseURI([]byte(uri))
		if err != nil {
			return
		}
		x := &rewritten{answers: [][]byte{one, two}}
		g := newRig(t, func(cfg *Config) {
			cfg.Exchanger = x
			cfg.Random = func(n uint32) uint32 { random = random*1664525 + 1013904223; return random % n }
		})
		var list Targets
		for range 2 {
			var end result
			ready, err := g.Lookup(Query{URI: &u}, &list, &end)
			if !ready && err == nil {
				g.pump()
				if !end.ended {
					t.Fatal("the look-up has no end")
				}
				err = end.err
			}
			checkOrder(t, &u, list.All(), err)
		}
		if x.asked > 2*4*(4+2*maxServices*maxRecords+maxRounds) {
			t.Errorf("%d exchanges for two look-ups", x.asked)
		}
	})
}

// checkOrder checks what holds of every list of targets.
func checkOrder(t *testing.T, u *sip.URI, list []Target, err error) {
	t.Helper()
	if (len(list) == 0) != (err != nil) || len(list) > MaxTargets {
		t.Fatalf("%d targets with the error %v", len(list), err)
	}
	type place struct {
		sip.Transport
		netip.AddrPort
	}
	seen := map[place]bool{}
	for i, target := range list {
		at := place{target.Transport, target.Addr}
		switch {
		case seen[at]:
			t.Errorf("%v stands twice", at)
		case target.Addr.Port() == 0 || !target.Addr.IsValid() || target.Addr.Addr().IsUnspecified() || target.Addr.Addr().IsMulticast():
			t.Errorf("%v cannot be sent to", at)
		case u.Scheme == sip.SchemeSIPS && target.Transport != sip.TLS:
			t.Errorf("%v for a sips URI", at)
		case u.Port != 0 && (target.Addr.Port() != u.Port || target.Priority != 0):
			t.Errorf("%v for the port %d", at, u.Port)
		case target.Transport.Secure() != (target.ServerName != ""):
			t.Errorf("%v has the name %q", at, target.ServerName)
		}
		seen[at] = true
		// Of one SRV set the priorities ascend. NAPTR may bring several sets of one transport, so that they
		// can begin anew at most as often as records are followed.
		if i > 0 && list[i-1].Transport == target.Transport && list[i-1].Priority > target.Priority && u.Params.Has("transport") {
			t.Errorf("priority %d behind %d", target.Priority, list[i-1].Priority)
		}
	}
}
