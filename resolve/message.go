package resolve

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// newQuery returns a query as it goes out, with an ID that cannot be guessed; with edns it says how large
// an answer we take (RFC 6891 §6.2.3).
func newQuery(q question, edns bool) ([]byte, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(q.name), q.qtype)
	if edns {
		m.SetEdns0(datagramSize, false)
	}
	return m.Pack()
}

// canonical is a name of a record in lower case, without the dot at its end; the root is empty.
func canonical(name string) string { return strings.TrimSuffix(dns.CanonicalName(name), ".") }

// message reads records out of an answer from the wire.
type message struct {
	*dns.Msg
	now time.Time
}

// answers reports whether the message answers the question that was asked, not another.
func (m *message) answers(q question) bool {
	if !m.Response || m.Opcode != dns.OpcodeQuery {
		return false
	}
	if len(m.Question) == 0 {
		// Some servers leave the question out where they did not understand it.
		return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError
	}
	asked := m.Question[0]
	return len(m.Question) == 1 && asked.Qclass == dns.ClassINET && asked.Qtype == q.qtype && canonical(asked.Name) == q.name
}

// lame reports whether the server neither knows nor looks further: it refers us to others.
func (m *message) lame() bool {
	return m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0 && !m.Authoritative && !m.RecursionAvailable
}

// answer reads what the message says to a question, with rcode NOERROR or NXDOMAIN.
func (m *message) answer(q question, server netip.AddrPort) *answer {
	name, ttl, aliased := m.follow(q.name)
	a := m.records(m.Answer, question{name, q.qtype})
	switch {
	case a != nil:
		a.expires = earlier(a.expires, m.now.Add(ttl))
		a.extra = m.additional(a)
	case aliased && m.Rcode == dns.RcodeSuccess && m.soa() == nil:
		// The server did not look where the alias leads.
		a = &answer{outcome: none, alias: name, expires: m.now.Add(ttl)}
	default:
		a = m.negative(q, server)
		if aliased {
			a.expires = earlier(a.expires, m.now.Add(ttl))
		}
	}
	a.asked = q.name
	if a.err != nil {
		a.err.Name = q.name
	}
	return a
}

// follow goes along the CNAME records of the answer section (RFC 1034 §3.6.2).
func (m *message) follow(start string) (end string, ttl time.Duration, aliased bool) {
	end, ttl = start, MaxTTL
	for range maxAliases {
		next := ""
		for _, rr := range m.Answer {
			if c, ok := rr.(*dns.CNAME); ok && owns(rr, end) {
				next, ttl = canonical(c.Target), min(ttl, lifetime(rr))
				break
			}
		}
		if next == "" || next == start {
			break
		}
		end, aliased = next, true
	}
	return end, ttl, aliased
}

// records reads the records of a section that answer the question; nil if there are none.
func (m *message) records(section []dns.RR, q question) *answer {
	a := &answer{asked: q.name}
	ttl, seen := MaxTTL, false
	for _, rr := range section {
		if rr == nil || rr.Header().Rrtype != q.qtype || !owns(rr, q.name) {
			continue
		}
		ttl, seen = min(ttl, lifetime(rr)), true
		a.take(rr)
	}
	if !seen {
		return nil
	}
	a.expires = m.now.Add(ttl)
	a.settle(q)
	return a
}

// take adds a record, if it is of use.
func (a *answer) take(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.A:
		if addr, ok := netip.AddrFromSlice(rr.A); ok {
			a.addrs = append(a.addrs, addr.Unmap())
		}
	case *dns.AAAA:
		// An IPv4-mapped address is none that a packet can carry.
		if addr, ok := netip.AddrFromSlice(rr.AAAA); ok && !addr.Is4In6() {
			a.addrs = append(a.addrs, addr)
		}
	case *dns.SRV:
		a.srv = append(a.srv, srv{rr.Priority, rr.Weight, rr.Port, canonical(rr.Target)})
	case *dns.NAPTR:
		// RFC 3263 §4.1: the flag is "s", the regular expression is empty, the replacement is an SRV record.
		n := naptr{rr.Order, rr.Preference, serviceTransport(rr.Service), canonical(rr.Replacement)}
		if strings.EqualFold(rr.Flags, "s") && rr.Regexp == "" && n.transport != 0 && n.replacement != "" {
			a.naptr = append(a.naptr, n)
		}
	}
}

