package registrar

import "biloxi/sip"

// What came of a request, for logs and counters: all the values that [Registration].Reason can have.
const (
	ReasonRegistered     = "registered"           // 200: a binding was added
	ReasonRefreshed      = "refreshed"            // 200: bindings were updated, none added
	ReasonRemoved        = "removed"              // 200: nothing was asked for but removal
	ReasonQueried        = "queried"              // 200: no Contact
	ReasonRetransmission = "retransmission"       // 200: a request that was processed already
	ReasonExtension      = "extension"            // 420: Require of what is not supported
	ReasonPath           = "path-without-support" // 420: a Path, and no Supported: path
	ReasonMalformed      = "malformed"            // 400: a header field that cannot be read
	ReasonContacts       = "contacts"             // 400: Contacts that do not go together
	ReasonTooLong        = "too-long"             // 400: a value that is longer than is stored
	ReasonSecurity       = "sips-mix"             // 400: a sips Contact with what is not sips
	ReasonTooMany        = "too-many-contacts"    // 500: the AOR has all the bindings it may have, and none may go
	ReasonPlace          = "place"                // 403: a contact that leads where none of it may
	ReasonBrief          = "too-brief"            // 423
	ReasonFirstHop       = "first-hop"            // 439
	ReasonTooLarge       = "too-large"            // 500: all of the AOR's bindings together, or the answer with all of them
	ReasonOrder          = "out-of-order"         // 500: a CSeq that is not higher than a binding's
	ReasonFailed         = "failed"               // 500: the change was not stored
	ReasonUnavailable    = "unavailable"          // 503: the change was not stored, and is to be tried again
)

// refusal is a failure response: what the peer is told, and what is counted.
type refusal struct {
	status int
	phrase string // reason phrase; made of the characters that RFC 3261 §25.1 allows in one
	reason string
}

// The refusals. None is a 6xx, which a registrar must not send (RFC 3261 §10.3).
var (
	badExtension     = &refusal{420, "Bad Extension", ReasonExtension}
	pathNotSupported = &refusal{420, "Path Without Supported: path", ReasonPath}

	contactMalformed = &refusal{400, "Malformed Contact", ReasonMalformed}
	expiresTwice     = &refusal{400, "Two Expires", ReasonMalformed}
	qMalformed       = &refusal{400, "Malformed q of a Contact", ReasonMalformed}
	pathMalformed    = &refusal{400, "Malformed Path", ReasonMalformed}

	starExpires   = &refusal{400, "Contact * Needs Expires: 0", ReasonContacts}
	starAlone     = &refusal{400, "Contact * Must Be the Only Contact", ReasonContacts}
	contactTwice  = &refusal{400, "A Contact Is Given Twice", ReasonContacts}
	regIDContacts = &refusal{400, "More Than One Contact With a reg-id", ReasonContacts}

	uriTooLong    = &refusal{400, "Contact URI Too Long", ReasonTooLong}
	paramsTooLong = &refusal{400, "Contact Parameters Too Long", ReasonTooLong}
	pathTooLong   = &refusal{400, "Path Too Long", ReasonTooLong}
	callIDTooLong = &refusal{400, "Call-ID Too Long", ReasonTooLong}
	tooManyAtOnce = &refusal{400, "Too Many Contacts in One Request", ReasonTooLong}

	sipsTarget  = &refusal{400, "A sips Contact Needs a sips Request-URI", ReasonSecurity}
	sipsContact = &refusal{400, "sip and sips Contacts Together", ReasonSecurity}
	sipsPath    = &refusal{400, "A sips Contact Needs a sips Path", ReasonSecurity}

	tooManyContacts = &refusal{500, "Too Many Contacts", ReasonTooMany} // see refuseFull

	barredContact    = &refusal{403, "Contact at a Next Hop or Trusted Peer of This Server", ReasonPlace}
	contactElsewhere = &refusal{403, "Contact Is Not Where It Is Registered From", ReasonPlace}

	tooBrief = &refusal{423, "Interval Too Brief", ReasonBrief}
	firstHop = &refusal{439, "First Hop Lacks Outbound Support", ReasonFirstHop}

	// RFC 3261 names no status for a CSeq that is not higher. It is 500 because §10.3 step 7 has 500 for a
	// request of which any binding update fails, and because §12.2.2 has 500 for a CSeq below that of the
	// dialog, the same fault. A 400 would call well-formed bytes malformed.
	outOfOrder = &refusal{500, "CSeq Not Higher Than the Binding's", ReasonOrder}

	// RFC 3261 §10.3 step 7: 500 for an update that fails. Nothing is wrong with this one request, so it is none of the
	// 400s, and many phones take a 403 for a wrong password.
	recordTooLarge = &refusal{500, "The Address-of-Record Has Too Much Registered", ReasonTooLarge}
	answerTooLarge = &refusal{500, "The List of Contacts Does Not Fit Into a Datagram", ReasonTooLarge}

	notStored   = &refusal{500, "Server Internal Error", ReasonFailed}
	unavailable = &refusal{503, "Service Unavailable", ReasonUnavailable}
)

// refuse makes the response of a request that goes no further. The header fields that a status needs
// besides the mirrored ones follow it.
func (reg *Registration) refuse(req *sip.Request, toTag []byte, why *refusal) {
	b := req.AppendResponse(reg.failed[:0], why.status, why.phrase, toTag, reg.flow.Remote)
	switch why {
	case badExtension:
		reg.scratch = AppendUnsupported(reg.scratch[:0], req.Message)
		b = sip.AppendField(b, sip.HeaderUnsupported, reg.scratch)
	case pathNotSupported:
		b = sip.AppendFieldString(b, sip.HeaderUnsupported, "path")
	case tooBrief:
		b = sip.AppendFieldUint(b, sip.HeaderMinExpires, uint64(reg.registrar.minExpires))
	}
	reg.failed = sip.AppendEnd(b, nil)
	reg.Response, reg.Status, reg.Reason = reg.failed, why.status, why.reason
}
