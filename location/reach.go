package location

import (
	"bytes"

	"biloxi/sip"
)

// Flows knows which flows are there.
type Flows interface {
	// Alive reports whether something can be sent over the flow: a connection is open. UDP is always alive.
	Alive(flow sip.Flow) bool
}

// Gone reports whether the connection has closed that the binding was registered over, as all have after a
// restart: then nobody reaches the phone over it, and it registers again. nil flows knows no connection.
//
// It is never so over UDP. With a Path (RFC 3327) the flow is that of the proxy in between, which can be
// connected to anew; and a contact that is no SIP URI needs none.
func (b *Binding) Gone(flows Flows) bool {
	if !b.Flow.Transport.Reliable() || b.Path != nil || !isSIP(b.Contact) {
		return false
	}
	return flows == nil || !flows.Alive(b.Flow)
}

// isSIP reports whether a URI that has been parsed before is a sip or sips URI.
func isSIP(uri []byte) bool {
	scheme, _, _ := bytes.Cut(uri, []byte(":"))
	return bytes.EqualFold(scheme, []byte("sip")) || bytes.EqualFold(scheme, []byte("sips"))
}
