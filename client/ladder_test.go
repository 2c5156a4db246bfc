package client

import (
	"os"
	"strings"
	"testing"
	"unicode"
)

const (
	ladderRegister = "REGISTER sips:ss2.biloxi.example.com SIP/2.0\r\nVia: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds7\r\n\r\n"
	ladderRefused  = "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds7\r\n\r\n"
)

// golden compares with a file under testdata; BILOXI_GOLDEN=write writes it anew.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if os.Getenv("BILOXI_GOLDEN") == "write" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

func TestLadderOfTwo(t *testing.T) {
	l := Ladder{Participants: []string{"Bob", "SIP Server"}}
	l.Add("Bob", "SIP Server", "REGISTER", []byte(ladderRegister))
	l.Add("SIP Server", "Bob", "", []byte(ladderRefused))
	golden(t, "ladder_two.txt", l.Append(nil))
}

func TestLadderThroughProxies(t *testing.T) {
	l := Ladder{Participants: []string{"Alice", "Proxy 1", "Proxy 2", "Bob"}}
	l.AddArrow(Arrow{From: "Alice", To: "Proxy 1", Label: "INVITE", Transport: "UDP"})
	l.AddArrow(Arrow{From: "Proxy 1", To: "Proxy 2", Label: "INVITE"})
	l.AddArrow(Arrow{From: "Proxy 1", To: "Alice", Label: "407 Proxy Authentication Required", Transport: "UDP"})
	l.AddArrow(Arrow{From: "Proxy 2", To: "Bob", Label: "INVITE", Note: "F2 again"})
	l.AddArrow(Arrow{From: "Alice", To: "Bob", Label: "ACK", Transport: "UDP"})
	l.AddArrow(Arrow{From: "Bob", To: "Proxy 1", Label: "BYE"})
	l.AddArrow(Arrow{From: "Proxy 2", To: "Proxy 2", Label: "drops it"})
	l.AddArrow(Arrow{From: "Bob", To: "Carol", Label: "REFER"})
	golden(t, "ladder_proxies.txt", l.Append(nil))
}

func TestLadderWithoutParticipants(t *testing.T) {
	var l Ladder
	if got := l.Append(nil); len(got) != 0 {
		t.Errorf("an empty ladder drew %q", got)
	}
	l.Participants = []string{"Bob"}
	if got := string(l.Append(nil)); !strings.Contains(got, "Bob") {
		t.Errorf("one lifeline: %q", got)
	}
}

// What came over the wire cannot steer the terminal that shows it.
func TestLadderShowsControlsAsText(t *testing.T) {
	var l Ladder
	l.Add("B\x1bob", "S\u009b", "A\x1b[2J\r\n", []byte("\x1b]0;x\x07\x00\xff\xc2\x9b caf\u00e9\r\nend"))
	got := string(l.Append(nil))
	for _, r := range got {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%q is in %q", r, got)
		}
	}
	if !strings.Contains(got, `\x1b]0;x\x07\x00\xff\xc2\x9b café`) {
		t.Errorf("the message is not shown as it was: %q", got)
	}
}
