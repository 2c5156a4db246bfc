package sip

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

func TestVia(t *testing.T) {
	t.Run("HD-012", func(t *testing.T) {
		for _, row := range []struct {
			in        string
			transport Transport
			host      string
			port      uint16
			branch    string
			params    string
		}{
			{"SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7", UDP, "erlang.bell-telephone.com", 5060, "z9hG4bK87asdks7", ";branch=z9hG4bK87asdks7"},
			{"SIP / 2.0 / UDP first.example.com: 4000;ttl=16\r\n ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1", UDP, "first.example.com", 4000, "z9hG4bKa7c6a8dlze.1", ";ttl=16\r\n ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1"},
			{"SIP/2.0/tcp 192.0.2.1 : 5061 ;rport", TCP, "192.0.2.1", 5061, "", ";rport"},
			{"SIP\t/2.0/ TLS [2001:db8::9:1]:5061;received=2001:db8::9:255;Branch=Z9HG4BKx", TLS, "[2001:db8::9:1]", 5061, "Z9HG4BKx", ";received=2001:db8::9:255;Branch=Z9HG4BKx"},
			{"sip/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks", WSS, "df7jal23ls0d.invalid", 0, "z9hG4bK56sdasks", ";branch=z9hG4bK56sdasks"},
			{"SIP/2.0/ws h", WS, "h", 0, "", ""},
			{"SIP/2.0/UNKNOWN h:1", NoTransport, "h", 1, "", ""},
			{"SIP/7.0/UDP c.example.com", UDP, "c.example.com", 0, "", ""},
			{"SIP/2.0/UDP h;comment=\"a, b\"", UDP, "h", 0, "", ";comment=\"a, b\""},
		} {
			v, err := ParseVia([]byte(row.in))
			if err != nil {
				t.Errorf("%s: %v", row.in, err)
				continue
			}
			if v.Transport != row.transport || string(v.Host) != row.host || v.Port != row.port || string(v.Branch()) != row.branch || string(v.Params) != row.params {
				t.Errorf("%s: %v %q %d %q %q", row.in, v.Transport, v.Host, v.Port, v.Branch(), v.Params)
			}
			if string(v.Raw()) != row.in {
				t.Errorf("%s: raw %q", row.in, v.Raw())
			}
			cut(row.in, func(b []byte) { ParseVia(b) })
		}
	})
}

