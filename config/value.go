package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"biloxi/sip"
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

// Size is a number of bytes, written with a binary unit: "64KiB", "4MiB", "1GiB", or "500B".
type Size int64

var sizeUnits = [...]struct {
	name  string
	shift uint
}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"B", 0}}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(b []byte) error {
	text := string(b)
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 62-int(u.shift))
		if err != nil {
			break
		}
		*s = Size(n << u.shift)
		return nil
	}
	return fmt.Errorf("%q is no size; write a whole number with its unit, such as \"500B\", \"64KiB\" or \"4MiB\"", text)
}

// MarshalText is String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String returns the size in the largest unit that divides it.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s > 0 && s&(1<<u.shift-1) == 0 {
			return strconv.FormatInt(int64(s>>u.shift), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// Transport is a sip.Transport, written in lower case. WebSockets come later.
type Transport sip.Transport

// UnmarshalText reads udp, tcp or tls, in either case.
func (t *Transport) UnmarshalText(b []byte) error {
	v := sip.TransportOf(b)
	if v != sip.UDP && v != sip.TCP && v != sip.TLS {
		return oneOf("transport", string(b), []string{"udp", "tcp", "tls"})
	}
	*t = Transport(v)
	return nil
}

// MarshalText is String.
func (t Transport) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// String returns the name in lower case.
func (t Transport) String() string { return strings.ToLower(sip.Transport(t).String()) }

// Algorithm is a digest algorithm, written as in a challenge.
type Algorithm sip.Algorithm

// UnmarshalText reads MD5, SHA-256 or SHA-512-256, in either case.
func (a *Algorithm) UnmarshalText(b []byte) error {
	v := sip.AlgorithmOf(b)
	if v == sip.NoAlgorithm {
		return oneOf("digest algorithm", string(b), []string{"MD5", "SHA-256", "SHA-512-256"})
	}
	*a = Algorithm(v)
	return nil
}

// MarshalText is String.
func (a Algorithm) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// String returns the name as a challenge has it.
func (a Algorithm) String() string { return sip.Algorithm(a).String() }

// DigestAlgorithms returns the domain's algorithms, in order. The caller owns the slice.
func (d Domain) DigestAlgorithms() []sip.Algorithm {
	out := make([]sip.Algorithm, len(d.Algorithms))
	for i, a := range d.Algorithms {
		out[i] = sip.Algorithm(a)
	}
	return out
}

// Durability says when a change of the location service is acknowledged.
type Durability string

// The durabilities.
const (
	DurabilitySync     Durability = "sync"     // when it is on disk
	DurabilityInterval Durability = "interval" // at once; the disk follows at each interval
	DurabilityNone     Durability = "none"     // at once; nothing is asked of the disk
)

// UnmarshalText reads one of the durabilities.
func (d *Durability) UnmarshalText(b []byte) error {
	return choose(d, "durability", b, DurabilitySync, DurabilityInterval, DurabilityNone)
}

// ClientCerts says whether TLS clients are asked for a certificate.
type ClientCerts string

// The choices.
const (
	ClientCertsNone    ClientCerts = "none"    // not asked for
	ClientCertsRequest ClientCerts = "request" // asked for, checked if given
	ClientCertsRequire ClientCerts = "require" // no connection without a valid one
)

// UnmarshalText reads one of the choices.
func (c *ClientCerts) UnmarshalText(b []byte) error {
	return choose(c, "choice for client_certificates", b, ClientCertsNone, ClientCertsRequest, ClientCertsRequire)
}

// PathPolicy says what becomes of a REGISTER with a Path whose client does not list path as supported
// (RFC 3327 §5.3).
type PathPolicy string

// The policies.
const (
	PathAccept PathPolicy = "accept" // the path is stored and used
	PathRefuse PathPolicy = "refuse" // 420 with Unsupported: path
)

// UnmarshalText reads one of the policies.
func (p *PathPolicy) UnmarshalText(b []byte) error {
	return choose(p, "choice for path_without_support", b, PathAccept, PathRefuse)
}

// TLSVersion is the lowest version of TLS that is spoken.
type TLSVersion string

// The versions.
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// UnmarshalText reads 1.2 or 1.3.
func (v *TLSVersion) UnmarshalText(b []byte) error {
	return choose(v, "TLS version", b, TLS12, TLS13)
}

// LogLevel is the least severe level that is logged.
type LogLevel string

// The levels.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// UnmarshalText reads one of the levels.
func (l *LogLevel) UnmarshalText(b []byte) error {
	return choose(l, "log level", b, LogDebug, LogInfo, LogWarn, LogError)
}

// LogFormat is how a log line is written.
type LogFormat string

// The formats.
const (
	LogAuto LogFormat = "auto" // text on a terminal, JSON otherwise
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText reads one of the formats.
func (f *LogFormat) UnmarshalText(b []byte) error {
	return choose(f, "log format", b, LogAuto, LogText, LogJSON)
}

// choose sets v to the choice that b spells.
func choose[T ~string](v *T, what string, b []byte, choices ...T) error {
	names := make([]string, len(choices))
	for i, c := range choices {
		if string(c) == string(b) {
			*v = c
			return nil
		}
		names[i] = string(c)
	}
	return oneOf(what, string(b), names)
}

func oneOf(what, got string, choices []string) error {
	return fmt.Errorf("%q is no %s; it is one of %s", got, what, strings.Join(choices, ", "))
}
