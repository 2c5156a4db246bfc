package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestTorture sends the messages of RFC 4475 and RFC 5118 to a server, as datagrams and on streams. What
// the verdict on each is, is in package sip; here the server must give an answer that is SIP, or none,
// and live.
func TestTorture(t *testing.T) {
	b := start(t)
	torture := func(t *testing.T, folder string, least int) {
		files, err := filepath.Glob(filepath.Join("../../sip/testdata", folder, "*.dat"))
		if err != nil || len(files) < least {
			t.Fatalf("%d messages in %s, %v", len(files), folder, err)
		}
		for _, file := range files {
			message, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := newPhone(t, b)
			p.Send(withReturn(message, p))
			sentinel(t, p, filepath.Base(file))
			stream := phoneOver(t, b, tcp)
			stream.Conn.Send(message)
			stream.Conn.Close()
		}
		newPhone(t, b).Register(Contact("<sip:one@192.0.2.1>")).Expect(200)
	}
	t.Run("TP-035", func(t *testing.T) {
		torture(t, "rfc4475", 49)
		// §3.3.4, §3.3.5: what those two ask of a server that knows the address.
		p := newPhone(t, b)
		p.Once(To("isbn:2983792873"), Contact("<name:John_Smith>")).Expect(400)
		p.Once(Method("OPTIONS"), URI(p.AOR()), Line("Require: nothingSupportsThis, nothingSupportsThisEither",
			"Proxy-Require: noProxiesSupportThis")).Expect(420).Want("Unsupported", "noProxiesSupportThis") // the rest is for the phone to say
	})
	t.Run("TP-036", func(t *testing.T) { torture(t, "rfc5118", 10) })
}

var viaHost = regexp.MustCompile(`(?mi)^(Via|v)(\s*:\s*SIP\s*/\s*2\.0\s*/\s*\w+\s+)[^;,\r\n]+`)

// withReturn has the topmost Via name the phone, so that an answer reaches it.
func withReturn(message []byte, p *Phone) []byte {
	return withReturnTo(message, p.Conn.Local().String())
}

func withReturnTo(message []byte, address string) []byte {
	at := viaHost.FindSubmatchIndex(message)
	if at == nil {
		return message
	}
	return bytes.Join([][]byte{message[:at[5]], []byte(address), message[at[1]:]}, nil)
}

// sentinel sends an OPTIONS and reads up to its answer; all that comes before must be a response of SIP.
func sentinel(t *testing.T, p *Phone, what string) {
	t.Helper()
	p.Start(Method("OPTIONS"), URI("sip:"+bed.Domain))
	branch := branchOf(t, p.Sent)
	for {
		b, err := p.Conn.Receive(p.Wait)
		if err != nil {
			t.Fatalf("behind %s the server is silent: %v", what, err)
		}
		var m sip.Message
		if err := m.Parse(b); err != nil || !m.IsResponse() || m.StatusCode() >= 600 {
			t.Fatalf("%s is answered with\n%q: %v", what, b, err)
		}
		if v, err := m.Via(); err == nil && string(v.Branch()) == branch {
			if m.StatusCode() != 200 {
				t.Fatalf("behind %s the server says\n%s", what, b)
			}
			return
		}
	}
}

func branchOf(t *testing.T, message []byte) string {
	t.Helper()
	var m sip.Message
	if err := m.Parse(message); err != nil {
		t.Fatal(err)
	}
	v, err := m.Via()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Clone(string(v.Branch()))
}
