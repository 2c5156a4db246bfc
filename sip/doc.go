// Package sip is the grammar of SIP: messages, URIs, header field values, methods, status codes and
// the Flow that a message came over. It parses and appends, and does nothing else: no I/O, no clock,
// no goroutine, no log.
//
// It implements RFC 3261 §7, §19, §20 and §25, the Via parameters of RFC 3581, the Path header field of
// RFC 3327, the Contact and URI parameters of RFC 5626 and RFC 5627, the comparison of IPv6 addresses of
// RFC 5954, and the grammar of RFC 7616 and RFC 8760 for credentials and challenges. It leaves out
// multipart bodies and SDP: a body is bytes. A tel URI is compared byte by byte, not by RFC 3966.
//
// A [Message] is parsed in one pass into a table of offsets; values are decoded when they are asked
// for. Everything that a decoded value holds is a slice of the bytes that were parsed: it is valid as
// long as those bytes are, and is not to be changed or appended to.
//
// It takes what RFC 4475 and RFC 5118 have a receiver take, and what else phones write that can be read in one way
// only: display names without quotes, empty parameters, lines that end in LF alone. It refuses what could be read in
// two ways: a tag or branch, From, To, Call-ID, CSeq or Max-Forwards that stands twice, two lengths of one body, a CR
// alone. What we do not read is not looked at, and is passed on byte by byte; docs/headers.md has each header field.
package sip
