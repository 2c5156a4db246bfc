package bench

import (
	"bytes"
	"net"
	"slices"
	"testing"
	"time"
)

// TestDatagrams sends runs of one length, and others, and has them come back: whole and in order.
func TestDatagrams(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	wire, err := dialUDP(server.LocalAddr().(*net.UDPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer wire.close()
	for _, runs := range [][]int{{10, 500, 500, 500, 499, 501, 501}, slices.Repeat([]int{300}, 100), slices.Repeat([]int{1400}, 60), {1, 1, 2}} {
		var want [][]byte
		for i, size := range runs {
			want = append(want, bytes.Repeat([]byte{byte('a' + i%26)}, size))
			wire.send(want[i])
		}
		if err := wire.flush(); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, maxDatagram)
		for i := range want {
			server.SetReadDeadline(time.Now().Add(10 * time.Second))
			n, from, err := server.ReadFromUDP(b)
			if err != nil || !bytes.Equal(b[:n], want[i]) {
				t.Fatalf("datagram %d of %d: %d bytes, want %d, %v", i, len(want), n, len(want[i]), err)
			}
			server.WriteToUDP(b[:n], from)
		}
		for got := 0; got < len(want); {
			n, err := wire.receive(time.Now().Add(10*time.Second), time.Microsecond)
			if err != nil || n == 0 {
				t.Fatalf("%d of %d came back, %v", got, len(want), err)
			}
			for i := range n {
				if !bytes.Equal(wire.message(i), want[got]) {
					t.Fatalf("datagram %d came back as another", got)
				}
				got++
			}
		}
	}
	if n, err := wire.receive(time.Now().Add(time.Millisecond), 0); n != 0 || err != nil {
		t.Errorf("%d more, %v", n, err)
	}
}

// TestRefused: nobody listens, which the system tells with the next call.
func TestRefused(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	wire, err := dialUDP(server.LocalAddr().(*net.UDPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer wire.close()
	server.Close()
	wire.send([]byte("x"))
	err = wire.flush()
	for n := 0; err == nil && n < 100; n++ {
		_, err = wire.receive(time.Now().Add(100*time.Millisecond), 0)
	}
	if !IsRefused(err) {
		t.Errorf("%v", err)
	}
}
