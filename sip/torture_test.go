package sip

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// verdict is what an element that supports no extension makes of a message, as far as the grammar decides.
type verdict int

const (
	accept  verdict = 1  // a request to go on with
	pass    verdict = 2  // a response to go on with
	discard verdict = -1 // a response or request that gets no answer
)

// judge parses a datagram and gives its verdict: one of the above or the status code of the answer, and
// the error that decided.
func judge(m *Message, r *Request, b []byte) (verdict, error) {
	err := m.Parse(b)
	if m.IsResponse() || m.Method() == "" {
		if _, e := m.CSeq(); err == nil {
			err = e
		}
		if err != nil {
			return discard, err
		}
		return pass, nil
	}
	if e := r.Decode(m); err == nil {
		err = e
	}
	switch {
	case err != nil && !m.Answerable():
		return discard, err
	case !m.Version20():
		return 505, nil
	case err != nil:
		return 400, err
	case !m.Method().Known():
		return 501, nil
	case !r.Target.IsSIP():
		return 416, nil
	case m.Has(HeaderRequire):
		return 420, nil
	case m.Method() == Register:
		return judgeRegister(m, r)
	}
	if hops, p := m.MaxForwards(); p == Present && hops == 0 {
		return 483, nil
	}
	if m.Method() == Invite && !m.Accepts("application", "sdp") && m.Has(HeaderAccept) {
		return 406, nil
	}
	if v, ok := m.Value(HeaderContentType); ok && m.Method() == Invite {
		if t, err := ParseMediaType(v); err != nil || !t.Covers("application", "sdp") {
			return 415, err
		}
	}
	return accept, nil
}

func judgeRegister(m *Message, r *Request) (verdict, error) {
	if i := m.Index(HeaderAuthorization); i >= 0 {
		if _, digest, err := m.Credentials(i); err != nil || !digest {
			return 401, err
		}
	}
	if !r.To.URI.IsSIP() {
		return 400, nil
	}
	v := m.Values(HeaderContact)
	for v.Next() {
	}
	if v.Err() != nil {
		return 400, v.Err()
	}
	return accept, nil
}

// torture is a message of RFC 4475 or RFC 5118 and what it is to come to.
type torture struct {
	section, file string
	want          verdict
	header        Header // that is wrong
	at            string // what stands where the error says it is
	check         func(t *testing.T, m *Message, r *Request)
}

// end stands for the end of the message.
const end = "$"

// testTorture runs the rows and sees that none of the folder's messages is left out.
func testTorture(t *testing.T, dir string, rows []torture) {
	files, err := filepath.Glob(filepath.Join(dir, "*.dat"))
	if err != nil || len(files) != len(rows) {
		t.Fatalf("%s has %d messages, the table has %d (%v)", dir, len(files), len(rows), err)
	}
	var m Message
	var r Request
	for _, row := range rows {
		t.Run(row.section+" "+row.file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(dir, row.file+".dat"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := judge(&m, &r, b)
			if got != row.want {
				t.Fatalf("the verdict is %d, want %d (%v)", got, row.want, err)
			}
			if (err != nil) != (row.header != HeaderNone || row.at != "") {
				t.Fatalf("the error is %v", err)
			}
			if e := (*SyntaxError)(nil); errors.As(err, &e) {
				if e.Header != row.header {
					t.Errorf("the error is in %v, want %v: %v", e.Header, row.header, err)
				}
				if offset(err) < 0 || row.at == end && e.Offset != len(b) || row.at != end && !bytes.HasPrefix(m.buf[e.Offset:], []byte(row.at)) {
					t.Errorf("%v: there stands %.20q, want %q", err, m.buf[e.Offset:], row.at)
				}
			}
			if row.check != nil {
				row.check(t, &m, &r)
			}
			for cut := range b {
				judge(&m, &r, b[:cut])
			}
		})
	}
}

func want(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if string(got) != want {
		t.Errorf("%s is %q, want %q", what, got, want)
	}
}

func TestTorture4475(t *testing.T) {
	t.Run("TP-035", func(t *testing.T) { testTorture(t, "testdata/rfc4475", rfc4475) })
}

