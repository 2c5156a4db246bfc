// Package transaction is the transaction layer of SIP: the four state machines of RFC 3261 §17 as RFC 6026
// changes them, and the [Layer] around them, which matches what comes from the network to them, sends again
// what may have been lost, and absorbs what came before.
//
// It implements RFC 3261 §17 with errata 1470 and 2769, §9.1 and what of §9.2 is matching, RFC 6026 §7 and
// RFC 4320 §4. Requests of RFC 2543 clients, which have no magic cookie, are matched too. A Timer B that is
// still set when a provisional response comes is stopped (figure 5 has no arc for it in Proceeding).
//
// It leaves out what is above and below: who a request is for, where it goes, what a 2xx to INVITE and its ACK
// mean (those are the user's), and how bytes get there (a [Sender]'s). A response that no transaction waits
// for is counted and dropped. Multicast has no rule of its own.
//
// Most of what a busy layer holds is finished and only absorbs what comes again: for 32 s the answers to requests
// other than INVITE over UDP. That are records of some 57 bytes and the answer, one behind the other in memory that
// the garbage collector does not see, and the user's part ends as they begin. What is at work and what is finished
// have a bound each ([Config]).
//
// A machine is a function of (state, now, event): it reads no clock and sends nothing. The layer keeps the
// machines in shards by a hash of their branch. A shard's lock owns its transactions, its table, its timers and
// its spare memory: who holds it may touch them, nobody else does. The sender is called with a shard's lock
// held; the user never is, so that it may call the layer back.
package transaction
