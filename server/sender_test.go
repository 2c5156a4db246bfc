package server

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestRefusalTellsWho shows that the log tells the phones behind one address apart, once a second for each
// reason, and that what a peer chooses is cut.
func TestRefusalTellsWho(t *testing.T) {
	var log bytes.Buffer
	l := ledger{log: slog.New(slog.NewTextHandler(&log, nil))}
	x := exchange{request: new(request)}
	err := x.msg.Parse([]byte("REGISTER sip:biloxi.example.com SIP/2.0\r\nTo: <sip:bob@biloxi.example.com>\r\nCall-ID: " +
		strings.Repeat("1", 1000) + "\r\nUser-Agent: Old Phone/1\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	who := x.sender()
	who.username = []byte("bob")
	now, from := time.Unix(1000, 0), netip.MustParseAddrPort("192.0.2.201:5060")
	for range 3 {
		l.refuse(now, refusedCredentials, from, "wrong password", who)
	}
	for _, want := range []string{"reason=credentials", "from=192.0.2.201:5060", `to=<sip:bob@biloxi.example.com>`, "username=bob",
		"call_id=" + strings.Repeat("1", maxLogged) + " ", `user_agent="Old Phone/1"`, `detail="wrong password"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &log)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines in one second, want 1", n)
	}
	log.Reset()
	l.refuse(now.Add(refusalLog), refusedCredentials, from, "wrong password", sender{})
	if !strings.Contains(log.String(), "unlogged=2") || strings.Contains(log.String(), "to=") {
		t.Errorf("a second later, with nothing known of the sender:\n%s", &log)
	}
	log.Reset()
	l.refuse(now.Add(-time.Hour), refusedCredentials, from, "wrong password", sender{})
	if log.Len() == 0 {
		t.Error("nothing is logged for as long as the clock was set back")
	}
}
