package location

import (
	"math"

	"biloxi/sip"
)

// Never is the Expires of a binding that does not expire. On the wire it is 4294967295, the largest
// delta-seconds.
const Never = math.MaxInt64

// Writer is a REGISTER request, as a binding remembers it. The zero Writer is none.
type Writer struct {
	CallID []byte
	CSeq   uint32
	Branch uint64 // hash of the topmost Via: tells a retransmission from another request
}

// Binding is one contact of an AOR (RFC 3261 §10.2.1). Its slices are not to be written into; who gave them
// says how long they last.
type Binding struct {
	Contact []byte // the URI as it was registered, without <>
	Params  []byte // the contact's own header parameters in order, from the first ';', without expires and q; nil if none
	Q       sip.Q  // 1000 if none was given
	HasQ    bool   // whether one was given
	Expires int64  // Unix milliseconds: gone from that moment on; Never. Of a tombstone: when it may be forgotten
	Removed bool   // a tombstone: removed by Writer, shown to nobody, kept for retransmissions
	Writer  Writer // the request that last wrote it
	Before  Writer // the last writer of another Call-ID, so that a late retransmission of its raises nothing; zero if none
	Granted uint32 // seconds that Writer's request was granted

	Path      []byte   // Path values, a comma list in order (RFC 3327); nil if none
	Instance  []byte   // +sip.instance as written, without quotes (RFC 5626 §4.1); nil if none
	RegID     uint32   // reg-id (RFC 5626 §4.2); 0 if none
	Flow      sip.Flow // that it was registered over
	UserAgent []byte   // as the User-Agent said; nil if none

	Created, Updated int64 // Unix milliseconds; Updated is the now of Writer's request
}
