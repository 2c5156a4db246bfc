package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"biloxi/client"
)

// agentFlags are those of the commands that make and answer calls.
type agentFlags struct {
	reachFlags
	Route       []string `sep:"none" placeholder:"URI" help:"Proxy to go through (a Route), as <sip:ss1.example.com;lr>. May be given again, the nearest first."`
	Listen      string   `placeholder:"ADDRESS" help:"IP address and port of our own. Default: one that the system chooses."`
	PasswordFor []string `sep:"none" placeholder:"REALM=FILE" help:"Password file for one realm, where several servers on the way ask. May be given again."`
	Resolve     []string `sep:"none" placeholder:"HOST=ADDR" help:"IP address of a host name, in place of what DNS says. May be given again."`
}

// config reads the files that the flags name. The address is that of the one who calls, or is called.
func (f *agentFlags) config(c *console, aor string) (cfg client.AgentConfig, err error) {
	cfg = client.AgentConfig{AOR: aor, Server: f.Server, Listen: f.Listen, Username: f.Username, UserAgent: userAgent()}
	if f.Server != "" {
		if _, err := client.ParseServer(f.Server); err != nil {
			return cfg, usagef("--%v", err)
		}
	}
	for _, r := range f.Route {
		cfg.Routes = append(cfg.Routes, strings.TrimSuffix(strings.TrimPrefix(r, "<"), ">"))
	}
	if (f.Cert == "") != (f.Key == "") {
		return cfg, usagef("--cert and --key go together")
	}
	if cfg.Lookup, err = f.lookup(); err != nil {
		return cfg, err
	}
	if cfg.Password, err = f.password(c.In); err != nil {
		return cfg, err
	}
	if cfg.Passwords, err = f.passwords(); err != nil {
		return cfg, err
	}
	if f.CA != "" {
		if cfg.Roots, err = readRoots(f.CA); err != nil {
			return cfg, err
		}
	}
	if f.Cert != "" {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return cfg, fmt.Errorf("--cert and --key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// passwords reads the files of --password-for.
func (f *agentFlags) passwords() (map[string][]byte, error) {
	found := map[string][]byte{}
	for _, text := range f.PasswordFor {
		realm, file, ok := strings.Cut(text, "=")
		if !ok || realm == "" || file == "" {
			return nil, usagef("--password-for %q: write REALM=FILE", text)
		}
		one := reachFlags{PasswordFile: file}
		password, err := one.password(strings.NewReader(""))
		if err != nil {
			return nil, fmt.Errorf("the realm %s: %w", realm, err)
		}
		found[realm] = password
	}
	return found, nil
}

// lookup finds the hosts of --resolve, and all others as usual.
func (f *agentFlags) lookup() (func(context.Context, string) ([]netip.Addr, error), error) {
	hosts := map[string][]netip.Addr{}
	for _, text := range f.Resolve {
		host, addr, _ := strings.Cut(text, "=")
		a, err := netip.ParseAddr(addr)
		if err != nil || host == "" {
			return nil, usagef("--resolve %q: write HOST=ADDR, with an IP address", text)
		}
		host = strings.ToLower(host)
		hosts[host] = append(hosts[host], a)
	}
	return func(ctx context.Context, host string) ([]netip.Addr, error) {
		if found := hosts[host]; found != nil {
			return found, nil
		}
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	}, nil
}

// untilSignal is a context that an interrupt or the console's signals end. A second one ends the program.
func (c *console) untilSignal() (context.Context, context.CancelFunc) {
	if c.Signals == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		return ctx, stop
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-c.Signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// agentTrace collects the ladder of an agent, who speaks with several others.
type agentTrace struct {
	ladder  client.Ladder
	self    string
	first   map[string]int
	dropped int
}

func newAgentTrace(self string) *agentTrace {
	return &agentTrace{ladder: client.Ladder{Participants: []string{self}}, self: self, first: map[string]int{}}
}

// add keeps a message.
func (t *agentTrace) add(m client.Traced) {
	if len(t.ladder.Arrows) >= maxTraced {
		t.dropped++
		return
	}
	a := client.Arrow{From: t.self, To: m.Remote.String(), Label: client.LabelOf(m.Bytes), Transport: m.Transport.String(),
		Message: bytes.Clone(m.Bytes)}
	if !m.Sent {
		a.From, a.To = a.To, a.From
	}
	key := string(m.Bytes)
	if before, ok := t.first[key]; ok && m.Again {
		// RFC 3665 §3.10: a message that goes again is named by its first time.
		a.Note, a.Message = fmt.Sprintf("F%d again", before), nil
	} else {
		t.first[key] = len(t.ladder.Arrows) + 1
	}
	if m.Ignored {
		a.Note = "ignored"
	}
	t.ladder.AddArrow(a)
}

// draw shows the ladder: to people on standard output, beside JSON on standard error.
func (t *agentTrace) draw(c *console, json bool) {
	k := call{console: c, flags: &clientFlags{reachFlags: reachFlags{JSON: json}}, ladder: t.ladder, dropped: t.dropped}
	k.draw()
}

// explain says what failed, and what to do about it, as the other client commands do.
func (f *agentFlags) explain(c *console, err error, user, address string) error {
	if errors.Is(err, client.ErrNoAnswer) {
		return fmt.Errorf("%w; a longer --ring-time waits longer", err)
	}
	if user == "" {
		user = f.Username
	}
	k := call{console: c, flags: &clientFlags{reachFlags: f.reachFlags}, address: address, user: user}
	return k.explain(err, &client.Result{})
}
