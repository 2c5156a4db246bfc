// Package crash kills a real server under load, again and again, and looks what is left: everything that was
// acknowledged, nothing that was not asked for, and of each request all or nothing.
//
// BILOXI_CRASHES is how many times; five without it, two with -short.
package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"biloxi/sip"
)

const (
	users = 200 // each a phone, half of them over UDP

	// mostAcks bounds how many requests are acknowledged between a start and the end: some seconds of work, so that
	// snapshots are taken, which the server looks at each second.
	mostAcks = 6000

	// mostDelay is how long after the last of them the end may come: some groups' syncs.
	mostDelay = 10 * time.Millisecond

	// mostStart is how long after a start the server may be killed before it serves: about what reading the folder
	// takes.
	mostStart = 100 * time.Millisecond
)

// crashes is how often the server is killed.
func crashes(t *testing.T) int {
	t.Helper()
	if v := os.Getenv("BILOXI_CRASHES"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("BILOXI_CRASHES=%s is no number of crashes", v)
		}
		return n
	}
	if testing.Short() {
		return 2
	}
	return 5
}

// TestCrash is one installation that is killed under load, and in the end terminated.
func TestCrash(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := newWorld(t, seed)
	t.Run("T12", func(t *testing.T) {
		for n := range crashes(t) {
			w.round(t, fmt.Sprint("kill ", n+1), syscall.SIGKILL)
			w.stumble(t)
		}
		w.check(t) // the administrator's command reads the folder itself when no server runs
	})
	t.Run("SIGTERM", func(t *testing.T) {
		for n := range 2 {
			w.round(t, fmt.Sprint("terminate ", n+1), syscall.SIGTERM)
		}
		w.check(t)
	})
}

// world is an installation and its phones.
type world struct {
	*installation
	random *rand.Rand
	phones []*phone
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 0))}
	var names []string
	for i := range users {
		a := &account{user: fmt.Sprint("u", i), held: bindings{}}
		names = append(names, a.user)
		w.phones = append(w.phones, &phone{account: a, random: rand.New(rand.NewPCG(seed, uint64(i)+1))})
	}
	w.installation = install(t, names)
	return w
}

// round is one life of the server: it must have what the lives before acknowledged, and ends by a signal under load.
func (w *world) round(t *testing.T, name string, sig syscall.Signal) {
	t.Helper()
	server := w.start(t)
	w.check(t)
	l := newLoad(1 + w.random.Int64N(mostAcks))
	for i, p := range w.phones {
		if err := p.connect(server, []sip.Transport{sip.UDP, sip.TCP}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	l.start(t, w.phones)
	l.wait(t)
	time.Sleep(time.Duration(w.random.Int64N(int64(mostDelay)))) // at any moment of a group's life
	l.ending.Store(true)
	err := server.end(sig)
	l.stop()
	if sig == syscall.SIGTERM && err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, server.log.text())
	}
	t.Logf("%s after %d acknowledgements", name, l.acks.Load())
}

// stumble kills the server while it starts, some times or not at all: it must not lose what it has not read yet.
func (w *world) stumble(t *testing.T) {
	t.Helper()
	for w.random.IntN(3) > 0 {
		server := w.launch(t)
		time.Sleep(time.Duration(w.random.Int64N(int64(mostStart))))
		server.end(syscall.SIGKILL)
	}
}

// check compares what is registered with what was acknowledged and asked for.
func (w *world) check(t *testing.T) {
	t.Helper()
	var underWay, took int
	found := w.locations(t)
	for _, p := range w.phones {
		have := found[p.user]
		if have == nil {
			have = bindings{}
		}
		delete(found, p.user)
		open, done := p.reconcile(t, have)
		if open {
			underWay++
		}
		if done {
			took++
		}
	}
	for user, have := range found {
		t.Errorf("nobody registered %s\n%v", user, have)
	}
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("of %d requests under way %d took effect", underWay, took)
}