var rfc4475 = []torture{
	{"3.1.1.1", "wsinv", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		want(t, "From tag", r.From.Tag(), "98asjd8")
		want(t, "To tag", r.To.Tag(), "1918181833n")
		want(t, "branch", r.Via.Branch(), "390skdjuw")
		if r.CSeq.Number != 9 {
			t.Errorf("the CSeq is %d", r.CSeq.Number)
		}
		if hops, _ := m.MaxForwards(); hops != 68 {
			t.Errorf("Max-Forwards is %d", hops)
		}
		n := 0
		vias := m.Vias()
		for vias.Next() {
			n++
		}
		want(t, "the last branch", vias.Branch(), "z9hG4bK30239")
		if n != 3 || vias.Err() != nil {
			t.Errorf("%d Vias, %v", n, vias.Err())
		}
		v := m.Values(HeaderContact)
		v.Next()
		if q, p := v.Q(); q != 330 || p != Present {
			t.Errorf("q is %d, %v", q, p)
		}
		want(t, "the display name", Unquote(nil, v.Display), `Quoted string ""`)
		subject, _ := m.Value(HeaderSubject)
		want(t, "the subject", subject, "")
		odd, _ := m.Named("UnknownHeaderWithUnusualValue")
		want(t, "the unknown header", odd, ";;,,;;,;")
	}},
	{"3.1.1.2", "intmeth", 501, 0, "", func(t *testing.T, m *Message, r *Request) {
		want(t, "the method", []byte(m.Method()), "!interesting-Method0123456789_*+`.%indeed'~")
		want(t, "the user", r.Target.User, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
		want(t, "the password", r.Target.Password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
		want(t, "the display name", Unquote(nil, r.To.Display), "BEL:\a NUL:\x00 DEL:\x7f")
		want(t, "the tag", r.From.Tag(), "_token~1'+`*%!-.")
	}},
	{"3.1.1.3", "esc01", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		want(t, "the user", AppendUnescaped(nil, r.Target.User), "sips:user@example.com")
		v := m.Values(HeaderContact)
		v.Next()
		name, value, _ := v.URI.Params.Next()
		want(t, "the parameter", AppendUnescaped(nil, name), "lr")
		want(t, "its value", value, "")
		want(t, "the other's value, decoded once", AppendUnescaped(nil, []byte("v%61lue%25%34%31")), "value%41")
	}},
	{"3.1.1.4", "escnull", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		want(t, "the user", AppendUnescaped(nil, r.To.URI.User), "null-\x00-null")
		one := m.Values(HeaderContact)
		one.Next()
		two := one
		if !two.Next() || one.URI.Equal(two.URI) {
			t.Error("the two contacts are not told apart")
		}
	}},
	{"3.1.1.5", "esc02", 501, 0, "", func(t *testing.T, m *Message, r *Request) {
		n := 0
		for v := m.Values(HeaderContact); v.Next(); n++ {
		}
		if n != 2 {
			t.Errorf("%d contacts, want 2", n)
		}
		want(t, "the display name", r.To.Display, `"%Z%45"`)
	}},
	{"3.1.1.6", "lwsdisp", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		want(t, "the display name", r.From.Display, "caller")
	}},
	{"3.1.1.7", "longreq", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		n := 0
		vias := m.Vias()
		for vias.Next() {
			n++
		}
		if n != 34 || vias.Err() != nil {
			t.Errorf("%d Vias, %v", n, vias.Err())
		}
	}},
	{"3.1.1.8", "dblreq", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		if m.Method() != Register || len(m.Body()) != 0 || bytes.Contains(m.Bytes(), []byte("INVITE")) {
			t.Error("what is behind the body was not cut off")
		}
	}},
	{"3.1.1.9", "semiuri", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		want(t, "the user", AppendUnescaped(nil, r.Target.User), "user;par=u@example.net")
		want(t, "the host", r.Target.Host, "example.com")
	}},
	{"3.1.1.10", "transports", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		var got []Transport
		for v := m.Vias(); v.Next(); {
			got = append(got, v.Transport)
		}
		for i, w := range []Transport{UDP, NoTransport, TLS, NoTransport, TCP} {
			if i >= len(got) || got[i] != w {
				t.Fatalf("the transports are %v", got)
			}
		}
	}},
	{"3.1.1.11", "mpart01", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		if len(m.Body()) != 553 || !bytes.Contains(m.Body(), []byte{0}) {
			t.Errorf("a body of %d bytes", len(m.Body()))
		}
		if !r.Via.RPort() {
			t.Error("no rport")
		}
	}},
	{"3.1.1.12", "unreason", pass, 0, "", func(t *testing.T, m *Message, r *Request) {
		if m.StatusCode() != 200 || !bytes.HasPrefix(m.Reason(), []byte("= 2**3 * 5**2 ")) {
			t.Errorf("%d %q", m.StatusCode(), m.Reason())
		}
	}},
	{"3.1.1.13", "noreason", pass, 0, "", func(t *testing.T, m *Message, r *Request) {
		if m.StatusCode() != 100 || len(m.Reason()) != 0 {
			t.Errorf("%d %q", m.StatusCode(), m.Reason())
		}
	}},
	{"3.1.2.1", "badinv01", 400, HeaderVia, ",;,,", nil},
	{"3.1.2.2", "clerr", 400, HeaderContentLength, "9999", nil},
	{"3.1.2.3", "ncl", 400, HeaderContentLength, "-999", nil},
	{"3.1.2.4", "scalar02", 400, HeaderCSeq, "36893488147419103232", func(t *testing.T, m *Message, r *Request) {
		if _, p := m.MaxForwards(); p != Malformed {
			t.Errorf("a Max-Forwards of 300 is %v", p)
		}
		if n, p := m.Expires(); p != Present || n != MaxDeltaSeconds {
			t.Errorf("an overlarge Expires is %d, %v", n, p)
		}
	}},
	{"3.1.2.5", "scalarlg", discard, HeaderCSeq, "9292394834772304023312", nil},
	{"3.1.2.6", "quotbal", 400, HeaderTo, `"Mr. J. User`, nil},
	{"3.1.2.7", "ltgtruri", 400, HeaderNone, "<sip:user@example.com>", nil},
	{"3.1.2.8", "lwsruri", 400, HeaderNone, " lr SIP", nil},
	{"3.1.2.9", "lwsstart", 400, HeaderNone, " sip:user@example.com  SIP", nil},
	{"3.1.2.10", "trws", 400, HeaderNone, "\r\nVia", nil},
	{"3.1.2.11", "escruri", 400, HeaderNone, "?Route", nil},
	{"3.1.2.12", "baddate", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		v, _ := m.Value(HeaderDate)
		if _, ok := ParseDate(v); ok {
			t.Errorf("%q is taken for a SIP-date", v)
		}
	}},
	{"3.1.2.13", "regbadct", 400, HeaderContact, "?Route", nil},
	{"3.1.2.14", "badaspec", 400, HeaderTo, " sip:t.watson", nil},
	{"3.1.2.15", "baddn", 400, HeaderNone, end, func(t *testing.T, m *Message, r *Request) {
		// The archive's message has no empty line either.
		from, _ := m.From()
		to, _ := m.To()
		want(t, "the From's display name", from.Display, "Bell, Alexander")
		want(t, "the To's display name", to.Display, "Watson, Thomas")
		want(t, "the From tag", from.Tag(), "43")
	}},
	{"3.1.2.16", "badvers", 505, 0, "", nil},
	{"3.1.2.17", "mismatch01", 400, HeaderCSeq, "8 INVITE", nil},
	{"3.1.2.18", "mismatch02", 400, HeaderCSeq, "8 INVITE", nil},
	{"3.1.2.19", "bigcode", discard, HeaderNone, "4294967301", nil},
	{"3.2.1", "badbranch", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		want(t, "the branch", r.Via.Branch(), MagicCookie)
	}},
	{"3.3.1", "insuf", 400, HeaderFrom, "", nil},
	{"3.3.2", "unkscm", 416, 0, "", nil},
	{"3.3.3", "novelsc", 416, 0, "", nil},
	{"3.3.4", "unksm2", 400, 0, "", func(t *testing.T, m *Message, r *Request) {
		want(t, "the To", r.To.URI.SchemeName, "isbn")
		want(t, "the From", r.From.URI.Raw(), "http://www.example.com")
	}},
	{"3.3.5", "bext01", 420, 0, "", func(t *testing.T, m *Message, r *Request) {
		if !m.HasToken(HeaderRequire, "nothingsupportsthiseither") || m.HasToken(HeaderRequire, "noproxiessupportthis") {
			t.Error("the option tags are not read")
		}
	}},
	{"3.3.6", "invut", 415, 0, "", nil},
	{"3.3.7", "regaut01", 401, 0, "", nil},
	{"3.3.8", "multi01", 400, HeaderCSeq, "CSeq: 59", nil},
	{"3.3.9", "mcl01", 400, HeaderContentLength, "Content-Length: 5", nil},
	{"3.3.10", "bcast", pass, 0, "", func(t *testing.T, m *Message, r *Request) {
		v := m.Vias()
		v.Next()
		v.Next()
		want(t, "the second Via", v.Host, "255.255.255.255")
	}},
	{"3.3.11", "zeromf", 483, 0, "", nil},
	{"3.3.12", "cparam01", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		v := m.Values(HeaderContact)
		if !v.Next() || v.URI.Params.Has("unknownparam") || !v.Params.Has("unknownparam") {
			t.Errorf("the URI is %q", v.URI.Raw())
		}
	}},
	{"3.3.13", "cparam02", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		v := m.Values(HeaderContact)
		if !v.Next() || !v.URI.Params.Has("unknownparam") || v.Params.Has("unknownparam") {
			t.Errorf("the URI is %q", v.URI.Raw())
		}
	}},
	{"3.3.14", "regescrt", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		v := m.Values(HeaderContact)
		v.Next()
		want(t, "the URI's headers", v.URI.Headers, "Route=%3Csip:sip.example.com%3E")
	}},
	{"3.3.15", "sdp01", 406, 0, "", nil},
	{"3.4.1", "inv2543", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		if r.Via.Branch() != nil || r.From.Tag() != nil || m.Has(HeaderContentLength) {
			t.Error("this is not the message of RFC 2543")
		}
		if _, p := m.MaxForwards(); p != Absent || !bytes.HasPrefix(m.Body(), []byte("v=0")) {
			t.Error("the body does not go on to the end")
		}
	}},
}

