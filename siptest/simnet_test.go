package siptest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"
)

func pipe(t testing.TB, n *Network) (near, far net.Conn) {
	t.Helper()
	l, err := n.Listen("tcp", "192.0.2.1:5060")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err = n.Dial(context.Background(), "tcp", "192.0.2.2", "192.0.2.1:5060")
	if err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// The suite that the net package's own connections pass.
func TestConn(t *testing.T) {
	for name, link := range map[string]Link{"at once": {}, "latency": {Latency: 100 * time.Microsecond}, "segments": {Segment: 700}} {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				n := NewNetwork()
				n.SetLink(link)
				c1, c2 = pipe(t, n)
				return c1, c2, func() { c1.Close(); c2.Close() }, nil
			})
		})
	}
}

// A wire without jitter does not reorder what was sent in one moment.
func TestDatagramsOfOneMomentKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetLink(Link{Latency: time.Millisecond})
		near, err := n.Host("192.0.2.1").ListenPacket(5060)
		if err != nil {
			t.Fatal(err)
		}
		far, err := n.Host("192.0.2.2").ListenPacket(5060)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			near.WriteToUDPAddrPort([]byte{byte(i)}, netip.MustParseAddrPort("192.0.2.2:5060"))
		}
		time.Sleep(time.Second)
		for i := range 200 {
			b := make([]byte, 1)
			if _, _, err := far.ReadFromUDPAddrPort(b); err != nil || b[0] != byte(i) {
				t.Fatalf("datagram %d is %d, %v", i, b[0], err)
			}
		}
	})
}

func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork()
		n.SetLink(Link{Latency: time.Second})
		start := time.Now()
		near, far := pipe(t, n)
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("a dial took %v, want a round trip", d)
		}
		if got := far.RemoteAddr().String(); got != near.LocalAddr().String() {
			t.Errorf("far end sees %s, want %s", got, near.LocalAddr())
		}
		start = time.Now()
		near.Write([]byte("one"))
		near.Write([]byte("two"))
		near.Close()
		all, err := io.ReadAll(far)
		if string(all) != "onetwo" || err != nil || time.Since(start) != time.Second {
			t.Errorf("read %q, %v after %v", all, err, time.Since(start))
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write to a closed end: %v, want a reset", err)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
		far.Close()

		near, far = pipe(t, n)
		near.Write([]byte("lost"))
		near.(*Conn).Reset()
		if _, err := far.Read(make([]byte, 8)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read after a reset: %v", err)
		}
		far.Close()
	})
}

func TestStreamWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipe(t, NewNetwork())
		near.SetWriteDeadline(time.Now().Add(time.Minute))
		start := time.Now()
		n, err := near.Write(make([]byte, 1<<20))
		if n != simWindow || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("wrote %d, %v after %v; want a window and the deadline", n, err, time.Since(start))
		}
		near.Close()
		far.Close()
	})
}

func TestDialRefused(t *testing.T) {
	n := NewNetwork()
	if _, err := n.Dial(context.Background(), "tcp", "192.0.2.2:0", "192.0.2.1:5060"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, want connection refused", err)
	}
	if _, err := n.Listen("tcp", "0.0.0.0:5060"); err == nil {
		t.Error("a wildcard was bound")
	}
	if _, err := n.ListenPacket("udp4", "[2001:db8::1]:5060"); err == nil {
		t.Error("udp4 bound an IPv6 address")
	}
	p, err := n.Host("2001:db8::1").ListenPacket(5060)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.ListenPacket("udp", "[2001:db8::1]:5060"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second bind: %v", err)
	}
	p.Close()
	if p, err = n.Host("2001:db8::1").ListenPacket(5060); err != nil {
		t.Errorf("bind after close: %v", err)
	}
	p.Close()
}

// exchange sends count datagrams, one each millisecond, and returns what came: the number in each, in order.
func exchange(t *testing.T, n *Network, count int) (got []byte) {
	a, err := n.Host("192.0.2.1").ListenPacket(0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := n.Host("192.0.2.2").ListenPacket(5060)
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		if _, err := a.WriteTo([]byte{byte(i)}, b.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	b.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 10)
	for {
		n, from, err := b.ReadFromUDPAddrPort(buf)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
			break
		}
		if n != 1 || from != a.AddrPort() {
			t.Fatalf("%d bytes from %v", n, from)
		}
		got = append(got, buf[0])
	}
	a.Close()
	b.Close()
	return got
}

func TestDatagrams(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if got := exchange(t, NewNetwork(), 3); !slices.Equal(got, []byte{0, 1, 2}) {
				t.Errorf("got %v", got)
			}
		})
	})
	t.Run("dice", func(t *testing.T) {
		var first []byte
		for range 2 {
			synctest.Test(t, func(t *testing.T) {
				n := NewNetwork()
				n.SetLink(Link{Latency: time.Second, Jitter: 20 * time.Millisecond, Loss: 0.2, Duplicate: 0.2, Seed: 7})
				got := exchange(t, n, 200)
				counts := map[byte]int{}
				for _, v := range got {
					counts[v]++
				}
				lost, twice := 200-len(counts), len(got)-len(counts)
				if lost < 20 || lost > 60 || twice < 15 || twice > 50 || slices.IsSorted(got) {
					t.Errorf("%d lost, %d twice, sorted %v", lost, twice, slices.IsSorted(got))
				}
				if first == nil {
					first = got
				} else if !slices.Equal(first, got) {
					t.Error("the same seed gave another run")
				}
			})
		}
	})
	t.Run("script", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := NewNetwork()
			n.Script(func(p Packet) []time.Duration {
				if p.To != netip.MustParseAddrPort("192.0.2.2:5060") || p.Data[0] != byte(p.Number) {
					t.Errorf("packet %+v", p)
				}
				switch p.Number {
				case 0:
					return nil
				case 1:
					return []time.Duration{time.Second}
				}
				return []time.Duration{0, time.Minute / 2}
			})
			if got := exchange(t, n, 3); !slices.Equal(got, []byte{2, 1, 2}) {
				t.Errorf("got %v", got)
			}
		})
	})
}

func TestDeadlineMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := NewNetwork().Host("192.0.2.1").ListenPacket(0)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		start := time.Now()
		p.SetReadDeadline(start.Add(time.Hour))
		time.AfterFunc(time.Second, func() { p.SetReadDeadline(start.Add(time.Minute)) })
		_, _, err = p.ReadFrom(nil)
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("read ended with %v after %v", err, time.Since(start))
		}
		p.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Second, func() { p.Close() })
		if _, _, err = p.ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read ended with %v", err)
		}
	})
}
