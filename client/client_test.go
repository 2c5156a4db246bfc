package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

func TestRegistrationOverEachTransport(t *testing.T) {
	ca := newAuthority(t)
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		t.Run(transport.String(), func(t *testing.T) {
			u := newUAS(t, transport, ca.issue(t, names{ips: []string{"127.0.0.1"}}), registrarScript)
			c, ctx := newClient(t, Config{Server: u.uri(transport), Roots: ca.pool})

			res, err := c.Register(ctx, Registration{Contacts: bobsContact.Contacts, Expires: time.Hour, HasExpires: true})
			if err != nil || !res.OK() {
				t.Fatalf("%+v, %v", res, err)
			}
			want := []Contact{
				{URI: "sip:bob@client.biloxi.example.com", Expires: time.Hour, HasExpires: true, Q: 500, HasQ: true,
					Params: `;+sip.instance="<urn:x>"`},
				{URI: "mailto:bob@biloxi.example.com", Expires: 4294967295 * time.Second, HasExpires: true},
			}
			if !reflect.DeepEqual(res.Contacts, want) {
				t.Errorf("contacts %+v", res.Contacts)
			}
			if res.Server != "text/1" || res.Transport != transport || res.Requests != 2 || !res.Authenticated {
				t.Errorf("result %+v", res)
			}
			if res.Remote != u.addr || res.Seen != res.Local {
				t.Errorf("remote %v, local %v, seen %v", res.Remote, res.Local, res.Seen)
			}
			got := u.requests()
			if len(got) != 2 {
				t.Fatalf("%d requests", len(got))
			}
			t.Run("DG-026", func(t *testing.T) { checkRetry(t, got[0], got[1]) })
			checkRegister(t, got[0], transport, "Contact", "<sip:bob@client.biloxi.example.com>", "Expires", "3600")

			// RFC 3665 §2.3: the user has authenticated, and is not challenged again.
			res, err = c.Query(ctx)
			if err != nil || res.Requests != 1 || len(res.Contacts) != 2 {
				t.Fatalf("%+v, %v", res, err)
			}
			res, err = c.Unregister(ctx)
			if err != nil || !res.OK() || res.Contacts != nil {
				t.Fatalf("%+v, %v", res, err)
			}
			got = u.requests()
			checkRegister(t, got[2], transport, "Contact", "", "Expires", "")
			checkRegister(t, got[3], transport, "Contact", "*", "Expires", "0")
			for i, nc := range []string{"", "00000001", "00000002", "00000003"} {
				if has := credentials(got[i].field("Authorization"))["nc"]; has != nc {
					t.Errorf("request %d has nc %q", i+1, has)
				}
				if got[i].field("Call-ID") != got[0].field("Call-ID") || got[i].field("CSeq") != fmt.Sprint(i+1, " REGISTER") {
					t.Errorf("request %d has Call-ID %s, CSeq %s", i+1, got[i].field("Call-ID"), got[i].field("CSeq"))
				}
			}
			if transport != sip.UDP && u.conns != 1 {
				t.Errorf("%d connections", u.conns)
			}
		})
	}
}

// checkRetry is RFC 3261 §22.2 and §8.1.3.5: a request that goes again with credentials.
func checkRetry(t *testing.T, first, second *seenRequest) {
	for _, same := range []string{"Call-ID", "From", "To", "Contact"} {
		if first.field(same) != second.field(same) {
			t.Errorf("%s: %q became %q", same, first.field(same), second.field(same))
		}
	}
	if first.field("CSeq") != "1 REGISTER" || second.field("CSeq") != "2 REGISTER" {
		t.Errorf("CSeq %q, then %q", first.field("CSeq"), second.field("CSeq"))
	}
	if first.field("Via") == second.field("Via") {
		t.Error("the branch did not change")
	}
	if first.field("Authorization") != "" || second.field("Authorization") == "" {
		t.Error("credentials before the challenge, or none behind it")
	}
	if c := credentials(second.field("Authorization")); c["opaque"] != "" || c["uri"] != "sip:biloxi.example.com" || c["qop"] != "auth" {
		t.Errorf("credentials %v", c)
	}
}

