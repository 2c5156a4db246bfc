package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"biloxi/bench"
	"biloxi/client"
	"biloxi/sip"
	"biloxi/subscriber"
)

// benchCmd is biloxi bench.
type benchCmd struct {
	Server   string `arg:"" help:"Whom to load: sip:HOST[:PORT][;transport=udp|tcp|tls], or sips: for TLS."`
	Scenario string `short:"s" enum:"options,register,refresh,query,message,call,connect" default:"options" placeholder:"NAME" help:"What one operation is, see below: options, register, refresh, query, message, call or connect."`

	Concurrency int      `short:"c" placeholder:"N" help:"Operations under way at a time (default 64); with --rate at most so many (default 4096); for connect, connections being opened at a time."`
	Rate        float64  `short:"r" placeholder:"N" help:"Begin so many operations in a second, whatever the server does; latency counts from when each was due. Default: each begins as another ends."`
	Duration    *seconds `short:"d" placeholder:"D" help:"How long to measure (default 10s)."`
	Count       int64    `short:"n" placeholder:"N" help:"End after so many operations."`
	Warmup      *seconds `placeholder:"D" help:"How long to run before that (default 1s; none with --count)."`
	Sockets     int      `placeholder:"N" help:"UDP sockets (default 1), or connections (default: one for each operation under way). For connect: how many to open and hold (default 1000)."`
	Hold        seconds  `default:"10s" placeholder:"D" help:"For connect: how long to hold the connections (default 10s)."`

	Users          int     `short:"u" default:"1000" placeholder:"N" help:"Subscribers, by the patterns below (default 1000)."`
	First          int     `default:"0" placeholder:"N" help:"Number of the first (default 0)."`
	UserFormat     string  `default:"user%d" placeholder:"TEXT" help:"Their names: %d is the number, %06d the number with zeros in front (default user%d)."`
	PasswordFormat string  `default:"secret-%s" placeholder:"TEXT" help:"Their passwords: %d is the number, %s the name (default secret-%s)."`
	UsersFile      string  `type:"existingfile" placeholder:"FILE" help:"Subscribers from a CSV file instead: AOR,password, as biloxi subscriber import reads it."`
	Domain         string  `placeholder:"NAME" help:"Domain of the subscribers. Default: that of the file, or the host of SERVER."`
	CallerDomain   string  `placeholder:"NAME" help:"Domain of those who send messages and call. Another than that of the subscribers makes them strangers, whom most servers do not challenge. Default: that of the subscribers."`
	Expires        seconds `default:"1h" placeholder:"D" help:"What registrations ask for (default 1h)."`

	T1       time.Duration `name:"t1" default:"500ms" placeholder:"D" help:"Timer T1 of RFC 3261, for retransmissions over UDP (default 500ms); 64 times that is how long an answer is waited for."`
	PID      []int         `name:"pid" placeholder:"PID,..." help:"Processes of the server, on this machine: their CPU time for each operation and their memory are shown, children included."`
	CA       string        `name:"ca" placeholder:"FILE" help:"PEM file of the authorities whose certificates are taken, in place of the system's."`
	Insecure bool          `help:"Take any certificate."`
	JSON     bool          `name:"json" help:"Write JSON."`
}

func (*benchCmd) Help() string {
	return `What one operation is:
  options   OPTIONS to the server, 200
  register  REGISTER, 401, REGISTER with credentials, 200
  refresh   REGISTER with the nonce of before and the next nonce count, 200
  query     REGISTER without a contact, 200 with the contacts
  message   MESSAGE to another subscriber, whose phone is played too, 200
  call      INVITE, 180, 200, ACK, BYE, 200: both phones are played
  connect   open a TCP or TLS connection, register over it; then all are held

Every answer is checked. The subscribers must be there; their contacts are registered, and for message and call
replaced and at the end removed. Use it on servers of your own.

Examples:
  biloxi bench sip:127.0.0.1:5060
  biloxi bench sip:127.0.0.1:5060 -s refresh --domain biloxi.example.com --users 10000 --pid $(pidof biloxi)
  biloxi bench 'sip:127.0.0.1:5060;transport=tcp' -s call --rate 500 --duration 1m --users-file users.csv
  biloxi bench sips:biloxi.example.com -s connect --sockets 5000 --concurrency 5000 --ca ca.pem --json

Exit codes: 0 all answers came and were right, 1 some did not or were not, 2 wrong usage. Ctrl-C ends it and shows
what was measured.`
}

