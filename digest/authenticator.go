package digest

import (
	"crypto/rand"
	"crypto/sha512"
	"slices"
	"sync/atomic"
	"time"

	"biloxi/sip"
)

// Config says what is offered and what is remembered.
type Config struct {
	// Algorithms are the challenges of a call that names none, the most preferred first (RFC 8760 §2.3).
	// Empty: MD5 alone.
	Algorithms []sip.Algorithm

	// AuthInt offers qop auth-int beside auth. Credentials with auth-int are refused without it.
	AuthInt bool

	// NonceLifetime is how long a nonce serves from its challenge on. Zero: DefaultNonceLifetime.
	NonceLifetime time.Duration

	// MaxNonces bounds the nonces in use that are remembered, rounded up by a quarter or 16 at the most. With more
	// in use, some clients are challenged again (stale) before their nonce expires. About twice the
	// number of clients is right. Zero: DefaultMaxNonces.
	MaxNonces int
}

// Users finds the HA1 of a user.
type Users interface {
	// HA1 fills the first a.Size() bytes of ha1 with the user's H(A1) for the realm and algorithm, or
	// returns false for a user, realm or algorithm that it has none for. The username is text, without
	// the quotes and escapes of the credentials. Both slices are valid during the call only. It is called
	// from many goroutines, is not to allocate, and is to take as long for a user that there is not.
	HA1(username, realm []byte, a sip.Algorithm, ha1 *[32]byte) (ok bool)
}

// Authenticator makes challenges and checks what clients answer to them.
//
// It is for all goroutines. All that changes in it is a counter, the window's shards, each under its own
// lock, and the epoch, written once.
type Authenticator struct {
	algorithms []sip.Algorithm
	authInt    bool
	lifetime   uint64 // milliseconds

	nonceKey   sipKey
	requestKey printKey
	stranger   [32]byte // stands for the HA1 of a user that there is not

	epoch  atomic.Pointer[time.Time] // the first now
	minted atomic.Uint64             // nonces made
	window window
}

// New makes an Authenticator. Its keys are mixed from the secret, which is to be random, and from chance:
// it takes no nonce of another, whose uses it does not know, even with the same secret.
func New(cfg Config, secret *[32]byte) *Authenticator {
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = []sip.Algorithm{sip.MD5}
	}
	if cfg.NonceLifetime <= 0 {
		cfg.NonceLifetime = DefaultNonceLifetime
	}
	if cfg.MaxNonces <= 0 {
		cfg.MaxNonces = DefaultMaxNonces
	}
	keys := newKeys(secret)
	return &Authenticator{
		algorithms: slices.Clone(cfg.Algorithms),
		authInt:    cfg.AuthInt,
		lifetime:   uint64(cfg.NonceLifetime.Milliseconds()),
		nonceKey:   newSipKey(keys[:16]),
		requestKey: newPrintKey(keys[16:32]),
		stranger:   [32]byte(keys[32:]),
		window:     newWindow(cfg.MaxNonces),
	}
}

func newKeys(secret *[32]byte) [64]byte {
	var seed [64]byte
	copy(seed[:], secret[:])
	rand.Read(seed[32:]) // never fails
	return sha512.Sum512(seed[:])
}

// clock turns now into milliseconds since just before the first now. They follow the monotonic clock
// where now has its reading, so that a step of the wall clock neither revives nor kills a nonce. It is
// never 0.
func (a *Authenticator) clock(now time.Time) uint64 {
	epoch := a.epoch.Load()
	if epoch == nil {
		begin := now // only this copy goes to the heap
		a.epoch.CompareAndSwap(nil, &begin)
		epoch = a.epoch.Load()
	}
	return uint64(max(now.Sub(*epoch).Milliseconds(), 0)) + 1
}
