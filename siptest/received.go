package siptest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// Received is a message that came to an agent. Its checks fail the test with the message, and return it,
// so that they can be chained.
type Received struct {
	sip.Message
	T     testing.TB
	Agent *Agent // that got it
	Hop   Hop    // who sent it
	At    time.Time
	Raw   string
}

// parse reads the message; it must be a whole one with the header fields that each must have once (RFC 3261
// §8.1.1, §8.2.6). A lenient agent takes others too.
func (r *Received) parse() {
	r.T.Helper()
	err := r.Parse([]byte(r.Raw))
	if r.Agent.Lenient && (r.IsResponse() || r.IsRequest()) {
		return
	}
	if err != nil {
		r.Fatalf("no SIP: %v", err)
	}
	for _, h := range []sip.Header{sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID, sip.HeaderCSeq} {
		if len(r.Values(h.String())) != 1 {
			r.Fatalf("%s stands %d times", h, len(r.Values(h.String())))
		}
	}
	if !r.Has(sip.HeaderVia) {
		r.Fatalf("no Via")
	}
}

// Fatalf fails the test with the message.
func (r *Received) Fatalf(format string, args ...any) {
	r.T.Helper()
	r.T.Fatalf("%s\n--- came to %s from %s\n%s", fmt.Sprintf(format, args...), r.Agent.User, r.Hop, r.Raw)
}

// Status is the status code of a response, 0 of a request.
func (r *Received) Status() int { return r.StatusCode() }

// URI is the Request-URI of a request.
func (r *Received) URI() string { return string(r.RequestURI()) }

// Values returns the values of all lines of a header field, in order and not split at commas.
func (r *Received) Values(name string) []string { return fieldValues(&r.Message, name) }

// List returns the values of a header field, in order, split at the commas between them.
func (r *Received) List(name string) (list []string) {
	for _, v := range r.Values(name) {
		list = append(list, splitList(v)...)
	}
	return list
}

// Header returns the value of the first line of a header field, empty if there is none.
func (r *Received) Header(name string) string { return firstValue(&r.Message, name) }

// Want fails the test unless the header field stands once, with this value.
func (r *Received) Want(name, value string) *Received {
	r.T.Helper()
	if got := r.Values(name); len(got) != 1 || got[0] != value {
		r.Fatalf("%s is %q, want %q", name, got, value)
	}
	return r
}

// WantList fails the test unless the header field has exactly these values, in this order, on however many
// lines.
func (r *Received) WantList(name string, values ...string) *Received {
	r.T.Helper()
	if got := r.List(name); !slices.Equal(got, values) {
		r.Fatalf("%s is %q, want %q", name, got, values)
	}
	return r
}

// WantURI fails the test unless this is the Request-URI.
func (r *Received) WantURI(uri string) *Received {
	r.T.Helper()
	if r.URI() != uri {
		r.Fatalf("the Request-URI is %s, want %s", r.URI(), uri)
	}
	return r
}

// WantBody fails the test unless this is the body.
func (r *Received) WantBody(body string) *Received {
	r.T.Helper()
	if string(r.Body()) != body {
		r.Fatalf("the body is %q, want %q", r.Body(), body)
	}
	return r
}

// Lacks fails the test if one of the header fields is there.
func (r *Received) Lacks(names ...string) *Received {
	r.T.Helper()
	for _, name := range names {
		if got := r.Values(name); len(got) > 0 {
			r.Fatalf("%s is %q, want none", name, got)
		}
	}
	return r
}

// Carries fails the test unless one of the header fields' values contains this text.
func (r *Received) Carries(name, text string) *Received {
	r.T.Helper()
	if !slices.ContainsFunc(r.Values(name), func(v string) bool { return strings.Contains(v, text) }) {
		r.Fatalf("%s is %q, want %q in it", name, r.Values(name), text)
	}
	return r
}

// Check fails the test with what fn returns, if that is not empty.
func (r *Received) Check(fn func(*Received) string) *Received {
	r.T.Helper()
	if fault := fn(r); fault != "" {
		r.Fatalf("%s", fault)
	}
	return r
}

// Branch is that of the topmost Via.
func (r *Received) Branch() string {
	via, err := r.Via()
	if err != nil {
		r.Fatalf("Via: %v", err)
	}
	return string(via.Branch())
}

// FromTag is the tag of the From.
func (r *Received) FromTag() string { return tagOf(r.Header("From")) }

// ToTag is the tag of the To, empty if it has none.
func (r *Received) ToTag() string { return tagOf(r.Header("To")) }

// ID is the Call-ID.
func (r *Received) ID() string { return r.Header("Call-ID") }

// CSeqNumber is the number of the CSeq.
func (r *Received) CSeqNumber() uint32 {
	c, err := r.CSeq()
	if err != nil {
		r.Fatalf("CSeq: %v", err)
	}
	return c.Number
}

// CSeqMethod is the method of the CSeq: for a response, that of its request.
func (r *Received) CSeqMethod() string {
	c, err := r.CSeq()
	if err != nil {
		r.Fatalf("CSeq: %v", err)
	}
	return string(c.Method)
}

// tagOf is the tag of a From's or To's value.
func tagOf(value string) string {
	n, err := sip.ParseNameAddr([]byte(value))
	if err != nil {
		return ""
	}
	return string(n.Tag())
}

// fieldValues are the values of all lines of a header field.
func fieldValues(m *sip.Message, name string) (list []string) {
	h := sip.HeaderOf([]byte(name))
	for i := range m.Len() {
		header, written, value := m.Field(i)
		if h == sip.HeaderOther && strings.EqualFold(string(written), name) || h != sip.HeaderOther && header == h {
			list = append(list, string(value))
		}
	}
	return list
}

// firstValue is the value of the first line of a header field, empty if there is none.
func firstValue(m *sip.Message, name string) string {
	for _, v := range fieldValues(m, name) {
		return v
	}
	return ""
}

// splitList splits a header field's value at the commas that stand outside of quotes and angle brackets.
func splitList(v string) (list []string) {
	quoted, angle, start := false, false, 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && !angle:
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			list = append(list, strings.TrimSpace(v[start:i]))
			start = i + 1
		}
	}
	return append(list, strings.TrimSpace(v[start:]))
}
