package registrar

import (
	"biloxi/location"
)

// order says how a request stands to the requests that a binding remembers.
type order uint8

const (
	newer     order = iota // it may write the binding
	older                  // its Call-ID has a CSeq there that is as high or higher
	processed              // it is the binding's Writer: a retransmission
	overtaken              // it wrote the binding, and another Call-ID has written it since
)

// order compares the request with a binding or tombstone that it names, and is to register or remove.
//
// RFC 3261 §10.3 steps 6 and 7: a request with the Call-ID of the binding needs a higher CSeq, one with
// another Call-ID needs none. A retransmission is told from a request that has the same Call-ID and CSeq
// by its branch, and is not refused (§17.2.2), since no transaction is kept.
//
// The writer of another Call-ID before the last is remembered too. Where the binding is live, only its
// retransmission counts, so that a UA may come back with any CSeq. Where the binding was removed, its CSeq
// counts as well, so that nothing that was sent before the removal undoes it.
func (reg *Registration) order(b *location.Binding, removal bool) order {
	w := &reg.writer
	switch {
	case removal == b.Removed && sameWriter(&b.Writer, w):
		return processed
	case sameWriter(&b.Before, w):
		return overtaken
	case reg.registrar.lenientCSeq:
		return newer
	case location.StandsFor(b.Writer.CallID, w.CallID):
		return byCSeq(w.CSeq, b.Writer.CSeq)
	case b.Removed && location.StandsFor(b.Before.CallID, w.CallID):
		return byCSeq(w.CSeq, b.Before.CSeq)
	}
	return newer
}

func byCSeq(cseq, last uint32) order {
	if cseq > last {
		return newer
	}
	return older
}

// sameWriter reports whether request b is a, as a binding remembers it, or a retransmission of it.
func sameWriter(a, b *location.Writer) bool {
	return a.CSeq == b.CSeq && a.Branch == b.Branch && location.StandsFor(a.CallID, b.CallID)
}

// history is how a request stands to all the bindings that it names.
type history struct {
	changes   bool  // a binding would be written
	older     bool  // a binding has a CSeq of its Call-ID that is not lower
	repeated  bool  // it has been processed before
	processed int64 // when, in Unix milliseconds; 0 if no binding tells
}

func (h *history) note(o order, b *location.Binding) {
	switch o {
	case older:
		h.older = true
	case processed:
		h.repeated, h.processed = true, b.Updated
	case overtaken:
		h.repeated = true
	case newer:
		h.changes = true
	}
}

// verdict draws the sum. A request was processed whole or not at all: if it has been, and there is nothing
// new in it, it is a retransmission, also where another Call-ID has overtaken it. If there is something new
// in it, it is another request with the same Call-ID and CSeq. If its own Call-ID has gone on, nobody waits
// for the answer any more.
func (h *history) verdict() order {
	switch {
	case h.older, h.repeated && h.changes:
		return older
	case h.repeated:
		return processed
	}
	return newer
}
