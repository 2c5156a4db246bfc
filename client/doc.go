// Package client is two small user agents for diagnosis, over UDP, TCP and TLS.
//
// A [Client] registers, asks for and removes the bindings of an address of record, and sends OPTIONS, to any
// SIP server, over one connection of its own. An [Agent] makes a call, or registers and answers calls; it stands
// on package transport. The transactions of both are those of package transaction.
//
// They implement RFC 3261 §8.1 (requests and their answers), §8.2 (answering), §9 (CANCEL), §10.2 (REGISTER),
// §11 (OPTIONS), §12 (dialogs, with loose and strict routers), §13 and §14 (INVITE and re-INVITE), §15 (BYE),
// §18.1 (sending), §22.2 and §22.3 (credentials, at
// several proxies), RFC 3581 (rport), RFC 7616 and RFC 8760 (digest, by package digest) and RFC 5922 §7 (whose
// certificate it is).
//
// They leave out media: an Agent offers and takes audio that neither side sends (RFC 3264, inactive). NAPTR and
// SRV are not looked up: a domain is found by A and AAAA. There is no WebSocket, no PRACK, UPDATE, REFER or
// session timer, no re-INVITE of an Agent's own, and a Client follows no 3xx.
package client
