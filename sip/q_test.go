package sip

import "testing"

func TestQ(t *testing.T) {
	for in, want := range map[string]int{
		"0": 0, "1": 1000, "0.5": 500, "0.05": 50, "0.005": 5, "0.": 0, "1.": 1000, "1.0": 1000, "1.000": 1000, "0.999": 999, "0.330": 330,
		"": -1, "1.1": -1, "1.001": -1, "2": -1, ".": -1, ".5": 500, ".55": 550, "0.1234": 123, "0.00000": 0, "1.0000": 1000, ".x": -1, "00.5": -1, "0,5": -1, "-0": -1, "0.x": -1, "0x": -1, "1e0": -1,
	} {
		q, ok := ParseQ([]byte(in))
		if ok != (want >= 0) || ok && int(q) != want {
			t.Errorf("%q: %d %v, want %d", in, q, ok, want)
		}
	}
	for q, want := range map[Q]string{0: "0", 5: "0.005", 50: "0.05", 500: "0.5", 999: "0.999", 330: "0.33", 1000: "1", 2000: "1"} {
		if got := string(q.Append(nil)); got != want {
			t.Errorf("%d: %q, want %q", q, got, want)
		}
	}
}

func FuzzQ(f *testing.F) {
	for _, s := range []string{"0", "1", "0.5", "0.123", "1.000"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, ok := ParseQ(b)
		if !ok {
			return
		}
		if again, ok := ParseQ(q.Append(nil)); !ok || again != q || q > 1000 {
			t.Fatalf("%q: %d, then %d %v", b, q, again, ok)
		}
	})
}
