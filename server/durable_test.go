package server

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
)

// patience is how long a test waits for what must come: long, because nothing is measured by it.
const patience = time.Minute

// newPhone is a phone of a new subscriber on loopback.
func newPhone(t *testing.T, s *Server, transport sip.Transport, user string) *Phone {
	t.Helper()
	d := s.Domains()[0]
	if err := s.Subscribers().Put(t.Context(), subscriberOf(user, d)); err != nil {
		t.Fatal(err)
	}
	var w Wire
	if to := listener(t, s, transport); transport == sip.UDP {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		w = OverPacket(c, to.Local)
	} else {
		c, err := net.Dial("tcp", to.Local.String())
		if err != nil {
			t.Fatal(err)
		}
		w = OverStream(transport, c)
	}
	t.Cleanup(func() { w.Close() })
	p := NewPhone(t, w, user, d.Name, passwordOf(user))
	p.Wait = patience
	return p
}

// listener is what the server listens to over a transport.
func listener(t *testing.T, s *Server, transport sip.Transport) sip.Flow {
	t.Helper()
	for _, flow := range s.Addrs() {
		if flow.Transport == transport {
			return flow
		}
	}
	t.Fatalf("the server does not listen to %s", transport)
	return sip.Flow{}
}

// TestDiskFails: what cannot be written is refused and leaves nothing behind; queries are answered all the time, and
// when the disk works again, so does the server.
func TestDiskFails(t *testing.T) {
	t.Run("T13/RG-040/HD-009", func(t *testing.T) {
		const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"
		var d disk
		c := testConfig(t)
		s := startWith(t, c, Options{disk: &d})
		for _, transport := range []sip.Transport{sip.UDP, sip.TCP} {
			p := newPhone(t, s, transport, "bob-"+transport.String())
			p.Register(Contact("<" + one + ">")).Expect(200)
			d.fail(true)
			before := s.Status().Counters
			for range 3 { // the first meets the disk, the others a store that knows
				p.Register(Contact("<"+two+">", "<"+one+">;expires=0")).Expect(503).Lacks("Contact").Want("Retry-After", "5")
				p.Bound(one)
				p.Once(Method("OPTIONS")).Expect(200)
			}
			after := s.Status().Counters
			if n := after.Refused["store"] - before.Refused["store"]; n != 3 {
				t.Errorf("%d refusals are counted, want 3", n)
			}
			if n := after.Answered["5xx"] - before.Answered["5xx"]; n != 3 {
				t.Errorf("%d answers of 5xx are counted, want 3", n)
			}
			d.fail(false)
			registerAgain(t, p, Contact("<"+two+">"))
			p.Bound(one, two)
		}
		if st := s.Location().Stats(); st.AORs != 2 || st.Bindings != 4 || st.Pending != 0 {
			t.Errorf("the store has %+v", st)
		}
	})
}

// registerAgain registers until the store takes it: that looks at its disk once a second.
func registerAgain(t *testing.T, p *Phone, edits ...Edit) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		r := p.Register(edits...)
		if r.Status() == 200 {
			return
		}
		if r.Expect(503); time.Now().After(end) {
			t.Fatal("the store does not recover")
		}
	}
}

// TestDiskSlow: when too much waits for the disk, more is refused at once; what was taken is answered when it is there.
func TestDiskSlow(t *testing.T) {
	t.Run("HD-009", func(t *testing.T) {
		var d disk
		c := testConfig(t)
		c.Location.MaxPending = config.Size(2000) // some registrations
		s := startWith(t, c, Options{disk: &d})
		var phones []*Phone
		for i := range 20 {
			p := newPhone(t, s, sip.UDP, fmt.Sprint("bob", i))
			p.Challenged()
			phones = append(phones, p)
		}
		waiting, open := d.hold(t)
		for i, p := range phones {
			p.Start(p.Credentials(Credentials{}), Contact("<sip:bob@192.0.2.1>"))
			if i == 0 {
				<-waiting
			}
		}
		// The last is refused while the disk is held.
		phones[len(phones)-1].Receive().Expect(503).Want("Retry-After", "5")
		open()
		taken := 0
		for _, p := range phones[:len(phones)-1] {
			if p.Receive().Expect(200, 503).Status() == 200 {
				taken++
				p.Bound("sip:bob@192.0.2.1")
			} else {
				p.Bound()
			}
		}
		if taken == 0 || taken == len(phones)-1 {
			t.Errorf("%d of %d were taken", taken, len(phones)-1)
		}
		if n := s.Status().Counters.Refused["overload"]; n != uint64(len(phones)-taken) {
			t.Errorf("%d refusals are counted, want %d", n, len(phones)-taken)
		}
	})
}

// TestShutdown: answers that wait for the disk go out before the sockets close.
func TestShutdown(t *testing.T) {
	var d disk
	s, err := New(testConfig(t), Options{disk: &d})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	var phones []*Phone
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP} {
		p := newPhone(t, s, transport, "bob-"+transport.String())
		p.Challenged()
		phones = append(phones, p)
	}
	waiting, open := d.hold(t)
	received := s.ledger.received.Load()
	for _, p := range phones {
		p.Start(p.Credentials(Credentials{}), Contact("<sip:bob@192.0.2.1>"))
	}
	<-waiting
	for s.Location().Stats().Pending < len(phones) || s.ledger.received.Load() < received+2 {
		time.Sleep(time.Millisecond) // until the readers have given both to the store
	}
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	to := listener(t, s, sip.TCP).Local.String()
	for {
		c, err := net.Dial("tcp", to)
		if err != nil {
			break // it accepts nothing any more
		}
		c.Close()
	}
	select {
	case err := <-down:
		t.Fatalf("it does not wait for the disk: %v", err)
	default:
	}
	open()
	for _, p := range phones {
		p.Receive().Expect(200).Bound("sip:bob@192.0.2.1")
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
