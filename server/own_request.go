package server

import (
	"bytes"
	"time"

	"biloxi/location"
	"biloxi/proxy"
	"biloxi/sip"
)

// toOthers leaves out of x.record what a request of a user to their own address-of-record, d's, is not for: the phone
// that sent it, and phones that do not know its method (RFC 3840 §10, methods). A phone that asks for its voice mail so
// would get its own question. Nil if there is somebody else, or it is any other request; else the answer that ends it.
//
// A MESSAGE goes to the user's other phones; to the one that sent it if there is no other.
func (x *exchange) toOthers(now time.Time, st *state, d *domain) *proxy.Refusal {
	var nobody *proxy.Refusal
	switch x.req.Method() {
	case sip.Subscribe:
		nobody = proxy.BadEvent
	case sip.Publish:
		nobody = proxy.PublishNotAllowed
	case sip.Notify:
		nobody = proxy.NoSubscription
	case sip.MESSAGE:
	default:
		return nil
	}
	if x.req.To.Tag() != nil || !x.toThemselves(st, d) {
		return nil
	}
	others, ms := 0, now.UnixMilli()
	for i := range x.record.Bindings {
		if b := &x.record.Bindings[i]; !b.Removed && b.Expires > ms && x.isOther(b) {
			others++
		}
	}
	if others == 0 {
		return nobody
	}
	for i := range x.record.Bindings {
		if b := &x.record.Bindings[i]; !x.isOther(b) {
			b.Removed = true // in this copy
		}
	}
	return nil
}

// toThemselves reports whether From is the address-of-record that the request is for, which x.aor is.
func (x *exchange) toThemselves(st *state, d *domain) bool {
	if claimedDomain(st, x) != d {
		return false
	}
	x.own = location.AppendAOR(x.own[:0], x.req.From.URI.User, d.name)
	return bytes.Equal(x.own, x.aor)
}

// isOther reports whether a contact is another phone's than the sender's, and one that knows the method.
func (x *exchange) isOther(b *location.Binding) bool {
	if b.Flow.Transport == x.flow.Transport && b.Flow.Remote == x.flow.Remote && b.Flow.Serial == x.flow.Serial {
		return false
	}
	if methods, ok := sip.Params(b.Params).Value("methods"); ok && !listsMethod(methods, x.req.Method()) {
		return false
	}
	value, ok := x.msg.Value(sip.HeaderContact)
	if !ok {
		return true
	}
	contact, _, err := sip.NextNameAddr(value)
	if err != nil {
		return true
	}
	if instance, ok := contact.Params.Value("+sip.instance"); ok && b.Instance != nil && bytes.Equal(bytes.Trim(instance, `"`), b.Instance) {
		return false
	}
	u, err := sip.ParseURI(b.Contact)
	return err != nil || !u.Equal(contact.URI)
}

// listsMethod reports whether a methods parameter has a method.
func listsMethod(list []byte, m sip.Method) bool {
	for list = bytes.Trim(list, `"`); len(list) > 0; {
		var one []byte
		one, list, _ = bytes.Cut(list, []byte{','})
		if string(bytes.TrimSpace(one)) == string(m) {
			return true
		}
	}
	return false
}