// checkRegister is RFC 3261 §8.1.1 and §10.2; more are header fields with their values.
func checkRegister(t *testing.T, r *seenRequest, transport sip.Transport, more ...string) {
	t.Helper()
	if string(r.RequestURI()) != "sip:biloxi.example.com" {
		t.Errorf("Request-URI %s", r.RequestURI())
	}
	via, err := r.Via()
	if err != nil || via.Transport != transport || !strings.HasPrefix(string(via.Branch()), sip.MagicCookie) || !via.RPort() {
		t.Errorf("Via %s", via.Raw())
	}
	if sentBy := fmt.Sprintf("%s:%d", via.Host, via.Port); sentBy != r.from.String() {
		t.Errorf("sent-by %s from %s", sentBy, r.from)
	}
	if to, _ := r.To(); string(to.Raw()) != "<sip:bob@biloxi.example.com>" {
		t.Errorf("To %s", to.Raw())
	}
	if from, _ := r.From(); string(from.URI.Raw()) != "sip:bob@biloxi.example.com" || len(from.Tag()) < 8 {
		t.Errorf("From %s", from.Raw())
	}
	more = append(more, "Max-Forwards", "70", "User-Agent", "biloxi", "Content-Length", "0")
	for i := 0; i < len(more); i += 2 {
		if got := r.field(more[i]); got != more[i+1] {
			t.Errorf("%s: %q, want %q", more[i], got, more[i+1])
		}
	}
}

func TestUnregisterContacts(t *testing.T) {
	u := newUAS(t, sip.UDP, nil, always("200 OK"))
	c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
	contacts := []Contact{{URI: "sip:bob@192.0.2.4", Expires: time.Hour, HasExpires: true, Q: 1, HasQ: true}, {URI: "tel:+1-201-555-0123"}}
	if _, err := c.Unregister(ctx, contacts...); err != nil {
		t.Fatal(err)
	}
	raw := u.requests()[0].raw
	want := "Contact: <sip:bob@192.0.2.4>;expires=0\r\nContact: <tel:+1-201-555-0123>;expires=0\r\n"
	if !strings.Contains(raw, want) || strings.Contains(raw, "\r\nExpires:") {
		t.Error(raw)
	}
}

func TestOptions(t *testing.T) {
	u := newUAS(t, sip.UDP, nil, always("200 OK", "Allow: INVITE, ACK", "Allow: BYE", "Supported: path,outbound", "Accept: application/sdp"))
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	res, err := c.Options(t.Context(), "sip:carol@"+u.addr.String()+";transport=udp?Subject=x")
	if err != nil || !res.OK() {
		t.Fatalf("%+v, %v", res, err)
	}
	if fmt.Sprintf("%v %v %v", res.Allow, res.Supported, res.Accept) != "[INVITE ACK BYE] [path outbound] application/sdp" {
		t.Errorf("%v %v %v", res.Allow, res.Supported, res.Accept)
	}
	r := u.requests()[0]
	if string(r.RequestURI()) != "sip:carol@"+u.addr.String()+";transport=udp" || r.field("Accept") != "application/sdp" {
		t.Error(r.raw)
	}
	if from, _ := r.From(); string(from.URI.Raw()) != "sip:anonymous@anonymous.invalid" {
		t.Error(r.field("From"))
	}
	if _, err := c.Query(t.Context()); !errors.Is(err, errNoAOR) {
		t.Errorf("a query by nobody: %v", err)
	}
}

