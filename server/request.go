package server

import (
	"bytes"

	"biloxi/proxy"
	"biloxi/sip"
)

// request is a message that was received, and what has been read of it. It begins with an exchange; if it is forwarded,
// the relay takes it over as it is.
type request struct {
	raw []byte // a copy of its bytes, if it may be forwarded
	msg sip.Message
	req sip.Request
	in  proxy.Received // of what may be forwarded
}

// parse reads a message. What may be forwarded is copied before, since it outlives the reader's memory; what never is,
// a REGISTER or a response, refers to b.
func (r *request) parse(b []byte) error {
	if !bytes.HasPrefix(b, []byte(sip.Register+" ")) && !bytes.HasPrefix(b, []byte("SIP/")) {
		r.raw = append(r.raw[:0], b...)
		b = r.raw
	}
	return r.msg.Parse(b)
}

// trim lets go of what one large message made.
func (r *request) trim() {
	if cap(r.raw) > maxKept {
		r.raw = nil
	}
}