func TestTorture5118(t *testing.T) {
	t.Run("TP-036", func(t *testing.T) { testTorture(t, "testdata/rfc5118", rfc5118) })
}

// host6 sees that the Request-URI's host is the address.
func host6(address string, port uint16) func(t *testing.T, m *Message, r *Request) {
	return func(t *testing.T, m *Message, r *Request) {
		if a, ok := r.Target.HostAddr(); !ok || a.String() != address || r.Target.Port != port {
			t.Errorf("the host of %q is %v (%v), port %d", r.Target.Raw(), a, ok, r.Target.Port)
		}
	}
}

func received6(want string) func(t *testing.T, m *Message, r *Request) {
	return func(t *testing.T, m *Message, r *Request) {
		if v, _ := r.Via.Params.Value("received"); string(v) != want {
			t.Errorf("received is %q, want %q", v, want)
		}
	}
}

var rfc5118 = []torture{
	{"4.1", "ipv6-good", accept, 0, "", host6("2001:db8::10", 0)},
	{"4.2", "ipv6-bad", 400, HeaderNone, "db8::10 SIP", nil},
	{"4.3", "port-ambiguous", accept, 0, "", host6("2001:db8::10:5070", 0)},
	{"4.4", "port-unambiguous", accept, 0, "", host6("2001:db8::10", 5070)},
	{"4.5", "via-received-param-with-delim", accept, 0, "", received6("[2001:db8::9:255]")},
	{"4.5", "via-received-param-no-delim", accept, 0, "", received6("2001:db8::9:255")},
	{"4.6", "ipv6-in-sdp", accept, 0, "", host6("2001:db8::10", 0)},
	{"4.7", "mult-ip-in-header", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		var hosts []string
		for v := m.Vias(); v.Next(); {
			hosts = append(hosts, string(v.Host))
		}
		if len(hosts) != 3 || hosts[0] != "[2001:db8::9:1]" || hosts[1] != "192.0.2.1" || hosts[2] != "[2001:db8::9:255]" {
			t.Errorf("the Vias are %q", hosts)
		}
	}},
	{"4.8", "mult-ip-in-sdp", accept, 0, "", host6("2001:db8::10", 0)},
	{"4.9", "ipv4-mapped-ipv6", accept, 0, "", func(t *testing.T, m *Message, r *Request) {
		if a, ok := hostAddr(r.Via.Host); !ok || a.String() != "::ffff:192.0.2.10" || r.Via.Port != 19823 {
			t.Errorf("the Via is %v (%v), port %d", a, ok, r.Via.Port)
		}
	}},
	{"4.10", "ipv6-bug-abnf-3-colons", accept, 0, "", host6("2001:db8::c000:201", 0)},
	{"4.10", "ipv6-correct-abnf-2-colons", accept, 0, "", host6("2001:db8::c000:201", 0)},
}
