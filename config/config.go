// Package config is the configuration of a Biloxi server: the file's schema, its defaults, its
// validation and its reference. It is plain data: nothing is opened, resolved or started here, apart
// from the files that hold secrets.
//
// The file is TOML. Keys that it does not know are refused with line and column; environment variables
// override it (see [Parse]). The reference of all keys is docs/configuration.md, which is generated
// from this package.
package config

import (
	"time"

	"biloxi/sip"
)

// Config is a whole configuration. The zero Config is of no use: begin with [Default]. What [Load] and
// [Parse] return is valid, with every default filled in, and host names in lower case.
type Config struct {
	Data      string       `toml:"data"`      // the data folder; a relative one in a file is relative to the file
	Domains   []Domain     `toml:"domain"`    // never empty
	Listeners []Listener   `toml:"listen"`    // never empty
	Transport Transporting `toml:"transport"` // how messages are sent
	TLS       TLS          `toml:"tls"`       // certificates; needed by listeners with transport tls
	Registrar Registrar    `toml:"registrar"` // what is granted to a REGISTER
	Location  Location     `toml:"location"`  // the durable location service
	Auth      Auth         `toml:"auth"`      // digest authentication
	Defence   Defence      `toml:"defence"`   // what becomes of those who guess
	Proxy     Proxy        `toml:"proxy"`     // how calls are forwarded
	Routes    []Route      `toml:"route"`     // exceptions to that, the first that matches; empty: none
	DNS       DNS          `toml:"dns"`       // how next hops are found
	Limits    Limits       `toml:"limits"`    // what one peer, and all of them, may use
	Log       Log          `toml:"log"`
}

// Domain is one domain that the server is responsible for.
type Domain struct {
	Name       string        `toml:"name"`        // canonical: lower-case, no final dot
	Realm      string        `toml:"realm"`       // of its digest challenges; [Parse] fills in the name
	Aliases    []string      `toml:"aliases"`     // other hosts that stand for it; IPv6 in brackets
	Algorithms []Algorithm   `toml:"algorithms"`  // challenges offered, in this order; [Parse] fills in [DefaultAlgorithms]
	ThirdParty []string      `toml:"third_party"` // users who may register any AOR of the domain
	Mode       DomainMode    `toml:"mode"`        // what becomes of a call to its users; empty is [ModeProxy], which [Parse] fills in
	Callers    DomainCallers `toml:"callers"`     // who may call its users; empty is [CallersAnyone], which [Parse] fills in
}

// Listener is one socket that SIP arrives at.
type Listener struct {
	Transport Transport `toml:"transport"`
	Address   string    `toml:"address"`   // IP address and port, the IPv6 address in brackets; port 0 is any free one
	Advertise string    `toml:"advertise"` // host, or host and port, that others reach it by, in lower case; without port: that of Address; empty: Address
}

// TLS holds certificates. All are PEM files.
type TLS struct {
	Certificate        string        `toml:"certificate"`         // chain, the server's own first; empty: no TLS listener is possible
	Key                string        `toml:"key"`                 // the private key of Certificate
	SNI                []Certificate `toml:"sni"`                 // more certificates, chosen by the name that a client asks for
	ClientCertificates ClientCerts   `toml:"client_certificates"` // whether clients are asked for a certificate
	ClientCA           string        `toml:"client_ca"`           // who may sign them; must be set unless none are asked for
	CA                 string        `toml:"ca"`                  // who signs the servers that we connect to; empty: the system's
	MinVersion         TLSVersion    `toml:"min_version"`
}

// Certificate is a certificate for the server names that stand in it.
type Certificate struct {
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
}

// Registrar says what is granted to a REGISTER.
type Registrar struct {
	DefaultExpires          Duration       `toml:"default_expires"`            // for a SIP contact that asks for nothing
	MinExpires              Duration       `toml:"min_expires"`                // less is refused with 423
	MaxExpires              Duration       `toml:"max_expires"`                // more is cut to this
	MaxContacts             int            `toml:"max_contacts"`               // of one AOR
	Jitter                  float64        `toml:"jitter"`                     // granted expiry is shortened by up to this share: 0 to 0.5
	LenientCSeq             bool           `toml:"lenient_cseq"`               // take a low CSeq from a phone that reuses its Call-ID
	PathWithoutSupport      PathPolicy     `toml:"path_without_support"`       // a Path in a REGISTER whose client does not support it
	WhenFull                FullPolicy     `toml:"when_full"`                  // a contact more than MaxContacts
	FirstHopWithoutOutbound OutboundPolicy `toml:"first_hop_without_outbound"` // a reg-id that cannot count
	ContactsAtSource        bool           `toml:"contacts_at_source"`         // refuse contacts at other hosts than they are registered from
	ServiceRoute            []string       `toml:"service_route"`              // URIs of the Service-Route in a 200 (RFC 3608); empty: none
}

