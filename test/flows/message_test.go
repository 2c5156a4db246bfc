package flows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
)

// expected is one message of a flow: the columns of the flow's table, written on one line:
//
//	F5 ss1 ss2 TCP INVITE sip:bob@biloxi.example.com 2; via=ss1,alice mf=69 rr=ss1 contact=alice sdp
//	F6 ss1 alice TCP 100 INVITE 2; via=alice
//
// A column that is not there says that the message has nothing of the kind: no Route, no credentials, no
// Contact, no body, no To-tag. Two routes in a row of one proxy count as one: RFC 5658 has it write two where its
// sides differ. mf=hop leaves
// Max-Forwards to C9. at is when it is sent, after the first; same is an earlier message, whose bytes it has.
type expected struct {
	number, from, to, transport string
	what                        string // method, or status and method
	uri                         string // of a request
	cseq                        string
	columns                     map[string]string
	heard                       *Tapped
	index                       int // among all that was heard
}

// script reads the messages of a flow. $alice and $bob stand for their contacts.
func (c cast) script(text string) (list []*expected) {
	alice, bob := "sip:alice@"+elements["alice"].host, "sip:bob@"+elements[c.bob].host
	if c.transport == sip.TCP {
		alice, bob = alice+";transport=tcp", bob+";transport=tcp"
	}
	text = strings.NewReplacer("$alice", alice, "$bob", bob).Replace(text)
	for line := range strings.Lines(text) {
		head, columns, _ := strings.Cut(strings.TrimSpace(line), "; ")
		f := strings.Fields(head)
		if len(f) == 0 {
			continue
		}
		e := &expected{number: f[0], from: f[1], to: f[2], transport: f[3], what: f[4], columns: map[string]string{}, index: -1}
		if e.uri, e.cseq = f[5], f[6]; e.what[0] <= '9' {
			e.what, e.uri = e.what+" "+f[5], ""
		}
		for _, column := range strings.Fields(columns) {
			k, v, _ := strings.Cut(column, "=")
			e.columns[k] = v
		}
		list = append(list, e)
	}
	return list
}

func (e *expected) String() string {
	return fmt.Sprintf("%s %s, %s to %s", e.number, e.what, elements[e.from].name, elements[e.to].name)
}

// match finds the messages of a flow among those that were heard, and says what is missing, too much, or too
// early: before the message that came to its sender last.
func (c cast) match(list []*expected, heard []*Tapped) (faults []string) {
	taken := make([]bool, len(heard))
	for _, e := range list {
		for i, m := range heard {
			if !taken[i] && c.who(m.From) == e.from && c.who(m.To) == e.to && m.Is() == e.what && strings.HasPrefix(m.Header("CSeq"), e.cseq+" ") {
				taken[i], e.heard, e.index = true, m, i
				break
			}
		}
		if e.heard == nil {
			faults = append(faults, "missing: "+e.String())
		}
	}
	for i, m := range heard {
		if !taken[i] {
			faults = append(faults, fmt.Sprintf("too much: %s\n%s", m, m.Raw))
		}
	}
	for i, e := range list {
		for j := i - 1; j >= 0; j-- {
			if cause := list[j]; cause.to == e.from {
				if e.heard != nil && e.index < cause.index {
					faults = append(faults, fmt.Sprintf("%s comes before %s", e, cause))
				}
				break
			}
		}
	}
	return faults
}

// fault is a check that failed.
type fault struct{ check, text string }

