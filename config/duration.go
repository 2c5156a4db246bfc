package config

import (
	"fmt"
	"strings"
	"time"
)

// Duration is a time.Duration, written as Go writes them: "90s", "1h30m". Days are written as hours.
type Duration time.Duration

// UnmarshalText reads a duration. It may not be negative.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no duration; write a number with its unit, such as \"60s\", \"5m\" or \"24h\"", b)
	}
	if v < 0 {
		return fmt.Errorf("a duration may not be negative: %q", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText is String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the shortest form: "1h", not "1h0m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
