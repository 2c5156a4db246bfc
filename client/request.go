package client

import (
	"errors"
	"net/netip"
	"strconv"
	"time"

	"biloxi/sip"
)

var errNoAOR = errors.New("no address of record to register")

// request is what one call sends, each time with another CSeq, branch and credentials.
type request struct {
	method     sip.Method
	target     []byte // the Request-URI
	from, to   []byte // name-addr, without tags
	callID     string
	fromTag    string
	contacts   []Contact
	star       bool // Contact: *
	expires    time.Duration
	hasExpires bool
	secure     bool // the Request-URI is sips
	server     Server
	identity   string // the domain that the request is for, in lower case
}

// newRegister starts a REGISTER for the address of record.
func (c *Client) newRegister() (*request, error) {
	if c.aor.IsZero() {
		return nil, errNoAOR
	}
	// RFC 3261 §10.2: the Request-URI names the domain, without a user; the address of record is in To.
	domain := c.aor
	domain.User, domain.Params = nil, nil
	r := &request{method: sip.Register, target: domain.Append(nil), callID: c.callID, fromTag: c.fromTag}
	r.to = nameAddr(c.aor)
	r.from = r.to
	return r, c.aim(r, c.aor)
}

// newOptions starts OPTIONS to u, by the address of record or by nobody.
func (c *Client) newOptions(u sip.URI) (*request, error) {
	// RFC 3261 §19.1.5: what a URI has for header fields is no part of a Request-URI.
	u.Headers = nil
	r := &request{method: sip.Options, target: u.Append(nil), callID: random(), fromTag: random()}
	u.Password = nil
	r.to = nameAddr(u)
	// RFC 3261 §8.1.1.3: the From of one who does not say.
	r.from = []byte("\"Anonymous\" <sip:anonymous@anonymous.invalid>")
	if !c.aor.IsZero() {
		r.from = nameAddr(c.aor)
	}
	return r, c.aim(r, u)
}

// aim chooses the server of a request that is for u.
func (c *Client) aim(r *request, u sip.URI) (err error) {
	own, err := serverOf(u)
	r.secure = u.Scheme == sip.SchemeSIPS
	r.identity = own.Host
	if r.server = c.server; c.server != (Server{}) {
		err = nil
	} else {
		r.server = own
	}
	// RFC 3261 §26.2.2: a sips URI goes over TLS, and over nothing else.
	if err == nil && r.secure && !r.server.Transport.Secure() {
		err = errors.New("a sips URI needs a server that is reached by TLS: sips:" + r.server.Host)
	}
	return err
}

func nameAddr(u sip.URI) []byte {
	return append(u.Append([]byte{'<'}), '>')
}

// build writes a request with the present CSeq and credentials.
func (c *Client) build(dst []byte, r *request, t sip.Transport, local netip.AddrPort, branch string) []byte {
	return r.append(dst, appendVia(nil, t, local, branch), c.cseq, c.cfg.UserAgent, c.logins.appendTo(nil, r.method, r.target))
}

// append writes the request. The authorization is whole header lines.
func (r *request) append(dst []byte, via []byte, cseq uint32, userAgent string, authorization []byte) []byte {
	dst = append(dst, r.method...)
	dst = append(dst, ' ')
	dst = append(dst, r.target...)
	dst = append(dst, " SIP/2.0\r\n"...)
	dst = sip.AppendField(dst, sip.HeaderVia, via)
	dst = sip.AppendFieldUint(dst, sip.HeaderMaxForwards, maxForwards)
	dst = append(dst, "From: "...)
	dst = append(append(dst, r.from...), ";tag="...)
	dst = append(append(dst, r.fromTag...), "\r\n"...)
	dst = sip.AppendField(dst, sip.HeaderTo, r.to)
	dst = sip.AppendFieldString(dst, sip.HeaderCallID, r.callID)
	dst = sip.AppendField(dst, sip.HeaderCSeq, sip.CSeq{Number: cseq, Method: r.method}.Append(nil))
	dst = append(dst, authorization...)
	if r.star {
		dst = sip.AppendFieldString(dst, sip.HeaderContact, "*")
	}
	for _, contact := range r.contacts {
		dst = sip.AppendField(dst, sip.HeaderContact, contact.Append(nil))
	}
	if r.hasExpires {
		dst = sip.AppendField(dst, sip.HeaderExpires, appendSeconds(nil, r.expires))
	}
	if r.method == sip.Options {
		// RFC 3261 §11.1: an Accept SHOULD say what bodies may come.
		dst = sip.AppendFieldString(dst, sip.HeaderAccept, "application/sdp")
	}
	dst = sip.AppendFieldString(dst, sip.HeaderUserAgent, userAgent)
	return sip.AppendEnd(dst, nil)
}

// raise asks for no shorter expiry than least; false if nothing was shorter, so that a server that
// refuses all the same is not asked again.
func (r *request) raise(least time.Duration) (raised bool) {
	if least <= 0 || r.star {
		return false
	}
	if r.hasExpires && r.expires > 0 && r.expires < least {
		r.expires, raised = least, true
	}
	for i := range r.contacts {
		if x := &r.contacts[i]; x.HasExpires && x.Expires > 0 && x.Expires < least {
			x.Expires, raised = least, true
		}
	}
	return raised
}

// appendVia writes our Via (RFC 3261 §8.1.1.7, §18.1.1; RFC 3581 §3: rport asks for the answer at the
// port that the request comes from).
func appendVia(dst []byte, t sip.Transport, local netip.AddrPort, branch string) []byte {
	dst = append(dst, "SIP/2.0/"...)
	dst = append(dst, t.String()...)
	dst = append(dst, ' ')
	dst = local.AppendTo(dst)
	dst = append(dst, ";rport;branch="...)
	return append(dst, branch...)
}

// appendSeconds writes delta-seconds, those of a part rounded up, at most 2^32-1.
func appendSeconds(dst []byte, d time.Duration) []byte {
	n := (max(d, 0) + time.Second - 1) / time.Second
	return strconv.AppendUint(dst, uint64(min(n, sip.MaxDeltaSeconds)), 10)
}
