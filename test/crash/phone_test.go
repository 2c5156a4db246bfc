package crash

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"biloxi/digest"
	"biloxi/sip"
	"biloxi/siptest"
)

const (
	// t1 is how long a phone waits before it sends a request again over UDP (RFC 3261 §17.1.1.1).
	t1 = 500 * time.Millisecond

	// lastLook is how long a phone whose server is dead looks for an answer that has arrived already.
	lastLook = 50 * time.Millisecond

	// contacts are how many an AOR has at most.
	contacts = 4

	// Expiries that are asked for begin here, and are within what the server grants.
	firstExpiry, expiries = 3600, 80000
)

// phone registers one AOR over one connection, at random and without a pause. One goroutine owns it.
type phone struct {
	*account
	load   *load
	wire   siptest.Wire
	random *rand.Rand

	callID    string
	cseq      uint32
	asks      uint32 // requests so far, for expiries of their own
	challenge sip.Challenge
	count     uint32 // of requests with the challenge's nonce
}

// request is one REGISTER: the contacts it names with their expiries, 0 for removal; or "*"; or a query.
type request struct {
	star    bool
	expires map[string]uint32
}

// errGone says that the server is not there any more.
var errGone = errors.New("the server is gone")

// connect opens the phone's connection to another life of the server. Sometimes the phone has lost its memory too.
func (p *phone) connect(server *process, transport sip.Transport) error {
	to := server.addr[transport]
	if transport == sip.UDP {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		p.wire = siptest.OverPacket(c, to)
	} else {
		c, err := net.Dial("tcp", to.String())
		if err != nil {
			return err
		}
		p.wire = siptest.OverStream(sip.TCP, c)
	}
	if p.callID == "" || p.random.IntN(3) == 0 {
		p.callID, p.cseq = siptest.Token(), 0
	}
	return nil
}

// run registers until the server is gone; then nil. It begins with a query, which must show what is held.
func (p *phone) run() error {
	defer p.wire.Close()
	for r := (request{}); ; r = p.choose() {
		switch err := p.register(r); {
		case errors.Is(err, errGone):
			return nil
		case err != nil:
			return fmt.Errorf("%s over %s: %w", p.user, p.wire.Transport(), err)
		}
		p.load.acknowledge()
	}
}

// choose makes up what a phone may want.
func (p *phone) choose() request {
	p.asks++
	expiry := firstExpiry + p.asks%expiries
	one, other := p.contact(0), p.contact(1)
	switch p.random.IntN(20) {
	case 0:
		return request{star: true}
	case 1:
		return request{}
	case 2, 3, 4, 5:
		return request{expires: map[string]uint32{one: 0}}
	case 6, 7, 8:
		return request{expires: map[string]uint32{one: expiry, other: 0}}
	case 9, 10:
		return request{expires: map[string]uint32{one: expiry, other: expiry}}
	}
	return request{expires: map[string]uint32{one: expiry}}
}

// contact is one of the AOR's contacts: those of different i, one after the other, are different.
func (p *phone) contact(i int) string {
	return fmt.Sprintf("sip:%s@192.0.2.%d:5070", p.user, (p.random.IntN(contacts/2)*2+i)%contacts+1)
}

// register sends a request until it is acknowledged, and answers challenges.
func (p *phone) register(r request) error {
	for range 3 {
		p.cseq++
		p.asked = r.apply(p.held, p.callID, p.cseq)
		answer, err := p.exchange(p.render(r))
		if err != nil {
			return err
		}
		switch answer.StatusCode() {
		case 200:
			p.held, p.asked = p.asked, nil
			return p.compare(answer)
		case 401:
			p.asked = nil
			if err := p.take(answer); err != nil {
				return err
			}
		case 503:
			// RFC 3261 §21.5.4: a server that goes down takes no more, and has changed nothing.
			if p.asked = nil; p.load.ending.Load() {
				return errGone
			}
			return fmt.Errorf("got\n%s", answer.Bytes())
		default:
			return fmt.Errorf("got\n%s", answer.Bytes())
		}
	}
	return errors.New("challenged again and again")
}

