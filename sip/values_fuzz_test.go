package sip

import (
	"bytes"
	"testing"
)

// FuzzValues walks the Contacts of a message: written one a line they are the same, and "*" is never one.
func FuzzValues(f *testing.F) {
	corpusValues(f, []Header{HeaderContact, HeaderRoute, HeaderRecordRoute}, func(b []byte) { f.Add(b) })
	f.Add([]byte("*"))
	f.Add([]byte("<sip:a@h>;q=1 , \"x, y\" <sip:b@h>,\r\n sip:c@h"))
	f.Fuzz(func(t *testing.T, value []byte) {
		var m, again Message
		if m.Parse(append(append([]byte("REGISTER sip:h SIP/2.0\r\nContact: "), value...), "\r\n\r\n"...)) != nil {
			return
		}
		out := []byte("REGISTER sip:h SIP/2.0\r\n")
		count := 0
		v := m.Values(HeaderContact)
		for v.Next() {
			out = AppendField(out, HeaderContact, v.Raw())
			count++
		}
		if star := m.Star(); star != NoStar && v.Err() == nil || star == LoneStar && count > 0 {
			t.Fatalf("%q: star %d, %d contacts, %v", value, star, count, v.Err())
		}
		if v.Err() != nil {
			return
		}
		if err := again.Parse(append(out, "\r\n"...)); err != nil {
			t.Fatalf("%q was appended as %q: %v", value, out, err)
		}
		one, two := m.Values(HeaderContact), again.Values(HeaderContact)
		for one.Next() {
			if !two.Next() || !bytes.Equal(one.Raw(), two.Raw()) || !bytes.Equal(one.Params, two.Params) || !one.URI.Equal(two.URI) {
				t.Fatalf("%q was appended as %q (%v)", value, out, two.Err())
			}
		}
		if two.Next() {
			t.Fatalf("%q was appended as %q: there are more", value, out)
		}
	})
}
