package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// issueFile has the keys and shapes that are promised to users.
const issueFile = `data = "/var/lib/biloxi"

[[domain]]
name = "Biloxi.Example.com."
realm = "atlanta.example.com"            # default: the name
aliases = ["ss2.biloxi.example.com", "127.0.0.1", "[0::1]"]   # other hosts that stand for this domain
algorithms = ["MD5", "SHA-256"]          # challenges offered, in this order

[[domain]]
name = "example.org"

[[listen]]
transport = "udp"                        # udp, tcp, tls
address = "127.0.0.1:5060"               # IPv6 too: "[::1]:5060"

[[listen]]
transport = "tls"
address = "[::1]:5061"

[tls]
certificate = "cert.pem"
key = "key.pem"

[registrar]
default_expires = "1h"
min_expires = "60s"
max_expires = "24h"
max_contacts = 10

[location]
durability = "sync"                      # sync, interval, none
`

// TestByteOrderMark holds that one is passed over, and moves no place.
func TestByteOrderMark(t *testing.T) {
	if cfg, err := Parse("x.toml", []byte("\ufeffdata = \"x\"\n"), nil); err != nil || cfg.Data != "x" {
		t.Errorf("%q, %v", cfg.Data, err)
	}
	if _, err := Parse("x.toml", []byte("\ufeffdata = 1\n"), nil); err == nil || !strings.HasPrefix(err.Error(), "x.toml:1:8: ") {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	cfg, err := Parse("/etc/biloxi/biloxi.toml", []byte(issueFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Data = "/var/lib/biloxi"
	want.Domains = []Domain{
		{
			Name: "biloxi.example.com", Realm: "atlanta.example.com",
			Aliases:    []string{"ss2.biloxi.example.com", "127.0.0.1", "[::1]"},
			Algorithms: []Algorithm{Algorithm(sip.MD5), Algorithm(sip.SHA256)},
			Mode:       ModeProxy, Callers: CallersAnyone,
		},
		{Name: "example.org", Realm: "example.org", Algorithms: DefaultAlgorithms, Mode: ModeProxy, Callers: CallersAnyone},
	}
	want.Listeners = []Listener{
		{Transport: Transport(sip.UDP), Address: "127.0.0.1:5060"},
		{Transport: Transport(sip.TLS), Address: "[::1]:5061"},
	}
	want.TLS.Certificate, want.TLS.Key = "/etc/biloxi/cert.pem", "/etc/biloxi/key.pem"
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
}

func TestParseEmptyIsDefault(t *testing.T) {
	cfg, err := Parse("biloxi.toml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(cfg, Default()) {
		t.Errorf("an empty file gives %+v", cfg)
	}
}

// TestErrors holds what an administrator reads about a slip, whole.
func TestErrors(t *testing.T) {
	const domain = "[[domain]]\nname = \"a.example\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "[registrar]\nmin_expire = \"60s\"\n",
			`f.toml:2:1: unknown key "min_expire" in [registrar]; did you mean "min_expires"?`},
		{"unknown key, nothing near", "[log]\ncolour_of_the_paper = 1\n",
			`f.toml:2:1: unknown key "colour_of_the_paper" in [log]; there are level, format`},
		{"case of a key", "[registrar]\nMin_Expires = \"60s\"\n",
			`f.toml:2:1: unknown key "Min_Expires" in [registrar]; did you mean "min_expires"?`},
		{"unknown table", domain + "[registar]\nmin_expires = \"60s\"\n",
			`f.toml:3:2: unknown table "registar" here; did you mean "registrar"?`},
		{"unknown key in a table of an array", domain + "relam = \"x\"\n",
			`f.toml:3:1: unknown key "relam" in [domain]; did you mean "realm"?`},
		{"unknown key in an inline table", "listen = [{transport = \"udp\", adress = \"127.0.0.1:5060\"}]\n",
			`f.toml:1:31: unknown key "adress" in [listen]; did you mean "address"?`},
		{"single brackets", "[domain]\nname = \"a\"\n",
			`f.toml:1:2: domain may be given more than once: write [[domain]], in double brackets`},
		{"double brackets", "[[registrar]]\n",
			`f.toml:1:3: registrar is given once: write [registrar], in single brackets`},
		{"a key as a table", "[data]\n", `f.toml:1:2: data is a key, not a table: write data = …`},
		{"duration without unit", "[registrar]\nmin_expires = 60\n",
			`f.toml:2:15: min_expires is a duration in quotes with its unit, such as "60s", not a number`},
		{"duration without unit, in quotes", "[registrar]\nmin_expires = \"60\"\n",
			`f.toml:2:15: min_expires: "60" is no duration; write a number with its unit, such as "60s", "5m" or "24h"`},
		{"negative duration", "[registrar]\nmin_expires = \"-60s\"\n",
			`f.toml:2:15: min_expires: a duration may not be negative: "-60s"`},
		{"idle", "[limits]\nidle_timeout = \"10s\"\n", `f.toml:2:16: idle_timeout is 10s; it is at least 32s`},
		{"size", "[limits]\nwrite_queue = \"64KB\"\n",
			`f.toml:2:15: write_queue: "64KB" is no size; write a whole number with its unit, such as "500B", "64KiB" or "4MiB"`},
		{"number", "[registrar]\nmax_contacts = \"10\"\n", `f.toml:2:16: max_contacts is a whole number, not a text`},
		{"list", domain + "aliases = \"b.example\"\n", `f.toml:3:11: aliases is a list, such as ["a", "b"], not a text`},
		{"syntax", "[registrar]\nmin_expires = 60s\n", `f.toml:2:17: strings must be quoted`},
		{"twice", "data = \"a\"\ndata = \"b\"\n", `f.toml:2:1: key data is already defined`},
		{"transport", "[[listen]]\ntransport = \"sctp\"\naddress = \"127.0.0.1:5060\"\n",
			`f.toml:2:13: transport: "sctp" is no transport; it is one of udp, tcp, tls`},
		{"algorithm", domain + "algorithms = [\"MD5\",\n  \"SHA1\"]\n",
			`f.toml:4:3: algorithms: "SHA1" is no digest algorithm; it is one of MD5, SHA-256, SHA-512-256`},
		{"durability", "[location]\ndurability = \"full\"\n",
			`f.toml:2:14: durability: "full" is no durability; it is one of sync, interval, none`},
		{"no name", "[[domain]]\nrealm = \"x\"\n",
			`f.toml:1:3: name is missing; write the domain, such as "example.com"`},
		{"name with a port", "[[domain]]\nname = \"a.example:5060\"\n",
			`f.toml:2:8: "a.example:5060" is no host; write a domain or an IP address, without scheme and port`},
		{"duplicate domain", domain + "[[domain]]\nname = \"A.example\"\n",
			`f.toml:4:8: "a.example" is taken already, by domain.0.name (line 2)`},
		{"duplicate alias", domain + "aliases = [\"b.example\",\n\"a.example\"]\n",
			`f.toml:4:1: "a.example" is taken already, by domain.0.name (line 2)`},
		{"no algorithms", domain + "algorithms = []\n",
			`f.toml:3:1: algorithms is empty; write ["MD5"], or leave it out`},
		{"algorithm twice", domain + "algorithms = [\"MD5\", \"md5\"]\n",
			`f.toml:3:22: MD5 stands twice in algorithms; keep one`},
		{"realm", domain + "realm = 'a\"b'\n",
			`f.toml:3:9: realm "a\"b" has quotes, backslashes or control characters; leave them out`},
		{"third party", domain + "third_party = [\"sip:admin@a.example\"]\n",
			`f.toml:3:16: "sip:admin@a.example" is no user; write the part before the @ alone`},
		{"no port", "[[listen]]\ntransport = \"udp\"\naddress = \"127.0.0.1\"\n",
			`f.toml:3:11: address "127.0.0.1" has no port; write "127.0.0.1:5060"`},
		{"no port, IPv6", "[[listen]]\ntransport = \"udp\"\naddress = \"::1\"\n",
			`f.toml:3:11: address "::1" has no port; write "[::1]:5060"`},
		{"no host", "[[listen]]\ntransport = \"udp\"\naddress = \":5060\"\n",
			`f.toml:3:11: address ":5060" has no IP address; write "0.0.0.0:5060" or "[::]:5060" for all of them`},
		{"a name as an address", "[[listen]]\ntransport = \"udp\"\naddress = \"localhost:5060\"\n",
			`f.toml:3:11: address "localhost:5060" is not an IP address and a port; write it as "192.0.2.1:5060" or "[2001:db8::1]:5060"`},
		{"no address", "[[listen]]\ntransport = \"udp\"\n",
			`f.toml:1:3: address is missing; write an IP address and a port, such as "0.0.0.0:5060"`},
		{"no transport", "[[listen]]\naddress = \"127.0.0.1:5060\"\n",
			`f.toml:1:3: transport is missing; it is one of udp, tcp, tls`},
		{"same socket", "[[listen]]\ntransport = \"tcp\"\naddress = \"127.0.0.1:5060\"\n[[listen]]\ntransport = \"tcp\"\naddress = \"127.0.0.1:5060\"\n",
			`f.toml:6:11: 127.0.0.1:5060 is taken already, by listen.0 (line 1)`},
		{"tls without certificate", "[[listen]]\ntransport = \"tls\"\naddress = \"127.0.0.1:5061\"\n",
			`f.toml:2:13: a tls listener needs a certificate; give certificate and key in [tls]`},
		{"certificate without key", "[tls]\ncertificate = \"c.pem\"\n",
			`f.toml:2:15: certificate has no key; give key in [tls]`},
		{"key without certificate", "[[tls.sni]]\nkey = \"k.pem\"\n",
			`f.toml:2:7: key has no certificate; give certificate in [tls.sni]`},
		{"client CA for nobody", "[tls]\nclient_ca = \"ca.pem\"\n",
			`f.toml:2:13: client_ca has no effect while client_certificates is "none"; make that "request" or "require"`},
		{"no client CA", "[tls]\nclient_certificates = \"require\"\n",
			`f.toml:2:23: client_certificates = "require" needs client_ca, the CA that signs them`},
		{"min over max", "[registrar]\nmax_expires = \"30s\"\ndefault_expires = \"20s\"\n",
			`f.toml:2:15: min_expires (1m) is more than max_expires (30s)`},
		{"min over an hour", "[registrar]\nmin_expires = \"2h\"\n",
			`f.toml:2:15: min_expires is 2h; RFC 3261 lets nothing over 1h be refused as too brief`},
		{"default under min", "[registrar]\ndefault_expires = \"30s\"\n",
			`f.toml:2:19: default_expires (30s) is less than min_expires (1m)`},
		{"default over max", "[registrar]\nmax_expires = \"30m\"\n",
			`f.toml:2:15: default_expires (1h) is more than max_expires (30m)`},
		{"part of a second", "[registrar]\nmin_expires = \"1500ms\"\n",
			`f.toml:2:15: min_expires is 1.5s; an expiry is a whole number of seconds from 1s to 1193046h28m14s`},
		{"contacts", "[registrar]\nmax_contacts = 0\n", `f.toml:2:16: max_contacts is 0; it is from 1 to 1000`},
		{"jitter", "[registrar]\njitter = 0.9\n", `f.toml:2:10: jitter is 0.9; it is a share of the expiry, from 0 to 0.5`},
		{"jitter that is no number", "[registrar]\njitter = nan\n", `f.toml:2:10: jitter is NaN; it is a share of the expiry, from 0 to 0.5`},
		{"service route", "[registrar]\nservice_route = [\"proxy.example.com\"]\n",
			`f.toml:2:18: "proxy.example.com" is no SIP URI; write it as "sip:proxy.example.com;lr"`},
		{"head size", "[limits]\nhead_size = \"64GiB\"\n", `f.toml:2:13: head_size is 64GiB; it is from 4KiB to 1MiB`},
		{"two errors", "[registrar]\nmax_contacts = 0\njitter = 7\n",
			"f.toml:2:16: max_contacts is 0; it is from 1 to 1000\n" +
				"f.toml:3:10: jitter is 7; it is a share of the expiry, from 0 to 0.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f.toml", []byte(c.text), nil)
			if err == nil {
				t.Fatal("no error")
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
			if one := new(Error); !errors.As(err, &one) || one.Line == 0 {
				t.Errorf("%T has no place", err)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("of the atlanta office\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Parse("/etc/biloxi/biloxi.toml", []byte(issueFile), []string{
		"PATH=/bin", "BILOXI_=x", "BILOXI_CONFIG=x.toml", "BILOXI_INTEROP=1",
		"BILOXI_DATA=here",
		"BILOXI_REGISTRAR_MIN_EXPIRES=2m", "BILOXI_REGISTRAR_MAX_CONTACTS=3", "BILOXI_REGISTRAR_JITTER=0.25",
		"BILOXI_REGISTRAR_LENIENT_CSEQ=true", "BILOXI_LOG_LEVEL=",
		"BILOXI_DOMAIN_0_ALIASES=SS3.example.com, 192.0.2.1", "BILOXI_DOMAIN_1_ALGORITHMS=SHA-256",
		"BILOXI_LISTEN_3_TRANSPORT=tcp", "BILOXI_LISTEN_2_TRANSPORT=tcp", "BILOXI_LISTEN_2_ADDRESS=0.0.0.0:5060",
		"BILOXI_LISTEN_3_ADDRESS=[::]:5060",
		"BILOXI_DOMAIN_0_REALM_FILE=" + secret, "BILOXI_LIMITS_WRITE_QUEUE=1MiB",
		"BILOXI_TLS_KEY=k.pem",
		// What a container platform makes for services called biloxi and biloxi-tls.
		"BILOXI_SERVICE_HOST=10.0.0.1", "BILOXI_PORT=tcp://10.0.0.1:5060", "BILOXI_TLS_SERVICE_HOST=10.0.0.1", "BILOXI_TLS_PORT_5061_TCP=tcp://10.0.0.1:5061",
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, same := range map[string]bool{
		"data":         cfg.Data == "here",
		"min_expires":  cfg.Registrar.MinExpires == Duration(2*time.Minute),
		"max_contacts": cfg.Registrar.MaxContacts == 3,
		"jitter":       cfg.Registrar.Jitter == 0.25,
		"lenient_cseq": cfg.Registrar.LenientCSeq,
		"empty":        cfg.Log.Level == LogInfo,
		"aliases":      reflect.DeepEqual(cfg.Domains[0].Aliases, []string{"ss3.example.com", "192.0.2.1"}),
		"algorithms":   reflect.DeepEqual(cfg.Domains[1].DigestAlgorithms(), []sip.Algorithm{sip.SHA256}),
		"listen.2":     cfg.Listeners[2] == Listener{Transport: Transport(sip.TCP), Address: "0.0.0.0:5060"},
		"listen.3":     cfg.Listeners[3] == Listener{Transport: Transport(sip.TCP), Address: "[::]:5060"},
		"secret":       cfg.Domains[0].Realm == "of the atlanta office",
		"write_queue":  cfg.Limits.WriteQueue == 1<<20,
		"key":          cfg.TLS.Key == "k.pem",
	} {
		if !same {
			t.Errorf("%s is not as the environment says: %+v", what, cfg)
		}
	}
}

// TestEnvironmentAlone is a server in a container, without a file.
func TestEnvironmentAlone(t *testing.T) {
	cfg, err := FromEnvironment([]string{"BILOXI_DOMAIN_0_NAME=Example.com", "BILOXI_LISTEN_0_ADDRESS=0.0.0.0:5060"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cfg.Domains[0]; d.Name != "example.com" || d.Realm != "example.com" {
		t.Errorf("name %q, realm %q", d.Name, d.Realm)
	}
	if len(cfg.Listeners) != 2 || cfg.Listeners[0].Address != "0.0.0.0:5060" {
		t.Errorf("listeners %v", cfg.Listeners)
	}
}

func TestEnvironmentErrors(t *testing.T) {
	for _, c := range []struct{ env, want string }{
		{"BILOXI_REGISTRAR_MIN_EXPIRE=2m", "BILOXI_REGISTRAR_MIN_EXPIRE: no key has that name; did you mean BILOXI_REGISTRAR_MIN_EXPIRES?"},
		{"BILOXI_REGISTRAR_MIN_EXPIRES=2", `BILOXI_REGISTRAR_MIN_EXPIRES: "2" is no duration; write a number with its unit, such as "60s", "5m" or "24h"`},
		{"BILOXI_REGISTRAR_MAX_CONTACTS=many", `BILOXI_REGISTRAR_MAX_CONTACTS: "many" is not a whole number`},
		{"BILOXI_REGISTRAR_MAX_CONTACTS=0", "BILOXI_REGISTRAR_MAX_CONTACTS: max_contacts is 0; it is from 1 to 1000"},
		{"BILOXI_LISTEN_7_ADDRESS=127.0.0.1:5060", "BILOXI_LISTEN_7_ADDRESS: there are 2 tables before it; the next has number 2"},
		{"BILOXI_LISTEN_0_ADDRESS=127.0.0.1", `BILOXI_LISTEN_0_ADDRESS: address "127.0.0.1" has no port; write "127.0.0.1:5060"`},
		{"BILOXI_DOMAIN_0_ALIASES=a b", `BILOXI_DOMAIN_0_ALIASES: "a b" is no host; write a domain or an IP address, without scheme and port`},
		{"BILOXI_DATA_FILE=/nowhere/x", "BILOXI_DATA_FILE: open /nowhere/x: no such file or directory"},
	} {
		_, err := FromEnvironment([]string{c.env})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\ngot  %v\nwant %s", c.env, err, c.want)
		}
	}
	if _, err := FromEnvironment([]string{"BILOXI_DATA=a", "BILOXI_DATA_FILE=/etc/hostname"}); err == nil {
		t.Error("a variable and its _FILE variant at once are taken")
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "biloxi.toml")
	if err := os.WriteFile(path, []byte("data = \"data\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Data != filepath.Join(dir, "data") {
		t.Errorf("data %q", cfg.Data)
	}
	if _, err := Load(filepath.Join(dir, "none.toml"), nil); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestValueText(t *testing.T) {
	for text, want := range map[string]Size{"0B": 0, "500B": 500, "64KiB": 64 << 10, "4 MiB": 4 << 20, "3GiB": 3 << 30} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %d, %v", text, s, err)
		}
		var back Size
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("%s is written %s, which is %d, %v", text, s, back, err)
		}
	}
	for _, text := range []string{"", "64", "KiB", "-1B", "1.5MiB", "99999999999GiB"} {
		if err := new(Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as a size", text)
		}
	}
	for d, want := range map[time.Duration]string{
		time.Hour: "1h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", 24 * time.Hour: "24h", 0: "0s",
		10 * time.Minute: "10m", 500 * time.Millisecond: "500ms", 20 * time.Second: "20s",
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is written %s, not %s", d, got, want)
		}
	}
}

// FuzzParse holds that no text makes Parse panic, that each error has a message, and that what is
// accepted is valid in itself: a domain, a listener, expiries in order.
func FuzzParse(f *testing.F) {
	// Short ones: what is found is made smaller first, and that takes long for long ones.
	for _, part := range strings.Split(issueFile+callFile, "\n\n") {
		f.Add([]byte(part))
	}
	f.Add([]byte("[dns.hosts]\na.b = [1]\n\"A.\" = [\"::\"]\n[dns.hosts.x]\n[[proxy.trusted]]"))
	f.Add([]byte("listen = [{transport = \"udp\", adress = \"127.0.0.1:5060\"}]\n[domain.x]\n[[tls.sni]]\nkey=[1]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, err := Parse("f.toml", text, nil)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a message")
			}
			return
		}
		r := cfg.Registrar
		if len(cfg.Domains) == 0 || len(cfg.Listeners) == 0 || r.MinExpires > r.DefaultExpires || r.DefaultExpires > r.MaxExpires {
			t.Errorf("accepted: %+v", cfg)
		}
		checkCalls(t, &cfg)
	})
}

// checkCalls holds what nothing that is accepted may do: relay for everybody.
func checkCalls(t *testing.T, cfg *Config) {
	trusted := slices.Clone(cfg.Proxy.Trusted)
	for _, r := range cfg.Routes {
		if r.Domain == "" && r.User == "" && len(r.Source) == 0 || r.Trusted && len(r.Source) == 0 {
			t.Errorf("accepted: %+v", r)
		}
		if r.Trusted {
			trusted = append(trusted, r.Source...)
		}
	}
	for _, p := range trusted {
		if p.Contains(netip.MustParseAddr("192.0.2.1")) && p.Contains(netip.MustParseAddr("203.0.113.1")) &&
			p.Contains(netip.MustParseAddr("10.0.0.1")) {
			t.Errorf("%v is trusted", p)
		}
	}
	if time.Duration(cfg.Proxy.TimerC) <= 3*time.Minute {
		t.Errorf("timer_c %v", cfg.Proxy.TimerC)
	}
}

// TestExamples holds that the configurations that users begin with are right.
func TestExamples(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../examples/*.toml", "../examples/*/*.toml", "../packaging/*.toml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Errorf("%s: %v, %v", pattern, found, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if _, err := Load(file, nil); err != nil {
			t.Error(err)
		}
	}
}
