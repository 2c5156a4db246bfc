package sip

import (
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	at := time.Date(2010, 11, 13, 23, 29, 0, 0, time.UTC)
	if got := string(AppendDate(nil, at.In(time.FixedZone("", 3600)))); got != "Sat, 13 Nov 2010 23:29:00 GMT" {
		t.Error(got)
	}
	for in, want := range map[string]time.Time{
		"Sat, 13 Nov 2010 23:29:00 GMT": at,
		"Sat, 6 Nov 2010 23:29:00 GMT":  at.AddDate(0, 0, -7),
		"Fri, 01 Jan 2010 16:00:00 EST": {},
		"Sat, 13 Nov 2010 23:29:00 UTC": {},
		"13 Nov 2010 23:29:00 GMT":      {},
		"":                              {},
	} {
		got, ok := ParseDate([]byte(in))
		if ok == want.IsZero() || !got.Equal(want) && ok {
			t.Errorf("%q: %v %v", in, got, ok)
		}
	}
}

func FuzzDate(f *testing.F) {
	f.Add([]byte("Sat, 13 Nov 2010 23:29:00 GMT"))
	f.Fuzz(func(t *testing.T, b []byte) {
		at, ok := ParseDate(b)
		if !ok {
			return
		}
		if again, ok := ParseDate(AppendDate(nil, at)); !ok || !again.Equal(at.Truncate(time.Second)) {
			t.Fatalf("%q: %v, then %v %v", b, at, again, ok)
		}
	})
}
