package server

import "biloxi/sip"

// undelivered is told by the transport of a message that it took and could not deliver: the transaction that sent it
// learns of it (RFC 3261 §18.4), or who holds it.
func (s *Server) undelivered(_ sip.Flow, b []byte, err error) {
	x := s.exchanges.Get().(*exchange)
	defer x.release()
	_ = x.msg.Parse(b) // ICMP brings back the head of a message: enough if its Via and CSeq can be read
	if !s.ackLost(&x.msg) {
		s.transactions.Undelivered(s.now(), &x.msg, err)
	}
	s.transport.Flush()
}
