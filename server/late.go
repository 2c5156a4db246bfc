package server

import (
	"time"

	"biloxi/proxy"
	"biloxi/sip"
	"biloxi/transaction"
)

// late owns the transactions of an INVITE that has succeeded, for as long as they live: all that is left to do is to
// pass further 2xx on, each of another phone behind a fork or sent again (RFC 3261 §16.7 step 10, RFC 6026 §7.2). The
// relay does not wait for them. A late never changes.
type late struct {
	server *Server
	tx     transaction.ID // the server transaction
}

// pass passes a 2xx on; nothing else is wanted any more.
func (l *late) pass(now time.Time, resp *sip.Message, cutIdentity bool) {
	if resp.StatusCode()/100 != 2 || proxy.Damage(resp, nil) != "" {
		return
	}
	d := drafts.Get().(*draft)
	defer d.release()
	b, ok := proxy.AppendPopped(d.message[:0], resp)
	d.message = b
	if ok {
		if cutIdentity {
			b = proxy.CutIdentity(b)
		}
		l.server.ledger.answer(resp.StatusCode())
		_ = l.server.transactions.Respond(now, l.tx, b)
	}
}

// handOver ends a relay's part in a transaction: what still comes of it is heard by l, by nobody if that is nil.
// False: it is over, and the relay hears so.
func (s *Server) handOver(id transaction.ID, l *late) bool {
	if id.IsZero() {
		return false
	}
	if l == nil {
		return s.transactions.Detach(id)
	}
	return s.transactions.Own(id, l)
}
