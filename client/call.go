package client

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"time"

	"biloxi/sip"
)

// call sends a request, again with credentials, or with a longer expiry, until its answer is final.
func (c *Client) call(ctx context.Context, r *request) (Result, error) {
	var res Result
	done := answered{}
	raised := false
	for {
		if res.Requests >= maxRequests {
			res.Cause = ErrTooMany
			return res, nil
		}
		m, err := c.send(ctx, r, &res)
		if err != nil {
			return res, err
		}
		minExpires := res.MinExpires
		res.read(m)
		switch {
		case res.Status == 401 || res.Status == 407:
			if cause := c.logins.challenged(m, done); cause != nil {
				res.Cause = cause
				return res, nil
			}
		// RFC 3261 §10.2.8: the request may be tried again with an expiry that is long enough.
		case res.Status == 423 && !raised && r.raise(res.MinExpires):
			raised = true
		default:
			if res.MinExpires == 0 {
				res.MinExpires = minExpires
			}
			return res, nil
		}
	}
}

// send runs one transaction, over the connection that there is or a new one.
func (c *Client) send(ctx context.Context, r *request, res *Result) (*sip.Message, error) {
	s := r.server
	// RFC 3261 §18.1.1: a large request goes over TCP, unless the user said how.
	if s.Transport == sip.UDP && !s.Pinned && c.sizeOf(r) > MaxUnpinnedDatagram {
		large := s
		large.Transport = sip.TCP
		m, err := c.sendTo(ctx, r, large, res)
		// RFC 3261 §18.1.1: a server without TCP gets it over UDP all the same.
		var lost *ConnectError
		if !errors.As(err, &lost) {
			return m, err
		}
	}
	return c.sendTo(ctx, r, s, res)
}

// sizeOf is what the request takes at most.
func (c *Client) sizeOf(r *request) int {
	return len(c.build(nil, r, sip.UDP, netip.AddrPort{}, sip.MagicCookie+random())) + len("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")
}

func (c *Client) sendTo(ctx context.Context, r *request, s Server, res *Result) (*sip.Message, error) {
	if cn := c.conn; cn != nil && cn.server == s && cn.identity == r.identity {
		reused := cn.used
		m, err := c.transact(ctx, cn, r, res)
		// A server may close a connection that is idle: then the request is sent over a new one.
		if err == nil || !reused || !isLost(err) || !s.Transport.Reliable() {
			return m, err
		}
	}
	c.Close()
	start := time.Now()
	addrs, err := c.resolve(ctx, s)
	if err != nil {
		err = &ConnectError{Server: s, Err: err}
	}
	for _, addr := range addrs {
		var cn *conn
		if cn, err = c.connect(ctx, s, addr, r.identity); err != nil {
			// A certificate that is not taken is no reason to ask somewhere else.
			var refused *CertificateError
			if errors.As(err, &refused) {
				return nil, err
			}
			err = &ConnectError{Server: s, Err: err}
		} else {
			c.conn = cn
			var m *sip.Message
			if m, err = c.transact(ctx, cn, r, res); !isLost(err) {
				return m, err
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		err = ctx.Err()
	case ctx.Err() != nil:
		err = &TimeoutError{Server: s, After: time.Since(start).Round(time.Millisecond)}
	}
	return nil, err
}

// transact sends the request over a connection. An error that is no timeout closes it.
func (c *Client) transact(ctx context.Context, cn *conn, r *request, res *Result) (*sip.Message, error) {
	// RFC 3261 §8.1.1.7: another branch for every request; §22.2, §8.1.1.5: and the next CSeq.
	branch := sip.MagicCookie + random()
	c.cseq++
	c.logins.count()
	t := &exchange{client: c, conn: cn, branch: branch, cseq: sip.CSeq{Number: c.cseq, Method: r.method},
		callID: r.callID, result: res}
	t.request = c.build(nil, r, cn.server.Transport, cn.local, branch)
	res.Requests++
	res.Authenticated = len(c.logins.known) > 0
	res.Transport, res.Local, res.Remote = cn.server.Transport, cn.local, cn.remote
	m, err := t.run(ctx)
	if err != nil {
		c.Close()
		var timeout *TimeoutError
		if !errors.As(err, &timeout) && ctx.Err() == nil {
			err = &ConnectError{Server: cn.server, Err: err}
		}
		return nil, err
	}
	cn.used = true
	return m, nil
}

// isLost tells an error after which another connection may do better.
func isLost(err error) bool {
	var lost *ConnectError
	return errors.As(err, &lost)
}

// IsRefused reports whether an error says that nothing listens at the server's address.
func IsRefused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED)
}
