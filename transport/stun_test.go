package transport

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"

	"biloxi/sip"
)

const stunBinding = "\x00\x01\x00\x00\x21\x12\xa4\x42" + "123456789012"

// stunMapped decodes the XOR-MAPPED-ADDRESS of a Binding success response.
func stunMapped(t testing.TB, request, b []byte) netip.AddrPort {
	t.Helper()
	if len(b) < stunHeader+8 || binary.BigEndian.Uint16(b) != stunSuccess || !bytes.Equal(b[4:20], request[4:20]) ||
		int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader || binary.BigEndian.Uint16(b[20:]) != stunXorMapped {
		t.Fatalf("no Binding success response: %x", b)
	}
	port := binary.BigEndian.Uint16(b[26:]) ^ 0x2112
	ip := bytes.Clone(b[28:])
	for i := range ip {
		ip[i] ^= request[4+i]
	}
	addr, ok := netip.AddrFromSlice(ip)
	if !ok || addr.Is4() != (b[25] == 1) {
		t.Fatalf("not an address: %x", b)
	}
	return netip.AddrPortFrom(addr, port)
}

func TestSTUN(t *testing.T) {
	for _, from := range []string{"192.0.2.201:5060", "[2001:db8::9:1]:40000"} {
		src := netip.MustParseAddrPort(from)
		// A comment that need not be understood: SOFTWARE, of three bytes and one of padding.
		for _, request := range []string{stunBinding, "\x00\x01\x00\x08" + stunBinding[4:] + "\x80\x22\x00\x03abc\x00"} {
			if got := stunMapped(t, []byte(request), appendSTUN(nil, []byte(request), src)); got != src {
				t.Errorf("%v, want %v", got, src)
			}
		}
	}
	src := netip.MustParseAddrPort("192.0.2.201:5060")
	t.Run("unknown attribute", func(t *testing.T) {
		request := "\x00\x01\x00\x08" + stunBinding[4:] + "\x00\x03\x00\x04\x00\x00\x00\x06" // CHANGE-REQUEST
		want := "\x01\x11\x00\x10" + stunBinding[4:] + "\x00\x09\x00\x04\x00\x00\x04\x14" + "\x00\x0a\x00\x02\x00\x03\x00\x00"
		if got := appendSTUN(nil, []byte(request), src); string(got) != want {
			t.Errorf("%x, want %x", got, want)
		}
	})
	for name, b := range map[string]string{
		"indication":       "\x00\x11" + stunBinding[2:],
		"response":         "\x01\x01" + stunBinding[2:],
		"length":           "\x00\x01\x00\x04" + stunBinding[4:],
		"attribute cut":    "\x00\x01\x00\x04" + stunBinding[4:] + "\x80\x22\x00\x08",
		"attribute header": "\x00\x01\x00\x02" + stunBinding[4:] + "\x80\x22",
	} {
		if got := appendSTUN(nil, []byte(b), src); len(got) != 0 {
			t.Errorf("%s is answered %x", name, got)
		}
	}
	worlds(t, "OB-019", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{}, h)
		c, to := w.packetConn(), addr(w, tr, sip.UDP)
		c.WriteTo([]byte(stunBinding), net.UDPAddrFromAddrPort(to))
		b := make([]byte, 100)
		n, _, err := c.ReadFrom(b)
		if err != nil {
			w.Fatal(err)
		}
		if got := stunMapped(w.T, []byte(stunBinding), b[:n]); got != addrPort(c.LocalAddr()) {
			w.Errorf("%v, want %v", got, c.LocalAddr())
		}
		if len(h.seen()) != 0 || tr.Stats().Value("keepalives", sip.UDP, "stun") != 1 {
			w.Errorf("%d arrivals, stats %+v", len(h.seen()), tr.Stats())
		}
	})
}

// FuzzSTUN sends any STUN message. The oracle: an answer is never longer than the request and an address,
// and is STUN with the same transaction ID whose attributes fill it.
func FuzzSTUN(f *testing.F) {
	src := netip.MustParseAddrPort("[2001:db8::9:1]:40000")
	f.Add([]byte(stunBinding))
	f.Add([]byte("\x00\x01\x00\x08" + stunBinding[4:] + "\x00\x03\x00\x04\x00\x00\x00\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !isSTUN(b) {
			return
		}
		got := appendSTUN(nil, b, src)
		if len(got) == 0 {
			return
		}
		if len(got) > len(b)+24 || !isSTUN(got) || !bytes.Equal(got[4:20], b[4:20]) ||
			int(binary.BigEndian.Uint16(got[2:])) != len(got)-stunHeader {
			t.Fatalf("%x is answered %x", b, got)
		}
		if _, ok := stunUnknown(got[stunHeader:]); !ok {
			t.Fatalf("attributes of %x", got)
		}
	})
}
