package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Client is an Admin that asks the server running on a data folder. It must be closed.
type Client struct {
	http http.Client
}

var _ Admin = (*Client)(nil)

// NewClient returns a client for the server on that data folder. It opens nothing yet.
func NewClient(data string) *Client {
	return &Client{http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, data) },
	}}}
}

// Close closes its connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// request is one request: the path with its parts escaped.
func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://biloxi"+path, body)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("the running server: %w", err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	var f failure
	if json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(&f) != nil || f.Error == "" {
		f.Error = "the running server answered " + res.Status
	}
	return nil, &Error{res.StatusCode, f.Error}
}

// call sends in as JSON, unless it is nil, and reads the answer into out.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	res, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("the running server's answer: %w", err)
	}
	return nil
}

func subscriberPath(aor string) string { return "/v1/subscribers/" + url.PathEscape(aor) }

func locationPath(aor string) string { return "/v1/locations/" + url.PathEscape(aor) }

// AddSubscriber implements Admin.
func (c *Client) AddSubscriber(ctx context.Context, aor, password string) (s Subscriber, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/subscribers", credentials{aor, password}, &s)
	return s, err
}

// SetPassword implements Admin.
func (c *Client) SetPassword(ctx context.Context, aor, password string) (s Subscriber, err error) {
	err = c.call(ctx, http.MethodPut, subscriberPath(aor)+"/password", credentials{Password: password}, &s)
	return s, err
}

// RemoveSubscriber implements Admin.
func (c *Client) RemoveSubscriber(ctx context.Context, aor string) error {
	return c.call(ctx, http.MethodDelete, subscriberPath(aor), nil, &struct{}{})
}

// FindSubscriber implements Admin.
func (c *Client) FindSubscriber(ctx context.Context, aor string) (s Subscriber, err error) {
	err = c.call(ctx, http.MethodGet, subscriberPath(aor), nil, &s)
	return s, err
}

// ListSubscribers implements Admin.
func (c *Client) ListSubscribers(ctx context.Context, after string, limit int) (p SubscriberPage, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/subscribers?"+pageQuery("after", after, limit), nil, &p)
	return p, err
}

// FindLocation implements Admin.
func (c *Client) FindLocation(ctx context.Context, aor string) (l Location, err error) {
	err = c.call(ctx, http.MethodGet, locationPath(aor), nil, &l)
	return l, err
}

// ListLocations implements Admin.
func (c *Client) ListLocations(ctx context.Context, cursor string, limit int) (p LocationPage, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/locations?"+pageQuery("cursor", cursor, limit), nil, &p)
	return p, err
}

// RemoveLocation implements Admin.
func (c *Client) RemoveLocation(ctx context.Context, aor, contact string) (int, error) {
	path := locationPath(aor)
	if contact != "" {
		path += "?contact=" + url.QueryEscape(contact)
	}
	var r removed
	err := c.call(ctx, http.MethodDelete, path, nil, &r)
	return r.Removed, err
}

// ListDefence implements Admin.
func (c *Client) ListDefence(ctx context.Context, limit int) (d Defence, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/defence?"+pageQuery("", "", limit), nil, &d)
	return d, err
}

// SetDefenceRule implements Admin.
func (c *Client) SetDefenceRule(ctx context.Context, action, source string, lasts time.Duration) (r DefenceRule, err error) {
	err = c.call(ctx, http.MethodPut, "/v1/defence/"+url.PathEscape(action)+"/"+url.PathEscape(source), ruling{int64(lasts / time.Second)}, &r)
	return r, err
}

// ForgetDefence implements Admin.
func (c *Client) ForgetDefence(ctx context.Context, what string) (f Forgotten, err error) {
	path := "/v1/defence"
	if what != "" {
		path += "/" + url.PathEscape(what)
	}
	err = c.call(ctx, http.MethodDelete, path, nil, &f)
	return f, err
}

// Status implements Admin.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s, err
}

// Reload implements Admin.
func (c *Client) Reload(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/v1/reload", nil, &struct{}{})
}

func pageQuery(name, from string, limit int) string {
	q := url.Values{}
	if from != "" {
		q.Set(name, from)
	}
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	return q.Encode()
}

// Import implements Admin: it sends the file while it reads the server's words on it.
func (c *Client) Import(ctx context.Context, csv io.Reader, watch func(Progress)) (Progress, error) {
	res, err := c.request(ctx, http.MethodPost, "/v1/subscribers/import", io.NopCloser(csv))
	if err != nil {
		return Progress{}, err
	}
	defer res.Body.Close()
	in := json.NewDecoder(res.Body)
	for {
		var e event
		if err := in.Decode(&e); err != nil {
			return Progress{}, fmt.Errorf("the running server's answer ended early: %w", err)
		}
		switch {
		case e.Failure != nil:
			return Progress{}, &Error{e.Failure.Status, e.Failure.Error}
		case e.Result != nil:
			return *e.Result, nil
		case e.Progress != nil:
			watch(*e.Progress)
		}
	}
}
