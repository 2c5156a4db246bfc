// Package resolve finds where a request to a SIP or SIPS URI can be sent: the servers of RFC 3263 §4, in
// the order in which they are to be tried, with transport, address and port; and where a response can
// still go when its first way has failed (§5).
//
// NAPTR, SRV (RFC 2782) and address records of both families (RFC 7984) are asked of name servers by DNS
// (RFC 1035, EDNS0 by RFC 6891) and remembered for as long as they may be, negative answers too
// (RFC 2308). A look-up that memory can answer is answered at once and does not allocate; any other is
// answered later by a bounded number of workers, so that nobody who reads a socket waits for DNS.
//
// Who asks says in whose name ([Asker]): sources and zones take turns and have bounds, strangers come last, and a zone
// that does not answer is left alone for a while, so that nobody waits for it who asks for something else.
//
// The caller walks the list (§4.3) and says which target failed; such a one is put last for a while.
//
// Which records count:
//   - Of NAPTR records those of the lowest order that lead to a server are taken, all of that order, by
//     preference; a higher order is looked at only if a lower one leads nowhere (RFC 3403 §4.1).
//   - NAPTR records that cannot be had because a name server fails are treated as none, since some
//     servers know only the common types. An SRV record that cannot be had is an error, since the address
//     of a domain may be another server than the one that SRV names.
//   - Additional records serve the answer that they came with, and are not remembered under their own
//     names: a domain can redirect itself only.
//
// Left out: SCTP and WebSocket as a client, DNSSEC, search lists (a host of a URI is a whole name), a
// fixed order for stateless proxies (§4.4), and the routing table of RFC 6724 (the order of families is
// configured).
package resolve
