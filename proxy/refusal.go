package proxy

import (
	"net/netip"

	"biloxi/sip"
)

// Refusal is why a request is not forwarded: the response that it gets. Refusals are values of this package,
// to be compared with ==.
type Refusal struct {
	Status int
	Phrase string // Reason-Phrase; empty: the status's own
	extra  string // whole header lines
}

// The refusals. An ACK that is refused is dropped: nothing answers it.
var (
	BadRoute       = &Refusal{Status: 400, Phrase: "Malformed Route"} // §16.3 step 1
	BadTarget      = &Refusal{Status: 400, Phrase: "Malformed Route in Place of the Request-URI"}
	BadScheme      = &Refusal{Status: 416}                                                        // §16.3 step 2
	TooManyHops    = &Refusal{Status: 483}                                                        // §16.3 step 3
	Loop           = &Refusal{Status: 482}                                                        // §16.3 step 4
	BadExtension   = &Refusal{Status: 420}                                                        // §16.3 step 5; lists what is not understood
	BadFlowToken   = &Refusal{Status: 403, Phrase: "Invalid Flow Token"}                          // RFC 5626 §5.3.1
	ForeignFlow    = &Refusal{Status: 403, Phrase: "Flow Token without a Dialog"}                 // RFC 5626 §5.3.1 has no such case; see [Proxy.TokenFlow]
	FlowFailed     = &Refusal{Status: 430}                                                        // RFC 5626 §5.3.1
	TooBroad       = &Refusal{Status: 440}                                                        // RFC 5393 §5.3.3
	NotFound       = &Refusal{Status: 404}                                                        // §16.5
	Unavailable    = &Refusal{Status: 480}                                                        // §16.5
	Disconnected   = &Refusal{Status: 480, extra: "Retry-After: 30\r\n"}                          // §16.5; a phone whose connection broke is back soon
	SIPSNotAllowed = &Refusal{Status: 480, extra: "Warning: 380 biloxi \"SIPS Not Allowed\"\r\n"} // RFC 5630 §5.3
)

// The refusals of what a user sends to their own address-of-record and nobody but the sender would get.
var (
	BadEvent       = &Refusal{Status: 489} // RFC 6665 §8.3.2
	NoSubscription = &Refusal{Status: 481} // RFC 6665 §4.1.3

	// RFC 3903 §4; RFC 3261 §21.4.6: with what is taken there.
	PublishNotAllowed = &Refusal{Status: 405,
		extra: "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, INFO, UPDATE, PRACK, REFER, SUBSCRIBE, NOTIFY, REGISTER\r\n"}
)

// Append appends the refusal as a response to req, which came from src.
func (r *Refusal) Append(dst []byte, p *Proxy, req *sip.Request, toTag []byte, src netip.AddrPort) []byte {
	dst = req.AppendResponse(dst, r.Status, r.Phrase, toTag, src)
	if r == BadExtension {
		dst = p.appendUnsupported(dst, req)
	}
	dst = append(dst, r.extra...)
	return sip.AppendEnd(dst, nil)
}
