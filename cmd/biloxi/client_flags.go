package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"biloxi/client"
	"biloxi/sip"
)

// clientFlags are those of the commands that send one request.
type clientFlags struct {
	reachFlags
	Timeout seconds `default:"32s" placeholder:"D" help:"How long to wait for the answer (default 32s)."`
}

// reachFlags are those that all commands of the client side have: where to send to, and who we are.
type reachFlags struct {
	Server       string `placeholder:"URI" help:"Where to send to: sip:HOST[:PORT][;transport=udp|tcp|tls], or sips: for TLS. Default: the domain of the address, by its A and AAAA records (NAPTR and SRV are not looked up yet)."`
	CA           string `name:"ca" placeholder:"FILE" help:"PEM file of the authorities whose certificates are taken, in place of the system's."`
	Cert         string `placeholder:"FILE" help:"PEM file of a certificate of your own, for a server that asks for one."`
	Key          string `placeholder:"FILE" help:"PEM file of its key."`
	Username     string `placeholder:"NAME" help:"Username to authenticate with. Default: the user of the address."`
	PasswordFile string `placeholder:"FILE" help:"File whose first line is the password; - reads it from standard input."`
	JSON         bool   `name:"json" help:"Write JSON."`
	Trace        bool   `help:"Draw the exchange as a ladder, with the messages below."`
}

// seconds is a duration on the command line: 90s, 1h30m, or a number of seconds.
type seconds time.Duration

func (s *seconds) UnmarshalText(text []byte) error {
	if n, err := strconv.ParseUint(string(text), 10, 32); err == nil {
		*s = seconds(time.Duration(n) * time.Second)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration: write 90s, 1h30m or a number of seconds", text)
	}
	if d > sip.MaxDeltaSeconds*time.Second {
		return fmt.Errorf("%q is longer than %d seconds, the longest that SIP can say", text, uint32(sip.MaxDeltaSeconds))
	}
	*s = seconds(d)
	return nil
}

// password reads the first line of the password file; nil without one.
func (f *reachFlags) password(in io.Reader) ([]byte, error) {
	if f.PasswordFile == "" {
		return nil, nil
	}
	if f.PasswordFile != "-" {
		file, err := os.Open(f.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("--password-file: %w", err)
		}
		defer file.Close()
		in = file
	}
	b, err := io.ReadAll(io.LimitReader(in, maxPassword+1))
	if err != nil {
		return nil, fmt.Errorf("--password-file: %w", err)
	}
	if len(b) > maxPassword {
		return nil, fmt.Errorf("--password-file: more than %d bytes are no password", maxPassword)
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return nil, errors.New("--password-file: its first line is empty")
	}
	return line, nil
}

func readRoots(name string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca %s: there is no certificate in it, in PEM", name)
	}
	return roots, nil
}

// withScheme lets an address be written without sip: before it.
func withScheme(address string) string {
	if lower := strings.ToLower(address); strings.HasPrefix(lower, "sip:") || strings.HasPrefix(lower, "sips:") {
		return address
	}
	if !strings.Contains(address, "@") {
		return address
	}
	return "sip:" + address
}

// parseContacts reads the values of --contact.
func parseContacts(texts []string) (contacts []client.Contact, err error) {
	for _, text := range texts {
		c, err := client.ParseContact(text)
		if err != nil {
			return nil, usagef("--contact: %v", err)
		}
		contacts = append(contacts, c)
	}
	return contacts, nil
}