// TestViaError gives what is wrong behind a bar, which is not part of the value.
func TestViaError(t *testing.T) {
	for _, in := range []string{
		"|", "SIP|", "|HTTP/1.1/TCP h", "SIP/|", "SIP/2.0|", "SIP/2.0 |UDP h", "SIP/2.0/|", "SIP/2.0/|UDP", "SIP/2.0/|UDP;x", "SIP/2.0/UDP |",
		"SIP/2.0/UDP |;branch=x", "SIP/2.0/UDP h:|", "SIP/2.0/UDP h:|x", "SIP/2.0/UDP h: |65536", "SIP/2.0/UDP |[::1", "SIP/2.0/UDP h;;|,;,,", "SIP/2.0/UDP h|,,SIP/2.0/UDP i", "SIP/2.0/UDP h;|=x", "SIP/2.0/UDP h;branch=|", "SIP/2.0/UDP h;branch|;x",
		"SIP/2.0/UDP h;branch=1;|branch=2", "SIP/2.0/UDP h |x", "SIP/2.0/UDP h|,", "SIP/2.0/UDP h, |SIP/2.0/UDP i",
		"SIP/2.0/UDP 2001:|db8::1",
	} {
		before, after, _ := strings.Cut(in, "|")
		if _, err := ParseVia([]byte(before + after)); offset(err) != len(before) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestViaReceived(t *testing.T) {
	t.Run("TP-037", func(t *testing.T) {
		for _, row := range []struct{ in, src, want string }{
			// RFC 3261 §18.2.1
			{"SIP/2.0/UDP bobspc.biloxi.com:5060", "192.0.2.4:5060", "SIP/2.0/UDP bobspc.biloxi.com:5060;received=192.0.2.4"},
			{"SIP/2.0/UDP 192.0.2.4;branch=x", "192.0.2.4:9", "SIP/2.0/UDP 192.0.2.4;branch=x"},
			{"SIP / 2.0 / UDP 192.0.2.4 : 5060 ", "192.0.2.4:9", "SIP / 2.0 / UDP 192.0.2.4 : 5060"},
			// RFC 3581 §4
			{"SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", "192.0.2.1:9988", "SIP/2.0/UDP 10.1.1.1:4540;rport=9988;branch=z9hG4bKkjshdyff;received=192.0.2.1"},
			{"SIP/2.0/UDP 192.0.2.1:4540;rport", "192.0.2.1:4540", "SIP/2.0/UDP 192.0.2.1:4540;rport=4540;received=192.0.2.1"},
			{"SIP/2.0/UDP 192.0.2.1;rport=1;received=1.2.3.4", "192.0.2.1:2", "SIP/2.0/UDP 192.0.2.1;rport=2;received=192.0.2.1"},
			{"SIP/2.0/UDP 192.0.2.1;rport;branch=x;RECEIVED=1.2.3.4", "192.0.2.1:2", "SIP/2.0/UDP 192.0.2.1;rport=2;branch=x;received=192.0.2.1"},
			{"SIP/2.0/UDP 192.0.2.1 ;RPort;branch=x", "192.0.2.1:2", "SIP/2.0/UDP 192.0.2.1 ;rport=2;branch=x;received=192.0.2.1"},
			{"SIP/2.0/UDP 192.0.2.1; rport ;branch = x", "192.0.2.1:2", "SIP/2.0/UDP 192.0.2.1;rport=2;branch = x;received=192.0.2.1"},
			{"SIP/2.0/UDP h;branch=x;rport;x=\"a; rport\"", "192.0.2.1:2", "SIP/2.0/UDP h;branch=x;rport=2;x=\"a; rport\";received=192.0.2.1"},
			// What a client claims is dropped.
			{"SIP/2.0/UDP 192.0.2.1;received=1.2.3.4;a=\"b\"", "192.0.2.1:2", "SIP/2.0/UDP 192.0.2.1;a=\"b\""},
			// IPv6 without brackets, mapped addresses as IPv4
			{"SIP/2.0/UDP [2001:db8::9:1];branch=x", "[2001:db8::9:255]:5060", "SIP/2.0/UDP [2001:db8::9:1];branch=x;received=2001:db8::9:255"},
			{"SIP/2.0/UDP [2001:DB8:0::9:1] ;rport", "[2001:db8::9:1]:7", "SIP/2.0/UDP [2001:DB8:0::9:1] ;rport=7;received=2001:db8::9:1"},
			{"SIP/2.0/UDP [2001:DB8:0::9:1]", "[2001:db8::9:1]:7", "SIP/2.0/UDP [2001:DB8:0::9:1]"},
			{"SIP/2.0/UDP 192.0.2.4", "[::ffff:192.0.2.4]:5060", "SIP/2.0/UDP 192.0.2.4"},
			{"SIP/2.0/UDP [::ffff:192.0.2.4]", "192.0.2.4:5060", "SIP/2.0/UDP [::ffff:192.0.2.4]"},
			{"SIP/2.0/TCP [fe80::1]", "[fe80::1%eth0]:5060", "SIP/2.0/TCP [fe80::1]"},
		} {
			v, err := ParseVia([]byte(row.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(v.AppendReceived(nil, netip.MustParseAddrPort(row.src))); got != row.want {
				t.Errorf("%s from %s:\n%s, want\n%s", row.in, row.src, got, row.want)
			}
		}
	})
}

func TestViaResponseAddr(t *testing.T) {
	src := netip.MustParseAddrPort("192.0.2.1:9988")
	for in, want := range map[string]string{
		"SIP/2.0/UDP 10.1.1.1:4540;rport": "192.0.2.1:9988",
		"SIP/2.0/UDP 10.1.1.1:4540":       "192.0.2.1:4540",
		"SIP/2.0/UDP 10.1.1.1":            "192.0.2.1:5060",
		"SIP/2.0/TLS 10.1.1.1":            "192.0.2.1:5061",
		// RFC 3581 §4: rport is of no account where a connection has to be opened.
		"SIP/2.0/TCP 10.1.1.1:4540;rport": "192.0.2.1:4540",
		"SIP/2.0/TLS 10.1.1.1;rport":      "192.0.2.1:5061",
		"SIP/2.0/TCP a.example.com;rport": "192.0.2.1:5060",
	} {
		v, err := ParseVia([]byte(in))
		if err != nil || v.ResponseAddr(src).String() != want {
			t.Errorf("%s: %v, want %s (%v)", in, v.ResponseAddr(src), want, err)
		}
	}
}

func FuzzVia(f *testing.F) {
	corpusValues(f, []Header{HeaderVia}, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := NextVia(b)
		if err != nil {
			if at := offset(err); at < 0 || at > len(b) {
				t.Fatalf("%q: offset %d", b, at)
			}
			return
		}
		if rest != nil && len(v.Raw())+len(rest) >= len(b) {
			t.Fatalf("%q: %q and %q are behind", b, v.Raw(), rest)
		}
		out := v.AppendReceived(nil, source)
		taken := v // apart, as one with a received is
		taken.odd = true
		if other := taken.AppendReceived(nil, source); !bytes.Equal(out, other) {
			t.Fatalf("%q was appended as %q, taken apart as %q", b, out, other)
		}
		again, err := ParseVia(out)
		if err != nil {
			t.Fatalf("%q was appended as %q: %v", b, out, err)
		}
		if again.Transport != v.Transport || !bytes.Equal(again.Host, v.Host) || again.Port != v.Port || !bytes.Equal(again.Branch(), v.Branch()) {
			t.Fatalf("%q was appended as %q, which is not the same", b, out)
		}
		if again.RPort() != v.RPort() || again.ResponseAddr(source) != v.ResponseAddr(source) {
			t.Fatalf("%q was appended as %q, which goes elsewhere", b, out)
		}
		// A received of our own is written anew, without the white space that the rest may have: once.
		third, err := ParseVia(again.AppendReceived(nil, source))
		if err != nil || !bytes.Equal(third.AppendReceived(nil, source), third.Raw()) || bytes.Equal(out, b) && !bytes.Equal(third.Raw(), out) {
			t.Fatalf("%q was appended as %q, then as %q: %v", b, out, third.Raw(), err)
		}
	})
}
