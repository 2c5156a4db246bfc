package sip

import (
	"bytes"
	"strings"
	"testing"
)

func TestParams(t *testing.T) {
	p := Params(`;tag=a48s ; Q = 0.5;lr;+sip.instance="<urn:uuid:1;x>";received=[::1]`)
	for name, want := range map[string]string{"tag": "a48s", "q": "0.5", "lr": "", "+sip.instance": `"<urn:uuid:1;x>"`, "received": "[::1]"} {
		if v, ok := p.Value(name); !ok || string(v) != want {
			t.Errorf("%s is %q, %v", name, v, ok)
		}
	}
	if v, ok := p.Value("lr"); v != nil || !ok {
		t.Error("a parameter without = has a value")
	}
	if p.Has("x") || Params(nil).Has("x") {
		t.Error("a parameter is there that is not")
	}
	if got := string(p.AppendWithout(nil, "q", "tag")); got != `;lr;+sip.instance="<urn:uuid:1;x>";received=[::1]` {
		t.Error(got)
	}
	if got := string(p.AppendWithout(nil)); got != `;tag=a48s;Q=0.5;lr;+sip.instance="<urn:uuid:1;x>";received=[::1]` {
		t.Error(got)
	}
	if got := string(Params("; a = \"x \r\n\t y\" \r\n ;b").AppendWithout([]byte("  "))); got != `  ;a="x y";b` {
		t.Error(got)
	}
	cut(string(p), func(b []byte) {
		for n, _, rest := Params(b).Next(); n != nil; n, _, rest = rest.Next() {
		}
		var s paramScan
		s.scan(b, 0)
	})
}

func TestParamsLimit(t *testing.T) {
	var b []byte
	for i := range MaxParams + 1 {
		var s paramScan
		if _, reason := s.scan(b, 0); reason != "" {
			t.Fatalf("%d parameters: %s", i, reason)
		}
		b = append(b, ";"+strings.Repeat("x", i+1)...)
	}
	var s paramScan
	if _, reason := s.scan(b, 0); reason != reasonTooMany {
		t.Errorf("%d parameters: %q", MaxParams+1, reason)
	}
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{`;tag=a48s ; Q = 0.5;lr;+sip.instance="<urn:uuid:1>"`, ";a;b;a", ";a= \"\\\"\" ,x", ";;", ";a=;;tag=;b=x@y/z==;", ";tag;+sip.instance=<urn:uuid:1>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := paramScan{want: "tag"}
		next, reason := s.scan(b, 0)
		if next < 0 || next > len(b) {
			t.Fatalf("%q: offset %d", b, next)
		}
		if reason != "" {
			return
		}
		if v, _ := s.params.Value("tag"); !bytes.Equal(v, s.value) {
			t.Fatalf("%q: the tag is %q and %q", b, v, s.value)
		}
		out := s.params.AppendWithout(nil)
		again := paramScan{want: "tag"}
		if next, reason := again.scan(out, 0); reason != "" || next != len(out) || !bytes.Equal(again.params, out) || !bytes.Equal(text(again.value), text(s.value)) {
			t.Fatalf("%q was appended as %q: %s", b, out, reason)
		}
		if got := again.params.AppendWithout(nil); !bytes.Equal(got, out) {
			t.Fatalf("%q was appended as %q", out, got)
		}
	})
}
