// Package admin is how a server is administered: subscribers, what is registered, status and reload.
//
// [Admin] is all that can be asked. [Direct] does it, on the stores that it is given. A running server
// has a Direct behind [Handler], as HTTP with JSON over a Unix socket in its data folder; [Client] asks it
// there. Where no server runs, the command line opens the stores and uses a Direct of its own.
//
// The socket is for its owner alone (mode 0600): who may open it may do everything, so nothing else is
// asked of a client.
package admin
