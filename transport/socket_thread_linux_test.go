package transport

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"
)

// Nothing is lost of datagrams that come one by one or a few at a time, just as the reader begins to wait; stop
// wakes it, sending goes on, and close ends both.
func TestReaderWaits(t *testing.T) {
	for _, c := range []struct {
		name   string
		thread bool
	}{{"in the poller", false}, {"on a thread of its own", true}} {
		t.Run(c.name, func(t *testing.T) {
			noLeak(t)
			listen := func() *net.UDPConn {
				conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { conn.Close() })
				return conn
			}
			conn, peer := listen(), listen()
			processors := runtime.GOMAXPROCS(0)
			local, remote := addrPort(conn.LocalAddr()), addrPort(peer.LocalAddr())
			io, err := newSystemIO(conn, false, "4", false, c.thread)
			if err != nil {
				t.Fatal(err)
			}
			if brought := runtime.GOMAXPROCS(0) - processors; (brought == 1) != c.thread {
				t.Errorf("the reader brings %d processors along", brought)
			}
			// The peer has no more under way than the buffers hold, so that none may be lost.
			const all, window = 50_000, 64
			came, ended := make(chan int, all), make(chan error, 1)
			go func() {
				for {
					n, err := io.receive()
					if err != nil {
						ended <- err
						return
					}
					came <- n
				}
			}()
			late := time.NewTimer(patience)
			defer late.Stop()
			for sent, got := 0, 0; got < all; {
				for burst := 1 + sent%3; burst > 0 && sent < all && sent-got < window; burst-- {
					if _, err := peer.WriteToUDPAddrPort([]byte{byte(sent)}, local); err != nil {
						t.Fatal(err)
					}
					sent++
				}
				select {
				case n := <-came:
					got += n
				case <-late.C:
					t.Fatalf("%d of %d came", got, sent)
				}
			}
			io.stop()
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
				t.Errorf("stopped: %v", err)
			}
			answer := []datagram{{data: []byte("answer"), to: remote, from: netip.Addr{}}}
			if failed := io.newSender().send(answer); failed != 0 {
				t.Error("nothing is sent after stop")
			}
			_ = peer.SetReadDeadline(time.Now().Add(patience))
			b := make([]byte, 16)
			if n, err := peer.Read(b); string(b[:n]) != "answer" {
				t.Errorf("read %q, %v", b[:n], err)
			}
			io.close()
			io.close()
			io.stop()
			if left := runtime.GOMAXPROCS(0); left != processors {
				t.Errorf("%d processors after close, %d before", left, processors)
			}
			if failed := io.newSender().send(answer); failed != 1 {
				t.Error("something is sent after close")
			}
			if _, err := io.receive(); err == nil {
				t.Error("something is read after close")
			}
		})
	}
}
