package siptest

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestDNS asks for what a zone has and has not.
func TestDNS(t *testing.T) {
	d := NewDNS(t, `
		biloxi.example.com. NAPTR 10 10 s SIP+D2U _sip._udp.biloxi.example.com.
		biloxi.example.com. NAPTR 20 10 "s" "SIP+D2T" "" _sip._tcp.biloxi.example.com.
		_sip._udp.biloxi.example.com. 60 IN SRV 10 5 5060 ss2.biloxi.example.com.
		ss2.biloxi.example.com. A 192.0.2.222
		ss2.biloxi.example.com. AAAA 2001:db8::222
		alias.example.com. CNAME SS2.biloxi.example.com.
		round.example.com. CNAME round.example.com.`)
	ask := func(name string, kind uint16) (*dns.Msg, error) {
		q := new(dns.Msg)
		q.SetQuestion(dns.Fqdn(name), kind)
		b, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if b, err = d.Exchange(ctx, "udp", netip.AddrPort{}, b); err != nil {
			return nil, err
		}
		a := new(dns.Msg)
		return a, a.Unpack(b)
	}
	for _, c := range []struct {
		name           string
		kind           uint16
		answers, rcode int
	}{
		{"biloxi.example.com", dns.TypeNAPTR, 2, 0},
		{"_sip._udp.Biloxi.example.com", dns.TypeSRV, 1, 0},
		{"ss2.biloxi.example.com", dns.TypeA, 1, 0},
		{"ss2.biloxi.example.com", dns.TypeNAPTR, 0, 0},
		{"alias.example.com", dns.TypeAAAA, 2, 0},
		{"example.com", dns.TypeA, 0, 0},
		{"nobody.example.com", dns.TypeA, 0, dns.RcodeNameError},
	} {
		a, err := ask(c.name, c.kind)
		if err != nil || len(a.Answer) != c.answers || a.Rcode != c.rcode {
			t.Errorf("%s %s: %v %v", c.name, dns.TypeToString[c.kind], a, err)
		}
	}
	if _, err := ask("round.example.com", dns.TypeA); err != nil {
		t.Error(err)
	}
	if a, _ := ask("biloxi.example.com", dns.TypeNAPTR); a.Answer[0].(*dns.NAPTR).Service != "SIP+D2U" || a.Answer[0].Header().Ttl != dnsTTL {
		t.Errorf("%v", a.Answer[0])
	}
	d.Asked()
	d.Silence("ss2.biloxi.example.com A")
	d.Fail("SERVFAIL", "alias.example.com")
	if _, err := ask("ss2.biloxi.example.com", dns.TypeA); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silence gave %v", err)
	}
	if a, err := ask("ss2.biloxi.example.com", dns.TypeAAAA); err != nil || len(a.Answer) != 1 {
		t.Errorf("%v %v", a, err)
	}
	if a, err := ask("alias.example.com", dns.TypeA); err != nil || a.Rcode != dns.RcodeServerFailure {
		t.Errorf("%v %v", a, err)
	}
	if got := d.Asked(); !slices.Equal(got, []string{"ss2.biloxi.example.com A", "ss2.biloxi.example.com AAAA", "alias.example.com A"}) {
		t.Errorf("asked %q", got)
	}
	d.Heal()
	d.Remove("ss2.biloxi.example.com")
	if a, err := ask("ss2.biloxi.example.com", dns.TypeA); err != nil || a.Rcode != dns.RcodeNameError {
		t.Errorf("%v %v", a, err)
	}
}
