package siptest

import (
	"slices"
	"strconv"
	"testing"

	"biloxi/sip"
)

// Response is what came back. Its checks fail the test with both messages, and return the response, so
// that they can be chained.
type Response struct {
	sip.Message
	T       testing.TB
	Raw     string
	Request string
}

// Status is the status code.
func (r *Response) Status() int { return r.StatusCode() }

// Fatalf fails the test with the exchange.
func (r *Response) Fatalf(format string, args ...any) {
	r.T.Helper()
	r.T.Fatalf(format+"\n--- sent\n%s\n--- came\n%s", append(args, r.Request, r.Raw)...)
}

// Expect fails the test unless the status is one of these.
func (r *Response) Expect(codes ...int) *Response {
	r.T.Helper()
	if !slices.Contains(codes, r.Status()) {
		r.Fatalf("got %d, want %v", r.Status(), codes)
	}
	return r
}

// Failed fails the test unless the status is 4xx or 5xx.
func (r *Response) Failed() *Response {
	r.T.Helper()
	if r.Status() < 400 || r.Status() > 599 {
		r.Fatalf("got %d, want a refusal", r.Status())
	}
	return r
}

// Values returns the values of all lines of a header field, in order and not split at commas.
func (r *Response) Values(name string) []string { return fieldValues(&r.Message, name) }

// Header returns the value of the first line of a header field, empty if there is none.
func (r *Response) Header(name string) string {
	for _, v := range r.Values(name) {
		return v
	}
	return ""
}

// Want fails the test unless the header field stands once, with this value.
func (r *Response) Want(name, value string) *Response {
	r.T.Helper()
	if got := r.Values(name); len(got) != 1 || got[0] != value {
		r.Fatalf("%s is %q, want %q", name, got, value)
	}
	return r
}

// Lacks fails the test if the header field is there.
func (r *Response) Lacks(name string) *Response {
	r.T.Helper()
	if got := r.Values(name); len(got) > 0 {
		r.Fatalf("%s is %q, want none", name, got)
	}
	return r
}

// Binding is one value of the Contact of a 200.
type Binding struct {
	URI     string // without its <>
	Params  sip.Params
	Expires int64 // seconds
}

// Contacts returns the bindings that a 200 lists.
func (r *Response) Contacts() []Binding {
	r.T.Helper()
	var list []Binding
	values := r.Message.Values(sip.HeaderContact)
	for values.Next() {
		b := Binding{URI: string(values.URI.Raw()), Params: values.Params}
		v, ok := values.Params.Value("expires")
		n, err := strconv.ParseInt(string(v), 10, 64)
		if !ok || err != nil {
			r.Fatalf("no expires in %s", values.Raw())
		}
		b.Expires = n
		list = append(list, b)
	}
	if err := values.Err(); err != nil {
		r.Fatalf("Contact: %v", err)
	}
	return list
}

// Bound fails the test unless the response lists exactly these URIs, in any order.
func (r *Response) Bound(uris ...string) *Response {
	r.T.Helper()
	var got []string
	for _, b := range r.Contacts() {
		got = append(got, b.URI)
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(uris))
	if !slices.Equal(got, want) {
		r.Fatalf("bound is %q, want %q", got, want)
	}
	return r
}

// Binding returns the binding of a URI, and fails the test if it is not listed.
func (r *Response) Binding(uri string) Binding {
	r.T.Helper()
	for _, b := range r.Contacts() {
		if b.URI == uri {
			return b
		}
	}
	r.Fatalf("%s is not listed", uri)
	return Binding{}
}

// Lasts fails the test unless the URI is listed with these seconds, or up to slack less.
func (r *Response) Lasts(uri string, seconds, slack int64) *Response {
	r.T.Helper()
	if got := r.Binding(uri).Expires; got > seconds || got < seconds-slack {
		r.Fatalf("%s expires in %d s, want %d", uri, got, seconds)
	}
	return r
}

// Param returns a parameter of a binding's Contact as written, and whether it is there.
func (b Binding) Param(name string) (string, bool) {
	v, ok := b.Params.Value(name)
	return string(v), ok
}

// ToTag is the tag of the To.
func (r *Response) ToTag() string {
	to, err := r.To()
	if err != nil {
		r.T.Fatalf("To: %v", err)
	}
	return string(to.Tag())
}
