// Package digest checks digest credentials and makes challenges.
package digest

import (
	"time"

	"biloxi/sip"
)

type Config struct {
	Algorithms    []sip.Algorithm
	AuthInt       bool
	NonceLifetime time.Duration
	MaxNonces     int
}

type Users interface {
	HA1(username, realm []byte, a sip.Algorithm, ha1 *[32]byte) (ok bool)
}

type Verdict uint8

const (
	None Verdict = iota
	Valid
	Wrong
	Stale
	Malformed
)

type Result struct {
	Verdict        Verdict
	Username       []byte
	URI            sip.URI
	Algorithm      sip.Algorithm
	Retransmission bool
	Reason         string
}

type Authenticator struct{}

func New(cfg Config, secret *[32]byte) *Authenticator { return &Authenticator{} }

func (a *Authenticator) Check(now time.Time, req *sip.Request, h sip.Header, realm []byte, secure bool, algorithms []sip.Algorithm, users Users) Result {
	return Result{}
}

func (a *Authenticator) AppendChallenge(dst []byte, now time.Time, h sip.Header, realm []byte, algorithms []sip.Algorithm, stale bool) []byte {
	return dst
}

func HA1(a sip.Algorithm, username, realm, password []byte, ha1 *[32]byte) {}

func AppendAuthorization(dst []byte, h sip.Header, method sip.Method, uri []byte, ch sip.Challenge, username, password []byte, nc uint32, cnonce []byte, body []byte) []byte {
	return dst
}