func TestTooBriefAnExpiryIsRaised(t *testing.T) {
	t.Run("once", func(t *testing.T) {
		u := newUAS(t, sip.UDP, nil, func(n int, r *seenRequest) [][]byte {
			if r.field("Expires") != "600" {
				return [][]byte{r.answer("423 Interval Too Brief", "Min-Expires: 600")}
			}
			return [][]byte{r.answer("200 OK", "Expires: 600", "Contact: <sip:bob@192.0.2.4>")}
		})
		c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
		reg := Registration{Contacts: []Contact{{URI: "sip:bob@192.0.2.4", Expires: 5 * time.Second, HasExpires: true}, {URI: "sip:bob@192.0.2.5"}},
			Expires: 1500 * time.Millisecond, HasExpires: true}
		res, err := c.Register(ctx, reg)
		if err != nil || !res.OK() || res.MinExpires != 10*time.Minute || res.Requests != 2 {
			t.Fatalf("%+v, %v", res, err)
		}
		if got := res.Contacts[0]; got.Expires != 10*time.Minute || !got.HasExpires {
			t.Errorf("the Expires header field does not stand for the contact's: %+v", got)
		}
		first, second := u.requests()[0], u.requests()[1]
		if first.field("Expires") != "2" || !strings.Contains(second.raw, "<sip:bob@192.0.2.4>;expires=600\r\n") {
			t.Errorf("%s\n%s", first.raw, second.raw)
		}
		if reg.Contacts[0].Expires != 5*time.Second {
			t.Error("the caller's contact was changed")
		}
	})
	t.Run("not for ever", func(t *testing.T) {
		n := 0
		u := newUAS(t, sip.UDP, nil, func(_ int, r *seenRequest) [][]byte {
			n += 1000
			return [][]byte{r.answer("423 Interval Too Brief", fmt.Sprint("Min-Expires: ", n))}
		})
		c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
		res, err := c.Register(ctx, Registration{Contacts: bobsContact.Contacts, Expires: time.Second, HasExpires: true})
		if err != nil || res.Status != 423 || res.Requests != 2 {
			t.Fatalf("%+v, %v", res, err)
		}
	})
}

func TestRefusalsAreReported(t *testing.T) {
	t.Run("503", func(t *testing.T) {
		u := newUAS(t, sip.UDP, nil, always("503 Service Unavailable", "Retry-After: 18 (in a minute);duration=60"))
		c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
		res, err := c.Query(ctx)
		if err != nil || res.Status != 503 || res.RetryAfter != 18*time.Second || res.OK() {
			t.Fatalf("%+v, %v", res, err)
		}
		var refused *RefusedError
		if err := res.Err(); !errors.As(err, &refused) || refused.Error() != "the server answered 503 Service Unavailable (try again after 18s)" {
			t.Errorf("%v", err)
		}
	})
	t.Run("302", func(t *testing.T) {
		u := newUAS(t, sip.UDP, nil, always("302 Moved Temporarily", "Contact: <sip:ss3.biloxi.example.com>"))
		c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
		res, err := c.Query(ctx)
		if err != nil || res.Status != 302 || len(res.Contacts) != 1 || res.Contacts[0].URI != "sip:ss3.biloxi.example.com" || res.Requests != 1 {
			t.Fatalf("%+v, %v", res, err)
		}
	})
	t.Run("contacts that cannot be read", func(t *testing.T) {
		for _, bad := range []string{"Contact: <sip:bob@192.0.2.4", "Contact: <sip:bob@192.0.2.4>;expires=soon", "Contact: <sip:bob@192.0.2.4>;q=7"} {
			u := newUAS(t, sip.UDP, nil, always("200 OK", bad))
			c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
			res, err := c.Query(ctx)
			if err != nil || res.Cause == nil || res.OK() || res.Err() == nil {
				t.Errorf("%s: %+v, %v", bad, res, err)
			}
		}
	})
}

// What is no answer to the request is counted and otherwise ignored (RFC 3261 §17.1.3, §18.1.2, §8.1.3.3).
func TestStrayMessagesAreIgnored(t *testing.T) {
	u := newUAS(t, sip.UDP, nil, func(n int, r *seenRequest) [][]byte {
		good := string(r.answer("200 OK", "Contact: <sip:good@192.0.2.4>;expires=7"))
		stray := strings.ReplaceAll(good, "sip:good", "sip:stray")
		via, _ := r.Via()
		out := [][]byte{
			[]byte("\x00\xff"),
			[]byte("\r\n\r\n"),
			[]byte(r.raw), // our own request
			[]byte(strings.Replace(stray, "branch="+string(via.Branch()), "branch=z9hG4bKother", 1)),
			[]byte(strings.Replace(stray, "CSeq: 1 REGISTER", "CSeq: 2 REGISTER", 1)),
			[]byte(strings.Replace(stray, "CSeq: 1 REGISTER", "CSeq: 1 OPTIONS", 1)),
			[]byte(strings.Replace(stray, "Call-ID: ", "Call-ID: x", 1)),
			[]byte(strings.Replace(stray, "v: ", "v: SIP/2.0/UDP 192.0.2.1\r\nv: ", 1)),
			[]byte(strings.Replace(stray, "v: ", "v: SIP/2.0/UDP 192.0.2.1, ", 1)),
			[]byte(strings.Replace(stray, fmt.Sprintf("127.0.0.1:%d", via.Port), "127.0.0.2:5060", 1)),
			[]byte(strings.Replace(stray, "Content-Length: 0", "Content-Length: 9", 1)),
		}
		return append(out, []byte(good))
	})
	var ignored int
	c, ctx := newClient(t, Config{Server: u.uri(sip.UDP), Trace: func(m Traced) {
		if m.Ignored && !m.Sent {
			ignored++
		}
	}})
	res, err := c.Query(ctx)
	if err != nil || res.Ignored != 11 || ignored != 11 || res.Contacts[0].URI != "sip:good@192.0.2.4" {
		t.Fatalf("%+v, %v, %d traced", res, err, ignored)
	}
}

