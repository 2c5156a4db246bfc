package sip

import (
	"testing"
	"time"
)

func TestTimestamp(t *testing.T) {
	for _, row := range []struct {
		lines string
		delay time.Duration
		want  string
	}{
		{"", time.Second, ""},
		{"Timestamp: 54\n", 0, "Timestamp: 54\r\n"},
		{"Timestamp: 54.25\n", 999 * time.Microsecond, "Timestamp: 54.25\r\n"},
		{"timestamp:  54 \n", 1234 * time.Millisecond, "Timestamp: 54 1.234\r\n"},
		{"Timestamp: 54. 0.5\n", 7 * time.Millisecond, "Timestamp: 54. 0.007\r\n"},
		{"Timestamp: now\n", time.Second, ""},
		{"Timestamp: 5x\n", time.Second, ""},
		{"Timestamp: .5\n", time.Second, ""},
	} {
		if got := string(parsed(t, row.lines).AppendTimestamp(nil, row.delay)); got != row.want {
			t.Errorf("%q after %v: %q, want %q", row.lines, row.delay, got, row.want)
		}
	}
}
