package sip

// SyntaxError says what is wrong in a message, and where.
//
// The zero Header means the start-line or the message as a whole. One that [Message.Parse] returned is
// part of the message and is valid until its next Parse.
type SyntaxError struct {
	Header Header // header field that is malformed
	Offset int    // in bytes from the start of what was parsed: the message, or the value alone
	Reason string // what is wrong, in few words and the characters of a Reason-Phrase

	// TooLarge tells that not the grammar but a limit is hurt: RFC 3261 §21.5.7 answers 513.
	TooLarge bool
}

// Error gives header, reason and offset; a header field that is missing has no offset.
func (e *SyntaxError) Error() string { return string(e.Append(nil)) }

// Append appends the text of Error.
func (e *SyntaxError) Append(dst []byte) []byte {
	if e.Header == HeaderNone {
		dst = append(dst, "message"...)
	} else {
		dst = append(dst, e.Header.String()...)
	}
	dst = append(append(dst, ": "...), e.Reason...)
	if e.Reason == reasonMissing {
		return dst
	}
	return appendUint(append(dst, " at offset "...), uint64(e.Offset))
}

const reasonMissing = "missing"

// missing holds the error for each header field that is not there, so that none is made per message.
var missing = makeMissing()

func makeMissing() (t [headerCount]SyntaxError) {
	for h := range t {
		t[h] = SyntaxError{Header: Header(h), Reason: reasonMissing}
	}
	return t
}
