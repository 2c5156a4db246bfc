package resolve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// errMalformed is of an answer that is no DNS message.
var errMalformed = errors.New("malformed")

// ask asks the name servers one after the other, and again those who said nothing. It always has an
// answer, be it that none could be had.
func (r *Resolver) ask(up *upstream, q question) *answer {
	ctx, cancel := context.WithTimeout(r.ctx, questionTime)
	defer cancel()
	servers := up.order(r.cfg.Now())
	var failure error
	var asked []string
	for try := range attempts {
		for i, s := range servers {
			if s == nil || ctx.Err() != nil {
				continue
			}
			if try == 0 {
				asked = append(asked, s.addr.String())
			}
			a, answered, err := r.askServer(ctx, s, q, tryTime<<try)
			if err == nil {
				return a
			}
			if answered {
				failure, servers[i] = err, nil
			}
		}
	}
	e := &Error{Name: q.name, Type: typeName(q.qtype)}
	switch {
	case failure != nil:
		e.Kind = ErrServerFailure
		e.Detail = failure.Error()
	case len(servers) == 0:
		e.Kind = ErrTimeout
		e.Detail = "no name server is configured: name one, or give the host an address"
	default:
		e.Kind = ErrTimeout
		e.Detail = "no answer from " + strings.Join(asked, ", ") + ": see whether a name server runs there and the network lets DNS through, or name another one"
	}
	return &answer{outcome: failed, asked: q.name, err: e, expires: r.cfg.Now().Add(failureTTL)}
}

// askServer asks one server; answered tells an answer that is of no use from none that came in time.
func (r *Resolver) askServer(ctx context.Context, s *server, q question, wait time.Duration) (a *answer, answered bool, err error) {
	m, err := r.exchange(ctx, s, q, wait, true)
	if err == nil && (m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented) {
		// RFC 6891 §6.2.2: a server that does not know EDNS gets the question without.
		m, err = r.exchange(ctx, s, q, wait, false)
	}
	if err != nil && err != errMalformed {
		s.rest.Store(r.cfg.Now().Add(serverRest).UnixNano())
		return nil, false, err
	}
	s.rest.Store(0)
	switch {
	case err != nil:
		err = fmt.Errorf("what %v answered is malformed: see what runs there", s.addr)
	case !m.answers(q):
		err = fmt.Errorf("%v answered another question than was asked: see what runs there", s.addr)
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		err = fmt.Errorf("%v answered %s: its log, or `dig @%v -p %d %s %s`, may say why",
			s.addr, rcodeName(m.Rcode), s.addr.Addr(), s.addr.Port(), q.name, typeName(q.qtype))
	case m.lame():
		err = fmt.Errorf("%v refers to other servers and does not ask them itself: name a recursive one", s.addr)
	default:
		return m.answer(q, s.addr), true, nil
	}
	return nil, true, err
}

// exchange gets one server's answer: by UDP, and by TCP if it does not fit (RFC 1035 §4.2.1, RFC 7766 §5).
func (r *Resolver) exchange(ctx context.Context, s *server, q question, wait time.Duration, edns bool) (*message, error) {
	query, err := newQuery(q, edns)
	if err != nil {
		return nil, err
	}
	b, err := r.try(ctx, wait, "udp", s, query)
	if err == nil && truncated(b) {
		b, err = r.try(ctx, wait, "tcp", s, query)
	}
	if err != nil {
		return nil, err
	}
	m := &message{Msg: new(dns.Msg), now: r.cfg.Now()}
	if !sameID(b, query) || m.Unpack(b) != nil {
		return nil, errMalformed
	}
	return m, nil
}

func (r *Resolver) try(ctx context.Context, wait time.Duration, network string, s *server, query []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	r.counts.exchanges.Add(1)
	return r.cfg.Exchanger.Exchange(ctx, network, s.addr, query)
}

func rcodeName(rcode int) string {
	if name, ok := dns.RcodeToString[rcode]; ok {
		return name
	}
	return fmt.Sprintf("code %d", rcode)
}

// late is the answer to a question whose turn came when nobody waited any more.
func late(q question, now time.Time) *answer {
	return &answer{outcome: failed, asked: q.name, expires: now, err: tooLate(q.name)}
}

// unasked is the answer to a question that is not asked, since its zone did not answer others a moment ago.
func unasked(q question, now time.Time) *answer {
	return &answer{outcome: failed, asked: q.name, expires: now, err: &Error{Name: q.name, Type: typeName(q.qtype), Kind: ErrTimeout,
		Detail: "no name server of " + zoneOf(q.name) + " answered lately: it is asked again in a while"}}
}

func tooLate(name string) *Error {
	return &Error{Name: name, Kind: ErrTimeout,
		Detail: fmt.Sprintf("not found within %v: the name servers are slow, or there is too much to ask them", lookupTime)}
}
