// Package registrar turns a REGISTER into a response and a change of the bindings of one
// address-of-record: a function of the time, the request and the record. It has no clock, no I/O, no
// goroutine, no log and no store.
//
// It implements RFC 3261 §10.3 steps 2, 6, 7 and 8, the registrar's part of RFC 3327 (Path), RFC 3608
// (Service-Route), RFC 5626 §6 (bindings by instance and reg-id) and RFC 5630 §5.2 (sips Contacts). Steps
// 1, 3, 4 and 5, which decide whose request it is, belong to its caller. It leaves out RFC 5627 (GRUU) and
// Flow-Timer.
//
// A request takes two calls. [Registrar.Prepare] does all that needs no state: it either has the final
// answer, or a 200 ready but for its Contacts. [Registration.Apply] then runs with the record locked,
// takes all contacts or none, and ends the response.
package registrar
