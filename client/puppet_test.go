package client

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"biloxi/sip"
	"biloxi/siptest"
)

// puppet is the other side of an agent: it says by hand what a test wants, over UDP.
type puppet struct {
	*stage
	conn *siptest.PacketConn
	at   netip.AddrPort
	to   netip.AddrPort // whom it last heard
	cseq int
}

func (s *stage) puppet(host string) *puppet {
	s.Helper()
	conn, err := s.net.Host(host).ListenPacket(5060)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	return &puppet{stage: s, conn: conn, at: conn.AddrPort()}
}

// heard is a message that a puppet got.
type heard struct {
	sip.Message
	raw string
	at  time.Time
}

// field is the first value of a header field.
func (h *heard) field(name string) string {
	for _, line := range strings.Split(h.raw, "\r\n") {
		if n, v, ok := strings.Cut(line, ": "); ok && strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

// fields are all values of a header field.
func (h *heard) fields(name string) (all []string) {
	for _, line := range strings.Split(h.raw, "\r\n") {
		if n, v, ok := strings.Cut(line, ": "); ok && strings.EqualFold(n, name) {
			all = append(all, v)
		}
	}
	return all
}

// next returns the next message within d, nil if there is none.
func (p *puppet) next(d time.Duration) *heard {
	p.Helper()
	b := make([]byte, 65536)
	p.conn.SetReadDeadline(time.Now().Add(d))
	n, from, err := p.conn.ReadFromUDPAddrPort(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		p.Fatal(err)
	}
	p.to = from
	h := &heard{raw: string(b[:n]), at: time.Now()}
	if err := h.Parse(bytes.Clone(b[:n])); err != nil {
		p.Fatalf("%v in\n%s", err, b[:n])
	}
	if h.IsRequest() {
		var req sip.Request
		if err := req.Decode(&h.Message); err != nil {
			p.Errorf("a bad request: %v\n%s", err, b[:n])
		}
	}
	return h
}

// expect returns the next message, which is one of that method, or a response of that status.
func (p *puppet) expect(what string) *heard {
	p.Helper()
	h := p.next(time.Hour)
	if h == nil {
		p.Fatalf("nothing came, and not %s", what)
	}
	if got := shortLabel([]byte(h.raw)); got != what {
		p.Fatalf("%s came, and not %s:\n%s", got, what, h.raw)
	}
	return h
}

func (p *puppet) quiet(d time.Duration) {
	p.Helper()
	if h := p.next(d); h != nil {
		p.Fatalf("%s came:\n%s", shortLabel([]byte(h.raw)), h.raw)
	}
}

func (p *puppet) send(text string) {
	p.Helper()
	if _, err := p.conn.WriteToUDPAddrPort([]byte(text), p.to); err != nil {
		p.Fatal(err)
	}
}

// answer sends a response by hand; a tag is put into the To unless it is empty.
func (p *puppet) answer(h *heard, status, tag string, lines ...string) {
	p.Helper()
	p.send(response(h, status, tag, lines...))
}

func response(h *heard, status, tag string, lines ...string) string {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, line := range strings.Split(h.raw, "\r\n") {
		switch name, value, _ := strings.Cut(line, ": "); name {
		case "Via", "From", "Call-ID", "CSeq":
			b.WriteString(line + "\r\n")
		case "To":
			if tag != "" && !strings.Contains(value, ";tag=") {
				line += ";tag=" + tag
			}
			b.WriteString(line + "\r\n")
		}
	}
	body := ""
	for _, line := range lines {
		if strings.HasPrefix(line, "v=0") {
			body = line
			line = "Content-Type: application/sdp"
		}
		b.WriteString(line + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

const puppetSDP = "v=0\r\no=bob 1 1 IN IP4 192.0.2.201\r\ns=-\r\nc=IN IP4 192.0.2.201\r\nt=0 0\r\nm=audio 3456 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

// request builds a request by hand. To is the value with its tag; lines may hold a body.
func (p *puppet) request(method, target, from, to, callID string, lines ...string) string {
	p.cseq++
	return p.requestAt(p.cseq, "z9hG4bK"+siptest.Token(), method, target, from, to, callID, lines...)
}

func (p *puppet) requestAt(cseq int, branch, method, target, from, to, callID string, lines ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n",
		method, target, p.at, branch, from, to, callID, cseq, method)
	body := ""
	for _, line := range lines {
		if strings.HasPrefix(line, "v=0") {
			body = line
			line = "Content-Type: application/sdp"
		}
		b.WriteString(line + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

const (
	aliceFrom = "Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl"
	bobTo     = "Bob <sip:bob@biloxi.example.com>"
)

// invite sends an INVITE as Alice to the agent at bobHost.
func (p *puppet) invite(callID string, lines ...string) {
	p.Helper()
	p.to = netip.MustParseAddrPort(bobHost + ":5060")
	p.send(p.request("INVITE", bobURI, aliceFrom, bobTo, callID,
		append([]string{"Contact: <sip:alice@" + p.at.String() + ">"}, lines...)...))
}

// inDialog sends a request in the dialog that a response has made.
func (p *puppet) inDialog(method string, ok *heard, lines ...string) {
	p.Helper()
	p.send(p.request(method, bobURI, ok.field("From"), ok.field("To"), ok.field("Call-ID"), lines...))
}

// ack acknowledges a 200; its CSeq is that of the INVITE.
func (p *puppet) ack(ok *heard, lines ...string) {
	p.Helper()
	var n int
	fmt.Sscan(ok.field("CSeq"), &n)
	p.send(p.requestAt(n, "z9hG4bK"+siptest.Token(), "ACK", bobURI, ok.field("From"), ok.field("To"), ok.field("Call-ID"), lines...))
}
