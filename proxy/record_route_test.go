package proxy

import (
	"testing"

	"biloxi/sip"
)

// TestRecordRoute: RFC 3261 §16.6 step 4, RFC 5630 §5.3, RFC 5658 §6.
func TestRecordRoute(t *testing.T) {
	host := []byte("ss2.biloxi.example.com")
	udp, tcp := Side{Transport: sip.UDP, Host: host}, Side{Transport: sip.TCP, Host: host}
	tls, wss := Side{Transport: sip.TLS, Host: host}, Side{Transport: sip.WSS, Host: host}
	six := Side{Transport: sip.UDP, Host: []byte("[2001:db8::1]")}
	baresip := Side{Transport: sip.TLS, Host: host, NoSIPS: true}
	phone := Side{Transport: sip.UDP, Host: host, Token: []byte("token")}
	for _, c := range []struct {
		name           string
		in, out        Side
		secure, wanted bool
		tlsParam       bool
		want           string
	}{
		{name: "one value, with lr, between equal sides", in: tcp, out: tcp, wanted: true,
			want: "<sip:ss2.biloxi.example.com;transport=tcp;lr>"},
		{name: "none if it is not wanted", in: udp, out: tcp},
		{name: "two values where the transports differ", in: udp, out: tcp, wanted: true,
			want: "<sip:ss2.biloxi.example.com;transport=tcp;lr>, <sip:ss2.biloxi.example.com;lr>"},
		{name: "two values where the families differ", in: udp, out: six, wanted: true,
			want: "<sip:[2001:db8::1];lr>, <sip:ss2.biloxi.example.com;lr>"},
		{name: "two values where one side has a flow token", in: phone, out: udp, wanted: true,
			want: "<sip:ss2.biloxi.example.com;lr>, <sip:token@ss2.biloxi.example.com;lr>"},
		{name: "sips for a sips Request-URI", in: tls, out: tls, secure: true, wanted: true,
			want: "<sips:ss2.biloxi.example.com;lr>"},
		{name: "from TLS to a sip URI a value is due, and the outer one is not sips", in: tls, out: udp,
			want: "<sip:ss2.biloxi.example.com;lr>, <sips:ss2.biloxi.example.com;lr>"},
		{name: "without TLS to a sips URI a value is due, and the outer one is sips", in: tcp, out: tls, secure: true,
			want: "<sips:ss2.biloxi.example.com;lr>, <sip:ss2.biloxi.example.com;transport=tcp;lr>"},
		{name: "TLS to TLS with a sip URI: no sips and no transport=tls", in: tls, out: tls,
			want: "<sip:ss2.biloxi.example.com;lr>"},
		{name: "TLS to TLS with a sip URI, as phones understand it", in: tls, out: tls, tlsParam: true,
			want: "<sip:ss2.biloxi.example.com;transport=tls;lr>"},
		{name: "from TLS to UDP with a sip URI, to a phone that writes transport=tls", in: baresip, out: udp, wanted: true, tlsParam: true,
			want: "<sip:ss2.biloxi.example.com;lr>, <sip:ss2.biloxi.example.com;transport=tls;lr>"},
		{name: "that phone, where transport=tls is not written", in: baresip, out: udp, wanted: true,
			want: "<sip:ss2.biloxi.example.com;lr>, <sips:ss2.biloxi.example.com;lr>"},
		{name: "that phone, with a sips URI", in: baresip, out: six, secure: true, wanted: true, tlsParam: true,
			want: "<sips:[2001:db8::1];lr>, <sips:ss2.biloxi.example.com;lr>"},
		{name: "a browser", in: wss, out: udp, wanted: true,
			want: "<sip:ss2.biloxi.example.com;lr>, <sips:ss2.biloxi.example.com;transport=ws;lr>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := New(Config{TLSParam: c.tlsParam})
			if got := p.AppendRecordRoute(nil, sip.Invite, c.in, c.out, c.secure, c.wanted); string(got) != c.want {
				t.Errorf("got %s, wanted %s", got, c.want)
			}
			if got := p.AppendRecordRoute(nil, sip.Ack, c.in, c.out, c.secure, c.wanted); got != nil {
				t.Errorf("ACK: %s", got)
			}
		})
	}
}

// TestWritesTLS: which phones a Record-Route with transport=tls is for.
func TestWritesTLS(t *testing.T) {
	for contact, want := range map[string]bool{
		"Contact: <sip:bob@192.0.2.201:40000;transport=tls>\n":       true,
		"m: Bob <sip:bob@192.0.2.201;Transport=TLS;ob>;expires=60\n": true,
		"Contact: <sip:bob@192.0.2.201;transport=tcp>\n":             false,
		"Contact: <sips:bob@192.0.2.201;transport=tls>\n":            false,
		"Contact: <sip:bob@192.0.2.201>;transport=tls\n":             false,
		"Contact: <tel:+1-972-555-2222>\n":                           false,
		"Contact: *\n":                                               false,
		"Contact: <sip:bob@192.0.2.201\n":                            false,
		"":                                                           false,
	} {
		var in Received
		b := crlf("INVITE sip:bob@biloxi.example.com SIP/2.0\nVia: SIP/2.0/TLS 192.0.2.111;branch=z9hG4bK1\n" + contact +
			"From: <sip:a@a>;tag=1\nTo: <sip:b@b>\nCall-ID: c\nCSeq: 1 INVITE\n\n")
		if in.Preprocess(decode(t, b), flowFrom("TLS 192.0.2.111:5061"), ours) != nil {
			t.Fatal("refused")
		}
		if got := in.WritesTLS(); got != want {
			t.Errorf("%q: %v", contact, got)
		}
	}
}

