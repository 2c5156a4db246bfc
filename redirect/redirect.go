// Package redirect answers a request with where its target is to be found (RFC 3261 §8.3), as a function of the
// time, the request and the record of the location service. RFC 5630 §5.4 lets each contact keep its scheme.
//
// It issues no request and keeps nothing: the transaction, its retransmissions, its ACK and CANCEL, are the server's.
// It leaves out 301 and a list of choices in a body (300).
package redirect

import (
	"net/netip"
	"strconv"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// Append appends the final response to a request for an address-of-record of ours, and returns its status:
//
//   - 302 with the contacts that live at now, by falling q, each as it was registered, with its parameters, its q if
//     it gave one, and how long it is still valid. Contacts that are no SIP URIs are among them.
//   - 404 if there is no such user (exists is false), or if all of his contacts are the Request-URI itself.
//   - 480 if he has no contact.
//
// rec is what the location service shows; its bindings are sorted. toTag is a tag for the To, src where the request
// came from. What the request requires, and its method, make no difference.
func Append(dst []byte, now time.Time, req *sip.Request, rec *location.Record, exists bool, toTag []byte, src netip.AddrPort) (b []byte, status int) {
	ms := now.UnixMilli()
	rec.Live(ms)
	rec.SortByQ()
	status = choose(req, rec, exists)
	b = req.AppendResponse(dst, status, "", toTag, src)
	if status == 302 {
		for i := range rec.Bindings {
			if !toItself(req, &rec.Bindings[i]) {
				b = appendContact(b, &rec.Bindings[i], ms)
			}
		}
	}
	return sip.AppendEnd(b, nil), status
}

// choose is the status of the response.
func choose(req *sip.Request, rec *location.Record, exists bool) int {
	switch {
	case !exists:
		return 404
	case len(rec.Bindings) == 0:
		return 480
	}
	for i := range rec.Bindings {
		if !toItself(req, &rec.Bindings[i]) {
			return 302
		}
	}
	return 404
}

// toItself reports whether a contact is the Request-URI. RFC 3261 §8.3: nobody is redirected there.
func toItself(req *sip.Request, b *location.Binding) bool {
	u, err := sip.ParseURI(b.Contact)
	return err == nil && u.Equal(req.Target)
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
	if b.Expires != location.Never {
		// RFC 3261 §8.3: how long the URI is valid, in seconds; rounded up, at least 1.
		const second = int64(time.Second / time.Millisecond)
		left := min((b.Expires-at+second-1)/second, sip.MaxDeltaSeconds)
		dst = append(dst, ";expires="...)
		dst = strconv.AppendInt(dst, left, 10)
	}
	return append(dst, "\r\n"...)
}
