// Package bench is a load generator for SIP servers: it plays many phones, checks every answer, and measures
// latency and what the server's processes cost.
//
// It implements, for its own requests alone, RFC 3261 §8.1 and §17.1 (clients and their retransmissions),
// §10.2 (REGISTER), §12 and §13 (a call, with its route set), §13.3.1.4 (the callee's 200 until the ACK),
// RFC 3581 (rport), RFC 3428 (MESSAGE) and the client's side of RFC 7616. Over UDP, TCP and TLS.
//
// It leaves out what a phone needs and a measurement does not: the lookup of names in the DNS, CANCEL, and
// following a 3xx, which counts as a wrong answer.
//
// One goroutine owns a socket or connection with all that goes over it, so that nothing is locked; requests
// are laid out from parts that were made before, and one operation allocates nothing.
package bench
