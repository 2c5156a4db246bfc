package location

import (
	"bytes"
	"testing"
)

func TestFingerprint(t *testing.T) {
	text := bytes.Repeat([]byte("sip:bob@192.0.2.1;x="), 50)
	print := AppendFingerprint(nil, text)
	if len(print) != FingerprintSize || !IsFingerprint(print) || IsFingerprint(text) {
		t.Errorf("the fingerprint is %x", print)
	}
	if again := AppendFingerprint(nil, print); !bytes.Equal(again, print) {
		t.Errorf("of %x the fingerprint is %x", print, again)
	}
	other := append(bytes.Clone(text), 'y')
	for _, c := range []struct {
		kept, text []byte
		want       bool
	}{
		{text, text, true},
		{text, other, false},
		{print, text, true},
		{print, print, true},
		{print, other, false},
		{nil, nil, true},
		{print, nil, false},
		{AppendFingerprint(nil, nil), nil, true},
	} {
		if got := StandsFor(c.kept, c.text); got != c.want {
			t.Errorf("%.20q stands for %.20q: %v", c.kept, c.text, got)
		}
	}
}
