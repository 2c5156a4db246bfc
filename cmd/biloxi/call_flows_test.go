package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// configured is a server with a configuration of its own and the subscribers that it knows, each with the password
// that is its domain. It listens on UDP, and returns where.
func configured(t *testing.T, text string, subscribers ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "biloxi.toml")
	text = "data = \"data\"\n" + text + "\n[[listen]]\ntransport = \"udp\"\naddress = \"127.0.0.1:0\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range subscribers {
		_, domain, _ := strings.Cut(s, "@")
		if code, _, errs := command(nil, domain+"\n", "subscriber", "add", s, "--password-file", "-", "--config", file); code != exitDone {
			t.Fatal(errs)
		}
	}
	s := serve(t, nil, "--config", file)
	found := regexp.MustCompile(`udp (127\.0\.0\.1:\d+)`).FindStringSubmatch(s.log.String())
	if found == nil {
		t.Fatal(s.log.String())
	}
	return found[1]
}

func passwordOf(t *testing.T, domain string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(name, []byte(domain+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Flow 3.3 of RFC 3665 with real servers: two proxies ask Alice, who has a password of each.
func TestCallThroughTwoProxies(t *testing.T) {
	second := configured(t, "[[domain]]\nname = \"biloxi.example.com\"\ncallers = \"authenticated\"\n",
		"bob@biloxi.example.com", "alice@biloxi.example.com")
	first := configured(t, fmt.Sprintf("[[domain]]\nname = \"atlanta.example.com\"\n[proxy]\noutbound = [\"sip:%s;transport=udp;lr\"]\n", second),
		"alice@atlanta.example.com")
	bob := answering(t, "bob@biloxi.example.com", "--server=sip:"+second, "--ring=0", "--calls=1",
		"--password-file="+passwordOf(t, "biloxi.example.com"))
	bob.errs.await(t, "registered ")
	code, out, errs := command(nil, "", "call", "sip:bob@biloxi.example.com", "--from=alice@atlanta.example.com", "--server=sip:"+first,
		"--duration=20ms", "--json", "--password-for=atlanta.example.com="+passwordOf(t, "atlanta.example.com"),
		"--password-for=biloxi.example.com="+passwordOf(t, "biloxi.example.com"))
	var story storyJSON
	if err := json.Unmarshal([]byte(out), &story); err != nil || code != exitDone {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	var finals []int
	for _, r := range story.Responses {
		if r.Status >= 200 {
			finals = append(finals, r.Status)
		}
	}
	if !slices.Equal(finals, []int{407, 407, 200}) || len(story.Routes) != 2 || story.Requests != 3 {
		t.Errorf("%s", out)
	}
	bob.ended()
}

// Flow 3.6 of RFC 3665: a redirect server says where Bob is, and Alice calls him there.
func TestCallByWayOfARedirectServer(t *testing.T) {
	server := configured(t, "[[domain]]\nname = \"biloxi.example.com\"\nmode = \"redirect\"\n", "bob@biloxi.example.com")
	bob := answering(t, "bob@biloxi.example.com", "--server=sip:"+server, "--ring=0", "--calls=1",
		"--password-file="+passwordOf(t, "biloxi.example.com"))
	bob.errs.await(t, "registered ")
	call := []string{"call", "sip:bob@biloxi.example.com", "--from=alice@atlanta.example.com", "--server=sip:" + server, "--duration=20ms"}
	code, out, errs := command(nil, "", call...)
	if code != exitFailed || !strings.Contains(out, "not answered: 302 Moved Temporarily") || !strings.Contains(errs, "; --follow does that\n") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	code, out, errs = command(nil, "", append(call, "--follow")...)
	if code != exitDone || !strings.Contains(out, "answered after") || !strings.Contains(errs, "302 Moved Temporarily: to sip:bob@127.0.0.1:") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	bob.ended()
}