func TestTrace(t *testing.T) {
	u := newUAS(t, sip.TCP, nil, registrarScript)
	var l Ladder
	c, ctx := newClient(t, Config{Server: u.uri(sip.TCP), Trace: func(m Traced) {
		if m.Time.IsZero() || m.Transport != sip.TCP || m.Remote != u.addr || !m.Local.IsValid() {
			t.Errorf("%+v", m)
		}
		from, to := "Bob", "SIP Server"
		if !m.Sent {
			from, to = to, from
		}
		l.Add(from, to, "", append([]byte(nil), m.Bytes...))
	}})
	if _, err := c.Register(ctx, bobsContact); err != nil {
		t.Fatal(err)
	}
	drawn := string(l.Append(nil))
	if strings.Contains(drawn, "zanzibar") {
		t.Error("the password is in the trace")
	}
	for _, want := range []string{"REGISTER F1 TCP", "401 Unauthorized F2 TCP", "REGISTER F3 TCP", "200 OK F4 TCP", "\nF4 200 OK SIP Server -> Bob\n"} {
		if !strings.Contains(drawn, want) {
			t.Errorf("%q is not in the ladder:\n%s", want, drawn)
		}
	}
}

func TestIdleConnectionThatTheServerClosed(t *testing.T) {
	u := newUAS(t, sip.TCP, nil, func(n int, r *seenRequest) [][]byte {
		return [][]byte{r.answer("200 OK"), hangUp}
	})
	c, ctx := newClient(t, Config{Server: u.uri(sip.TCP)})
	for i := range 3 {
		if res, err := c.Query(ctx); err != nil || !res.OK() {
			t.Fatalf("query %d: %+v, %v", i+1, res, err)
		}
	}
	if u.conns != 3 {
		t.Errorf("%d connections", u.conns)
	}
}

func TestConnectionLostBeforeTheAnswer(t *testing.T) {
	u := newUAS(t, sip.TCP, nil, func(n int, r *seenRequest) [][]byte { return [][]byte{hangUp} })
	c, ctx := newClient(t, Config{Server: u.uri(sip.TCP)})
	_, err := c.Query(ctx)
	var lost *ConnectError
	if !errors.As(err, &lost) || len(u.requests()) != 1 {
		t.Errorf("%v after %d requests", err, len(u.requests()))
	}
}

func TestRefusedConnections(t *testing.T) {
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		u := &uas{addr: addrPort(l.Addr())}
		l.Close()
		c, ctx := newClient(t, Config{Server: u.uri(transport)})
		if _, err = c.Query(ctx); !IsRefused(err) {
			t.Errorf("%v: %v", transport, err)
		}
	}
}

// RFC 3261 §18.1.1: a request of more than 1300 bytes goes over TCP, and over UDP if there is no TCP.
func TestLargeRequests(t *testing.T) {
	large := Registration{Contacts: []Contact{{URI: "sip:bob@192.0.2.4;x=" + strings.Repeat("x", 1300)}}}
	udp := newUAS(t, sip.UDP, nil, always("200 OK"))
	open := func(tcp netip.AddrPort, asked *[]string) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			*asked = append(*asked, network)
			if network == "tcp" {
				if !tcp.IsValid() {
					return nil, errNoNetwork
				}
				address = tcp.String()
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	}
	tcp := newUAS(t, sip.TCP, nil, always("200 OK"))
	for _, test := range []struct {
		name, server, want string
		tcp                netip.AddrPort
	}{
		{"TCP", "sip:" + udp.addr.String(), "[tcp]", tcp.addr},
		{"no TCP", "sip:" + udp.addr.String(), "[tcp udp]", netip.AddrPort{}},
		{"UDP by name", udp.uri(sip.UDP), "[udp]", tcp.addr},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked []string
			c, ctx := newClient(t, Config{Server: test.server, Dial: open(test.tcp, &asked)})
			res, err := c.Register(ctx, large)
			if err != nil || !res.OK() || fmt.Sprint(asked) != test.want {
				t.Errorf("%+v, %v; asked for %v", res, err, asked)
			}
		})
	}
}