// TestFlowToken: RFC 5626 §5.2, §5.3.
func TestFlowToken(t *testing.T) {
	p := New(Config{Secret: [32]byte{1}})
	bob := flowFrom("TCP 203.0.113.9:40000")
	bye := func(routes string) []byte {
		return crlf("BYE sip:bob@10.0.0.5 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.111;branch=z9hG4bK1\nRoute: " + routes +
			"\nFrom: <sip:a@a>;tag=1\nTo: <sip:b@b>;tag=2\nCall-ID: c\nCSeq: 1 BYE\n\n")
	}
	token := func(p *Proxy, f sip.Flow) string { return string(p.AppendFlowToken(nil, f, []byte("c"))) }
	for _, c := range []struct {
		name, routes string
		want         sip.Flow
		refusal      *Refusal
	}{
		{"a token leads down its flow", "<sip:" + token(p, bob) + "@192.0.2.222;lr>", bob, nil},
		{"of two the last one, the other side's", "<sip:" + token(p, flowFrom("UDP 192.0.2.111:5060")) + "@192.0.2.222;lr>, <sip:" +
			token(p, bob) + "@192.0.2.222;lr>", bob, nil},
		{"the token of who sent it leads where the URI says", "<sip:" + token(p, flowFrom("UDP 192.0.2.111:5060")) +
			"@192.0.2.222;lr>", sip.Flow{}, nil},
		{"no token", "<sip:192.0.2.222;lr>", sip.Flow{}, nil},
		{"a user is no token", "<sip:alice@192.0.2.222;lr>", sip.Flow{}, nil},
		{"another's token is not looked at", "<sip:" + token(p, bob) + "@192.0.2.111;lr>", sip.Flow{}, nil},
		{"S2 a token of another dialog is refused", "<sip:" + string(p.AppendFlowToken(nil, bob, []byte("d"))) + "@192.0.2.222;lr>", sip.Flow{}, BadFlowToken},
		{"a token of another key is refused", "<sip:" + token(New(Config{}), bob) + "@192.0.2.222;lr>", sip.Flow{}, BadFlowToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := receive(t, bye(c.routes))
			if got, refusal := p.TokenFlow(in); got != c.want || refusal != c.refusal {
				t.Errorf("%v %v, wanted %v %v", got, refusal, c.want, c.refusal)
			}
		})
	}
	t.Run("another connection from the same address is not the token's", func(t *testing.T) {
		in := receive(t, bye("<sip:"+token(p, bob)+"@192.0.2.222;lr>"))
		in.Flow = bob
		in.Flow.Serial++
		if got, _ := p.TokenFlow(in); got != bob {
			t.Errorf("%v, wanted %v", got, bob)
		}
	})
	t.Run("IPv6 goes through", func(t *testing.T) {
		f := flowFrom("TLS [2001:db8::9]:40000")
		if got, ok := p.parseFlowToken(p.AppendFlowToken(nil, f, []byte("c")), []byte("c")); !ok || got != f {
			t.Errorf("%v, wanted %v", got, f)
		}
	})
	t.Run("the target is that flow", func(t *testing.T) {
		var s TargetSet
		in := receive(t, bye("<sip:192.0.2.222;lr>"))
		s.Down(in, bob)
		if !in.Direct(s.Target(0)) || s.Target(0).URI != nil {
			t.Error("not down the flow")
		}
	})
}

// FuzzFlowToken: no bytes but our own are a token, and none panics.
func FuzzFlowToken(f *testing.F) {
	p, other := New(Config{Secret: [32]byte{1}}), New(Config{Secret: [32]byte{2}})
	f.Add(other.AppendFlowToken(nil, flowFrom("TCP 203.0.113.9:40000"), nil))
	f.Add(other.AppendFlowToken(nil, flowFrom("TCP [2001:db8::9]:40000"), nil))
	f.Add(p.AppendFlowToken(nil, flowFrom("UDP 203.0.113.9:40000"), nil))
	f.Fuzz(func(t *testing.T, token []byte) {
		if !isToken(token) {
			return
		}
		if flow, ok := p.parseFlowToken(token, nil); ok && string(p.AppendFlowToken(nil, flow, nil)) != string(token) {
			t.Errorf("%q is a token that we would not write", token)
		}
	})
}
