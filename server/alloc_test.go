package server

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"

	"biloxi/config"
)

// TestAllocations: a warm server answers without allocation, from the datagram to the answer, also where the answer
// waits for the disk.
func TestAllocations(t *testing.T) {
	for _, durability := range []config.Durability{config.DurabilityNone, config.DurabilitySync} {
		t.Run(string(durability), func(t *testing.T) { allocations(t, startWired(t, durability, 64)) })
	}
}

func allocations(t *testing.T, w *wired) {
	const runs = 20
	for _, c := range []struct {
		name    string
		request func(*wiredPhone) []byte
		status  string
	}{
		{"refresh", (*wiredPhone).bind, "200"},
		{"query", (*wiredPhone).query, "200"},
		{"options", func(*wiredPhone) []byte { return options() }, "200"},
		{"challenge", func(*wiredPhone) []byte { return challenged() }, "401"},
		{"malformed", func(*wiredPhone) []byte {
			return bytes.Replace(options(), []byte("Max-Forwards:"), []byte("CSeq: 7 OPTIONS\r\nMax-Forwards:"), 1)
		}, "400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var batches [][][]byte
			for range runs + 3 {
				batches = append(batches, w.each(c.request))
			}
			next := func() {
				w.run(t, batches[0], c.status)
				batches = batches[1:]
			}
			next()
			next()
			// The goroutines of the store count too. What they allocate once in a while is none of a request's.
			if n := testing.AllocsPerRun(runs, next) / float64(len(w.phones)); n >= 0.1 && !raceEnabled {
				t.Errorf("%v allocations a request", n)
			}
		})
	}
}

// TestRelayAllocations: a warm server forwards a MESSAGE and its response without allocation. An INVITE that succeeds
// costs three: the two transactions that go on for 32 s, which in this test nothing gives back, and what passes on
// further 2xx.
func TestRelayAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it empties pools
	w := startRelayed(t)
	const rounds, phones = 20, 64
	n := 0
	requests := func(method string) (batch [][]byte) {
		for _, p := range w.phones[:phones] {
			n++
			batch = append(batch, requestTo(p.user, method, n, "Contact: <sip:carol@192.0.2.201:5060>\r\n"))
		}
		return batch
	}
	for _, c := range []struct {
		method            string
		sent              int
		request, response float64 // allocations of each, at most
	}{{"MESSAGE", 1, 0, 0}, {"INVITE", 2, 2, 1}} {
		t.Run(c.method, func(t *testing.T) {
			var request, response uint64
			for round := range rounds {
				if round == rounds/2 {
					request, response = 0, 0 // until now it was warming up
				}
				request += w.mallocs(requests(c.method), c.sent)
				response += w.mallocs(w.answers(c.method, "200 OK"), 1)
			}
			for _, got := range []struct {
				name string
				n    uint64
				most float64
			}{{"request", request, c.request}, {"response", response, c.response}} {
				if each := float64(got.n) / (rounds / 2 * phones); each > got.most+0.2 && !raceEnabled {
					t.Errorf("%s: %v allocations, wanted %v", got.name, each, got.most)
				}
			}
		})
	}
}

// mallocs is how many allocations the server makes for a batch.
func (w *wired) mallocs(batch [][]byte, sent int) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w.runTo(w, batch, sent*len(batch), "")
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
