package siptest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"biloxi/sip"
)

// Phone is a scripted user agent client. It sends what a test tells it to, as raw text, and hands back
// what came: it has no transaction layer, no dialogs, and opinions only where a test gives none. It
// fails its test when nothing comes, or something that is no SIP. One goroutine at a time may use it.
type Phone struct {
	T        testing.TB
	Conn     Wire
	Domain   string // of its AOR, and of the Request-URI
	User     string // of its AOR, and of its credentials
	Password string
	Scheme   string        // "sip" or "sips"
	CallID   string        // of its next request
	CSeq     uint32        // of its last request
	FromTag  string        // of its requests
	Wait     time.Duration // for an answer

	Sent      []byte    // the last request
	challenge Challenge // that it answers unasked; zero if it has seen none
	count     uint32    // of requests with that nonce
	trace     func(sent bool, message []byte)
}

// NewPhone returns the phone of a user. The Call-ID and tag are new.
func NewPhone(t testing.TB, c Wire, user, domain, password string) *Phone {
	p := &Phone{T: t, Conn: c, Domain: domain, User: user, Password: password, Scheme: "sip", CallID: Token(),
		FromTag: Token(), Wait: 5 * time.Second}
	if c.Transport().Secure() {
		p.Scheme = "sips"
	}
	return p
}

// Token is a random token, new with each call.
func Token() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// AOR is the phone's address-of-record.
func (p *Phone) AOR() string { return p.Scheme + ":" + p.User + "@" + p.Domain }

// Trace has fn called with every message that the phone sends and gets. The bytes are valid during the
// call only.
func (p *Phone) Trace(fn func(sent bool, message []byte)) { p.trace = fn }

// Reboot makes the phone forget its Call-ID, CSeq and nonce, as one that lost power.
func (p *Phone) Reboot() {
	p.CallID, p.FromTag, p.CSeq = Token(), Token(), 0
	p.challenge, p.count = Challenge{}, 0
}

// Register sends one REGISTER with credentials, and returns its answer. The phone gets itself a nonce
// first, by a query of another Call-ID, if it has none. An answer that the nonce is stale is followed by
// a second REGISTER with the new one.
func (p *Phone) Register(edits ...Edit) *Response {
	p.T.Helper()
	if p.challenge.Nonce == "" {
		p.Challenged()
	}
	r := p.Once(append([]Edit{authorized(p)}, edits...)...)
	if c, ok := r.challenge(); ok && c.Stale {
		p.challenge, p.count = c, 0
		r = p.Once(append([]Edit{authorized(p)}, edits...)...)
	}
	return r
}

// Query asks for the bindings of the AOR, in a Call-ID of its own that no later request shares.
func (p *Phone) Query(edits ...Edit) *Response {
	p.T.Helper()
	return p.Register(append([]Edit{CallID(Token()), CSeq(1)}, edits...)...)
}

// Bound fails the test unless the AOR has exactly these contacts, and returns the 200 that lists them.
func (p *Phone) Bound(uris ...string) *Response {
	p.T.Helper()
	return p.Query().Expect(200).Bound(uris...)
}

// Challenged sends a query without credentials, and remembers the first challenge of its 401.
func (p *Phone) Challenged() *Response {
	p.T.Helper()
	r := p.Once(CallID(Token()), CSeq(1)).Expect(401)
	c, ok := r.challenge()
	if !ok {
		p.T.Fatalf("no Digest challenge in\n%s", r.Raw)
	}
	p.challenge, p.count = c, 0
	return r
}

// Once sends one request, a REGISTER unless edited, without credentials, and returns its answer.
func (p *Phone) Once(edits ...Edit) *Response {
	p.T.Helper()
	p.Start(edits...)
	return p.Receive()
}

// Start sends one request and does not wait for its answer.
func (p *Phone) Start(edits ...Edit) {
	p.T.Helper()
	p.Send(p.request(edits).render(func(r *Request) string {
		return fmt.Sprintf("SIP/2.0/%s %s;branch=%s;rport", p.Conn.Transport(), p.Conn.Local(), r.Branch)
	}))
}

// Send sends bytes as they are.
func (p *Phone) Send(b []byte) {
	p.T.Helper()
	p.Sent = b
	if p.trace != nil {
		p.trace(true, b)
	}
	if err := p.Conn.Send(b); err != nil {
		p.T.Fatalf("%s: send: %v\n%s", p.Conn.Transport(), err, b)
	}
}

// Again sends the last request once more, the same bytes, and returns the answer.
func (p *Phone) Again() *Response {
	p.T.Helper()
	p.Send(p.Sent)
	return p.Receive()
}

// Receive returns the next response.
func (p *Phone) Receive() *Response {
	p.T.Helper()
	b, err := p.Conn.Receive(p.Wait)
	if err != nil {
		p.T.Fatalf("%s: no answer: %v, to\n%s", p.Conn.Transport(), err, p.Sent)
	}
	if p.trace != nil {
		p.trace(false, b)
	}
	r := &Response{T: p.T, Raw: string(b), Request: string(p.Sent)}
	if err := r.Parse(b); err != nil || !r.IsResponse() {
		p.T.Fatalf("not a response: %v\n%q", err, b)
	}
	return r
}

// Silence fails the test if anything comes within d.
func (p *Phone) Silence(d time.Duration) {
	p.T.Helper()
	if b, err := p.Conn.Receive(d); !errors.Is(err, ErrSilence) {
		p.T.Fatalf("%s: not silence but %v\n%s", p.Conn.Transport(), err, b)
	}
}

func (p *Phone) request(edits []Edit) *Request {
	r := &Request{
		Method:     "REGISTER",
		URI:        p.Scheme + ":" + p.Domain,
		Version:    "SIP/2.0",
		Branch:     sip.MagicCookie + Token(),
		MaxForward: "70",
		From:       "<" + p.AOR() + ">;tag=" + p.FromTag,
		To:         "<" + p.AOR() + ">",
		CallID:     p.CallID,
	}
	for _, edit := range edits {
		edit(r)
	}
	if r.CSeq == 0 {
		r.CSeq = p.CSeq + 1
	}
	if r.CallID == p.CallID {
		p.CSeq = r.CSeq
	}
	return r
}
