package config

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// callFile has the keys of calls.
const callFile = `data = "/var/lib/biloxi"

[[domain]]
name = "biloxi.example.com"
callers = "authenticated"

[[domain]]
name = "moved.example.com"
mode = "redirect"

[[listen]]
transport = "udp"
address = "192.0.2.222:5060"
advertise = "SS2.Biloxi.example.com:5060"

[tls]
ca = "peers.pem"

[proxy]
record_route = false
trusted = ["192.0.2.111", "10.0.0.0/8", "2001:DB8::/32"]
recurse = true
timer_c = "4m"
no_answer = 480
outbound = ["sip:edge.example.com;lr"]
max_transactions = 1000
max_breadth = 30
dialog_lifetime = "12h"
assert_identity = true

[[route]]
name = "gateway"
user = "+"
hops = ["sip:gw1.example.com;transport=tcp", "sip:192.0.2.20"]
record_route = true

[[route]]
domain = "*.Example.NET"
source = ["192.0.2.20"]
trusted = true

[dns]
servers = ["192.0.2.53", "[::1]:5353", "2001:db8::53"]

[dns.hosts]
"SS1.example.com." = ["192.0.2.111", "2001:DB8::1"]
`

func prefixes(t *testing.T, texts ...string) (out []Prefix) {
	t.Helper()
	for _, text := range texts {
		var p Prefix
		if err := p.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestParseCalls(t *testing.T) {
	cfg, err := Parse("/etc/biloxi/biloxi.toml", []byte(callFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	want := Default()
	want.Data = "/var/lib/biloxi"
	want.Domains = []Domain{
		{Name: "biloxi.example.com", Realm: "biloxi.example.com", Algorithms: DefaultAlgorithms, Mode: ModeProxy, Callers: CallersAuthenticated},
		{Name: "moved.example.com", Realm: "moved.example.com", Algorithms: DefaultAlgorithms, Mode: ModeRedirect, Callers: CallersAnyone},
	}
	want.Listeners = []Listener{{Transport: Transport(sip.UDP), Address: "192.0.2.222:5060", Advertise: "ss2.biloxi.example.com:5060"}}
	want.TLS.CA = "/etc/biloxi/peers.pem"
	want.Proxy = Proxy{
		Trusted: prefixes(t, "192.0.2.111", "10.0.0.0/8", "2001:db8::/32"), Recurse: true,
		TimerC: Duration(4 * time.Minute), NoAnswer: 480, Outbound: []string{"sip:edge.example.com;lr"},
		MaxTransactions: 1000, MaxBreadth: 30, DialogLifetime: Duration(12 * time.Hour), AssertIdentity: true,
	}
	want.Routes = []Route{
		{Name: "gateway", User: "+", Hops: []string{"sip:gw1.example.com;transport=tcp", "sip:192.0.2.20"}, RecordRoute: &yes},
		{Domain: "*.example.net", Source: prefixes(t, "192.0.2.20"), Trusted: true},
	}
	want.DNS = DNS{
		Servers: []string{"192.0.2.53:53", "[::1]:5353", "[2001:db8::53]:53"},
		Hosts:   map[string][]string{"ss1.example.com": {"192.0.2.111", "2001:db8::1"}},
	}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
}

// TestCallErrors holds what an administrator reads about a slip in the keys of calls, whole.
func TestCallErrors(t *testing.T) {
	const (
		domain = "[[domain]]\nname = \"a.example\"\n"
		listen = "[[listen]]\ntransport = \"udp\"\naddress = \"127.0.0.1:5060\"\n"
	)
	for _, c := range []struct{ name, text, want string }{
		{"mode", domain + "mode = \"forward\"\n", `f.toml:3:8: mode: "forward" is no mode; it is one of proxy, redirect`},
		{"callers", domain + "callers = \"nobody\"\n",
			`f.toml:3:11: callers: "nobody" is no choice for callers; it is one of anyone, authenticated`},
		{"callers of a redirect", domain + "callers = \"authenticated\"\nmode = \"redirect\"\n",
			`f.toml:3:11: callers = "authenticated" has no effect with mode = "redirect", which tells anybody where to go; leave one of them out`},
		{"advertise", listen + "advertise = \"sip:a.example\"\n",
			`f.toml:4:13: advertise "sip:a.example" is no host; write a name or an address, with a port or without, such as "sip.example.com" or "192.0.2.1:5060"`},
		{"advertise without brackets", listen + "advertise = \"2001:DB8::1\"\n",
			`f.toml:4:13: advertise "2001:DB8::1" is an IPv6 address without brackets; write "[2001:db8::1]"`},
		{"advertise everything", listen + "advertise = \"0.0.0.0:5060\"\n",
			`f.toml:4:13: advertise "0.0.0.0:5060" is an address that nobody can send to; write the name or the address that others reach this listener by`},
		{"trusted without brackets", "[proxy]\ntrusted = \"10.0.0.0/8\"\n", `f.toml:2:11: trusted is a list, such as ["a", "b"], not a text`},
		{"trusted with host bits", "[proxy]\ntrusted = [\"10.1.2.3/8\"]\n",
			`f.toml:2:12: trusted: "10.1.2.3/8" has bits behind its prefix; write "10.0.0.0/8" for the whole network, or "10.1.2.3" for that address alone`},
		{"trusted in tables", "[[proxy.trusted]]\nip = \"10.1.2.3\"\n",
			`f.toml:1:9: trusted is a key, not a table: write trusted = …`},
		{"trusted table", "[proxy]\ntrusted = [{bits = 8}]\n", `f.toml:2:12: trusted is a text in quotes, not a table`},
		{"trusted everybody", "[proxy]\ntrusted = [\"10.0.0.0/8\", \"0.0.0.0/0\"]\n",
			`f.toml:2:26: "0.0.0.0/0" trusts everybody: whoever reaches the server could call anywhere through it; name the networks of your peers`},
		{"timer_c", "[proxy]\ntimer_c = \"3m\"\n", `f.toml:2:11: timer_c is 3m; it is more than 3m (RFC 3261 §16.6 step 11) and at most 1h`},
		{"timer_c of a day", "[proxy]\ntimer_c = \"24h\"\n", `f.toml:2:11: timer_c is 24h; it is more than 3m (RFC 3261 §16.6 step 11) and at most 1h`},
		{"no_answer", "[proxy]\nno_answer = 486\n", `f.toml:2:13: no_answer is 486; it is 408 (Request Timeout) or 480 (Temporarily Unavailable)`},
		{"max_transactions", "[proxy]\nmax_transactions = 10\n", `f.toml:2:20: max_transactions is 10; it is from 1000 to 16777216`},
		{"max_breadth", "[proxy]\nmax_breadth = 0\n", `f.toml:2:15: max_breadth is 0; it is from 1 to 1000`},
		{"dialog_lifetime", "[proxy]\ndialog_lifetime = \"1m\"\n", `f.toml:2:19: dialog_lifetime is 1m; it is from 10m to 720h`},
		{"assert_identity", "[proxy]\nassert_identity = \"yes\"\n", `f.toml:2:19: assert_identity is true or false, not a text`},
		{"outbound", "[proxy]\noutbound = [\"edge.example.com\"]\n",
			`f.toml:2:13: "edge.example.com" is no SIP URI; write it as "sip:gateway.example.com" or "sip:192.0.2.1:5060;transport=tcp;lr"`},
		{"outbound with header fields", "[proxy]\noutbound = [\"sip:a.example?X=1\"]\n",
			`f.toml:2:13: "sip:a.example?X=1" has header fields; leave out what stands behind the question mark`},
		{"too many hops", "[proxy]\noutbound = [" + strings.Repeat("\"sip:a.example\",", 17) + "]\n",
			`f.toml:2:1: outbound has 17 next hops; 16 is the most`},
		{"transport of a hop", "[[route]]\nuser = \"+\"\nhops = [\"sip:a.example;transport=ws\"]\n",
			`f.toml:3:9: "sip:a.example;transport=ws": "ws" is no transport to send by; it is one of udp, tcp, tls`},
		{"sips by udp", "[[route]]\nuser = \"+\"\nhops = [\"sips:a.example;transport=udp\"]\n",
			`f.toml:3:9: "sips:a.example;transport=udp": sips goes over TLS, not over udp; leave transport out, or write sip`},
		{"route in single brackets", "[route]\nuser = \"+\"\n", `f.toml:1:2: route may be given more than once: write [[route]], in double brackets`},
		{"route that matches nothing", "[[route]]\nhops = [\"sip:a.example\"]\n",
			`f.toml:1:3: the route matches nothing; give domain, user or source (for all other domains, there is outbound in [proxy])`},
		{"route of a domain with a port", "[[route]]\ndomain = \"a.example:5060\"\n",
			`f.toml:2:10: "a.example:5060" is no domain; write the host of the Request-URI, such as "example.com", or "*.example.com" for what is below it`},
		{"route of every domain", "[[route]]\ndomain = \"*\"\n",
			`f.toml:2:10: "*" is no domain; write the host of the Request-URI, such as "example.com", or "*.example.com" for what is below it`},
		{"route of an address of record", "[[route]]\nuser = \"bob@a.example\"\n",
			`f.toml:2:8: "bob@a.example" is no user; write what the part before the @ begins with, such as "+" or "+1"`},
		{"route names", "[[route]]\nname = \"gw\"\nuser = \"+\"\n[[route]]\nuser = \"0\"\nname = \"gw\"\n",
			`f.toml:6:8: the name "gw" is taken already, by route.0 (line 1)`},
		{"route name", "[[route]]\nname = \"a\\nb\"\nuser = \"+\"\n", `f.toml:2:8: name "a\nb" has control characters; leave them out`},
		{"trust without source", "[[route]]\nuser = \"+\"\ntrusted = true\n",
			`f.toml:3:11: trusted = true needs source: anybody can write such a request; name the addresses that may`},
		{"trust of every source", "[[route]]\nsource = [\"::/0\"]\ntrusted = true\n",
			`f.toml:2:11: "::/0" trusts everybody: whoever reaches the server could call anywhere through it; name the networks of your peers`},
		{"record_route of a route", "[[route]]\nuser = \"+\"\nrecord_route = \"no\"\n",
			`f.toml:3:16: record_route is true or false, not a text`},
		{"name server", "[dns]\nservers = [\"dns.example.com\"]\n",
			`f.toml:2:12: "dns.example.com" is no address of a name server; write an IP address, with a port or without, such as "192.0.2.53" or "[2001:db8::53]:5353"`},
		{"name server on port 0", "[dns]\nservers = [\"192.0.2.53:0\"]\n",
			`f.toml:2:12: "192.0.2.53:0": nothing listens on port 0; leave the port out for 53`},
		{"name server that is none", "[dns]\nservers = [\"::\"]\n",
			`f.toml:2:12: "::" is the address of no server; write "127.0.0.1" for one on this machine`},
		{"host without quotes", "[dns.hosts]\ngw.example.com = [\"192.0.2.1\"]\n",
			`f.toml:2:1: a name with dots stands in quotes: write "gw.example.com" = …`},
		{"host as a table", "[dns.hosts.gw]\naddress = \"192.0.2.1\"\n",
			`f.toml:1:6: hosts has no tables: write "NAME" = … in [dns.hosts], the name in quotes`},
		{"host with one address", "[dns.hosts]\n\"gw.example.com\" = \"192.0.2.1\"\n",
			`f.toml:2:20: hosts is a list, such as ["a", "b"], not a text`},
		{"hosts that are no table", "[dns]\nhosts = [\"192.0.2.1\"]\n",
			`f.toml:2:1: hosts is a table of names, such as { "sip.example.com" = ["192.0.2.1"] }, not a list`},
		{"host without address", "[dns.hosts]\n\"gw.example.com\" = []\n",
			`f.toml:2:1: "gw.example.com" has no address; write its IP addresses, or leave it out`},
		{"host with a name", "[dns]\nhosts = { \"gw.example.com\" = [\"192.0.2.1\", \"192.0.2.2:5060\"] }\n",
			`f.toml:2:44: "192.0.2.2:5060" is no IP address of a host; write it as "192.0.2.1" or "2001:db8::1", without a port`},
		{"host that is an address", "[dns.hosts]\n\"192.0.2.1\" = [\"192.0.2.2\"]\n",
			`f.toml:2:1: "192.0.2.1" is no name; write a host name, such as "sip.example.com", without scheme and port`},
		{"host twice", "[dns.hosts]\n\"A.example\" = [\"192.0.2.1\"]\n\"a.example\" = [\"192.0.2.2\"]\n",
			`f.toml:3:1: "a.example" stands twice in hosts; give it all of its addresses in one list`},
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

func TestCallEnvironment(t *testing.T) {
	cfg, err := Parse(filepath.Join("etc", "biloxi.toml"), []byte(callFile), []string{
		"BILOXI_DOMAIN_0_MODE=redirect", "BILOXI_DOMAIN_0_CALLERS=anyone",
		"BILOXI_LISTEN_0_ADVERTISE=sip.Example.com", "BILOXI_TLS_CA=/etc/peers.pem",
		"BILOXI_PROXY_TRUSTED=192.0.2.1, 2001:db8::/32", "BILOXI_PROXY_TIMER_C=5m", "BILOXI_PROXY_NO_ANSWER=408",
		"BILOXI_PROXY_RECORD_ROUTE=true", "BILOXI_PROXY_OUTBOUND=sip:a.example;lr,sip:b.example;lr",
		"BILOXI_ROUTE_0_RECORD_ROUTE=false", "BILOXI_ROUTE_2_USER=0", "BILOXI_ROUTE_2_HOPS=sip:gw.example.com",
		"BILOXI_ROUTE_2_SOURCE=10.0.0.0/8", "BILOXI_ROUTE_2_TRUSTED=true",
		"BILOXI_DNS_SERVERS=192.0.2.54", "BILOXI_DNS_HOSTS=GW.example.com=192.0.2.20, b.example = ::1,GW.example.com=192.0.2.21,",
	})
	if err != nil {
		t.Fatal(err)
	}
	no := false
	for what, same := range map[string]bool{
		"domain":       cfg.Domains[0].Mode == ModeRedirect && cfg.Domains[0].Callers == CallersAnyone,
		"advertise":    cfg.Listeners[0].Advertise == "sip.example.com",
		"ca":           cfg.TLS.CA == "/etc/peers.pem",
		"trusted":      reflect.DeepEqual(cfg.Proxy.Trusted, prefixes(t, "192.0.2.1", "2001:db8::/32")),
		"timer_c":      cfg.Proxy.TimerC == Duration(5*time.Minute),
		"no_answer":    cfg.Proxy.NoAnswer == 408,
		"record_route": cfg.Proxy.RecordRoute,
		"outbound":     reflect.DeepEqual(cfg.Proxy.Outbound, []string{"sip:a.example;lr", "sip:b.example;lr"}),
		"route.0":      reflect.DeepEqual(cfg.Routes[0].RecordRoute, &no),
		"route.2": reflect.DeepEqual(cfg.Routes[2], Route{User: "0", Hops: []string{"sip:gw.example.com"},
			Source: prefixes(t, "10.0.0.0/8"), Trusted: true}),
		"servers": reflect.DeepEqual(cfg.DNS.Servers, []string{"192.0.2.54:53"}),
		"hosts": reflect.DeepEqual(cfg.DNS.Hosts, map[string][]string{
			"gw.example.com": {"192.0.2.20", "192.0.2.21"}, "b.example": {"::1"}}),
	} {
		if !same {
			t.Errorf("%s is not as the environment says: %+v", what, cfg)
		}
	}
	for _, c := range []struct{ env, want string }{
		{"BILOXI_PROXY_TRUSTED=peer.example.com", `BILOXI_PROXY_TRUSTED: "peer.example.com" is no IP address and no network; write "192.0.2.1", "10.0.0.0/8" or "2001:db8::/32"`},
		{"BILOXI_PROXY_TRUSTED=::/0", `BILOXI_PROXY_TRUSTED: "::/0" trusts everybody: whoever reaches the server could call anywhere through it; name the networks of your peers`},
		{"BILOXI_PROXY_TIMERC=4m", `BILOXI_PROXY_TIMERC: no key has that name; did you mean BILOXI_PROXY_TIMER_C?`},
		{"BILOXI_DNS_HOSTS=gw.example.com", `BILOXI_DNS_HOSTS: "gw.example.com" is no name with a value; write it as sip.example.com=192.0.2.1`},
		{"BILOXI_DNS_HOSTS=gw.example.com=x", `BILOXI_DNS_HOSTS: "x" is no IP address of a host; write it as "192.0.2.1" or "2001:db8::1", without a port`},
		{"BILOXI_ROUTE_0_RECORD_ROUTE=perhaps", `BILOXI_ROUTE_0_RECORD_ROUTE: "perhaps" is not true or false`},
	} {
		if _, err := FromEnvironment([]string{c.env}); err == nil || err.Error() != c.want {
			t.Errorf("%s\ngot  %v\nwant %s", c.env, err, c.want)
		}
	}
}
