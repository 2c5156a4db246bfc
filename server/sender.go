package server

import (
	"log/slog"

	"biloxi/sip"
)

// sender tells one phone from another behind the same address, in the log. Its slices are the request's,
// each nil where it cannot be read.
type sender struct {
	to        []byte // To: the address-of-record that a REGISTER is for
	username  []byte // of the credentials
	callID    []byte
	userAgent []byte
}

// sender reads who sent the message of x.
func (x *exchange) sender() sender { return senderOf(&x.msg) }

func senderOf(m *sip.Message) (w sender) {
	w.to, _ = m.Value(sip.HeaderTo)
	w.callID, _ = m.Value(sip.HeaderCallID)
	w.userAgent, _ = m.Value(sip.HeaderUserAgent)
	return w
}

// attrs are what is known, for a line of the log.
func (w sender) attrs() (list []slog.Attr) {
	for _, a := range [...]struct {
		key   string
		value []byte
	}{{"to", w.to}, {"username", w.username}, {"call_id", w.callID}, {"user_agent", w.userAgent}} {
		if len(a.value) > 0 {
			list = append(list, slog.String(a.key, string(a.value[:min(len(a.value), maxLogged)])))
		}
	}
	return list
}
