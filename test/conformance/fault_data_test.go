package conformance

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/server"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// lines is a log that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) says(t *testing.T, what ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range what {
		if !strings.Contains(l.text.String(), w) {
			t.Errorf("the log does not say %q:\n%s", w, l.text.String())
		}
	}
}

// TestFaultData: the data folder goes away under a running server, and comes back.
func TestFaultData(t *testing.T) {
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"
	move := func(from, to string) func(*testing.T) {
		return func(t *testing.T) {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, part := range map[string]string{"the data folder": "", "the folder of the bindings": server.LocationFolder} {
		for _, over := range []sip.Transport{udp, tcp, tls} {
			t.Run("§3 "+name+" is moved, over "+over.String(), func(t *testing.T) {
				data := filepath.Join(t.TempDir(), "data")
				if err := os.Mkdir(data, 0o700); err != nil {
					t.Fatal(err)
				}
				leave, back := move(filepath.Join(data, part), data+".away"), move(data+".away", filepath.Join(data, part))
				synctest.Test(t, func(t *testing.T) {
					var log lines
					b := bed.Start(t, bed.Options{Network: NewNetwork(), Address: "192.0.2.222", Data: data, Config: wellKnownPorts,
						Logger: slog.New(slog.NewTextHandler(&log, nil))})
					p := phoneOf(t, b, over, b.User())
					p.Register(Contact("<" + p.Scheme + one[3:] + ">")).Expect(200)
					leave(t)
					time.Sleep(time.Second)
					log.says(t, "level=ERROR", "data folder was removed")
					for range 5 {
						p.Register(Contact("<"+p.Scheme+two[3:]+">")).Expect(503).Want("Retry-After", "5").Lacks("Contact")
						p.Bound(p.Scheme + one[3:])
						time.Sleep(5 * time.Second)
					}
					if part == "" {
						log.says(t, "subscribers cannot be changed")
					}
					back(t)
					time.Sleep(3 * time.Second)
					p.Register(Contact("<"+p.Scheme+two[3:]+">")).Expect(200).Bound(p.Scheme+one[3:], p.Scheme+two[3:])
					if part == "" {
						log.says(t, "subscribers can be changed again")
					}
					b.Stop()
				})
			})
		}
	}
}