// columnsOf checks what the line of a message says.
func (e *expected) columnsOf(first *Tapped, list []*expected) (faults []fault) {
	m := e.heard
	want := func(check, got, want string) {
		if got != want {
			faults = append(faults, fault{check, fmt.Sprintf("is %q, want %q", got, want)})
		}
	}
	want("transport", m.Transport.String(), e.transport)
	if m.IsRequest() {
		want("Request-URI", string(m.RequestURI()), e.uri)
		if e.columns["mf"] != "hop" {
			want("Max-Forwards", m.Header("Max-Forwards"), e.columns["mf"])
		}
	} else {
		// Erratum 6242: 3.9 prints two spaces.
		line, _, _ := strings.Cut(m.Raw, "\r\n")
		want("Status-Line", line, fmt.Sprintf("SIP/2.0 %d %s", m.StatusCode(), strings.TrimSpace(string(m.Reason()))))
	}
	want("Via", strings.Join(hostsOf(m, "Via"), ","), e.hosts("via"))
	want("Route", strings.Join(slices.Compact(hostsOf(m, "Route")), ","), e.hosts("route"))
	want("Record-Route", strings.Join(slices.Compact(hostsOf(m, "Record-Route")), ","), e.hosts("rr"))
	want("Contact", strings.Join(hostsOf(m, "Contact"), ","), e.hosts("contact"))
	want("credentials", strings.Join(realmsOf(m, "Proxy-Authorization"), ","), e.columns["auth"])
	want("challenge", strings.Join(slices.Compact(realmsOf(m, "Proxy-Authenticate")), ","), e.columns["challenge"])
	want("other challenges", m.Header("WWW-Authenticate")+m.Header("Authorization"), "")
	_, tagged := e.columns["tag"]
	want("To-tag", fmt.Sprint(strings.Contains(m.Header("To"), ";tag=")), fmt.Sprint(tagged))
	_, described := e.columns["sdp"]
	want("body", fmt.Sprint(len(m.Body()) > 0, m.Header("Content-Type") == "application/sdp"), fmt.Sprint(described, described))
	if at, ok := e.columns["at"]; ok {
		want("time", (m.At - first.At).String(), at)
	} else if m.IsResponse() && m.StatusCode() == 100 {
		faults = append(faults, e.prompt(list)...)
	}
	for _, other := range list {
		if e.columns["same"] == other.number {
			want("bytes", m.Raw, other.heard.Raw)
		}
	}
	return faults
}

// prompt checks that a 100 comes within 200 ms of its INVITE (RFC 3261 §17.2.1).
func (e *expected) prompt(list []*expected) []fault {
	for _, other := range list {
		if other == e {
			break
		}
		if other.to == e.from && other.what == "INVITE" && other.cseq == e.cseq && e.heard.At-other.heard.At > 200*time.Millisecond {
			return []fault{{"C8", "the 100 comes late"}}
		}
	}
	return nil
}

// hosts are the host names of a column of elements.
func (e *expected) hosts(column string) string {
	var list []string
	for name := range strings.SplitSeq(e.columns[column], ",") {
		if host := elements[name].host; host != "" {
			list = append(list, host)
		} else if name != "" {
			list = append(list, name)
		}
	}
	return strings.Join(list, ",")
}

// hostsOf are the hosts of a header field's values, in order. A route must be a loose one.
func hostsOf(m *Tapped, name string) (list []string) {
	for _, v := range m.List(name) {
		if name == "Via" {
			via, err := sip.ParseVia([]byte(v))
			if err != nil {
				return append(list, err.Error())
			}
			list = append(list, string(via.Host))
			continue
		}
		n, err := sip.ParseNameAddr([]byte(v))
		switch {
		case err != nil:
			return append(list, err.Error())
		case strings.HasSuffix(name, "Route") && (!n.URI.Params.Has("lr") || n.URI.Scheme != sip.SchemeSIP):
			list = append(list, v+" is no loose route")
		default:
			list = append(list, string(n.URI.Host))
		}
	}
	return list
}

// realmsOf are the realms of Digest challenges or credentials. A challenge must be one that RFC 3261 §22.4 and
// RFC 7616 §3.3 allow.
func realmsOf(m *Tapped, name string) (list []string) {
	for _, v := range m.Values(name) {
		if name == "Proxy-Authorization" {
			c, digest, err := sip.ParseCredentials([]byte(v))
			if err != nil || !digest {
				return append(list, "not credentials: "+v)
			}
			list = append(list, string(c.Realm))
			continue
		}
		c, digest, err := sip.ParseChallenge([]byte(v))
		if err != nil || !digest || len(c.Nonce) < 16 || string(c.QOP) != "auth" || !strings.Contains(v, `qop="auth"`) {
			return append(list, "not a good challenge: "+v)
		}
		list = append(list, string(c.Realm))
	}
	return list
}
