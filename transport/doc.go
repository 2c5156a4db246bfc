// Package transport moves SIP messages between sockets and a Handler: UDP, TCP and TLS over IPv4 and IPv6
// (RFC 3261 §18, RFC 3581 §4, RFC 5626 §4.4.1, certificates by RFC 5922 §7).
//
// A message arrives with its [sip.Flow] and runs to its answer on the goroutine that read it; answers of
// one read leave in one write ([Out]). An answer that must wait, for a disk say, goes out later by
// [Transport.Send]. The package does not parse messages: framing is [sip.Frame], and where an answer goes
// over UDP is the caller's to say ([sip.Via.ResponseAddr]).
//
// A STUN Binding request on the SIP port is answered here (RFC 5626 §4.4.2).
//
// Left out: WebSocket (RFC 7118), connection reuse for requests (RFC 5923), multicast, fragmenting requests from UDP to TCP
// (RFC 3261 §18.1.1, a client's matter).
package transport
