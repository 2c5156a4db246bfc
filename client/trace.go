package client

import (
	"net/netip"
	"time"

	"biloxi/sip"
)

// Traced is one message that went or came, for Config.Trace. Bytes are valid during the call only.
type Traced struct {
	Time          time.Time
	Sent          bool // by the client; else it came from the server
	Transport     sip.Transport
	Local, Remote netip.AddrPort
	Bytes         []byte // may be no message at all, if it came
	Again         bool   // sent before: a retransmission
	Ignored       bool   // came, and is no answer to the request
}
