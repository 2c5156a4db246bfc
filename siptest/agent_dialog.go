package siptest

import (
	"slices"
	"strings"

	"biloxi/sip"
)

// Dialog is one side of a dialog (RFC 3261 §12): what the requests within it are made from. Its fields may
// be changed to make them wrong.
type Dialog struct {
	Agent  *Agent
	Hop    Hop // where its requests go: as the INVITE did or came; Toward changes it
	CallID string
	Local  string   // value of From in its requests
	Remote string   // value of To
	Target string   // the remote target: the peer's Contact
	Routes []string // the route set, in order
	CSeq   uint32   // of its last request
	Invite uint32   // CSeq of the INVITE that Ack acknowledges
}

// Dialog is the caller's side of the dialog that a response (101 to 299) to its request makes.
func (a *Agent) Dialog(s *Sent, r *Received) *Dialog {
	a.T.Helper()
	c, _ := s.CSeq()
	routes := r.List("Record-Route") // RFC 3261 §12.1.2: in reverse order
	slices.Reverse(routes)
	return &Dialog{Agent: a, Hop: s.Hop, CallID: s.ID(), Local: s.header("From"), Remote: r.Header("To"), Target: target(r),
		Routes: routes, CSeq: c.Number, Invite: c.Number}
}

// Answered is the callee's side of the dialog of an INVITE (or other request) that the agent has replied
// to.
func (a *Agent) Answered(req *Received) *Dialog {
	a.T.Helper()
	local := req.Header("To")
	if req.ToTag() == "" {
		local += ";tag=" + a.Tag(req.ID())
	}
	return &Dialog{Agent: a, Hop: req.Hop, CallID: req.ID(), Local: local, Remote: req.Header("From"), Target: target(req),
		Routes: req.List("Record-Route")} // RFC 3261 §12.1.1: in order
}

// target is the URI of a message's Contact.
func target(r *Received) string {
	r.T.Helper()
	contacts := r.List("Contact")
	if len(contacts) != 1 {
		r.Fatalf("%d Contacts", len(contacts))
	}
	return nameAddrURI(contacts[0])
}

func nameAddrURI(v string) string {
	n, err := sip.ParseNameAddr([]byte(v))
	if err != nil {
		return v
	}
	return string(n.URI.Raw())
}

// Toward has the dialog's requests go to a hop, and returns the dialog.
func (d *Dialog) Toward(h Hop) *Dialog {
	d.Hop = h
	return d
}

// Request sends a request within the dialog (RFC 3261 §12.2.1.1), with the next CSeq.
func (d *Dialog) Request(method string, edits ...Edit) *Sent {
	d.Agent.T.Helper()
	d.CSeq++
	if method == "INVITE" {
		d.Invite = d.CSeq
	}
	return d.send(method, d.CSeq, edits)
}

// Bye ends the dialog.
func (d *Dialog) Bye(edits ...Edit) *Sent {
	d.Agent.T.Helper()
	return d.Request("BYE", edits...)
}

// Ack acknowledges the 2xx to the dialog's INVITE: with a branch of its own, along the route set.
func (d *Dialog) Ack(edits ...Edit) *Sent {
	d.Agent.T.Helper()
	return d.send("ACK", d.Invite, edits)
}

func (d *Dialog) send(method string, cseq uint32, edits []Edit) *Sent {
	d.Agent.T.Helper()
	r := &Request{Method: method, URI: d.Target, From: d.Local, To: d.Remote, CallID: d.CallID, CSeq: cseq}
	routes := d.Routes
	if len(routes) > 0 && !looseRoute(routes[0]) { // RFC 3261 §12.2.1.1: a strict router
		r.URI = nameAddrURI(routes[0])
		routes = append(slices.Clone(routes[1:]), "<"+d.Target+">")
	}
	for _, route := range routes {
		r.Lines = append(r.Lines, "Route: "+route)
	}
	return d.Agent.start(r, d.Hop, edits)
}

func looseRoute(v string) bool {
	u, err := sip.ParseURI([]byte(nameAddrURI(v)))
	return err == nil && u.Params.Has("lr")
}

// lower is a transport's name as it stands in a URI.
func lower(t sip.Transport) string { return strings.ToLower(t.String()) }
