package resolve

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"biloxi/sip"
)

func TestConfig(t *testing.T) {
	if r, err := New(Config{}); err != nil {
		t.Errorf("the zero value: %v", err)
	} else {
		r.Close()
	}
	for name, cfg := range map[string]Config{
		"WebSocket":             {Transports: []sip.Transport{sip.WSS}},
		"a transport twice":     {Transports: []sip.Transport{sip.UDP, sip.UDP}},
		"no transport":          {Transports: []sip.Transport{sip.NoTransport}},
		"families":              {Families: 9},
		"workers":               {Workers: -1},
		"pending":               {MaxPending: -1},
		"cached":                {MaxCached: -1},
		"rest":                  {Rest: -time.Second},
		"a long rest":           {Rest: MaxRest + 1},
		"a server's port":       {Servers: []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Loopback(), 0)}},
		"a server":              {Servers: []netip.AddrPort{{}}},
		"a host's name":         {Hosts: map[string][]netip.Addr{"a b": nil}},
		"a host without a name": {Hosts: map[string][]netip.Addr{".": nil}},
		"a host's address":      {Hosts: map[string][]netip.Addr{"a": {{}}}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReadServers(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     {"127.0.0.1:53"},
		"search example.com\n": {"127.0.0.1:53"},
		"nameserver 192.0.2.53\nnameserver ::1\n":       {"192.0.2.53:53", "[::1]:53"},
		"# x\nnameserver fe80::1%eth0\noptions edns0\n": {"[fe80::1%eth0]:53"},
		"nameserver what\nnameserver 192.0.2.54":        {"192.0.2.54:53"},
	} {
		file := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := readServers(file)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		var got []string
		for _, s := range list {
			got = append(got, s.String())
		}
		same(t, text, got, want)
	}
	if list, err := readServers(filepath.Join(t.TempDir(), "none")); err != nil || len(list) != 1 {
		t.Errorf("no file: %v, %v", list, err)
	}
	if _, err := readServers(t.TempDir()); err == nil {
		t.Error("a folder: no error")
	}
}
