// Package subscriber is who a server serves: subscribers with the hashes of their passwords, and the
// domains that they are in.
//
// It holds the Store interface of what is durable, the Cache that answers a request without it, and the
// reader of files to import. Of RFC 3261 §22 it has the credentials alone; what they are for is the
// digest package's. A password is never kept: only H(A1) of RFC 7616 §3.4.2, one for each algorithm.
package subscriber
