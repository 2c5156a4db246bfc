package sip

import (
	"strings"
	"testing"
)

func TestHeader(t *testing.T) {
	seen := map[uint]Header{}
	for h := HeaderAccept; h < headerCount; h++ {
		name := headerNames[h].name
		if name == "" {
			t.Fatalf("header %d has no name", h)
		}
		if k := hashName([]byte(name)); seen[k] != 0 {
			t.Errorf("%v and %v have one hash", h, seen[k])
		} else {
			seen[k] = h
		}
		for _, s := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			if got := HeaderOf([]byte(s)); got != h {
				t.Errorf("%s is %v", s, got)
			}
		}
		if got := HeaderOf([]byte(name + "x")); got != HeaderOther {
			t.Errorf("%sx is %v", name, got)
		}
	}
	// RFC 3261 §7.3.3 and the later ones of the IANA registry
	for compact, h := range map[string]Header{
		"i": HeaderCallID, "m": HeaderContact, "e": HeaderContentEncoding, "l": HeaderContentLength, "c": HeaderContentType, "f": HeaderFrom,
		"s": HeaderSubject, "k": HeaderSupported, "t": HeaderTo, "v": HeaderVia, "u": HeaderAllowEvents, "o": HeaderEvent, "r": HeaderReferTo,
		"b": HeaderReferredBy, "x": HeaderSessionExpires, "a": HeaderAcceptContact, "j": HeaderRejectContact, "d": HeaderRequestDisposition, "y": HeaderIdentity,
	} {
		if HeaderOf([]byte(compact)) != h || HeaderOf([]byte(strings.ToUpper(compact))) != h {
			t.Errorf("%s is not %v", compact, h)
		}
	}
	for _, s := range []string{"", "z", "1", "-", "C%6Fntact", "(other)", "Content_Length"} {
		if got := HeaderOf([]byte(s)); got != HeaderOther {
			t.Errorf("%q is %v", s, got)
		}
	}
	if headerCount.String() != "" || HeaderNone.String() != "" {
		t.Error("no header has a name")
	}
}
