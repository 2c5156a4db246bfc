package sip

import (
	"bytes"
	"testing"
)

func TestCallID(t *testing.T) {
	for in, at := range map[string]int{
		"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@biloxi.com": -1, "a84b4c76e66710": -1, "1@2": -1, `intmeth.word%ZK-!.*_+'@word` + "`~)(><:\\/\"][?}{": -1,
		// It is only compared: what is no word serves as well.
		"a@b@c": -1, "a b": 1, "a;b": -1, "a,b": -1, "é": -1, "{a}@\xfc": -1,
		"": 0, "a\r\n b": 1, "\x00": 0, "a\tb": 1, "a\x7f": 1,
	} {
		got, reason := checkCallID([]byte(in))
		if reason == "" {
			got = -1
		}
		if got != at {
			t.Errorf("%q: offset %d %q, want %d", in, got, reason, at)
		}
	}
	t.Run("HD-015", func(t *testing.T) {
		m := parsed(t, "i: AbC@h\n")
		if !bytes.Equal(m.CallID(), []byte("AbC@h")) {
			t.Errorf("the case of %q is not kept", m.CallID())
		}
		if parsed(t, "").CallID() != nil {
			t.Error("a message without Call-ID has one")
		}
	})
}
