package conformance

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// heap is the live heap of the process, that of the server included.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// garbage makes datagrams that are almost SIP: whole requests with bytes lost, changed and doubled.
func garbage(r *rand.Rand, request string) []byte {
	b := []byte(request)
	for range 1 + r.IntN(8) {
		if len(b) == 0 {
			break
		}
		switch at := r.IntN(len(b)); r.IntN(4) {
		case 0:
			b[at] = byte(r.Uint32())
		case 1:
			b = append(b[:at], b[min(len(b), at+r.IntN(20)):]...)
		case 2:
			b = append(b[:at:at], append([]byte(strings.Repeat(string(b[at]), r.IntN(100))), b[at:]...)...)
		case 3:
			b = b[:at]
		}
	}
	return b
}

// TestFlood: bad input from many sources leaves the server up, its memory flat, and a count by reason.
func TestFlood(t *testing.T) {
	var log logged
	b := bed.Start(t, bed.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	began := time.Now()
	sources := make([]*Phone, 50)
	for i := range sources {
		sources[i] = newPhone(t, b)
	}
	r := rand.New(rand.NewPCG(1, 2))
	flood := func(rounds int) {
		for range rounds {
			for i, p := range sources {
				request := fmt.Sprintf("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: <sip:a@%[1]s>;tag=%[3]d\r\n"+
					"To: <sip:a@%[1]s>\r\nCall-ID: %[3]d\r\nCSeq: %[3]d REGISTER\r\nContact: <sip:a@192.0.2.%d>\r\nContent-Length: 0\r\n\r\n",
					bed.Domain, p.Conn.Local(), r.Uint32()>>1, i)
				p.Conn.Send(garbage(r, request))
			}
		}
		for _, p := range sources {
			sentinel(t, p, "the flood")
		}
	}
	flood(20)
	before := heap()
	flood(200)
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	refused := b.Server.Status().Counters.Refused
	for _, reason := range []string{"syntax", "header"} {
		if refused[reason] == 0 {
			t.Errorf("%s is not counted: %v", reason, refused)
		}
		// A line a second at most, and one for the second that the test began in.
		if lines, most := log.count("reason="+reason), int(time.Since(began)/time.Second)+1; lines == 0 || lines > most {
			t.Errorf("%s is logged %d times in %v", reason, lines, time.Since(began))
		}
	}
}

// logged is what a server has logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

// TestStreamFlood is TestFlood on connections, each of which dies of what it sent.
func TestStreamFlood(t *testing.T) {
	b := start(t)
	r := rand.New(rand.NewPCG(3, 4))
	flood := func(connections int) {
		for range connections {
			c := b.Dial(t, tcp)
			c.SetDeadline(time.Now().Add(5 * time.Second))
			c.Write(garbage(r, "REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"+
				"Call-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"))
			c.Close()
		}
		sentinel(t, phoneOver(t, b, tcp), "the flood")
	}
	flood(50)
	before := heap()
	flood(500)
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	newPhone(t, b).Register(Contact("<sip:one@192.0.2.1>")).Expect(200)
}
