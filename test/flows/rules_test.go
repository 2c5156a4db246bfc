package flows

import (
	"fmt"
	"slices"
	"strings"

	"biloxi/sip"
	. "biloxi/siptest"
)

// domains are those that the servers of the flows answer for; their realms have the same names.
var domains = map[string]string{"ss1": "atlanta.example.com", "ss2": "biloxi.example.com", "ss3": "chicago.example.com", "redirect": "biloxi.example.com"}

// rules are the rules common to all messages of proxies, for the message at index i of all that was heard.
type rules struct {
	cast
	heard  []*Tapped
	i      int
	m      *Tapped
	self   string // the proxy that sent it
	faults []fault
}

// common checks the rules. Messages of phones obey none.
func (c cast) common(heard []*Tapped, i int) []fault {
	r := &rules{cast: c, heard: heard, i: i, m: heard[i], self: c.who(heard[i].From)}
	if domains[r.self] == "" {
		return nil
	}
	switch {
	case r.m.IsResponse():
		r.response()
	case len(r.m.List("Via")) == 1:
		r.hopByHop()
	default:
		r.forwarded()
	}
	return r.faults
}

func (r *rules) want(check string, ok bool, format string, args ...any) {
	if !ok {
		r.faults = append(r.faults, fault{check, fmt.Sprintf(format, args...)})
	}
}

// same wants a header field to be as it was in another message.
func (r *rules) same(check, name string, other *Tapped) {
	got, want := r.m.Values(name), other.Values(name)
	r.want(check, slices.Equal(got, want), "%s is %q, want %q", name, got, want)
}

// before finds the last message before this one that fits.
func (r *rules) before(fits func(*Tapped) bool) *Tapped {
	for j := r.i - 1; j >= 0; j-- {
		if fits(r.heard[j]) {
			return r.heard[j]
		}
	}
	return nil
}

// count counts the messages up to this one that fit.
func (r *rules) count(fits func(*Tapped) bool) (n int) {
	for _, m := range r.heard[:r.i+1] {
		if fits(m) {
			n++
		}
	}
	return n
}

// forwarded are C1 to C7, C11 and C12 for a request that the proxy forwards, and C10 for an ACK.
func (r *rules) forwarded() {
	vias := r.m.List("Via")
	in := r.before(func(o *Tapped) bool {
		return r.who(o.To) == r.self && o.Method() == r.m.Method() && branchOf(o.List("Via")[0]) == branchOf(vias[1])
	})
	if in == nil {
		r.want("C2", false, "it has no original: the second Via is %s", vias[1])
		return
	}
	came := in.List("Via")
	r.want("C1", receivedAs(vias[1], came[0], in.From.Addr().String()), "the previous hop's Via is %s, it was %s from %s", vias[1], came[0], in.From)
	r.want("C2", slices.Equal(vias[2:], came[1:]), "Vias below are %q, were %q", vias[2:], came[1:])
	r.ownVia(vias[0])
	r.want("C3", r.m.Header("Max-Forwards") == oneLess(in.Header("Max-Forwards")), "Max-Forwards is %s, was %s", r.m.Header("Max-Forwards"), in.Header("Max-Forwards"))
	routes := in.List("Route")
	for range 2 { // RFC 5658: both of its own
		if len(routes) > 0 && hostOfURI(routes[0]) == elements[r.self].host {
			routes = routes[1:]
		}
	}
	r.want("C4", slices.Equal(r.m.List("Route"), routes), "Route is %q, want %q", r.m.List("Route"), routes)
	before, after := string(in.RequestURI()), string(r.m.RequestURI())
	responsible := hostOfURI(before) == domains[r.self]
	r.want("C5", responsible != (before == after), "the Request-URI was %s, is %s", before, after)
	r.recordRoute(in)
	var credentials []string
	for _, v := range in.Values("Proxy-Authorization") {
		if c, _, err := sip.ParseCredentials([]byte(v)); err != nil || string(c.Realm) != domains[r.self] {
			credentials = append(credentials, v)
		}
	}
	r.want("C7", slices.Equal(r.m.Values("Proxy-Authorization"), credentials), "credentials are %q, want %q", r.m.Values("Proxy-Authorization"), credentials)
	r.unchanged(in, "Via", "Max-Forwards", "Max-Breadth", "Route", "Record-Route", "Proxy-Authorization")
}

