package siptest

import (
	"fmt"
	"slices"
	"strings"

	"biloxi/sip"
)

// Request is a message that a phone or an agent is about to send, in parts that an Edit may change. That of
// an agent may be a response.
type Request struct {
	Method     string
	URI        string
	Version    string
	Status     int    // of a response; 0: this is a request
	Reason     string // of a response; empty: the usual phrase
	Via        string // of the topmost, whole; empty: the sender's own, with the branch
	Branch     string
	MaxForward string // empty: no Max-Forwards
	From, To   string
	CallID     string
	CSeq       uint32
	CSeqMethod string   // empty: Method
	Lines      []string // more header fields, in order, without their CRLF
	Body       string
	NoLength   bool // leave out Content-Length

	hop         *Hop // of an agent's request; nil: the usual one
	bare        bool // an agent adds no session description
	credentials []func(*Request) string
	changes     []func(lines []string) []string // of the header fields
	rewrites    []string                        // old and new text
}

// Edit changes a request or a response before it is sent.
type Edit func(*Request)

// render writes the message; via is the sender's own Via.
func (r *Request) render(via func(*Request) string) []byte {
	lines := r.lines(via)
	for _, change := range r.changes {
		lines = change(lines)
	}
	start := fmt.Sprintf("%s %s %s", r.Method, r.URI, r.Version)
	if r.Status != 0 {
		start = fmt.Sprintf("%s %d %s", r.Version, r.Status, r.Reason)
	}
	text := start + "\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" + r.Body
	return []byte(strings.NewReplacer(r.rewrites...).Replace(text))
}

// lines are the header fields in order.
func (r *Request) lines(via func(*Request) string) (list []string) {
	line := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	switch {
	case r.Status != 0: // its Vias are among Lines
	case r.Via != "":
		line("Via: %s", r.Via)
	default:
		line("Via: %s", via(r))
	}
	if r.MaxForward != "" {
		line("Max-Forwards: %s", r.MaxForward)
	}
	line("From: %s", r.From)
	line("To: %s", r.To)
	line("Call-ID: %s", r.CallID)
	if r.CSeqMethod == "" {
		r.CSeqMethod = r.Method
	}
	line("CSeq: %d %s", r.CSeq, r.CSeqMethod)
	for _, credentials := range r.credentials {
		line("%s", credentials(r))
	}
	list = append(list, r.Lines...)
	if !r.NoLength {
		line("Content-Length: %d", len(r.Body))
	}
	return list
}

// named reports whether a header field line has this name, which may be written in its short form.
func named(line, name string) bool {
	written, _, _ := strings.Cut(line, ":")
	written = strings.TrimSpace(written)
	h := sip.HeaderOf([]byte(name))
	return h == sip.HeaderOther && strings.EqualFold(written, name) || h != sip.HeaderOther && sip.HeaderOf([]byte(written)) == h
}

// Without takes away all lines of these header fields.
func Without(names ...string) Edit {
	return func(r *Request) {
		r.changes = append(r.changes, func(lines []string) []string {
			return slices.DeleteFunc(lines, func(l string) bool {
				return slices.ContainsFunc(names, func(name string) bool { return named(l, name) })
			})
		})
	}
}

// Replace puts one line with this value where the first line of a header field stands, or behind the last
// line if there is none; other lines of the header field go.
func Replace(name, value string) Edit {
	return func(r *Request) {
		r.changes = append(r.changes, func(lines []string) []string {
			i := slices.IndexFunc(lines, func(l string) bool { return named(l, name) })
			kept := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return named(l, name) })
			if i < 0 {
				i = len(kept)
			}
			return slices.Insert(kept, i, name+": "+value)
		})
	}
}

// Top adds header fields before all others, each whole: a Via on top of the sender's own.
func Top(lines ...string) Edit {
	return func(r *Request) {
		r.changes = append(r.changes, func(have []string) []string { return append(slices.Clone(lines), have...) })
	}
}

// Route adds a Route with these values.
func Route(values ...string) Edit { return Line("Route: " + strings.Join(values, ", ")) }

// NoBody has an agent's INVITE or its 2xx go without the session description that it has else.
func NoBody() Edit { return func(r *Request) { r.bare = true } }

// Reason sets the reason phrase of a response.
func Reason(phrase string) Edit { return func(r *Request) { r.Reason = phrase } }

// Line adds header fields, each whole: "Supported: path".
func Line(lines ...string) Edit { return func(r *Request) { r.Lines = append(r.Lines, lines...) } }

// Contact adds a Contact for each value.
func Contact(values ...string) Edit {
	return func(r *Request) {
		for _, v := range values {
			r.Lines = append(r.Lines, "Contact: "+v)
		}
	}
}

// Expires adds an Expires header field; the value may be a number or any text.
func Expires(v any) Edit { return Line(fmt.Sprint("Expires: ", v)) }

// Method makes it a request of another method.
func Method(m string) Edit { return func(r *Request) { r.Method = m } }

// URI sets the Request-URI.
func URI(uri string) Edit { return func(r *Request) { r.URI = uri } }

// Version sets the SIP-Version.
func Version(v string) Edit { return func(r *Request) { r.Version = v } }

// To sets the value of the To.
func To(v string) Edit { return func(r *Request) { r.To = v } }

// From sets the value of the From.
func From(v string) Edit { return func(r *Request) { r.From = v } }

// Via sets the value of the topmost Via, whole.
func Via(v string) Edit { return func(r *Request) { r.Via = v } }

// Branch sets the branch of the phone's own Via.
func Branch(b string) Edit { return func(r *Request) { r.Branch = b } }

// CallID sets the Call-ID.
func CallID(id string) Edit { return func(r *Request) { r.CallID = id } }

// CSeq sets the number of the CSeq.
func CSeq(n uint32) Edit { return func(r *Request) { r.CSeq = n } }

// CSeqMethod sets the method of the CSeq.
func CSeqMethod(m string) Edit { return func(r *Request) { r.CSeqMethod = m } }

// MaxForwards sets the value of Max-Forwards; empty leaves the header field out.
func MaxForwards(v string) Edit { return func(r *Request) { r.MaxForward = v } }

// Body gives the request a body.
func Body(contentType, body string) Edit {
	return func(r *Request) {
		r.Lines = append(r.Lines, "Content-Type: "+contentType)
		r.Body = body
	}
}

// Rewrite replaces text in the request as it will be sent, wherever it stands.
func Rewrite(old, new string) Edit {
	return func(r *Request) { r.rewrites = append(r.rewrites, old, new) }
}

// NoLength leaves Content-Length out.
func NoLength() Edit { return func(r *Request) { r.NoLength = true } }
