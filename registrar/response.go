package registrar

import (
	"bytes"
	"strconv"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// begin makes all of the 200 that comes before its Contacts.
func (reg *Registration) begin(req *sip.Request, toTag []byte) {
	b := req.AppendResponse(reg.ok[:0], 200, "OK", toTag, reg.flow.Remote)
	reg.statusLine = bytes.IndexByte(b, '\n') + 1
	reg.mirrored = len(b)
	// RFC 3261 §10.3 step 8: Date.
	b = append(b, "Date: "...)
	reg.date = len(b)
	b = append(b, reg.dateOf(reg.now)...)
	b = append(b, "\r\n"...)
	if reg.outbound {
		// RFC 5626 §6: the UA asked, and its reg-id counts.
		b = sip.AppendFieldString(b, sip.HeaderRequire, "outbound")
	}
	if reg.path != nil {
		// RFC 3327 §5.3: the Path values of the request.
		b = sip.AppendField(b, sip.HeaderPath, reg.path)
	}
	// RFC 3608 §6.3: the same to a query as to a registration.
	reg.ok = append(b, reg.registrar.serviceRoute...)
	reg.prepared = len(reg.ok)
}

// finish ends the 200 as it is at a time, in Unix milliseconds. RFC 3261 §10.3 step 8: all current bindings
// of the AOR, also those of other UAs, each with the expires that remains.
func (reg *Registration) finish(rec *location.Record, at int64) {
	copy(reg.ok[reg.date:], reg.dateOf(at)) // all dates are equally long
	b := reg.ok[:reg.prepared]
	for i := range rec.Bindings {
		if binding := &rec.Bindings[i]; !binding.Removed {
			b = appendContact(b, binding, at)
		}
	}
	reg.ok = sip.AppendEnd(b, nil)
	reg.Response = reg.ok
}

// dateOf is the SIP-date of a time in Unix milliseconds, valid until the next.
func (reg *Registration) dateOf(ms int64) []byte {
	if second := (ms + reg.Ahead.Milliseconds()) / 1000; second != reg.dateSecond || len(reg.dateText) == 0 {
		reg.dateText, reg.dateSecond = sip.AppendDate(reg.dateText[:0], time.Unix(second, 0)), second
	}
	return reg.dateText
}

func appendContact(dst []byte, b *location.Binding, at int64) []byte {
	dst = append(dst, "Contact: <"...)
	dst = append(dst, b.Contact...)
	dst = append(dst, '>')
	if b.HasQ {
		dst = append(dst, ";q="...)
		dst = b.Q.Append(dst)
	}
	dst = append(dst, b.Params...)
	dst = append(dst, ";expires="...)
	dst = strconv.AppendUint(dst, uint64(remaining(b, at)), 10)
	return append(dst, "\r\n"...)
}

// remaining is what is left of a binding at a time, in seconds, rounded up: a live binding has at least 1,
// and one that was made this moment exactly what it was granted. It is never more than that, also when
// the clock went back.
func remaining(b *location.Binding, at int64) uint32 {
	if b.Expires == location.Never {
		return neverSeconds
	}
	seconds := (b.Expires - at + 999) / 1000
	return uint32(min(max(seconds, 1), int64(max(b.Granted, 1))))
}
