package bench

import (
	"testing"
	"time"

	"biloxi/sip"
)

// echo is a wire that answers each OPTIONS from one buffer.
type echo struct {
	peer
	m     sip.Message
	buf   []byte
	ready int
}

func (e *echo) flush() error {
	for _, b := range e.out {
		if err := e.m.Parse(b); err != nil {
			return err
		}
		e.buf = sip.AppendEnd(sip.AppendResponse(e.buf[:0], &e.m, 200, "", []byte("314159"), here), nil)
		e.ready++
	}
	e.out = e.out[:0]
	return nil
}

func (e *echo) receive(time.Time, time.Duration) (int, error) {
	n := e.ready
	e.ready = 0
	return n, nil
}

func (e *echo) message(int) []byte { return e.buf }

// TestNoAllocation: one operation, from its request to the check of its answer.
func TestNoAllocation(t *testing.T) {
	cfg := config(Options)
	r := newRun(&cfg)
	wire := &echo{}
	w := newWorker(r, 0, 1, shareUsers(cfg.Users, 1)[0], wire)
	_, w.stage, _ = cfg.stages()
	once := func() {
		w.fill()
		_ = w.flush()
		n, _ := wire.receive(time.Time{}, 0)
		for i := range n {
			w.take(wire.message(i))
		}
	}
	once()
	if n := testing.AllocsPerRun(1000, once); n != 0 {
		t.Errorf("%v allocations for one operation", n)
	}
	if done := w.counters.done.Load(); done < 1000 || r.sample != nil {
		t.Errorf("%d operations, %+v", done, r.sample)
	}
}

// FuzzTake: whatever comes, no lane is lost, and what is no answer of ours counts as nothing or as wrong.
func FuzzTake(f *testing.F) {
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK0\r\n\r\n"))
	f.Add([]byte("INVITE sip:user1@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK0\r\nCall-ID: 00000001000000000000000001\r\n\r\n"))
	f.Add([]byte("ACK sip:user1@192.0.2.1:5060 SIP/2.0\r\nCall-ID: 00000001000000000000000001\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg := config(Call)
		r := newRun(&cfg)
		r.id = 1
		w := newWorker(r, 0, 2, shareUsers(cfg.Users, 1)[0], newPeer())
		_, w.stage, _ = cfg.stages()
		w.fill()
		w.take(b)
		if w.pending+len(w.idle) != len(w.lanes) {
			t.Errorf("%d busy and %d idle of %d lanes", w.pending, len(w.idle), len(w.lanes))
		}
		if w.counters.operations.Load() != 0 {
			t.Error("an operation went well")
		}
	})
}
