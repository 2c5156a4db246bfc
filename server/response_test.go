package server

import "testing"

// R5: what begins as a response does, and its status.
func TestStatusOf(t *testing.T) {
	for in, want := range map[string]int{
		"SIP/2.0 486 Busy\r\n": 486, "\r\n\r\nsip/2.0 100\n": 100, "SIP/2.0  200 two spaces": 200, "SIP/x 699 y": 699,
		"SIP/2.0 099 x": 0, "SIP/2.0 700 x": 0, "SIP/2.0 4866 x": 0, "SIP/2.0 48": 0, "SIP/2.0 abc": 0, "SIP/2.0": 0, "SIP/2.0\r\n200": 0,
		"SIP/2.0 99999999999999999999 x": 0,
	} {
		if got := statusOf([]byte(in)); got != want || !isResponse([]byte(in)) {
			t.Errorf("%q: %d", in, got)
		}
	}
	for _, in := range []string{"", "\r\n", "SIP", "SIP/", "SIPS/2.0 200 OK", "INVITE sip:a@b SIP/2.0"} {
		if isResponse([]byte(in)) {
			t.Errorf("%q", in)
		}
	}
}