// recordRoute is C6 for a request.
func (r *rules) recordRoute(in *Tapped) {
	got, had := r.m.List("Record-Route"), in.List("Record-Route")
	for n := range 2 { // RFC 5658: one for each side, if they differ
		if len(got) > len(had) {
			r.want("C6", hostOfURI(got[0]) == elements[r.self].host, "Record-Route %d is %s", n, got[0])
			got = got[1:]
		}
	}
	r.want("C6", slices.Equal(got, had), "Record-Routes below are %q, were %q", got, had)
}

// ownVia is C2 for the Via that the proxy pushes.
func (r *rules) ownVia(value string) {
	via, err := sip.ParseVia([]byte(value))
	if err != nil {
		r.want("C2", false, "own Via: %v", err)
		return
	}
	port := via.Port == 0 || via.Port == via.Transport.DefaultPort()
	r.want("C2", string(via.Host) == elements[r.self].host && port, "sent-by is %s:%d", via.Host, via.Port)
	r.want("C2", via.Transport == r.m.Transport, "the Via says %s", via.Transport)
	r.want("C2", strings.HasPrefix(string(via.Branch()), sip.MagicCookie) && len(via.Branch()) > len(sip.MagicCookie)+4, "the branch is %s", via.Branch())
	used := r.before(func(o *Tapped) bool {
		return o.IsRequest() && o.Raw != r.m.Raw && branchOf(o.List("Via")[0]) == string(via.Branch())
	})
	r.want("C2", used == nil, "the branch was used before: %v", used)
}

// hopByHop is C9 for an ACK that a proxy makes, and RFC 3261 §9.1 for a CANCEL.
func (r *rules) hopByHop() {
	method, via := string(r.m.Method()), r.m.List("Via")[0]
	r.want("C9", method == "ACK" || method == "CANCEL", "a %s of the proxy's own", method)
	invite := r.before(func(o *Tapped) bool {
		return r.who(o.From) == r.self && o.To == r.m.To && o.Method() == sip.Invite && o.List("Via")[0] == via
	})
	if invite == nil {
		r.want("C9", false, "there is no INVITE with %s", via)
		return
	}
	r.want("C9", string(r.m.RequestURI()) == string(invite.RequestURI()), "the Request-URI is %s, that of the INVITE %s", r.m.RequestURI(), invite.RequestURI())
	for _, name := range []string{"Call-ID", "From", "Route"} {
		r.same("C9", name, invite)
	}
	number, _, _ := strings.Cut(invite.Header("CSeq"), " ")
	r.want("C9", r.m.Header("CSeq") == number+" "+method, "CSeq is %s", r.m.Header("CSeq"))
	// RFC 3261 §8.1.1.6: 70, or as in the example of §17.1.1.3 that of the INVITE.
	hops := r.m.Header("Max-Forwards")
	r.want("C9", hops == "70" || hops == invite.Header("Max-Forwards"), "Max-Forwards is %s", hops)
	r.want("C9", len(r.m.Body()) == 0, "it has a body")
	to := invite
	if method == "ACK" {
		if to = r.before(func(o *Tapped) bool {
			return r.who(o.To) == r.self && o.StatusCode() >= 300 && branchOf(o.List("Via")[0]) == branchOf(via)
		}); to == nil {
			r.want("C9", false, "an ACK without a final response")
			return
		}
	}
	r.same("C9", "To", to)
}

