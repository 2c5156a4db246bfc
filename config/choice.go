package config

import (
	"fmt"
	"strings"
)

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

// DomainMode says what becomes of a call to a user of a domain.
type DomainMode string

// The modes.
const (
	ModeProxy    DomainMode = "proxy"    // it is forwarded to the user's contacts
	ModeRedirect DomainMode = "redirect" // it is answered 302 with the contacts, and the caller goes there itself
)

// UnmarshalText reads one of the modes.
func (m *DomainMode) UnmarshalText(b []byte) error {
	return choose(m, "mode", b, ModeProxy, ModeRedirect)
}

// DomainCallers says who may call the users of a domain.
type DomainCallers string

// The choices.
const (
	CallersAnyone        DomainCallers = "anyone"        // whoever reaches the server
	CallersAuthenticated DomainCallers = "authenticated" // who is not trusted is challenged, with the domain's realm
)

// UnmarshalText reads one of the choices.
func (c *DomainCallers) UnmarshalText(b []byte) error {
	return choose(c, "choice for callers", b, CallersAnyone, CallersAuthenticated)
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

// RPort says where a request over UDP is answered whose Via has no rport (RFC 3581).
type RPort string

// The choices.
const (
	RPortAuto   RPort = "auto"   // at its source where sent-by is a name, or an address behind a NAT and not the source's
	RPortAlways RPort = "always" // at its source
	RPortNever  RPort = "never"  // at the port of sent-by (RFC 3261 §18.2.2)
)

// UnmarshalText reads one of the choices.
func (r *RPort) UnmarshalText(b []byte) error {
	return choose(r, "choice for rport", b, RPortAuto, RPortAlways, RPortNever)
}

// OutboundPolicy says what becomes of a REGISTER with a reg-id whose first hop is a proxy that does no outbound, while
// the client does (RFC 5626 §6).
type OutboundPolicy string

// The policies.
const (
	OutboundRefuse OutboundPolicy = "refuse" // 439
	OutboundIgnore OutboundPolicy = "ignore" // the reg-id does not count
)

// UnmarshalText reads one of the policies.
func (p *OutboundPolicy) UnmarshalText(b []byte) error {
	return choose(p, "choice for first_hop_without_outbound", b, OutboundRefuse, OutboundIgnore)
}

// FullPolicy says what becomes of a contact more than an address of record may have.
type FullPolicy string

// The policies.
const (
	FullRefuse FullPolicy = "refuse" // 500 with Retry-After
	FullOldest FullPolicy = "oldest" // the contact that was refreshed longest ago goes
)

// UnmarshalText reads one of the policies.
func (p *FullPolicy) UnmarshalText(b []byte) error {
	return choose(p, "choice for when_full", b, FullRefuse, FullOldest)
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
