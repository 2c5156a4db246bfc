package sip

import (
	"bytes"
	"testing"
)

// TestNumber: RFC 3966 §3 and §4.
func TestNumber(t *testing.T) {
	for _, c := range []struct{ uri, number, context string }{
		{"tel:+12025550100", "+12025550100", ""},
		{"TEL:+1-202-555-0100", "+12025550100", ""},
		{"tel:+1(202)555.0100;ext=7", "+12025550100", ""},
		{"tel:7042;phone-context=example.com", "7042", "example.com"},
		{"tel:863-1234;ext=1;Phone-Context=+1-914-555", "8631234", "+1-914-555"},
		{"tel:*21%23", "*21#", ""},
		{"sip:+1-202-555-0100;phone-context=x@h;user=phone", "+12025550100", "x"},
		{"sip:+1-202-555-0100@h;user=PHONE", "+12025550100", ""},
		{"sip:+1-202-555-0100@h;user=ip", "", ""},
		{"sip:bob@h;user=phone", "", ""},
		{"tel:+", "", ""},
		{"tel:--", "", ""},
		{"tel:1+2", "", ""},
		{"tel:;phone-context=x", "", ""},
		{"mailto:1@h", "", ""},
	} {
		u, err := ParseURI([]byte(c.uri))
		if err != nil {
			t.Fatal(err)
		}
		number, context, ok := AppendNumber(nil, u.Subscriber())
		if string(number) != c.number || string(context) != c.context || ok != (c.number != "") {
			t.Errorf("%s: %q in %q, %v", c.uri, number, context, ok)
		}
	}
}

// FuzzNumber: a number is the number of itself, and separators make no other of it.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"+1-202-555-0100", "7042;phone-context=x", "*21%23", "+", "a.b(c)", "%2b1", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, subscriber []byte) {
		before := bytes.Clone(subscriber)
		number, context, ok := AppendNumber([]byte("x"), subscriber)
		if !bytes.Equal(before, subscriber) || number[0] != 'x' || ok != (len(number) > 1) || !ok && context != nil {
			t.Fatalf("%q of %q, %v", number, subscriber, ok)
		}
		if !ok {
			return
		}
		var spread []byte
		for _, c := range number[1:] {
			if c == '#' {
				spread = append(spread, "%23-"...)
			} else {
				spread = append(append(spread, c), '-')
			}
		}
		again, none, ok := AppendNumber(nil, spread)
		if !ok || none != nil || !bytes.Equal(again, number[1:]) {
			t.Fatalf("%q of %q, not %q", again, spread, number[1:])
		}
	})
}
