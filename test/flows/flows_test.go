// Package flows runs the call flows of RFC 3665 against a whole server, on a simulated network with the
// addresses that the RFC has, in virtual time. Messages are those of the RFC but for what it asks to be
// computed or fresh: digests are real. The run can write docs/flows.md: what really went over the wire.
package flows

import (
	"bytes"
	"context"
	cryptotls "crypto/tls"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/client"
	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

var update = flag.Bool("update", false, "write docs/flows.md")

const document = "../../docs/flows.md"

// The hosts of RFC 3665 §2, and what Bob binds there.
const (
	bobHost    = "192.0.2.201"
	serverHost = "192.0.2.222"
	bobName    = "client.biloxi.example.com"
	mail       = "mailto:bob@biloxi.example.com"
	callID     = "1j9FpLxk3uxtm8tn@biloxi.example.com"
)

// nonceLifetime is shorter than a registration, so that a nonce can be seen to expire.
const nonceLifetime = 5 * time.Minute

// flow is one flow of the RFC.
type flow struct {
	number, title, words string
	before               []func(*scene) // flows that the precondition names, not drawn
	run                  func(*scene)
}

var all = []flow{
	{"2.1", "Successful New Registration", "Bob is challenged and answers, as the RFC prints it, without qop.", nil, newRegistration},
	{"2.2", "Update of Contact List", "Bob is not challenged again. His mail address, which never goes stale, is bound beside his phone.",
		[]func(*scene){newRegistration}, updateOfList},
	{"2.3", "Request for Current Contact List", "A REGISTER without Contact changes nothing.",
		[]func(*scene){newRegistration, updateOfList}, requestForList},
	{"2.4", "Cancellation of Registration", "`Contact: *` with `Expires: 0` removes both bindings.",
		[]func(*scene){newRegistration, updateOfList}, cancellation},
	{"2.5", "Unsuccessful Registration", "Bob has the wrong password. His first request is as the RFC prints it: without Max-Forwards, and with a received of his own, which the server corrects.",
		nil, unsuccessful},
}

// scene is one run of a flow: the server, Bob's phone, and somebody who looks on.
type scene struct {
	t      *testing.T
	bed    *bed.Bed
	bob    *Phone
	looker *Phone // has Bob's credentials; what it asks is not drawn
	ladder client.Ladder
}

// TestFlows runs each flow of section 2 over each transport, and those of section 3 as they are printed, then
// compares docs/flows.md with what went over the wire.
func TestFlows(t *testing.T) {
	ladders := map[string]*client.Ladder{}
	for _, transport := range []sip.Transport{sip.TLS, sip.UDP, sip.TCP} {
		for _, f := range all {
			name := transport.String() + "/" + f.number
			t.Run(name, func(t *testing.T) {
				stage(t, transport, func(s *scene) {
					for _, before := range f.before {
						before(s)
					}
					s.ladder = client.Ladder{}
					f.run(s)
					ladders[name] = &s.ladder
				})
			})
		}
	}
	for _, c := range calls {
		t.Run(c.number, func(t *testing.T) { ladders[c.number] = c.run(t) })
	}
	if t.Failed() {
		return
	}
	t.Run("document", func(t *testing.T) { compare(t, render(ladders)) })
}

// stage runs fn in a bubble of virtual time.
func stage(t *testing.T, transport sip.Transport, fn func(*scene)) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := NewNetwork()
		b := bed.Start(t, bed.Options{Network: network, Address: serverHost, Data: data, Config: func(c *config.Config) {
			c.Domains[0].Algorithms = []config.Algorithm{config.Algorithm(sip.MD5)}
			c.Auth.NonceLifetime = config.Duration(nonceLifetime)
			for i := range c.Listeners {
				port := sip.Transport(c.Listeners[i].Transport).DefaultPort()
				c.Listeners[i].Address = fmt.Sprintf("%s:%d", serverHost, port)
			}
		}})
		s := &scene{t: t, bed: b}
		s.bob = s.phone(network, transport, fmt.Sprintf("%s:%d", bobHost, transport.DefaultPort()))
		s.looker = s.phone(network, sip.UDP, "192.0.2.9:5060")
		s.looker.Scheme = "sip"
		s.ladder.Participants = []string{"Bob", "SIP Server"}
		s.bob.Trace(func(sent bool, message []byte) {
			if message = bytes.Clone(message); sent {
				s.ladder.Add("Bob", "SIP Server", "", message)
			} else {
				s.ladder.Add("SIP Server", "Bob", "", message)
			}
		})
		fn(s)
		s.bob.Conn.Close()
		s.looker.Conn.Close()
		b.Stop()
	})
}

