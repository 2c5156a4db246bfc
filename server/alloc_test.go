package server

import (
	"bytes"
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
			return bytes.Replace(options(), []byte("Max-Forwards:"), []byte("Max-Forwards"), 1)
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
