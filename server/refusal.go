package server

// refusal is a reason for which a message was not served. Each is counted, and logged at most once a
// second.
type refusal uint8

const (
	refusedSyntax       refusal = iota // not a SIP message: dropped, or 400
	refusedFraming                     // a stream that cannot be framed: 400 or 513, and closed
	refusedResponse                    // a response that no request of ours asked for: dropped
	refusedDamage                      // a response that cannot be passed on: its branch ends
	refusedVersion                     // 505
	refusedHeader                      // a header field that is missing or malformed: 400
	refusedScheme                      // 416
	refusedDomain                      // not a domain of ours: 404
	refusedInsecure                    // sips over another transport than TLS: 403
	refusedMethod                      // 405 or 501; 480 for OPTIONS to a user
	refusedTransaction                 // a CANCEL that cancels nothing: 481
	refusedBody                        // a body that must be understood and is not: 415
	refusedExtension                   // 420
	refusedCredentials                 // wrong password or unknown user: 401
	refusedStale                       // an old or replayed nonce: 401 with stale
	refusedOwner                       // authenticated, but the AOR is another's: 403
	refusedDigestURI                   // authenticated, but for another Request-URI: 403
	refusedUser                        // no such AOR: 404
	refusedRegistration                // the registrar refused what was asked: 4xx, or 500 for a CSeq
	refusedRelay                       // a stranger's request for somewhere else: 403
	refusedRoute                       // what the proxy refuses: 4xx, among them 404 and 480
	refusedStore                       // the location service cannot write: 503
	refusedLoad                        // too much waits for the disk: 503
	refusedPace                        // an AOR that changes too fast: 503
	refusedGuessing                    // of a source that guesses: delayed, or 403
	refusedDenied                      // an administrator has denied its source: 403
	refusedClosing                     // the server is going down: 503
	refusedInternal                    // a fault of ours: 500
	refusals
)

var refusalNames = [refusals]string{
	refusedSyntax:       "syntax",
	refusedFraming:      "framing",
	refusedResponse:     "stray_response",
	refusedDamage:       "damaged_response",
	refusedVersion:      "version",
	refusedHeader:       "header",
	refusedScheme:       "scheme",
	refusedDomain:       "domain",
	refusedInsecure:     "sips_without_tls",
	refusedMethod:       "method",
	refusedTransaction:  "transaction",
	refusedBody:         "body",
	refusedExtension:    "extension",
	refusedCredentials:  "credentials",
	refusedStale:        "stale_nonce",
	refusedOwner:        "not_owner",
	refusedDigestURI:    "digest_uri",
	refusedUser:         "unknown_aor",
	refusedRegistration: "registration",
	refusedRelay:        "relay",
	refusedRoute:        "route",
	refusedStore:        "store",
	refusedLoad:         "overload",
	refusedPace:         "too_fast",
	refusedGuessing:     "guessing",
	refusedDenied:       "denied",
	refusedClosing:      "shutdown",
	refusedInternal:     "internal",
}
