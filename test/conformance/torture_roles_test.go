package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// What becomes of a message, other than a status.
const (
	goesOn  = "goes on"
	silence = "silence"
)

// tortured is what RFC 4475 and RFC 5118 have an element do with each of their messages, as a proxy and as a registrar.
// A registrar that goes on with a request challenges it (401), and has no domain of another name (404).
var tortured = map[string]struct{ proxy, registrar string }{
	// RFC 4475 §3.1.1: valid messages
	"wsinv": {goesOn, "401"}, "intmeth": {goesOn, "401"}, "esc01": {goesOn, "401"}, "escnull": {goesOn, "401"}, "esc02": {goesOn, "401"},
	"lwsdisp": {goesOn, "401"}, "longreq": {goesOn, "401"}, "dblreq": {goesOn, "401"}, "semiuri": {goesOn, "401"}, "transports": {goesOn, "401"},
	"mpart01": {goesOn, "401"}, "unreason": {silence, silence}, "noreason": {silence, silence}, // responses that nobody asked for
	// §3.1.2: invalid messages. What may be read liberally is where nobody here needs it: a Date, the Contact of what a
	// proxy passes on.
	"badinv01": {"400", "400"}, "clerr": {"400", "400"}, "ncl": {"400", "400"}, "scalar02": {"400", "400"}, "scalarlg": {silence, silence},
	"quotbal": {"400", "400"}, "ltgtruri": {"400", "400"}, "lwsruri": {"400", "400"}, "lwsstart": {"400", "400"}, "trws": {"400", "400"},
	"escruri": {"400", "400"}, "baddate": {goesOn, "401"}, "regbadct": {goesOn, "400"}, "badaspec": {"400", "400"},
	"baddn":   {"400", "400"}, // the one of the archive has no empty line
	"badvers": {"505", "505"}, "mismatch01": {"400", "400"}, "mismatch02": {"400", "400"}, "bigcode": {silence, silence},
	// §3.2 to §3.4: transactions, applications, RFC 2543
	"badbranch": {goesOn, "401"}, "insuf": {"400", "400"}, "unkscm": {"416", "416"}, "novelsc": {"416", "416"}, "unksm2": {goesOn, "400"},
	"bext01": {"420", "420"}, "invut": {goesOn, "401"}, "regaut01": {goesOn, "401"}, "multi01": {"400", "400"}, "mcl01": {"400", "400"},
	"bcast": {silence, silence}, "zeromf": {"200", "401"}, // an OPTIONS that goes no further is answered (RFC 3261 §11)
	"cparam01": {goesOn, "200"}, "cparam02": {goesOn, "200"}, "regescrt": {goesOn, "200"}, "sdp01": {goesOn, "401"}, "inv2543": {goesOn, "404"},
	// RFC 5118
	"ipv6-good": {goesOn, "404"}, "ipv6-bad": {"400", "400"}, "port-ambiguous": {goesOn, "404"}, "port-unambiguous": {goesOn, "404"},
	"via-received-param-with-delim": {goesOn, "404"}, "via-received-param-no-delim": {goesOn, "404"}, "ipv6-in-sdp": {goesOn, "404"},
	"mult-ip-in-header": {goesOn, "404"}, "mult-ip-in-sdp": {goesOn, "404"}, "ipv4-mapped-ipv6": {goesOn, "401"},
	"ipv6-bug-abnf-3-colons": {goesOn, "404"}, "ipv6-correct-abnf-2-colons": {goesOn, "404"},
}

// asRouter has the server pass on for everybody what is not for itself, to one next hop.
func asRouter(c *config.Config) {
	c.Proxy.Trusted = append(c.Proxy.Trusted, config.Prefix(netip.MustParsePrefix("192.0.2.0/24")))
	c.Proxy.Outbound = []string{"sip:" + routerAt}
}

const routerAt = "192.0.2.55"

// TestTortureRoles sends each message of RFC 4475 and RFC 5118 to a proxy and to a registrar.
func TestTortureRoles(t *testing.T) {
	seen := 0
	for id, folder := range map[string]string{"TP-035": "rfc4475", "TP-036": "rfc5118"} {
		files, err := filepath.Glob(filepath.Join("../../sip/testdata", folder, "*.dat"))
		if err != nil {
			t.Fatal(err)
		}
		seen += len(files)
		t.Run(id, func(t *testing.T) {
			for _, file := range files {
				message, err := os.ReadFile(file)
				name := strings.TrimSuffix(filepath.Base(file), ".dat")
				want, ok := tortured[name]
				if err != nil || !ok {
					t.Fatalf("%s has no verdict, %v", file, err)
				}
				t.Run(name+" to a proxy", onStage(func(s *stage) { tortureProxy(s, message, want.proxy) }, asRouter))
				t.Run(name+" to a registrar", onStage(func(s *stage) { tortureRegistrar(s, message, want.registrar) }))
			}
		})
	}
	if seen != len(tortured) {
		t.Errorf("%d messages, %d verdicts", seen, len(tortured))
	}
}

