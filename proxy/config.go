package proxy

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Config is what a proxy is told once. The zero Config is usable.
type Config struct {
	TimerC     time.Duration // Timer C; 0: DefaultTimerC; what is not over MinTimerC is drawn up to just over it
	NoAnswer   int           // status of an INVITE that nobody answered; 0: 408, as RFC 3261 §16.7 step 6 has it
	Recurse    bool          // follow a 3xx for our own users instead of passing it on
	MaxBreadth uint32        // branches that a request may have at a time; 0: DefaultMaxBreadth
	Options    []string      // option tags of Proxy-Require that are understood; nil: none
	TLSParam   bool          // write transport=tls where a sip request leaves over TLS; see [Proxy.AppendRecordRoute]
	Secret     [32]byte      // key of flow tokens and proofs; those of another key are refused
	Dialog     time.Duration // how long after a dialog was made or refreshed its proof is good; 0: DefaultDialog
	Dialogs    *Dialogs      // what is remembered of dialogs, for the proxy that replaces this one too; nil: one of its own

	// Random gives the unique part of a branch: numbers that nobody can foresee, for many goroutines. Nil: the
	// generator of the runtime.
	Random func() uint64
}

// Proxy is a policy, ready for use. It is not changed by use and serves any number of goroutines.
type Proxy struct {
	timerC     time.Duration
	noAnswer   int
	recurse    bool
	maxBreadth uint32
	options    []string // lower-case
	tlsParam   bool
	secret     [32]byte
	dialogs    *Dialogs
	// dialogMinutes is Config.Dialog.
	dialogMinutes uint32
	random        func() uint64
	seeds         [2]maphash.Seed // of stateless branches
}

// New returns a proxy of that policy.
func New(cfg Config) *Proxy {
	p := &Proxy{timerC: cfg.TimerC, noAnswer: cfg.NoAnswer, recurse: cfg.Recurse, maxBreadth: cfg.MaxBreadth,
		options: slices.Clone(cfg.Options), tlsParam: cfg.TLSParam, secret: cfg.Secret, random: cfg.Random, dialogs: cfg.Dialogs,
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	switch {
	case p.timerC == 0:
		p.timerC = DefaultTimerC
	case p.timerC <= MinTimerC:
		// RFC 3261 §16.6 step 11: Timer C is larger than three minutes.
		p.timerC = MinTimerC + time.Second
	}
	if cfg.Dialog == 0 {
		cfg.Dialog = DefaultDialog
	}
	p.dialogMinutes = uint32(cfg.Dialog / time.Minute)
	if p.dialogs == nil {
		p.dialogs = NewDialogs()
	}
	if p.noAnswer == 0 {
		p.noAnswer = 408
	}
	if p.maxBreadth == 0 {
		p.maxBreadth = DefaultMaxBreadth
	}
	if p.random == nil {
		p.random = rand.Uint64
	}
	for i, o := range p.options {
		p.options[i] = strings.ToLower(o)
	}
	return p
}

// Self tells what names this element. It is declared here and implemented by the server, whose domains change.
type Self interface {
	// Is reports whether a host and port of a URI lead to this element: an address that it listens at, a name of
	// its, or a domain that it serves. Port 0: the URI has none.
	Is(host []byte, port uint16) bool
}
