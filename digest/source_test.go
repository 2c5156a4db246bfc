package digest

import (
	"net/netip"
	"testing"
	"time"

	"biloxi/sip"
)

// A request that was let in is let in again only from where it came first.
func TestSource(t *testing.T) {
	away := func(change func(*sip.Flow)) sip.Flow {
		f := overUDP
		change(&f)
		return f
	}
	for name, from := range map[string]sip.Flow{
		"another address":    away(func(f *sip.Flow) { f.Remote = netip.MustParseAddrPort("198.51.100.1:5060") }),
		"another port":       away(func(f *sip.Flow) { f.Remote = netip.MustParseAddrPort("192.0.2.201:5061") }),
		"another transport":  away(func(f *sip.Flow) { f.Transport, f.Serial = sip.TCP, 9 }),
		"another connection": away(func(f *sip.Flow) { f.Serial = 9 }),
	} {
		t.Run("S14 the same bytes from "+name+" are a replay", func(t *testing.T) {
			for _, plain := range []bool{false, true} {
				a := newTestAuthenticator(Config{})
				p := newPhone(t, a, testTime, sip.MD5)
				if plain {
					p.plain()
				}
				req := register(t, 1, "", p.credentials())
				check := func(flow sip.Flow) Result {
					return a.Check(testTime.Add(time.Second), req, sip.HeaderAuthorization, []byte(testRealm), flow, nil, testUsers)
				}
				want(t, check(overUDP), Valid, "")
				want(t, check(from), Stale, ReasonReplay)
				r := check(overUDP)
				if want(t, r, Valid, ""); !r.Retransmission {
					t.Error("what comes again from the first source is no retransmission")
				}
			}
		})
	}
	t.Run("S14 without a nonce count over TLS, a nonce serves one connection", func(t *testing.T) {
		a := newTestAuthenticator(Config{})
		p := newPhone(t, a, testTime, sip.MD5).plain()
		other := overTLS
		other.Serial++
		check := func(cseq int, flow sip.Flow) Result {
			return a.Check(testTime.Add(time.Hour), register(t, cseq, "", p.credentials()), sip.HeaderAuthorization, []byte(testRealm), flow, nil, testUsers)
		}
		want(t, check(1, overTLS), Valid, "")
		want(t, check(2, other), Stale, ReasonReplay)
		want(t, check(1, other), Stale, ReasonReplay)
		r := check(3, overTLS)
		if want(t, r, Valid, ""); r.Retransmission {
			t.Error("a new request is taken for a retransmission")
		}
	})
	t.Run("S14 which address of ours it comes to makes no difference", func(t *testing.T) {
		a := newTestAuthenticator(Config{})
		req := register(t, 1, "", newPhone(t, a, testTime, sip.MD5).credentials())
		want(t, check(a, testTime, req), Valid, "")
		other := away(func(f *sip.Flow) { f.Local = netip.MustParseAddrPort("192.0.2.223:5060") })
		want(t, a.Check(testTime, req, sip.HeaderAuthorization, []byte(testRealm), other, nil, testUsers), Valid, "")
	})
}
