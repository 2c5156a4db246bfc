//go:build unix

package transport

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"biloxi/sip"
)

// echo answers each message with itself.
func echo(out *Out, in *Arrival) {
	out.Reply(in, in.Flow.Remote, append(out.Buffer(), in.Data...))
}

// threadCPU is the CPU time, user and system, of the calling thread.
func threadCPU() time.Duration {
	var u syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	if syscall.Getrusage(thread, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func processCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkUDP echoes 500-byte datagrams, a window of them in flight, by each kind of socket. The figure to
// look at is server-µs/op: the CPU time of the process less that of the client's thread.
func BenchmarkUDP(b *testing.B) {
	for _, c := range []struct {
		name   string
		listen func(network, address string) (net.PacketConn, error)
		bound  string
	}{{"batch", nil, "127.0.0.1:0"}, {"batch, wildcard", nil, "0.0.0.0:0"}, {"portable", net.ListenPacket, "127.0.0.1:0"}} {
		b.Run(c.name, func(b *testing.B) {
			tr := start(b, Config{Listeners: []Listener{{sip.UDP, c.bound}}, ListenPacket: c.listen}, handlerFunc(echo))
			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addr(b, tr, sip.UDP).Port())
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetReadBuffer(4 << 20)
			// The client runs on a thread of its own with batches of its own, so that its time can be told.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			client, err := newSystemIO(conn, false, "4", false, false)
			if err != nil {
				b.Fatal(err)
			}
			sender := client.newSender()
			const window = 256
			batch := make([]datagram, window)
			for i := range batch {
				batch[i] = datagram{data: make([]byte, 500), to: to}
				batch[i].data[0] = 'm'
			}
			b.ReportAllocs()
			b.ResetTimer()
			all, own := processCPU(), threadCPU()
			for done := 0; done < b.N; {
				n := min(window, b.N-done)
				sender.send(batch[:n])
				for back := 0; back < n; {
					_ = conn.SetReadDeadline(time.Now().Add(patience))
					k, err := client.receive()
					if err != nil {
						b.Fatal(err)
					}
					back += k
				}
				done += n
			}
			server := (processCPU() - all) - (threadCPU() - own)
			b.ReportMetric(float64(server.Nanoseconds())/1000/float64(b.N), "server-µs/op")
		})
	}
}

// BenchmarkTCP echoes messages down one connection, one at a time.
func BenchmarkTCP(b *testing.B) {
	tr := start(b, Config{Listeners: []Listener{{sip.TCP, "127.0.0.1:0"}}}, handlerFunc(echo))
	c, err := net.Dial("tcp", addr(b, tr, sip.TCP).String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	message, buf := []byte(request("TCP", "bench", "")), make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(message); err != nil {
			b.Fatal(err)
		}
		for got := 0; got < len(message); {
			n, err := c.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
}

// BenchmarkForward has each message that comes down a connection answered by Send and sent on to a next hop,
// as a proxied call does, with so many of them in one read. "at once" flushes after each Send, "batch" leaves
// that to the end of the read.
func BenchmarkForward(b *testing.B) {
	for _, window := range []int{1, 4, 16} {
		for _, atOnce := range []bool{true, false} {
			b.Run(fmt.Sprintf("%d in a read, %s", window, map[bool]string{true: "at once", false: "batch"}[atOnce]), func(b *testing.B) {
				forward(b, window, atOnce)
			})
		}
	}
}

func forward(b *testing.B, window int, atOnce bool) {
	var tr *Transport
	var onward sip.Flow
	send := func(f sip.Flow, m []byte) {
		_ = tr.Send(f, netip.AddrPort{}, m)
		if atOnce {
			tr.Flush()
		}
	}
	answer := []byte(request("TCP", "answer", ""))
	ready := make(chan struct{})
	h := handlerFunc(func(out *Out, in *Arrival) {
		<-ready
		send(in.Flow, answer)
		send(onward, in.Data)
	})
	tr = start(b, Config{Listeners: []Listener{{sip.TCP, "127.0.0.1:0"}}}, h)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	if onward, err = tr.Open(sip.TCP, addrPort(l.Addr()), ""); err != nil {
		b.Fatal(err)
	}
	close(ready)
	c, err := net.Dial("tcp", addr(b, tr, sip.TCP).String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	batch, buf := bytes.Repeat([]byte(request("TCP", "bench", "")), window), make([]byte, 64<<10)
	b.ReportAllocs()
	all := processCPU()
	for b.Loop() {
		if _, err := c.Write(batch); err != nil {
			b.Fatal(err)
		}
		for got := 0; got < window*len(answer); {
			n, err := c.Read(buf)
			if err != nil {
				b.Fatal(err, tr.Stats())
			}
			got += n
		}
	}
	b.ReportMetric(float64((processCPU()-all).Nanoseconds())/1000/float64(b.N*window), "cpu-µs/message")
}
