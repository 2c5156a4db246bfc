package sip

import "testing"

func TestMediaType(t *testing.T) {
	m, err := ParseMediaType([]byte("Multipart / Mixed ; boundary=\"a;b\""))
	if err != nil || !m.Covers("multipart", "mixed") || m.Covers("multipart", "signed") {
		t.Errorf("%+v, %v", m, err)
	}
	if v, _ := m.Params.Value("boundary"); string(v) != `"a;b"` {
		t.Errorf("the boundary is %s", v)
	}
	for in, at := range map[string]int{"": 0, "application": 0, "application/": 12, "/sdp": 0, "a/b c": 4, "a/b;x y": 6, "a/b, c/d": 5} {
		if _, err := ParseMediaType([]byte(in)); offset(err) != at {
			t.Errorf("%q: %v, want offset %d", in, err, at)
		}
	}
	cut("application/sdp;q=0.5, text/*;level=1", func(b []byte) { NextMediaType(b) })
}

func TestAccepts(t *testing.T) {
	for _, row := range []struct {
		lines     string
		sdp, text bool
	}{
		{"", true, false},
		{"Accept:\n", false, false},
		{"Accept: application/sdp\n", true, false},
		{"Accept: text/html, application/SDP;level=1\n", true, false},
		{"Accept: */*\n", true, true},
		{"Accept: text/html\nAccept: text/*;q=0.5\n", false, true},
		{"Accept: application/sdp;q=0, text/plain;q=0.1\n", false, true},
		{"Accept: nonsense\n", false, false},
	} {
		m := parsed(t, row.lines)
		if m.Accepts("application", "sdp") != row.sdp || m.Accepts("text", "plain") != row.text {
			t.Errorf("%q: sdp %v, text %v", row.lines, !row.sdp, !row.text)
		}
	}
}

func FuzzMediaType(f *testing.F) {
	corpusValues(f, []Header{HeaderAccept, HeaderContentType}, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		m, _, err := NextMediaType(b)
		if err != nil {
			if at := offset(err); at < 0 || at > len(b) {
				t.Fatalf("%q: offset %d", b, at)
			}
			return
		}
		out := append(append(append(append([]byte(nil), m.Type...), '/'), m.Subtype...), m.Params...)
		again, err := ParseMediaType(out)
		if err != nil || string(again.Type) != string(m.Type) || string(again.Subtype) != string(m.Subtype) || string(again.Params) != string(m.Params) {
			t.Fatalf("%q was read as %q: %+v, %v", b, out, again, err)
		}
	})
}
