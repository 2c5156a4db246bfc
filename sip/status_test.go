package sip

import "testing"

func TestStatus(t *testing.T) {
	for code, want := range map[int]string{100: "Trying", 200: "OK", 401: "Unauthorized", 423: "Interval Too Brief", 606: "Not Acceptable",
		-1: "", 0: "", 99: "", 299: "", 699: "", 700: "", 1 << 30: ""} {
		if got := StatusText(code); got != want {
			t.Errorf("%d is %q, want %q", code, got, want)
		}
	}
}
