package resolve

import (
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// The types of records that we ask for.
const (
	typeA     = dns.TypeA
	typeAAAA  = dns.TypeAAAA
	typeSRV   = dns.TypeSRV
	typeNAPTR = dns.TypeNAPTR
)

func typeName(qtype uint16) string { return dns.TypeToString[qtype] }

// question is a name and the type of its records that are wanted. The name is in lower case, without the
// dot at its end.
type question struct {
	name  string
	qtype uint16
}

// outcome tells what is known about a question.
type outcome uint8

const (
	failed     outcome = iota // nothing: the name servers failed or said nothing
	none                      // there is no such record
	notOffered                // RFC 2782: the one SRV record has the target "."
	found                     // there are records
)

// answer is what is known about a question. It is not changed once others can see it.
type answer struct {
	outcome outcome
	asked   string // the name of the question
	alias   string // RFC 1034 §3.6.2: not empty: the name to ask instead; then nothing else holds
	naptr   []naptr
	srv     []srv
	addrs   []netip.Addr
	extra   []extra // the additional records
	err     *Error  // of any outcome but found
	expires time.Time
	took    time.Duration // until it was there
}

// unheard reports whether nobody who knows has answered.
func (a *answer) unheard() bool {
	return a.err != nil && (a.err.Kind == ErrTimeout && a.took > 0 || a.err.Kind == ErrServerFailure && a.took >= slowFailure)
}

// extra is an answer that came in the additional section of another.
type extra struct {
	question
	*answer
}

// additional returns what came with the answer about another name, nil if that is nothing, or too old.
func (a *answer) additional(name []byte, qtype uint16, now time.Time) *answer {
	for i := range a.extra {
		e := &a.extra[i]
		if e.qtype == qtype && e.name == string(name) && now.Before(e.expires) {
			return e.answer
		}
	}
	return nil
}
