// Package defence decides whose guesses are looked at: the defence of a server against those who try passwords, or
// ask for one name after the other.
//
// A [Table] counts what was wrong, for each source and each user: wrong passwords, unknown users. A source is an IPv4
// address, or an IPv6 /64; its /56 is counted beside it, since one customer may have all of that. A source that had
// many wrong answers is throttled: of what it tries, one attempt in a while is looked at ([Policy.Interval]), and the
// rest is not. One that goes on is refused for a while, and then let in again.
//
// An office of phones may share one address. So each user of a source is counted alone too: one phone with an old
// password is throttled alone, long before it weighs on the others, and a user who is registered from a source is
// looked at while that source is throttled or refused. A user who is attacked from everywhere is never locked out:
// each source has some tries of its own, only fewer ([Policy.Tries]).
//
// Nothing waits here and nothing is sent: the caller drops what is delayed, so that the client's own retransmission
// is the delay, and keeps nothing for it. It is a function of time and input; it reads no clock, starts nothing, and
// allocates only as it grows to its bounds (limits.go). RFC 3261 §26.3.2.4 asks a server to bound what strangers can
// make it do, and leaves how to it.
package defence
