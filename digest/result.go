package digest

import "biloxi/sip"

// Verdict on a request's credentials.
type Verdict uint8

const (
	// None: there are no credentials for the realm that could be checked. The answer is a challenge.
	None Verdict = iota
	// Valid: the user has authenticated.
	Valid
	// Wrong: no such user, or another password. The answer is a new challenge, not a stale one (flow
	// 2.5 of RFC 3665).
	Wrong
	// Stale: the credentials are those of the user, but their nonce is not ours, has expired, or was used
	// for another request before. The answer is a new challenge with stale=TRUE.
	Stale
	// Malformed: the answer is 400.
	Malformed
)

var verdictNames = [...]string{"none", "valid", "wrong", "stale", "malformed"}

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// Reasons of a verdict, for logs and counters. The peer is not to see them: they tell an unknown user
// from a wrong password.
const (
	ReasonNone          = "no credentials"
	ReasonScheme        = "no Digest credentials"
	ReasonRealm         = "credentials for other realms"
	ReasonUnchallenged  = "credentials without a nonce"
	ReasonAlgorithm     = "algorithm not offered"
	ReasonQOP           = "qop not offered"
	ReasonSyntax        = "credentials cannot be read"
	ReasonMissing       = "a parameter is missing"
	ReasonCount         = "qop without nc and cnonce, or nc not 8 hex digits"
	ReasonURI           = "uri is not a URI"
	ReasonUnknownUser   = "unknown user"
	ReasonWrongPassword = "wrong password"
	ReasonForeignNonce  = "nonce not ours"
	ReasonExpiredNonce  = "nonce expired"
	ReasonReplay        = "nonce used before"
)

// Result of a check.
type Result struct {
	Verdict Verdict

	// Username that the credentials claim, without escapes; nil if there are none. It has been proven
	// only if the verdict is Valid. It is a slice of the request, or of its own if it has escapes.
	Username []byte

	// URI is the uri parameter, which the response covers; zero if there is none that can be read. A
	// proxy on the way may have rewritten the Request-URI, so the two may differ, but the caller is to
	// check that this too names a host and user that it serves (RFC 8760 §2.6 item 6).
	URI sip.URI

	Algorithm sip.Algorithm // of the credentials; none if it is none that is known

	// Retransmission is set with Valid for a request that was let in less than 32 s ago, byte by byte the
	// same and over the same flow: it is to be answered as it was then.
	Retransmission bool

	Reason string // one of the Reasons, empty for Valid
}