func TestStreamInPieces(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &uas{t: t, addr: addrPort(l.Addr()), script: registrarScript}
	u.during(t, l, func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := make([]byte, 4096)
		n, _ := conn.Read(b)
		// The answer one byte at a time, between keep-alives, and another behind it in one write.
		answer := u.take(b[:n], addrPort(conn.RemoteAddr()))[0]
		for _, c := range append([]byte("\r\n\r\n"), answer...) {
			conn.Write([]byte{c})
		}
		n, _ = conn.Read(b)
		conn.Write(append(append([]byte("\r\n"), answer...), u.take(b[:n], addrPort(conn.RemoteAddr()))[0]...))
	})
	c, ctx := newClient(t, Config{Server: u.uri(sip.TCP)})
	res, err := c.Query(ctx)
	if err != nil || !res.OK() || res.Ignored != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestStreamWithoutEnd(t *testing.T) {
	for name, flood := range map[string]string{
		"header":         "SIP/2.0 200 OK\r\nX: " + strings.Repeat("x", 2*sip.MaxHead),
		"body":           "SIP/2.0 200 OK\r\nContent-Length: 999999999\r\n\r\n",
		"Content-Length": "SIP/2.0 200 OK\r\nContent-Type: text/plain\r\n\r\n", // without a type it would have no body
	} {
		t.Run(name, func(t *testing.T) {
			u := newUAS(t, sip.TCP, nil, func(int, *seenRequest) [][]byte { return [][]byte{[]byte(flood)} })
			c, ctx := newClient(t, Config{Server: u.uri(sip.TCP)})
			_, err := c.Query(ctx)
			var lost *ConnectError
			var syntax *sip.SyntaxError
			if !errors.As(err, &lost) || !errors.As(err, &syntax) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	for _, cfg := range []Config{
		{AOR: "bob@biloxi.example.com"},
		{AOR: "tel:+12015550123"},
		{AOR: "sip:biloxi.example.com"},
		{AOR: "sip:bob:secret@biloxi.example.com"},
		{AOR: "sip:bob@biloxi.example.com?Subject=x"},
		{AOR: "sip:bob@biloxi.example.com\r\nX: y"},
		{AOR: "sip:bob%0d%0aX@biloxi.example.com"},
		{AOR: "sip:bob@biloxi.example.com", Username: "bob\r\n"},
		{AOR: "sip:bob@biloxi.example.com", UserAgent: "x\r\nX: y"},
		{Server: "127.0.0.1:5060"},
		{Server: "sip:bob@127.0.0.1"},
		{Server: "sip:bob:secret@127.0.0.1"},
		{Server: "sip:127.0.0.1;transport=sctp"},
		{Server: "sips:127.0.0.1;transport=udp"},
		{Server: "tel:1"},
	} {
		c, err := New(cfg)
		if err == nil {
			t.Errorf("%+v made %+v", cfg, c)
			continue
		}
		if strings.Contains(err.Error(), "secret") || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q", err)
		}
	}
}

func TestCallsThatAreRefused(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) { t.Error("dialled"); return nil, errNoNetwork }
	c, ctx := newClient(t, Config{AOR: "sips:bob@biloxi.example.com", Server: "sip:127.0.0.1", Dial: dial})
	if _, err := c.Query(ctx); err == nil {
		t.Error("a sips address went over UDP")
	}
	if _, err := c.Register(ctx, Registration{}); err == nil {
		t.Error("no contact")
	}
	for _, uri := range []string{"tel:+1", "sip:a@b\r\nX: y", "", "sip:"} {
		if _, err := c.Options(ctx, uri); err == nil {
			t.Errorf("OPTIONS %q", uri)
		}
	}
}

func TestParseServer(t *testing.T) {
	for text, want := range map[string]Server{
		"sip:127.0.0.1":                         {sip.UDP, false, "127.0.0.1", 5060},
		"sip:ss2.Biloxi.example.com:5070":       {sip.UDP, false, "ss2.biloxi.example.com", 5070},
		"sip:[::1]:5080;transport=TCP":          {sip.TCP, true, "::1", 5080},
		"sips:biloxi.example.com":               {sip.TLS, false, "biloxi.example.com", 5061},
		"SIPS:biloxi.example.com":               {sip.TLS, false, "biloxi.example.com", 5061},
		"sip:biloxi.example.com;transport=tls":  {sip.TLS, true, "biloxi.example.com", 5061},
		"sips:biloxi.example.com;transport=tcp": {sip.TLS, true, "biloxi.example.com", 5061},
	} {
		got, err := ParseServer(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if again, err := ParseServer(got.String()); err != nil || again.Host != got.Host || again.Port != got.Port || again.Transport != got.Transport {
			t.Errorf("%s is written %s", text, got)
		}
	}
}

func TestParseContact(t *testing.T) {
	for text, want := range map[string]string{
		"sip:bob@192.0.2.4":                                    "<sip:bob@192.0.2.4>",
		"sip:bob@192.0.2.4;transport=tcp":                      "<sip:bob@192.0.2.4;transport=tcp>",
		"mailto:bob@biloxi.example.com":                        "<mailto:bob@biloxi.example.com>",
		`"Bob" <sip:bob@192.0.2.4>;expires=60;q=7`:             "",
		`"Bob" <sip:bob@192.0.2.4>;a="b;c";expires=60;q=0.7;d`: `<sip:bob@192.0.2.4>;q=0.7;expires=60;a="b;c";d`,
		"<sip:bob@192.0.2.4>\r\n ;a=b":                         "",
		"bob":                                                  "",
		"*":                                                    "",
		"<sip:a@b>, <sip:c@d>":                                 "",
	} {
		c, err := ParseContact(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q is taken: %+v", text, c)
			}
			continue
		}
		if err != nil || string(c.Append(nil)) != want {
			t.Errorf("%q: %s, %v", text, c.Append(nil), err)
		}
	}
}

// The addresses of a name are tried in order, and the transport and port are those of the URI.
func TestAddressesAreTriedInOrder(t *testing.T) {
	u := newUAS(t, sip.TCP, nil, always("200 OK"))
	var asked []string
	cfg := Config{AOR: fmt.Sprintf("sip:bob@Biloxi.example.com:%d;transport=tcp", u.addr.Port()),
		Lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			asked = append(asked, host)
			return []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.2"), u.addr.Addr()}, nil
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			asked = append(asked, address)
			if address != u.addr.String() {
				return nil, errNoNetwork
			}
			return net.Dial(network, address)
		}}
	c, ctx := newClient(t, cfg)
	res, err := c.Query(ctx)
	port := u.addr.Port()
	want := fmt.Sprintf("[biloxi.example.com [::1]:%d 127.0.0.2:%d 127.0.0.1:%d]", port, port, port)
	if err != nil || !res.OK() || fmt.Sprint(asked) != want {
		t.Errorf("%v, %+v, %v", asked, res, err)
	}
	if to, _ := u.requests()[0].To(); string(to.URI.Host) != "Biloxi.example.com" {
		t.Errorf("To %s", to.Raw())
	}
	for _, none := range []func(context.Context, string) ([]netip.Addr, error){
		func(context.Context, string) ([]netip.Addr, error) { return nil, nil },
		func(context.Context, string) ([]netip.Addr, error) { return nil, errNoNetwork },
	} {
		cfg.Lookup = none
		c, ctx := newClient(t, cfg)
		var lost *ConnectError
		if _, err := c.Query(ctx); !errors.As(err, &lost) {
			t.Errorf("no address: %v", err)
		}
	}
}

// A dial that hangs ends with the context, as what it is.
func TestConnectingTakesTooLong(t *testing.T) {
	cfg := Config{Server: "sip:192.0.2.222;transport=tcp", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	synctest.Test(t, func(t *testing.T) {
		c, _ := newClient(t, cfg)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		_, err := c.Query(ctx)
		var timeout *TimeoutError
		if !errors.As(err, &timeout) || time.Since(start) != 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		start = time.Now()
		_, err = c.Query(t.Context())
		var lost *ConnectError
		if !errors.As(err, &lost) || time.Since(start) != connectTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
