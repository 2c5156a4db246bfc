package server

import (
	"testing"

	"biloxi/config"
)

// The benchmarks of Receive are of one reader, from the datagram to the answer, without a network and with nobody
// waiting for the disk. The requests are made while the clock stands.

// benchPhones are as many as make a batch long enough that its start does not count.
const benchPhones = 4096

// bench has phones send request after request; before each batch but the first, undo is sent, unless it is nil.
func bench(b *testing.B, request, undo func(*wiredPhone) []byte, status string) {
	w := startWired(b, config.DurabilityNone, benchPhones)
	w.run(b, w.each((*wiredPhone).bind), "200")
	b.ReportAllocs()
	b.ResetTimer()
	b.StopTimer()
	for left := b.N; left > 0; left -= benchPhones {
		if undo != nil {
			w.run(b, w.each(undo), "200")
		}
		batch := w.each(request)[:min(left, benchPhones)]
		b.StartTimer()
		w.run(b, batch, status)
		b.StopTimer()
	}
}

func BenchmarkReceiveRegister(b *testing.B) {
	bench(b, (*wiredPhone).bind, (*wiredPhone).unbind, "200")
}

func BenchmarkReceiveRefresh(b *testing.B) { bench(b, (*wiredPhone).bind, nil, "200") }

func BenchmarkReceiveQuery(b *testing.B) { bench(b, (*wiredPhone).query, nil, "200") }

func BenchmarkReceiveOptions(b *testing.B) {
	one := options()
	bench(b, func(*wiredPhone) []byte { return one }, nil, "200")
}

func BenchmarkReceiveChallenge(b *testing.B) {
	one := challenged()
	bench(b, func(*wiredPhone) []byte { return one }, nil, "401")
}
