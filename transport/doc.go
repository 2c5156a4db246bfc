// Package transport moves SIP messages between sockets and a Handler: UDP, TCP and TLS over IPv4 and IPv6
// (RFC 3261 §18, RFC 3581 §4, RFC 5626 §4.4.1, certificates by RFC 5922 §7).
//
// A message arrives with its [sip.Flow] and runs to its answer on the goroutine that read it; answers of
// one read leave in one write ([Out]). An answer that must wait, for a disk say, goes out later by
// [Transport.Send]. The package does not parse messages: framing is [sip.Frame], and where an answer goes
// over UDP is the caller's to say ([sip.Via.ResponseAddr]).
//
// A request that we send goes along a flow of [Transport.Open]: a socket of ours, or a connection that is opened
// or found open. It leaves by [Transport.Send] too, and [Config.Undelivered] tells what did not.
//
// A STUN Binding request on the SIP port is answered here (RFC 5626 §4.4.2).
//
// Left out: WebSocket (RFC 7118), requests to a peer down a connection that the peer opened because of the alias
// parameter (RFC 5923 §5), multicast, changing a request that is too large for UDP to TCP (RFC 3261 §18.1.1, the
// matter of who makes it).
package transport