func (s *scene) phone(network *Network, transport sip.Transport, from string) *Phone {
	s.t.Helper()
	var wire Wire
	if transport == sip.UDP {
		c, err := network.ListenPacket("udp", from)
		if err != nil {
			s.t.Fatal(err)
		}
		wire = OverPacket(c, s.bed.Addr(sip.UDP))
	} else {
		c, err := network.Dial(context.Background(), "tcp", from, s.bed.Addr(transport).String())
		if err != nil {
			s.t.Fatal(err)
		}
		if transport == sip.TLS {
			secure := cryptotls.Client(c, s.bed.TLS())
			if err := secure.HandshakeContext(context.Background()); err != nil {
				s.t.Fatal(err)
			}
			c = secure
		}
		wire = OverStream(transport, c)
	}
	return NewPhone(s.t, wire, "bob", bed.Domain, bed.Password("bob"))
}

// register sends one of the RFC's requests: number of its CSeq, branch, tag of its From.
func (s *scene) register(cseq uint32, branch, tag string, edits ...Edit) *Response {
	s.t.Helper()
	p := s.bob
	aor := p.Scheme + ":bob@" + bed.Domain
	r := p.Once(append([]Edit{
		URI(p.Scheme + ":" + bed.Host),
		Via(fmt.Sprintf("SIP/2.0/%s %s:%d;branch=%s", p.Conn.Transport(), bobName, p.Conn.Local().Port(), branch)),
		From("Bob <" + aor + ">;tag=" + tag),
		To("Bob <" + aor + ">"),
		CallID(callID), CSeq(cseq),
	}, edits...)...)
	s.mirrored(r, branch)
	return r
}

// mirrored checks what every answer must repeat and add.
func (s *scene) mirrored(r *Response, branch string) {
	s.t.Helper()
	via, err := r.Message.Via()
	if err != nil || string(via.Branch()) != branch || len(r.Values("Via")) != 1 {
		r.Fatalf("Via: %v", err)
	}
	// RFC 3261 §18.2.1: sent-by is a name, so received tells the address.
	if v, _ := via.Params.Value("received"); string(v) != bobHost {
		r.Fatalf("received is %s", v)
	}
	if r.ToTag() == "" {
		r.Fatalf("no To-tag")
	}
	var sent sip.Message
	if err := sent.Parse([]byte(r.Request)); err != nil {
		r.Fatalf("request: %v", err)
	}
	for _, h := range []sip.Header{sip.HeaderFrom, sip.HeaderCallID, sip.HeaderCSeq} {
		v, _ := sent.Value(h)
		r.Want(h.String(), string(v))
	}
	r.Want("Content-Length", "0")
}

// answer answers the challenge that Bob has, in the form of RFC 2069 that the RFC prints. Over UDP and TCP
// a nonce serves once in that form, so there Bob's phone uses qop.
func (s *scene) answer() Edit {
	return s.bob.Credentials(Credentials{NoQOP: s.bob.Conn.Transport().Secure(), NoAlgorithm: true})
}

func (s *scene) contact() string { return s.bob.Scheme + ":bob@" + bobName }

// compare keeps the document in step, but for what differs in each run.
func compare(t *testing.T, got []byte) {
	if *update {
		if err := os.WriteFile(document, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := steady(have), steady(got); a != b {
		t.Errorf("docs/flows.md is out of step: go test ./test/flows -update\n%s", difference(a, b))
	}
}

// varying is what differs from run to run: what the server makes of chance, and what is computed from it.
var varying = regexp.MustCompile(`((?:nonce|response|opaque|cnonce)=")[^"]*|(To: .*;tag=)\S+|(branch=z9hG4bK)[^;\s]+|(;d=)[^;>]+|(<sip:)[\w-]{20,}@`)

func steady(b []byte) string { return varying.ReplaceAllString(string(b), "$1$2$3$4$5*") }

func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(x), len(y))
}
