// Package proxy is the core of a stateful proxy: what RFC 3261 §16 does with a request between its server
// transaction and its client transactions, as functions of their input.
//
// A request goes through [Proxy.Validate] (§16.3) and [Received.Preprocess] (§16.4); a [TargetSet] is made for
// it (§16.5); a [ResponseContext] says when a copy goes to which target, when a branch is cancelled and which
// response goes back (§16.7 to §16.10); [Received.NextHop] and [Received.Append] make each copy (§16.6), and
// [AppendPopped] each response. None of them reads a clock, sends, waits or logs: time is a parameter, and what
// is to be done comes back as [Action] values.
//
// A copy is the received bytes with a list of edits, in one output buffer: what no step of §16.6 names stays
// byte for byte and in its order, the body included.
//
// It implements RFC 3261 §16 with errata, RFC 5393 (loops and Max-Breadth), RFC 3327 §5.4, RFC 5626 §5.3 (flow
// tokens) and §7, RFC 5630 §5.3, and of RFC 4320 that a request other than INVITE gets no 408 and no
// provisional response. Where its two sides differ it puts two values into Record-Route (RFC 5658), so that no
// response has to be rewritten (§16.7 step 8).
//
// That a request is of a dialog which was made through this element, and goes to the other end of it, is shown by a
// parameter of our own in Record-Route ([Proxy.Prove], [Proxy.Proves], [Proxy.Answered]), of which no RFC says anything.
//
// It leaves out who may do what (§16.3 step 6), which is the server's and digest's; a 416 is not tried again
// with another scheme, for the Request-URI is never given one; Expires of an INVITE cancels nothing.
//
// Who owns what: a Proxy is not changed by use and serves any number of goroutines. A Received, a TargetSet and
// a ResponseContext are for one goroutine at a time; the server sees to that with a lock per context.
package proxy
