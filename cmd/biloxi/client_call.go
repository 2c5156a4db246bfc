package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"biloxi/client"
	"biloxi/sip"
)

// call is one command of the client side on its way.
type call struct {
	console *console
	flags   *clientFlags
	address string // whom it is about, for messages
	user    string
	client  *client.Client
	ladder  client.Ladder
	self    string // name of the left lifeline
	first   map[string]int
	dropped int
}

const serverName = "SIP Server"

// begin reads the files that the flags name and makes the client. The address is what messages call the
// one that the command is about.
func (f *clientFlags) begin(c *console, aor, address string) (*call, error) {
	k := &call{console: c, flags: f, address: address, first: map[string]int{}}
	cfg := client.Config{AOR: aor, Server: f.Server, Username: f.Username, UserAgent: userAgent()}
	if f.Trace {
		cfg.Trace = k.trace
	}
	if f.Server != "" {
		if _, err := client.ParseServer(f.Server); err != nil {
			return nil, usagef("--%v", err)
		}
	}
	if (f.Cert == "") != (f.Key == "") {
		return nil, usagef("--cert and --key go together")
	}
	var err error
	if cfg.Password, err = f.password(c.In); err != nil {
		return nil, err
	}
	if f.CA != "" {
		if cfg.Roots, err = readRoots(f.CA); err != nil {
			return nil, err
		}
	}
	if f.Cert != "" {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, fmt.Errorf("--cert and --key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if k.client, err = client.New(cfg); err != nil {
		return nil, usageError{err.Error()}
	}
	k.user = f.Username
	if u, err := sip.ParseURI([]byte(aor)); err == nil && k.user == "" {
		k.user = string(sip.AppendUnescaped(nil, u.User))
	}
	k.self = lifeline(k.user)
	k.ladder.Participants = []string{k.self, serverName}
	return k, nil
}

// userAgent names the program and its version, if that can stand in a product token (RFC 3261 §25.1).
func userAgent() string {
	v := versionString()
	for _, r := range v {
		if !strings.ContainsRune("-.!%*_+`'~", r) && !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') {
			return "biloxi"
		}
	}
	return "biloxi/" + v
}

// lifeline is the name of the one who asks: bob is drawn as Bob.
func lifeline(user string) string {
	if user == "" {
		return "Client"
	}
	first, n := utf8.DecodeRuneInString(user)
	return string(unicode.ToUpper(first)) + user[n:]
}

// do runs one request, shows what came of it, and returns the error to end with.
func (k *call) do(send func(context.Context, *client.Client) (client.Result, error), show func(*client.Result)) error {
	defer k.client.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(k.flags.Timeout))
	defer cancel()
	res, err := send(ctx, k.client)
	if k.flags.Trace {
		k.draw()
	}
	if err == nil {
		err = res.Err()
	}
	if err != nil {
		err = k.explain(err, &res)
	}
	switch {
	case k.flags.JSON:
		k.showJSON(&res, err)
	case err == nil:
		show(&res)
	}
	return err
}
