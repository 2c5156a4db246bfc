package client

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
	"biloxi/siptest"
	"biloxi/transaction"
)

// converse is a puppet that says what a fuzzer thought of: text of messages parted by lines of "--", of which in each
// turn the next is said. VIA, FROM, TO, CALLID and CSEQ stand for those of the message that came last. It checks
// what comes.
func converse(t *testing.T, conn *siptest.PacketConn, to netip.AddrPort, text string) {
	said := strings.Split(text, "\n--\n")
	said = said[:min(len(said), 8)]
	last := &heard{}
	b := make([]byte, 65536)
	for i := range len(said) + 3 {
		if i < len(said) {
			out := said[i]
			for name, field := range map[string]string{"VIA": "Via", "CALLID": "Call-ID", "CSEQ": "CSeq", "FROM": "From", "TO": "To"} {
				out = strings.ReplaceAll(out, name, last.field(field))
			}
			if out != "" && len(out) < 60000 {
				conn.WriteToUDPAddrPort([]byte(strings.ReplaceAll(out, "\n", "\r\n")), to)
			}
		}
		conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			continue
		}
		last = &heard{raw: string(b[:n])}
		to = from
		if err := last.Parse(bytes.Clone(b[:n])); err != nil {
			t.Fatalf("the agent sent what is no message: %v\n%s", err, b[:n])
		}
		if last.IsRequest() {
			var req sip.Request
			if err := req.Decode(&last.Message); err != nil {
				t.Fatalf("the agent sent a bad request: %v\n%s", err, b[:n])
			}
		}
	}
}

// fuzzTimers make a call short: a simulated second costs a hundred ticks of the transaction layer.
var fuzzTimers = transaction.Timers{T1: 20 * time.Millisecond, T2: 80 * time.Millisecond, T4: 100 * time.Millisecond}

const fuzzMirror = "\nVia: VIA\nFrom: FROM\nTo: TO;tag=b\nCall-ID: CALLID\nCSeq: CSEQ\n"

// Whatever the other side answers, a call ends, and what the agent sends is well-formed.
func FuzzCall(f *testing.F) {
	for _, seed := range []string{
		"\n--\nSIP/2.0 180 Ringing" + fuzzMirror + "Contact: <sip:bob@192.0.2.201>\n\n\n--\nSIP/2.0 200 OK" + fuzzMirror +
			"Record-Route: <sip:192.0.2.201;lr>, <sip:x>\nContact: <sip:bob@192.0.2.201>\nContent-Type: application/sdp\n\nv=0\nm=audio 1 RTP/AVP 0\n",
		"\n--\nSIP/2.0 302 Moved" + fuzzMirror + "Contact: <sip:bob@192.0.2.201?a=b>;q=0.5, <mailto:x@y>\n\n",
		"\n--\nSIP/2.0 407 X" + fuzzMirror + "Proxy-Authenticate: Digest realm=\"a\", nonce=\"b\"\n\n\n--\nSIP/2.0 487 X" + fuzzMirror + "\n",
		"\n--\nSIP/2.0 200 OK" + fuzzMirror + "\n\n--\nBYE sip:x SIP/2.0" + fuzzMirror + "\n",
		"OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\nFrom: <sip:a>;tag=1\nTo: <sip:b>\nCall-ID: 1\nCSeq: 1 OPTIONS\n\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			s := &stage{T: t, net: siptest.NewNetwork(), ctx: ctx}
			defer s.wait.Wait()
			defer stop()
			conn, err := s.net.Host(bobHost).ListenPacket(5060)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			alice := s.call(AgentConfig{Password: []byte("zanzibar"), Timers: fuzzTimers},
				Invitation{Duration: time.Second, Ringing: 2 * time.Second, Follow: true})
			converse(t, conn, netip.MustParseAddrPort(aliceHost+":5060"), text)
			<-alice.done
			if st := alice.story; st.Answered && (st.Status < 200 || st.Status > 299) || len(st.Replies) > maxReplies || st.Requests > maxRequests*(maxRedirects+2) {
				t.Errorf("%+v, %v", st, alice.err)
			}
		})
	})
}

// Whatever comes, an agent that answers goes on, and what it sends is well-formed.
func FuzzAnswering(f *testing.F) {
	const head = " sip:bob@192.0.2.201 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:bob@c>\nCall-ID: 1\n"
	for _, seed := range []string{
		"INVITE" + head + "CSeq: 1 INVITE\nContact: <sip:alice@192.0.2.101>\nRecord-Route: <sip:192.0.2.101>\n\n\n--\n\n--\nBYE sip:bob@192.0.2.201 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK2\nFrom: FROM\nTo: TO\nCall-ID: 1\nCSeq: 2 BYE\n\n",
		"INVITE" + head + "CSeq: 1 INVITE\nRequire: a, b\nExpires: 1\nContent-Type: application/sdp\n\nv=0\n",
		"INVITE" + head + "CSeq: 1 INVITE\n\n\n--\nCANCEL" + head + "CSeq: 1 CANCEL\n\n",
		"SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bK\nCSeq: 1 INVITE\n\n",
		"\x00\x01",
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, rings bool) {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			s := &stage{T: t, net: siptest.NewNetwork(), ctx: ctx}
			defer s.wait.Wait()
			defer stop()
			how := Answering{Duration: 500 * time.Millisecond}
			if rings {
				how.Ring = 300 * time.Millisecond
			}
			bob := s.actor(bobHost, AgentConfig{Timers: fuzzTimers})
			bob.answer(ctx, how)
			conn, err := s.net.Host(aliceHost).ListenPacket(5060)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			converse(t, conn, bob.listen, text)
			select {
			case <-bob.done:
				t.Errorf("it has left: %v", bob.err)
			default:
			}
			stop()
			<-bob.done
		})
	})
}