func (cmd *benchCmd) Run(c *console) error {
	ctx, stop := c.untilSignal()
	defer stop()
	cfg, err := cmd.config(ctx)
	if err != nil {
		return err
	}
	progress := newProgress(c)
	cfg.Progress = progress.show
	res, err := bench.Run(ctx, cfg)
	progress.end()
	if res != nil {
		if cmd.JSON {
			c.printJSON(res)
		} else {
			showBench(c, res)
		}
	}
	return cmd.explain(err, res)
}

// config makes the measurement's configuration of the flags.
func (cmd *benchCmd) config(ctx context.Context) (bench.Config, error) {
	cfg := bench.Config{Scenario: bench.Scenario(cmd.Scenario), Concurrency: cmd.Concurrency, Rate: cmd.Rate, Workers: cmd.Sockets,
		Count: cmd.Count, Hold: time.Duration(cmd.Hold), Expires: sip.DeltaSeconds(time.Duration(cmd.Expires)), T1: cmd.T1,
		Callers: cmd.CallerDomain, T2: 8 * cmd.T1, Processes: cmd.PID}
	server, err := client.ParseServer(withSIP(cmd.Server))
	if err != nil {
		return cfg, usageError{err.Error()}
	}
	cfg.Transport = server.Transport
	cmd.setDefaults(&cfg)
	if err := cmd.checkFlags(&cfg); err != nil {
		return cfg, err
	}
	if err := cmd.readUsers(&cfg, server.Host); err != nil {
		return cfg, err
	}
	if cfg.Server, err = lookUp(ctx, server); err != nil {
		return cfg, err
	}
	if cfg.Transport == sip.TLS {
		cfg.TLS = &tls.Config{ServerName: server.Host, InsecureSkipVerify: cmd.Insecure}
		if cmd.CA != "" {
			if cfg.TLS.RootCAs, err = readRoots(cmd.CA); err != nil {
				return cfg, err
			}
		}
	}
	return cfg, bench.CheckProcesses(cmd.PID)
}

// withSIP lets a server be written without sip: before it.
func withSIP(server string) string {
	if lower := strings.ToLower(server); strings.HasPrefix(lower, "sip:") || strings.HasPrefix(lower, "sips:") {
		return server
	}
	return "sip:" + server
}

// setDefaults sets what depends on other flags.
func (cmd *benchCmd) setDefaults(cfg *bench.Config) {
	connect := cfg.Scenario == bench.Connect
	switch {
	case cfg.Concurrency != 0:
	case cfg.Rate > 0 && !connect:
		cfg.Concurrency = 4096
	default:
		cfg.Concurrency = 64
	}
	switch {
	case cfg.Workers != 0:
	case connect:
		cfg.Workers = 1000
	case cfg.Transport.Reliable():
		cfg.Workers = min(cfg.Concurrency, 64)
	default:
		cfg.Workers = 1
	}
	cfg.Duration, cfg.Warmup = 10*time.Second, time.Second
	if cmd.Count > 0 {
		cfg.Duration, cfg.Warmup = 0, 0
	}
	if cmd.Duration != nil {
		cfg.Duration = time.Duration(*cmd.Duration)
	}
	if cmd.Warmup != nil {
		cfg.Warmup = time.Duration(*cmd.Warmup)
	}
}

