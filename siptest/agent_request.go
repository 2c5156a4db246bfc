package siptest

import (
	"fmt"
	"strings"

	"biloxi/sip"
)

// SDP is a session description of one audio stream at a host: what an agent's INVITE and its 2xx carry if
// no edit says otherwise.
func SDP(host string) string {
	lines := []string{"v=0", "o=agent 2890844526 2890844526 IN IP4 " + host, "s=-", "c=IN IP4 " + host, "t=0 0",
		"m=audio 49172 RTP/AVP 0", "a=rtpmap:0 PCMU/8000"}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// Sent is a request that an agent has sent.
type Sent struct {
	sip.Message
	Agent *Agent
	Hop   Hop
	Raw   string

	edits []Edit // that made it
}

// Invite sends an INVITE, of a dialog to be: with a new Call-ID and tag, a Contact and a session
// description, to the agent's Outbound.
func (a *Agent) Invite(uri string, edits ...Edit) *Sent {
	a.T.Helper()
	return a.Request("INVITE", uri, edits...)
}

// Request sends a request outside of dialogs, with a new Call-ID, tag and branch and the next CSeq. From
// is the agent's AOR, To the Request-URI, Max-Forwards 70; an INVITE has a Contact and a session
// description, a SUBSCRIBE, REFER or NOTIFY a Contact.
func (a *Agent) Request(method, uri string, edits ...Edit) *Sent {
	a.T.Helper()
	a.CSeq++
	to := uri
	if u, err := sip.ParseURI([]byte(uri)); err == nil && u.IsSIP() { // RFC 3261 §19.1.1: a To has no headers or port
		to = fmt.Sprintf("%s:%s%s", u.SchemeName, userPart(&u), u.Host)
	}
	return a.start(&Request{Method: method, URI: uri, From: a.party() + ";tag=" + a.Token(), To: "<" + to + ">",
		CallID: a.Token(), CSeq: a.CSeq}, a.Outbound, edits)
}

func userPart(u *sip.URI) string {
	if u.User == nil {
		return ""
	}
	return string(u.User) + "@"
}

// start completes a request and sends it.
func (a *Agent) start(r *Request, hop Hop, edits []Edit) *Sent {
	a.T.Helper()
	r.Version, r.MaxForward, r.hop = "SIP/2.0", "70", &hop
	or(&r.Branch, sip.MagicCookie+a.Token())
	for _, edit := range edits {
		edit(r)
	}
	a.complete(r, r.Method, r.hop.Transport)
	raw := r.render(func(r *Request) string {
		return fmt.Sprintf("SIP/2.0/%s %s;branch=%s", r.hop.Transport, a.sentBy(r.hop.Transport), r.Branch)
	})
	s := &Sent{Agent: a, Hop: *r.hop, Raw: string(raw), edits: edits}
	// What is no SIP on purpose is not to be answered, acknowledged or cancelled by script.
	_ = s.Parse([]byte(s.Raw))
	a.Send(s.Hop, []byte(s.Raw))
	return s
}

// complete adds the Contact and the session description that a message of a method should have.
func (a *Agent) complete(r *Request, method string, t sip.Transport) {
	has := func(name string) bool {
		for _, l := range r.Lines {
			if named(l, name) {
				return true
			}
		}
		return false
	}
	switch method {
	case "INVITE", "SUBSCRIBE", "NOTIFY", "REFER", "UPDATE":
		if !has("Contact") {
			r.Lines = append(r.Lines, "Contact: <"+a.ContactURI(t)+">")
		}
	}
	described := method == "INVITE" && (r.Status == 0 || r.Status >= 200 && r.Status < 300)
	if described && r.Body == "" && !r.bare {
		Body("application/sdp", SDP(a.Address))(r)
	}
}

// Register binds contacts to the agent's AOR at its Outbound, each the value of a Contact, after the 401
// that it gets; none: its own for the transport. It returns the 200.
func (a *Agent) Register(contacts ...string) *Received {
	a.T.Helper()
	if len(contacts) == 0 {
		contacts = []string{"<" + a.ContactURI(a.Outbound.Transport) + ">"}
	}
	first := a.Request("REGISTER", a.scheme()+":"+a.Domain, To(a.party()), Contact(contacts...))
	first.Retry(a.Credentials(a.Expect(401)))
	return a.Expect(200)
}

// Copied adds the lines that the request has of these header fields: the credentials of an INVITE in its ACK.
func (s *Sent) Copied(names ...string) Edit {
	return func(r *Request) {
		for _, name := range names {
			for _, v := range fieldValues(&s.Message, name) {
				r.Lines = append(r.Lines, name+": "+v)
			}
		}
	}
}

// Again sends the same bytes once more: a retransmission.
func (s *Sent) Again() {
	s.Agent.T.Helper()
	s.Agent.Send(s.Hop, []byte(s.Raw))
}

// Retry sends the request once more as a new one: the same Call-ID, From and edits, and then more edits,
// with the next CSeq and a new branch. It is for credentials that were asked for.
func (s *Sent) Retry(edits ...Edit) *Sent {
	s.Agent.T.Helper()
	c, _ := s.CSeq()
	again := append(append([]Edit{}, s.edits...), func(r *Request) {
		r.From, r.To, r.CallID, r.CSeq = s.header("From"), s.header("To"), s.header("Call-ID"), c.Number+1
		r.Branch, r.Via, r.credentials = sip.MagicCookie+s.Agent.Token(), "", nil
	})
	s.Agent.CSeq = max(s.Agent.CSeq, c.Number+1)
	return s.Agent.start(&Request{Method: string(s.Method()), URI: string(s.RequestURI())}, s.Hop, append(again, edits...))
}

// Ack acknowledges a final response that is no 2xx, as RFC 3261 §17.1.1.3 has it: within the transaction
// of the INVITE. A 2xx is acknowledged by its dialog.
func (s *Sent) Ack(r *Received, edits ...Edit) *Sent {
	s.Agent.T.Helper()
	return s.hopByHop("ACK", r.Header("To"), edits)
}

// Cancel cancels the request as RFC 3261 §9.1 has it.
func (s *Sent) Cancel(edits ...Edit) *Sent {
	s.Agent.T.Helper()
	return s.hopByHop("CANCEL", s.header("To"), edits)
}

// hopByHop sends an ACK or CANCEL: with the Request-URI, Via, From, Call-ID, number of the CSeq and Route of
// the request.
func (s *Sent) hopByHop(method, to string, edits []Edit) *Sent {
	s.Agent.T.Helper()
	c, err := s.CSeq()
	if err != nil {
		s.Agent.T.Fatalf("%s of what has no CSeq\n%s", method, s.Raw)
	}
	r := &Request{Method: method, URI: string(s.RequestURI()), Via: s.header("Via"), From: s.header("From"), To: to,
		CallID: s.header("Call-ID"), CSeq: c.Number}
	for _, route := range fieldValues(&s.Message, "Route") {
		r.Lines = append(r.Lines, "Route: "+route)
	}
	return s.Agent.start(r, s.Hop, edits)
}

func (s *Sent) header(name string) string {
	return firstValue(&s.Message, name)
}

// Branch is that of the request's Via.
func (s *Sent) Branch() string {
	via, _ := s.Via()
	return string(via.Branch())
}

// ID is the Call-ID.
func (s *Sent) ID() string { return s.header("Call-ID") }

// Credentials answers the Digest challenges of a 401 or 407, each in a header field of its own, and
// remembers them for Known.
func (a *Agent) Credentials(r *Received) Edit {
	a.T.Helper()
	var realms []string
	for _, name := range []string{"WWW-Authenticate", "Proxy-Authenticate"} {
		for _, v := range r.Values(name) {
			c, digest, err := sip.ParseChallenge([]byte(v))
			if err != nil {
				r.Fatalf("challenge %q: %v", v, err)
			}
			if !digest || len(realms) > 0 && realms[len(realms)-1] == name+" "+string(c.Realm) {
				continue // the first algorithm of a realm is the one that the server likes best
			}
			realms = append(realms, name+" "+string(c.Realm))
			a.asked[string(c.Realm)] = Challenge{Realm: string(c.Realm), Nonce: string(c.Nonce), Opaque: string(c.Opaque),
				Algorithm: string(c.Algorithm), QOP: string(c.QOP), header: strings.Replace(name, "WWW-Authenticate", "Authorization", 1)}
		}
	}
	if len(realms) == 0 {
		r.Fatalf("no Digest challenge")
	}
	for i, realm := range realms {
		_, realms[i], _ = strings.Cut(realm, " ")
	}
	return a.Known(realms...)
}

// Known is credentials for realms that have challenged the agent before, with the nonces that they gave.
func (a *Agent) Known(realms ...string) Edit {
	return func(r *Request) {
		for _, realm := range realms {
			r.credentials = append(r.credentials, func(r *Request) string { return a.credentials(a.asked[realm], r) })
		}
	}
}

func (a *Agent) credentials(c Challenge, r *Request) string {
	name := "Proxy-Authorization"
	if c.header == "Authorization" {
		name = c.header
	}
	p := &Phone{T: a.T, User: a.User, Password: a.Password, challenge: c, count: a.counts[c.Nonce]}
	value := Credentials{}.authorization(p, r)
	a.counts[c.Nonce] = p.count
	return name + ": " + value
}
