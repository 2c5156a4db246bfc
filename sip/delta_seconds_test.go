package sip

import (
	"strconv"
	"testing"
	"time"
)

func TestDeltaSeconds(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "3600": 3600, "4294967295": MaxDeltaSeconds, "4294967296": MaxDeltaSeconds, "00060": 60,
		"99999999999999999999999999": MaxDeltaSeconds, "": -1, "-1": -1, "1.5": -1, "soon": -1, " 1": -1, "1 ": -1, "+1": -1, "0x10": -1,
	} {
		n, ok := ParseDeltaSeconds([]byte(in))
		if ok != (want >= 0) || ok && int64(n) != want {
			t.Errorf("%q: %d %v, want %d", in, n, ok, want)
		}
	}
	for in, want := range map[time.Duration]uint32{
		-time.Second: 0, 0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, time.Hour: 3600, Seconds(MaxDeltaSeconds): MaxDeltaSeconds,
		1<<63 - 1: MaxDeltaSeconds,
	} {
		if got := DeltaSeconds(in); got != want {
			t.Errorf("%v is %d, want %d", in, got, want)
		}
	}
}

func TestExpires(t *testing.T) {
	for lines, want := range map[string]struct {
		n uint32
		p Presence
	}{
		"":                      {0, Absent},
		"Expires: 0\n":          {0, Present},
		"expires:\n 60 \n":      {60, Present},
		"Expires: 4294967296\n": {MaxDeltaSeconds, Present},
		"Expires: soon\n":       {0, Malformed},
		"Expires:\n":            {0, Malformed},
		"Expires: -1\n":         {0, Malformed},
		"Expires: 60;x\n":       {0, Malformed},
		"Expires: 3600, 60\n":   {0, Malformed},
	} {
		if n, p := parsed(t, lines).Expires(); p != want.p || n != want.n {
			t.Errorf("%q: %d %v, want %d %v", lines, n, p, want.n, want.p)
		}
	}
}

func TestMaxForwards(t *testing.T) {
	for lines, want := range map[string]struct {
		n uint8
		p Presence
	}{
		"": {0, Absent}, "Max-Forwards: 0\n": {0, Present}, "MAX-forwards: 0068\n": {68, Present}, "Max-Forwards: 255\n": {255, Present},
		"Max-Forwards: 256\n": {0, Malformed}, "Max-Forwards: x\n": {0, Malformed},
	} {
		if n, p := parsed(t, lines).MaxForwards(); p != want.p || n != want.n {
			t.Errorf("%q: %d %v, want %d %v", lines, n, p, want.n, want.p)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", 1500 * time.Millisecond: "2", time.Minute: "60"} {
		if got := string(AppendRetryAfter(nil, d)); got != "Retry-After: "+want+"\r\n" {
			t.Errorf("%v: %q", d, got)
		}
	}
}

func FuzzDeltaSeconds(f *testing.F) {
	for _, s := range []string{"0", "4294967295", "4294967296", "1x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := ParseDeltaSeconds([]byte(s))
		want, err := strconv.ParseUint(s, 10, 32)
		if ok && err != nil && n != MaxDeltaSeconds || !ok && err == nil || ok && err == nil && uint64(n) != want {
			t.Fatalf("%q: %d %v, want %d (%v)", s, n, ok, want, err)
		}
		if ok {
			if again, ok := ParseDeltaSeconds(appendUint(nil, uint64(n))); !ok || again != n {
				t.Fatalf("%q: %d, then %d", s, n, again)
			}
		}
	})
}