// settle orders the records and says what they come to.
func (a *answer) settle(q question) {
	if len(a.srv) == 1 && a.srv[0].target == "" {
		a.outcome, a.srv = notOffered, nil
		a.err = &Error{Name: q.name, Type: typeName(q.qtype), Kind: ErrNotOffered,
			Detail: `the domain says by the target "." that it does not offer this: nothing can be sent there`}
		return
	}
	useful := a.srv[:0]
	for _, s := range a.srv {
		if s.target != "" && s.port != 0 {
			useful = append(useful, s)
		}
	}
	a.srv = useful
	sortSRV(a.srv)
	sortNAPTR(a.naptr)
	a.srv = a.srv[:min(len(a.srv), maxRecords)]
	a.naptr = a.naptr[:min(len(a.naptr), maxRecords)]
	a.addrs = a.addrs[:min(len(a.addrs), maxRecords)]
	if len(a.srv)+len(a.naptr)+len(a.addrs) > 0 {
		a.outcome = found
		return
	}
	a.outcome = none
	a.err = &Error{Name: q.name, Type: typeName(q.qtype), Kind: ErrNoAddress, Detail: "it has records of this type, but none that can be used"}
}

// additional reads the additional section as far as it belongs to the answer: the addresses of SRV
// targets (RFC 2782 "Usage rules"), the SRV records of NAPTR replacements.
func (m *message) additional(a *answer) (list []extra) {
	if len(m.Extra) == 0 {
		return nil
	}
	add := func(name string, qtype uint16) *answer {
		q := question{name, qtype}
		x := m.records(m.Extra, q)
		if x != nil {
			list = append(list, extra{q, x})
		}
		return x
	}
	for _, s := range a.srv {
		add(s.target, typeA)
		add(s.target, typeAAAA)
	}
	for _, n := range a.naptr {
		if x := add(n.replacement, typeSRV); x != nil {
			x.extra = m.additional(x)
		}
	}
	return list
}

// negative is an answer that there is nothing, remembered for as long as the zone says.
func (m *message) negative(q question, server netip.AddrPort) *answer {
	a := &answer{outcome: none, expires: m.now}
	// RFC 2308 §5: for as long as the smaller of the SOA's own TTL and its minimum; without one it is not
	// remembered.
	if soa := m.soa(); soa != nil {
		ttl := min(lifetime(soa), seconds(soa.Minttl), MaxNegativeTTL)
		a.expires = m.now.Add(ttl)
	}
	a.err = &Error{Type: typeName(q.qtype), Kind: ErrNoAddress,
		Detail: "the name exists and has no such record, says " + server.String() + ": add one to its zone, or dial another host"}
	if m.Rcode == dns.RcodeNameError {
		a.err.Kind = ErrNoDomain
		a.err.Detail = "the name does not exist (NXDOMAIN), says " + server.String() + ": check how it is spelt, and whether that server knows the zone"
	}
	return a
}

// soa is the SOA record of a negative answer, nil if there is none.
func (m *message) soa() *dns.SOA {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}

// owns reports whether the record belongs to the name.
func owns(rr dns.RR, name string) bool {
	h := rr.Header()
	return h.Class == dns.ClassINET && canonical(h.Name) == name
}

// lifetime is how long a record may be remembered.
func lifetime(rr dns.RR) time.Duration { return seconds(rr.Header().Ttl) }

// seconds is a TTL from the wire: one with the topmost bit stands for 0 (RFC 2181 §8).
func seconds(n uint32) time.Duration {
	if n >= 1<<31 {
		return 0
	}
	return min(time.Duration(n)*time.Second, MaxTTL)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