// Location says how the location service keeps its bindings.
type Location struct {
	Durability   Durability `toml:"durability"`
	Interval     Duration   `toml:"interval"`      // between syncs, with durability "interval"
	SnapshotSize Size       `toml:"snapshot_size"` // journal growth that starts a new snapshot
	MaxPending   Size       `toml:"max_pending"`   // changes that wait for the disk; more is answered 503
}

// Auth says how digest authentication works, in all domains.
type Auth struct {
	NonceLifetime Duration `toml:"nonce_lifetime"`
	MaxNonces     int      `toml:"max_nonces"` // nonces whose counts are remembered
	AuthInt       bool     `toml:"auth_int"`   // offer qop auth-int beside auth
}

// Limits bounds what peers may use. Over a limit a peer is refused and counted.
type Limits struct {
	Connections            int      `toml:"connections"`             // TCP and TLS, in all
	ConnectionsPerSource   int      `toml:"connections_per_source"`  // from one address
	HeadSize               Size     `toml:"head_size"`               // start-line and headers of a message on a stream
	BodySize               Size     `toml:"body_size"`               // body of a message on a stream
	HandshakeTimeout       Duration `toml:"handshake_timeout"`       // for a TLS handshake
	UnauthenticatedTimeout Duration `toml:"unauthenticated_timeout"` // for a connection that has authenticated nothing
	MessageTimeout         Duration `toml:"message_timeout"`         // from a message's first byte on a stream to its last
	IdleTimeout            Duration `toml:"idle_timeout"`            // for a connection that nothing comes from
	WriteTimeout           Duration `toml:"write_timeout"`           // for a peer that does not read
	WriteQueue             Size     `toml:"write_queue"`             // bytes that wait for one connection
	ShutdownTimeout        Duration `toml:"shutdown_timeout"`        // for draining at SIGTERM
}

// Log says what is logged, to standard error.
type Log struct {
	Level  LogLevel  `toml:"level"`
	Format LogFormat `toml:"format"`
}

// DefaultAlgorithms are the challenges of a domain that names none: MD5 alone, the one offer that all
// clients answer (docs/peers.md has which do what). What MD5 protects here is a password over a network;
// the remedy for that is TLS, and then SHA-256.
var DefaultAlgorithms = []Algorithm{Algorithm(sip.MD5)}

// Default returns the configuration of a server without a file: one domain, on loopback alone. The
// caller owns it.
func Default() Config {
	return Config{
		Data: "biloxi-data",
		Domains: []Domain{{
			Name: "localhost", Realm: "localhost", Aliases: []string{"127.0.0.1", "[::1]"},
			Algorithms: append([]Algorithm(nil), DefaultAlgorithms...),
			Mode:       ModeProxy, Callers: CallersAnyone,
		}},
		Listeners: []Listener{
			{Transport: Transport(sip.UDP), Address: "127.0.0.1:5060"},
			{Transport: Transport(sip.TCP), Address: "127.0.0.1:5060"},
		},
		Transport: Transporting{RPort: RPortAuto},
		TLS:       TLS{ClientCertificates: ClientCertsNone, MinVersion: TLS12},
		Registrar: Registrar{
			DefaultExpires:          Duration(time.Hour),
			MinExpires:              Duration(time.Minute),
			MaxExpires:              Duration(24 * time.Hour),
			MaxContacts:             10,
			PathWithoutSupport:      PathRefuse,
			WhenFull:                FullRefuse,
			FirstHopWithoutOutbound: OutboundRefuse,
		},
		Location: Location{
			Durability:   DurabilitySync,
			Interval:     Duration(time.Second),
			SnapshotSize: 256 << 20, // a million registrations fill some 170 MB
			MaxPending:   64 << 20,  // more than a disk takes in the time in which a phone waits
		},
		Auth: Auth{
			NonceLifetime: Duration(4 * time.Hour), // longer than phones take between refreshes, so that none is challenged for each
			MaxNonces:     1 << 20,
		},
		Defence: defaultDefence(),
		Proxy:   defaultProxy(),
		Limits: Limits{
			Connections:            50000, // at the 32 KiB that an idle TLS connection costs at the worst they take 1.6 GiB
			ConnectionsPerSource:   10000, // a site, or a carrier, has one address for thousands of phones
			HeadSize:               sip.MaxHead,
			BodySize:               sip.MaxBody,
			HandshakeTimeout:       Duration(30 * time.Second), // with the wait for a turn, when all phones of a site come back at once
			UnauthenticatedTimeout: Duration(32 * time.Second), // 64*T1: a phone registers as its first act
			MessageTimeout:         Duration(10 * time.Second), // a message is a few packets; who needs longer is stalling
			IdleTimeout:            Duration(2 * time.Hour),    // twice the default registration: a phone without keep-alives is silent until it refreshes
			WriteTimeout:           Duration(10 * time.Second), // a peer that reads nothing for so long is not there
			WriteQueue:             256 << 10,                  // some 300 answers
			ShutdownTimeout:        Duration(10 * time.Second), // less than the 30 s of the systemd unit
		},
		Log: Log{Level: LogInfo, Format: LogAuto},
	}
}