// tortureProxy has a proxy pass a message on, whatever its method: a REGISTER is for the registrar, and becomes
// another request.
func tortureProxy(s *stage, message []byte, want string) {
	edge := s.agent("edge", routerAt)
	wire := OverPacket(s.ListenPacket(s.t), s.Addr(udp))
	message = withMethod(message, "REGISTER", "MESSAGE")
	for _, hop := range []string{"127.0.0.1:5080", "services.example.com"} { // those that its Route names
		message = bytes.Replace(message, []byte(hop), []byte(routerAt), 1)
	}
	got := tortureAnswer(s, wire, message)
	offer := edge.Next(0)
	if offer != nil {
		got = goesOn
	}
	if got != want {
		s.t.Fatalf("the proxy: %s, want %s", got, want)
	}
	if offer != nil {
		var sent sip.Message
		if err := sent.Parse(message); err != nil {
			s.t.Fatal(err)
		}
		if was, is := untouched(&sent), untouched(&offer.Message); !slices.Equal(was, is) {
			offer.Fatalf("of\n%q\nthis came\n%q", was, is)
		}
	}
}

// untouched are the lines and the body that no step of RFC 3261 §16.6 names.
func untouched(m *sip.Message) (lines []string) {
	for i := range m.Len() {
		switch h, _, _ := m.Field(i); h {
		case sip.HeaderVia, sip.HeaderRoute, sip.HeaderRecordRoute, sip.HeaderMaxForwards, sip.HeaderMaxBreadth:
		default:
			lines = append(lines, string(m.Line(i)))
		}
	}
	return append(lines, string(m.Body()))
}

// tortureRegistrar has a registrar take a message, whatever its method, for a domain of its own. What it is to answer
// with 200 comes with credentials.
func tortureRegistrar(s *stage, message []byte, want string) {
	wire := OverPacket(s.ListenPacket(s.t), s.Addr(udp))
	if !bytes.HasPrefix(message, []byte("SIP/")) {
		message = withMethod(message, string(message[:bytes.IndexByte(message, ' ')]), "REGISTER")
		message = foreignHost.ReplaceAll(message, []byte(bed.Domain))
	}
	if want == "200" || want == "400" && bytes.Contains(message, []byte("\r\nContact: sip:")) {
		p := newPhone(s.t, s.Bed)
		p.Challenged()
		message = userOf.ReplaceAll(message, []byte("${1}"+p.User+"@"))
		authorization := p.Authorization("REGISTER", "sip:"+bed.Domain)
		message = bytes.Replace(message, []byte("\r\nCall-ID"), []byte("\r\nAuthorization: "+authorization+"\r\nCall-ID"), 1)
		defer func() { checkBound(s, p, message, want) }()
	}
	if got := tortureAnswer(s, wire, message); got != want {
		s.t.Fatalf("the registrar: %s, want %s", got, want)
	}
}

var (
	foreignHost = regexp.MustCompile(`(?:registrar\.|chair-dnrc\.)?(?:example\.(?:com|net|org)|company\.com)`)
	userOf      = regexp.MustCompile(`(\r\nTo: <?sip:)[^@]+@`)
)

// checkBound sees that the Contact of a message is bound as RFC 4475 §3.3.12 to §3.3.14 have it, or is not.
func checkBound(s *stage, p *Phone, message []byte, want string) {
	var m sip.Message
	if err := m.Parse(message); err != nil {
		s.t.Fatal(err)
	}
	r := p.Query().Expect(200)
	contacts := m.Values(sip.HeaderContact)
	if want != "200" || !contacts.Next() {
		r.Bound()
		return
	}
	b := r.Binding(string(contacts.URI.Raw()))
	if _, has := b.Param("unknownparam"); has != contacts.Params.Has("unknownparam") {
		r.Fatalf("the parameter is not where it was")
	}
}

// withMethod gives a message another method, in its request-line and in its CSeq.
func withMethod(message []byte, old, method string) []byte {
	if !bytes.HasPrefix(message, []byte(old+" ")) {
		return message
	}
	message = append([]byte(method), message[len(old):]...)
	return bytes.Replace(message, []byte(" "+old+"\r\n"), []byte(" "+method+"\r\n"), 1)
}

// tortureAnswer sends a message, and says which status its sender gets within a second.
func tortureAnswer(s *stage, wire Wire, message []byte) string {
	s.t.Helper()
	if err := wire.Send(withReturnTo(message, wire.Local().String())); err != nil {
		s.t.Fatal(err)
	}
	for {
		b, err := wire.Receive(time.Second)
		if errors.Is(err, ErrSilence) {
			return silence
		}
		var m sip.Message
		if err == nil {
			err = m.Parse(b)
		}
		if err != nil {
			s.t.Fatal(fmt.Errorf("%q: %w", b, err))
		}
		if m.StatusCode() != 100 {
			return strconv.Itoa(m.StatusCode())
		}
	}
}
