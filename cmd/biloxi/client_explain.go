package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"biloxi/client"
)

// explain says what failed, and what to do about it.
func (k *call) explain(err error, res *client.Result) error {
	var refused *client.RefusedError
	var timeout *client.TimeoutError
	var certificate *client.CertificateError
	var connect *client.ConnectError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var wait net.Error
	switch {
	case errors.As(err, &refused):
		return k.explainRefusal(refused, res)
	case errors.As(err, &certificate):
		return explainCertificate(certificate, k.flags.CA)
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case errors.As(err, &timeout) && timeout.Heard:
		return fmt.Errorf("%w: the server works on it, but has not finished: try a longer --timeout", err)
	case errors.As(err, &timeout):
		return fmt.Errorf("%w: are address, port and transport right, and does a firewall let it through?", err)
	case errors.As(err, &dns):
		return fmt.Errorf("%s is not found: give the server's address with --server (%w)", dns.Name, err)
	case client.IsRefused(err) && errors.As(err, &connect):
		return fmt.Errorf("connection refused: is the server running at %s?", connect.Server)
	case errors.As(err, &wait) && wait.Timeout() && errors.As(err, &connect):
		return fmt.Errorf("no connection to %s: are address, port and transport right, and does a firewall let it through?", connect.Server)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the server closed the connection: are port and transport right?", err)
	case errors.As(err, &record):
		return fmt.Errorf("%w: does the server speak TLS at this port?", err)
	}
	return err
}

func (k *call) explainRefusal(e *client.RefusedError, res *client.Result) error {
	switch {
	case errors.Is(e, client.ErrNoPassword):
		return errors.New("the server asks for a password: give it with --password-file FILE, or - to read it from standard input")
	case errors.Is(e, client.ErrWrongPassword):
		return fmt.Errorf("wrong password or unknown user: the server does not let %q in; check --password-file and --username", k.user)
	case e.Status == 403:
		return fmt.Errorf("%w: %q may not act for %s; check --username", e, k.user, k.address)
	case e.Status == 404:
		return fmt.Errorf("%w: the server does not know %s; check the address, or add it there (biloxi subscriber add)", e, k.address)
	case e.Status == 423:
		return fmt.Errorf("%w: it takes no less than --expires %d", e, res.MinExpires/time.Second)
	case e.Status >= 300 && e.Status < 400 && len(res.Contacts) > 0:
		return fmt.Errorf("%w: it says to ask at %s; try that with --server", e, printable(res.Contacts[0].URI))
	}
	return e
}

func explainCertificate(e *client.CertificateError, ca string) error {
	var unknown x509.UnknownAuthorityError
	if errors.As(e, &unknown) {
		if ca == "" {
			return fmt.Errorf("%w; if it is the right server, give the certificate of its authority with --ca FILE", e)
		}
		return fmt.Errorf("%w; %s is not the authority that signed it", e, ca)
	}
	return fmt.Errorf("%w; is --server the right one?", e)
}