// checkFlags reports flags that cannot be meant.
func (cmd *benchCmd) checkFlags(cfg *bench.Config) error {
	switch {
	case cmd.Concurrency < 0, cmd.Sockets < 0:
		return usagef("--concurrency and --sockets must be 1 or more")
	case cmd.Rate < 0:
		return usagef("--rate must not be negative")
	case cmd.Count < 0:
		return usagef("--count must not be negative")
	case cmd.Users < 1:
		return usagef("--users must be 1 or more")
	case cfg.Duration == 0 && cmd.Count == 0 && cfg.Scenario != bench.Connect:
		return usagef("--duration 0 would measure nothing")
	case cmd.T1 <= 0:
		return usagef("--t1 must be more than 0")
	case cmd.Expires == 0:
		return usagef("--expires 0 would register nothing")
	case cfg.Scenario == bench.Connect && !cfg.Transport.Reliable():
		return usagef("connect needs connections: add ;transport=tcp to the server, or write sips:")
	case (cmd.CA != "" || cmd.Insecure) && cfg.Transport != sip.TLS:
		return usagef("--ca and --insecure are for TLS: write sips: or ;transport=tls")
	}
	return nil
}

// readUsers makes the subscribers, from the file or by the patterns.
func (cmd *benchCmd) readUsers(cfg *bench.Config, host string) (err error) {
	if cfg.Domain = cmd.Domain; cfg.Domain == "" {
		cfg.Domain = host
		if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
			cfg.Domain = "[" + host + "]"
		}
	}
	if cmd.UsersFile == "" {
		if cfg.Users, err = bench.Pattern(cmd.Users, cmd.First, cmd.UserFormat, cmd.PasswordFormat); err != nil {
			return usageError{err.Error()}
		}
	} else if err = cmd.readUsersFile(cfg); err != nil {
		return err
	}
	if len(cfg.Users) < 2 && (cfg.Scenario == bench.Message || cfg.Scenario == bench.Call) {
		return usagef("%s needs two users or more", cfg.Scenario)
	}
	return nil
}

// readUsersFile takes the subscribers of one domain: that of --domain, or of the first line.
func (cmd *benchCmd) readUsersFile(cfg *bench.Config) error {
	f, err := os.Open(cmd.UsersFile)
	if err != nil {
		return err
	}
	defer f.Close()
	domain, secret := cmd.Domain, ""
	csv := subscriber.CSV{
		Domain: func(host string) (subscriber.Domain, bool) {
			if domain == "" {
				domain = host
			}
			return subscriber.Domain{Name: host, Realm: host}, true
		},
		// Passwords are needed as they are, and the reader gives them away only here.
		Hash: func(_, _, password string) subscriber.HA1s {
			secret = password
			return subscriber.HA1s{Has: 1 << sip.MD5}
		},
	}
	for s, err := range csv.Read(f) {
		if err != nil {
			return fmt.Errorf("%s: %w", cmd.UsersFile, err)
		}
		if strings.EqualFold(s.Domain, domain) && secret != "" {
			cfg.Users = append(cfg.Users, bench.Subscriber{Name: string(sip.AppendEscapedUser(nil, []byte(s.User))), Password: secret})
		}
		secret = ""
	}
	if len(cfg.Users) == 0 {
		return fmt.Errorf("%s: no subscriber of %s with a password stands there", cmd.UsersFile, domain)
	}
	cfg.Domain = domain
	return nil
}

// lookUp finds the address of a server that may be named.
func lookUp(ctx context.Context, server client.Server) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(server.Host); err == nil {
		return netip.AddrPortFrom(a, server.Port), nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", server.Host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s is not found: %w", server.Host, err)
	}
	return netip.AddrPortFrom(found[0].Unmap(), server.Port), nil
}

// explain says what ended a run, and what to do about it.
func (cmd *benchCmd) explain(err error, res *bench.Result) error {
	var prepare *bench.PrepareError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &prepare):
		return fmt.Errorf("%w\nAre the subscribers there (--users, --user-format, --password-format, --users-file), and is the domain right (--domain)?", err)
	case bench.IsRefused(err), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("connection refused: is the server running at %s?", cmd.Server)
	case errors.As(err, &certificate):
		return fmt.Errorf("%w; give the certificate of its authority with --ca FILE, or take any with --insecure", err)
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted before anything was measured")
	case err != nil:
		return err
	case !res.OK():
		return errReported
	}
	return nil
}
