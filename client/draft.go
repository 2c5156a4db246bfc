package client

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"biloxi/sip"
)

// draft is a request without what its hop decides: the Via, the Contact and what a body says of our address.
type draft struct {
	method   sip.Method
	target   []byte   // the Request-URI
	routes   [][]byte // values of Route, in order
	from, to []byte   // values, with their tags
	callID   string
	// fields appends what stands behind the credentials, whole lines; nil: nothing.
	fields func(dst []byte, h hop) []byte
	// body makes the body, SDP; nil: none.
	body func(h hop) []byte
}

// append writes the request. The authorization is whole lines.
func (d *draft) append(dst []byte, h hop, branch string, cseq uint32, authorization []byte, userAgent string) []byte {
	dst = append(dst, d.method...)
	dst = append(dst, ' ')
	dst = append(dst, d.target...)
	dst = append(dst, " SIP/2.0\r\n"...)
	dst = sip.AppendField(dst, sip.HeaderVia, appendVia(nil, h.flow.Transport, h.local, branch))
	dst = sip.AppendFieldUint(dst, sip.HeaderMaxForwards, maxForwards)
	for _, r := range d.routes {
		dst = sip.AppendField(dst, sip.HeaderRoute, r)
	}
	dst = sip.AppendField(dst, sip.HeaderFrom, d.from)
	dst = sip.AppendField(dst, sip.HeaderTo, d.to)
	dst = sip.AppendFieldString(dst, sip.HeaderCallID, d.callID)
	dst = sip.AppendField(dst, sip.HeaderCSeq, sip.CSeq{Number: cseq, Method: d.method}.Append(nil))
	dst = append(dst, authorization...)
	if d.fields != nil {
		dst = d.fields(dst, h)
	}
	dst = sip.AppendFieldString(dst, sip.HeaderUserAgent, userAgent)
	var body []byte
	if d.body != nil {
		body = d.body(h)
		dst = sip.AppendFieldString(dst, sip.HeaderContentType, sdpType)
	}
	return sip.AppendEnd(dst, body)
}

// allowed are the methods that an Agent takes (RFC 3261 §20.5).
const allowed = "INVITE, ACK, BYE, CANCEL, OPTIONS"

// appendContact appends our Contact as those behind h reach it (RFC 3261 §8.1.1.8).
func (a *Agent) appendContact(dst []byte, h hop, secure bool, params string) []byte {
	return sip.AppendFieldString(dst, sip.HeaderContact, "<"+a.contactURI(h, secure)+">"+params)
}

// contactURI is our address behind h. RFC 3261 §8.1.1.8: it is a sips URI where the request is.
func (a *Agent) contactURI(h hop, secure bool) string {
	scheme, params := "sip:", ""
	switch {
	case secure:
		scheme = "sips:"
	case h.flow.Transport != sip.UDP:
		params = ";transport=" + strings.ToLower(h.flow.Transport.String())
	}
	user := ""
	if !a.aor.IsZero() {
		user = string(a.aor.User) + "@"
	}
	return scheme + user + hostPort(h.local) + params
}

func hostPort(a netip.AddrPort) string {
	return net.JoinHostPort(a.Addr().String(), strconv.Itoa(int(a.Port())))
}

// appendAbilities appends what a request that makes a dialog, and its answer, say of us (RFC 3261 §13.2.1).
func (a *Agent) appendAbilities(dst []byte, h hop, secure bool) []byte {
	dst = a.appendContact(dst, h, secure, "")
	return sip.AppendFieldString(dst, sip.HeaderAllow, allowed)
}
