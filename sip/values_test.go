package sip

import (
	"bytes"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	t.Run("TP-028", func(t *testing.T) {
		m := parsed(t, "Contact: <sip:a@h>, sip:b@h\nX: y\nm: \"c, d\" <sip:c@h>;q=1\n ,\n <sip:d@h>\nCONTACT: mailto:e@h\n")
		var got []string
		v := m.Values(HeaderContact)
		for v.Next() {
			got = append(got, string(v.URI.Raw()))
		}
		if s := strings.Join(got, " "); s != "sip:a@h sip:b@h sip:c@h sip:d@h mailto:e@h" || v.Err() != nil {
			t.Errorf("%s (%v)", s, v.Err())
		}
		none := m.Values(HeaderRoute)
		for range 2 {
			if v.Next() {
				t.Error("there is a value behind the last")
			}
			if none.Next() || none.Err() != nil {
				t.Error("a header field that is not there has values")
			}
		}
	})
	m := parsed(t, "Contact: <sip:a@h>, <sip:b@h\n")
	v := m.Values(HeaderContact)
	if !v.Next() {
		t.Fatal(v.Err())
	}
	for range 2 {
		if v.Next() || v.Err() == nil {
			t.Fatalf("the second value is read: %v", v.Err())
		}
	}
	if at := offset(v.Err()); string(m.buf[at:at+8]) != "<sip:b@h" {
		t.Errorf("%v: there stands %q", v.Err(), m.buf[at:])
	}
}

func TestVias(t *testing.T) {
	m := parsed(t, "Via: SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b\nv: SIP / 2.0 / TLS c;x=\"1,2\"\n")
	var got []string
	v := m.Vias()
	for v.Next() {
		got = append(got, v.Transport.String()+" "+string(v.Host))
	}
	if s := strings.Join(got, ","); s != "UDP a,TCP b,TLS c" || v.Err() != nil || v.Next() {
		t.Errorf("%s (%v)", s, v.Err())
	}
	m = parsed(t, "Via: SIP/2.0/UDP a, x\n")
	v = m.Vias()
	if !v.Next() || v.Next() || v.Err() == nil {
		t.Errorf("a second Via that is none: %v", v.Err())
	}
}

func TestTokens(t *testing.T) {
	m := parsed(t, "Supported: path, ,outbound ,\nk: GRUU,\n 100rel\nSupported:\n")
	var got []string
	tokens := m.Tokens(HeaderSupported)
	for v := tokens.Next(); v != nil; v = tokens.Next() {
		got = append(got, string(v))
	}
	if s := strings.Join(got, " "); s != "path outbound GRUU 100rel" || tokens.Next() != nil {
		t.Error(s)
	}
	if !m.HasToken(HeaderSupported, "gruu") || m.HasToken(HeaderSupported, "rel") || m.HasToken(HeaderRequire, "path") {
		t.Error("a token is there that is not, or the other way round")
	}
}

// FuzzVias: the Vias are the same whether or not the topmost has been asked for before, and it is the first of them.
func FuzzVias(f *testing.F) {
	corpusValues(f, []Header{HeaderVia}, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, value []byte) {
		message := append(append([]byte("OPTIONS sip:h SIP/2.0\r\nVia: "), value...), "\r\nVia: SIP/2.0/UDP last\r\n\r\n"...)
		var fresh, asked Message
		if fresh.Parse(message) != nil || asked.Parse(message) != nil {
			return
		}
		top, rest, err := asked.TopVia()
		one, two := fresh.Vias(), asked.Vias()
		for n := 0; one.Next(); n++ {
			if !two.Next() || !bytes.Equal(one.Raw(), two.Raw()) || !bytes.Equal(one.Branch(), two.Branch()) {
				t.Fatalf("%q: %q, then %q (%v)", value, one.Raw(), two.Raw(), two.Err())
			}
			if n == 0 && (err != nil || !bytes.Equal(top.Raw(), one.Raw()) || (rest == nil) != (one.rest == nil)) {
				t.Fatalf("%q: %q is the topmost, %q the first (%v)", value, top.Raw(), one.Raw(), err)
			}
		}
		if two.Next() || (one.Err() == nil) != (two.Err() == nil) {
			t.Fatalf("%q: %v, then %v", value, one.Err(), two.Err())
		}
		if again, _, e := asked.TopVia(); (e == nil) != (err == nil) || !bytes.Equal(again.Host, top.Host) {
			t.Fatalf("%q: %v, then %v", value, err, e)
		}
	})
}
