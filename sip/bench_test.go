package sip

import (
	"net/netip"
	"strings"
	"testing"
)

// crlf makes a message of a Go literal: lines end in CRLF.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// register is a refresh with digest as a phone sends it.
var register = crlf(`REGISTER sips:ss2.biloxi.example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bKnashd92;rport
Max-Forwards: 70
From: "Bob" <sips:bob@biloxi.example.com>;tag=ja743ks76zlflH
To: "Bob" <sips:bob@biloxi.example.com>
Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
CSeq: 2 REGISTER
Contact: <sips:bob@client.biloxi.example.com>;expires=3600;q=0.5
Authorization: Digest username="bob", realm="atlanta.example.com", nonce="ea9c8e88df84f1cec4341ae6cbe5a359", opaque="", uri="sips:ss2.biloxi.example.com", response="dfe56131d1958046689d83306477ecc", algorithm=MD5, qop=auth, cnonce="0a4f113b", nc=00000001
User-Agent: biloxi/1.0
Expires: 3600
Content-Length: 0

`)

var invite = crlf(`INVITE sip:bob@biloxi.example.com SIP/2.0
Via: SIP/2.0/UDP ss2.biloxi.example.com:5060;branch=z9hG4bK721e4.1
Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;received=192.0.2.111
Via: SIP/2.0/TCP 192.0.2.111:5060;branch=z9hG4bK83749.1;received=192.0.2.54
Via: SIP/2.0/TCP [2001:db8::9:1]:5060;branch=z9hG4bK83754.1
Via: SIP/2.0/TCP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101
Max-Forwards: 66
Record-Route: <sip:ss2.biloxi.example.com;lr>, <sip:ss1.atlanta.example.com;lr>
From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl
To: Bob <sip:bob@biloxi.example.com>
Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com
CSeq: 1 INVITE
Contact: <sip:alice@client.atlanta.example.com;transport=tcp>
Content-Type: application/sdp
Content-Length: 9

v=0
s=-
`)

var ok200 = crlf(`SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bKnashd92;rport=5060;received=192.0.2.201
From: "Bob" <sips:bob@biloxi.example.com>;tag=ja743ks76zlflH
To: "Bob" <sips:bob@biloxi.example.com>;tag=37GkEhwl6
Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
CSeq: 2 REGISTER
Contact: <sips:bob@client.biloxi.example.com>;expires=3600
Content-Length: 0

`)

var source = netip.MustParseAddrPort("192.0.2.201:5062")

// answer does with a warm message what a registrar does with each: parse, decode, read the contacts and
// credentials, and write the answer.
func answer(m *Message, r *Request, buf, b []byte) ([]byte, error) {
	if err := m.Parse(b); err != nil {
		return buf, err
	}
	if err := r.Decode(m); err != nil {
		return buf, err
	}
	v := m.Values(HeaderContact)
	for v.Next() {
		v.Expires()
		v.Q()
	}
	if v.Err() != nil {
		return buf, v.Err()
	}
	if a, ok := m.Value(HeaderAuthorization); ok {
		if _, _, err := ParseCredentials(a); err != nil {
			return buf, err
		}
	}
	buf = r.AppendResponse(buf[:0], 200, "", []byte("37GkEhwl6"), source)
	return AppendEnd(buf, nil), nil
}

func TestNoAllocation(t *testing.T) {
	var m Message
	var r Request
	buf := make([]byte, 0, 4096)
	for name, b := range map[string][]byte{"REGISTER": register, "INVITE": invite} {
		n := testing.AllocsPerRun(100, func() {
			var err error
			if buf, err = answer(&m, &r, buf, b); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations for a message, want none", name, n)
		}
	}
}

func benchmarkParse(b *testing.B, msg []byte) {
	var m Message
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		if err := m.Parse(msg); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkDecode(b *testing.B, msg []byte) {
	var m Message
	var r Request
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		if err := m.Parse(msg); err != nil {
			b.Fatal(err)
		}
		if err := r.Decode(&m); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkAnswer(b *testing.B, msg []byte) {
	var m Message
	var r Request
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		var err error
		if buf, err = answer(&m, &r, buf, msg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseRegister(b *testing.B)  { benchmarkParse(b, register) }
func BenchmarkParseInvite(b *testing.B)    { benchmarkParse(b, invite) }
func BenchmarkParseResponse(b *testing.B)  { benchmarkParse(b, ok200) }
func BenchmarkDecodeRegister(b *testing.B) { benchmarkDecode(b, register) }
func BenchmarkDecodeInvite(b *testing.B)   { benchmarkDecode(b, invite) }
func BenchmarkAnswerRegister(b *testing.B) { benchmarkAnswer(b, register) }
func BenchmarkAnswerInvite(b *testing.B)   { benchmarkAnswer(b, invite) }

func BenchmarkCredentials(b *testing.B) {
	var m Message
	if err := m.Parse(register); err != nil {
		b.Fatal(err)
	}
	v, _ := m.Value(HeaderAuthorization)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseCredentials(v); err != nil {
			b.Fatal(err)
		}
	}
}
