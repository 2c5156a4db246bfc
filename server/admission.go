package server

// evidence is what a request brings along that says who its sender is. Of several the highest counts.
type evidence uint8

const (
	evidenceNone      evidence = iota // a From of elsewhere, which anybody may write
	evidenceAnonymous                 // a From that keeps its name to itself (RFC 3323 §4.1.1.3)
	evidenceClaim                     // a From that is one of our users', not yet shown to be
	evidencePeer                      // the address of a trusted peer
	evidenceProof                     // a proof that it is of a dialog that was made here, and goes to the other end of it
	evidences
)

// place is where a request wants to go, as far as that decides whether it may.
type place uint8

const (
	placeOpen   place = iota // a user of a domain of ours that takes calls of anybody
	placeClosed              // a user of a domain with callers = "authenticated"
	placeBeyond              // anywhere else: another domain, an address, the hops of a route
	places
)

// kind is what of a request's method decides whether it may go on.
type kind uint8

const (
	kindRequest kind = iota // any that is answered
	kindAck                 // it is never answered and never challenged (RFC 3261 §22.1)
	kindCancel              // of no transaction here; it is never challenged
	kinds
)

// verdict is what becomes of a request.
type verdict uint8

const (
	pass          verdict = iota // it goes on
	askOwner                     // it shows credentials of the user that From names
	askUser                      // it shows credentials of some user of the domain that it calls
	askAny                       // it shows credentials of some user of the first domain
	forbid                       // 403
	noTransaction                // 481
	drop                         // nothing: it is an ACK
)

// admission says what becomes of a request (RFC 3261 §16.3 step 6). SECURITY.md has the same table in words, and a test
// keeps the two in step.
var admission = [kinds][evidences][places]verdict{
	kindRequest: {
		//                  open      closed    beyond
		evidenceNone:      {pass, askUser, forbid},
		evidenceAnonymous: {pass, askUser, askAny},
		evidenceClaim:     {askOwner, askOwner, askOwner},
		evidencePeer:      {pass, pass, pass},
		evidenceProof:     {pass, pass, pass},
	},
	kindAck: {
		evidenceNone:      {pass, drop, drop},
		evidenceAnonymous: {pass, drop, drop},
		evidenceClaim:     {drop, drop, drop},
		evidencePeer:      {pass, pass, pass},
		evidenceProof:     {pass, pass, pass},
	},
	kindCancel: {
		evidenceNone:      {noTransaction, noTransaction, noTransaction},
		evidenceAnonymous: {noTransaction, noTransaction, noTransaction},
		evidenceClaim:     {noTransaction, noTransaction, noTransaction},
		evidencePeer:      {noTransaction, noTransaction, pass},
		evidenceProof:     {noTransaction, noTransaction, pass},
	},
}

// placeOf is where a request goes: d is the domain of its Request-URI, nil if that is none of ours, or the request goes
// on to another.
func placeOf(x *exchange, d *domain) place {
	switch {
	case d == nil || x.route != nil && len(x.route.hops) > 0:
		return placeBeyond
	case d.closed:
		return placeClosed
	}
	return placeOpen
}