// response are C2, C6, C8, C11 and C12 for a response, be it forwarded or made.
func (r *rules) response() {
	vias := r.m.List("Via")
	status := r.m.StatusCode()
	// A 100 that was passed on and one that was made look the same, but one is made for each INVITE.
	if status == 100 {
		asked := r.count(func(o *Tapped) bool {
			return r.who(o.To) == r.self && o.Method() == sip.Invite && branchOf(o.List("Via")[0]) == branchOf(vias[0])
		})
		made := r.count(func(o *Tapped) bool { return o.From == r.m.From && o.Raw == r.m.Raw })
		r.want("C8", made <= asked, "%d times 100 for %d INVITEs", made, asked)
	}
	original := r.before(func(o *Tapped) bool {
		return r.who(o.To) == r.self && o.StatusCode() == status && status != 100 && o.Header("CSeq") == r.m.Header("CSeq") && slices.Equal(o.List("Via")[1:], vias)
	})
	if original != nil {
		own, _ := sip.ParseVia([]byte(original.List("Via")[0]))
		r.want("C2", string(own.Host) == elements[r.self].host, "the Via that was popped is %s", original.List("Via")[0])
		r.same("C6", "Record-Route", original)
		r.unchanged(original, "Via")
		return
	}
	check := "made"
	if status == 100 {
		check = "C8"
	}
	request := r.before(func(o *Tapped) bool {
		return r.who(o.To) == r.self && o.IsRequest() && strings.HasSuffix(r.m.Header("CSeq"), " "+string(o.Method())) && branchOf(o.List("Via")[0]) == branchOf(vias[0])
	})
	if request == nil {
		r.want(check, false, "there is no request with %s", vias[0])
		return
	}
	came := request.List("Via")
	r.want("C1", receivedAs(vias[0], came[0], request.From.Addr().String()), "the Via is %s, it was %s from %s", vias[0], came[0], request.From)
	r.want(check, slices.Equal(vias[1:], came[1:]), "Vias below are %q, were %q", vias[1:], came[1:])
	for _, name := range []string{"From", "Call-ID", "CSeq"} {
		r.same(check, name, request)
	}
	asked, _, within := strings.Cut(request.Header("To"), ";tag=")
	to, _, tagged := strings.Cut(r.m.Header("To"), ";tag=")
	r.want(check, to == asked && tagged == (within || status != 100), "To is %s, was %s", r.m.Header("To"), request.Header("To"))
	r.want(check, len(r.m.Body()) == 0 && r.m.Header("Content-Length") == "0", "it has a body, or no Content-Length")
}

// unchanged are C11 and C12: the body, and all header fields but those that a proxy must change.
func (r *rules) unchanged(original *Tapped, but ...string) {
	r.want("C11", string(r.m.Body()) == string(original.Body()), "the body is\n%s\nit was\n%s", r.m.Body(), original.Body())
	r.same("C12", "From", original)
	r.same("C12", "To", original)
	got, want := fieldsBut(r.m, but), fieldsBut(original, but)
	r.want("C11", slices.Equal(got, want), "header fields are\n%q\nthey were\n%q", got, want)
}

// fieldsBut are the header fields of a message in order, but for some names.
func fieldsBut(m *Tapped, but []string) (list []string) {
	for i := range m.Len() {
		_, name, value := m.Field(i)
		if !slices.ContainsFunc(but, func(b string) bool { return strings.EqualFold(b, string(name)) }) {
			list = append(list, string(name)+": "+string(value))
		}
	}
	return list
}

// receivedAs reports whether a Via is as it came, with received where its sent-by does not tell the address.
func receivedAs(got, came, from string) bool {
	a, errA := sip.ParseVia([]byte(got))
	b, errB := sip.ParseVia([]byte(came))
	if errA != nil || errB != nil {
		return false
	}
	value, _ := a.Params.Value("received")
	sameParams := string(a.Params.AppendWithout(nil, "received")) == string(b.Params.AppendWithout(nil, "received"))
	return string(value) == from && sameParams && a.Transport == b.Transport && string(a.Host) == string(b.Host) && a.Port == b.Port
}

func branchOf(via string) string {
	v, err := sip.ParseVia([]byte(via))
	if err != nil {
		return err.Error()
	}
	return string(v.Branch())
}

// hostOfURI is the host of a URI, or of the URI of a name-addr.
func hostOfURI(v string) string {
	if strings.Contains(v, "<") {
		if n, err := sip.ParseNameAddr([]byte(v)); err == nil {
			return string(n.URI.Host)
		}
	}
	u, err := sip.ParseURI([]byte(v))
	if err != nil {
		return ""
	}
	return string(u.Host)
}

func oneLess(n string) string {
	var v int
	if _, err := fmt.Sscan(n, &v); err != nil {
		return "70"
	}
	return fmt.Sprint(v - 1)
}