// apply is what a request makes of an AOR.
func (r request) apply(held bindings, callID string, cseq uint32) bindings {
	next := maps.Clone(held)
	if r.star {
		clear(next)
	}
	for contact, expires := range r.expires {
		if delete(next, contact); expires > 0 {
			next[contact] = binding{callID, cseq, expires}
		}
	}
	return next
}

// compare sees that a 200 lists what is held (RFC 3261 §10.3 step 8).
func (p *phone) compare(answer *sip.Message) error {
	var listed []string
	values := answer.Values(sip.HeaderContact)
	for values.Next() {
		listed = append(listed, string(values.URI.Raw()))
	}
	slices.Sort(listed)
	if held := slices.Sorted(maps.Keys(p.held)); values.Err() != nil || !slices.Equal(listed, held) {
		return fmt.Errorf("holds %q but got %v\n%s", held, values.Err(), answer.Bytes())
	}
	return nil
}

// take keeps the challenge of a 401.
func (p *phone) take(answer *sip.Message) error {
	value, _ := answer.Value(sip.HeaderWWWAuthenticate)
	c, isDigest, err := sip.ParseChallenge(bytes.Clone(value))
	if err != nil || !isDigest || !digest.CanAnswer(c) {
		return fmt.Errorf("a challenge that cannot be answered: %v\n%s", err, answer.Bytes())
	}
	p.challenge, p.count = c, 0
	return nil
}

func (p *phone) render(r request) []byte {
	uri := "sip:" + domain
	aor := "sip:" + p.user + "@" + domain
	var b strings.Builder
	fmt.Fprintf(&b, "REGISTER %s SIP/2.0\r\n", uri)
	fmt.Fprintf(&b, "Via: SIP/2.0/%s %s;branch=%s%s;rport\r\n", p.wire.Transport(), p.wire.Local(), sip.MagicCookie, siptest.Token())
	fmt.Fprintf(&b, "Max-Forwards: 70\r\nFrom: <%s>;tag=%s\r\nTo: <%s>\r\n", aor, p.callID, aor)
	fmt.Fprintf(&b, "Call-ID: %s\r\nCSeq: %d REGISTER\r\n", p.callID, p.cseq)
	if r.star {
		b.WriteString("Contact: *\r\nExpires: 0\r\n")
	}
	for contact, expires := range r.expires {
		fmt.Fprintf(&b, "Contact: <%s>;expires=%d\r\n", contact, expires)
	}
	if p.challenge.Nonce != nil {
		p.count++
		b.Write(digest.AppendAuthorization(nil, sip.HeaderAuthorization, sip.Register, []byte(uri), p.challenge,
			[]byte(p.user), []byte(password(p.user)), p.count, []byte(siptest.Token()), nil))
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return []byte(b.String())
}

// exchange sends a request and returns its final answer; errGone if the server was ended before.
func (p *phone) exchange(request []byte) (*sip.Message, error) {
	if err := p.send(request); err != nil {
		return nil, err
	}
	for {
		dead := p.load.dead()
		wait := t1
		if dead {
			wait = lastLook
		}
		b, err := p.wire.Receive(wait)
		switch {
		case err == nil:
			answer := new(sip.Message)
			if err := answer.Parse(b); err != nil {
				return nil, fmt.Errorf("%w in\n%s", err, b)
			}
			if p.answers(answer) {
				return answer, nil
			}
		case dead:
			return nil, errGone
		case errors.Is(err, siptest.ErrSilence):
			if p.wire.Transport() == sip.UDP {
				if err := p.send(request); err != nil {
					return nil, err
				}
			}
		default:
			return nil, p.lost(err)
		}
	}
}

func (p *phone) send(request []byte) error {
	if err := p.wire.Send(request); err != nil {
		return p.lost(err)
	}
	return nil
}

// lost says what a connection that fails means: nothing, when the server is being ended.
func (p *phone) lost(err error) error {
	if p.load.ending.Load() {
		return errGone
	}
	return fmt.Errorf("the connection is lost while the server lives: %w", err)
}

// answers reports whether a response is that to the phone's last request, and not a second one to a request that was
// sent twice.
func (p *phone) answers(m *sip.Message) bool {
	cseq, err := m.CSeq()
	return err == nil && cseq.Number == p.cseq && string(m.CallID()) == p.callID
}
