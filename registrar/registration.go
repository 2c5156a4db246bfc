package registrar

import (
	"bytes"
	"strconv"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// Registration is one REGISTER on its way from the request to the response. It implements
// [location.Change].
//
// The zero Registration is ready for [Registrar.Prepare], and again after each request: its buffers are
// kept, so that a warm one works without allocation. It is for one goroutine at a time. Until the record
// that Apply changed has been stored, the request that Prepare read must not change, because the record
// refers to its bytes.
type Registration struct {
	Response []byte // whole response once Prepare is not ready, or Apply has run; valid until the next Prepare
	Status   int    // its status code, 0 while there is none
	Reason   string // one of the Reasons
	Err      error  // the syntax error behind a 400, for logs; nil for any other reason

	Ahead time.Duration // set before Prepare: how far the time of day is ahead of the times that Prepare is given

	registrar *Registrar
	now       int64 // Unix milliseconds
	writer    location.Writer
	flow      sip.Flow
	userAgent []byte

	star      bool      // Contact: *
	contacts  []contact // none: a query, or star
	displaced []int     // set by Apply: indices of the bindings that go, to make room or because their phone is back
	path      []byte    // of all contacts
	pathOB    bool      // the first Path URI has ob
	pathSIPS  bool      // no Path URI is other than sips
	outbound  bool      // the response has Require: outbound

	ok         []byte // the 200
	failed     []byte // any other response
	statusLine int    // in ok: where the mirrored header fields begin
	mirrored   int    // in ok: where they end
	date       int    // in ok: where the value of Date begins
	prepared   int    // in ok: where the Contacts begin
	scratch    []byte // what is stored otherwise than it was sent

	dateText   []byte // a SIP-date, kept because many requests come in one second; empty at first
	dateSecond int64  // which, in Unix seconds
}

var _ location.Change = (*Registration)(nil)

// reset makes reg ready for a request.
func (reg *Registration) reset(r *Registrar, now time.Time, req *sip.Request, flow sip.Flow, branch uint64) {
	reg.Response, reg.Status, reg.Reason, reg.Err = nil, 0, "", nil
	reg.registrar, reg.now, reg.flow = r, now.UnixMilli(), flow
	reg.writer = location.Writer{CallID: req.CallID(), CSeq: req.CSeq.Number, Branch: branch}
	reg.scratch, reg.contacts = reg.scratch[:0], reg.contacts[:0]
	reg.star, reg.outbound = false, false
	reg.path, reg.pathOB, reg.pathSIPS = nil, false, true
	reg.userAgent = nil
	reg.prepared = 0
}

// Unavailable makes the response one for a change that could not be stored: 503 with Retry-After, rounded
// up to seconds, so that the UA tries again; or 500, as RFC 3261 §10.3 step 7 has it, if retryAfter is 0.
// It may be called when the request's bytes are gone. It does nothing if Prepare was not ready.
func (reg *Registration) Unavailable(retryAfter time.Duration) {
	if reg.prepared == 0 {
		return
	}
	if retryAfter <= 0 {
		reg.fail(notStored)
		return
	}
	reg.beginFailure(unavailable)
	reg.failed = sip.AppendRetryAfter(reg.failed, retryAfter)
	reg.endFailure(unavailable)
}

// fail makes the response a refusal, from the header fields that the 200 mirrors.
func (reg *Registration) fail(why *refusal) {
	reg.beginFailure(why)
	reg.endFailure(why)
}

func (reg *Registration) beginFailure(why *refusal) {
	b := append(reg.failed[:0], "SIP/2.0 "...)
	b = strconv.AppendInt(b, int64(why.status), 10)
	b = append(b, ' ')
	b = append(b, why.phrase...)
	b = append(b, "\r\n"...)
	reg.failed = append(b, reg.ok[reg.statusLine:reg.mirrored]...)
}

func (reg *Registration) endFailure(why *refusal) {
	reg.failed = sip.AppendEnd(reg.failed, nil)
	reg.Response, reg.Status, reg.Reason = reg.failed, why.status, why.reason
}

// keep appends v to what reg stores, with its folds replaced by a space (RFC 3261 §7.3.1), and returns
// what was appended.
func (reg *Registration) keep(v []byte) []byte {
	start := len(reg.scratch)
	reg.scratch = sip.AppendUnfolded(reg.scratch, v)
	return reg.scratch[start:len(reg.scratch):len(reg.scratch)]
}

func isFolded(v []byte) bool { return bytes.IndexByte(v, '\n') >= 0 || bytes.IndexByte(v, '\r') >= 0 }
