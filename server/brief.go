package server

// brief reports whether the request of x is answered without a transaction where it ends here at once. A transaction
// would have the answer to an INVITE sent eleven times to a source that somebody has forged, and hold memory for who
// connects and never acknowledges.
//
// RFC 3261 §8.2.7: such an answer is made anew, with the same To tag, for each copy of the request; what acknowledges it
// is known by the tag.
func (x *exchange) brief() bool { return x.caller.standing != authenticated }
