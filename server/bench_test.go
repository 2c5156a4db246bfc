package server

import (
	"bytes"
	"fmt"
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

// BenchmarkRelayMessage is a MESSAGE to a phone and its 200 back, without a network; what the phone does takes no time.
func BenchmarkRelayMessage(b *testing.B) {
	w := startWired(b, config.DurabilityNone, benchPhones)
	w.run(b, w.each((*wiredPhone).bind), "200")
	w.keep = true
	b.ReportAllocs()
	b.ResetTimer()
	b.StopTimer()
	for left, n := b.N, 0; left > 0; left -= benchPhones {
		var batch [][]byte
		for _, p := range w.phones[:min(left, benchPhones)] {
			n++
			batch = append(batch, message(p.user, n))
		}
		w.all = w.all[:0]
		b.StartTimer()
		w.run(b, batch, "sip") // the Request-URI of what the phones get
		b.StopTimer()
		answers := make([][]byte, 0, len(batch))
		for _, request := range w.all {
			answers = append(answers, answerTo(request))
		}
		b.StartTimer()
		w.run(b, answers, "200")
		b.StopTimer()
	}
}

// message is the nth MESSAGE of a stranger to a user.
func message(user string, n int) []byte {
	return fmt.Appendf(nil, "MESSAGE sip:%s@biloxi.example.com SIP/2.0\r\n"+
		"Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bKm%d;rport\r\n"+
		"Max-Forwards: 70\r\n"+
		"From: <sip:carol@chicago.example.com>;tag=ja743ks76zlflH\r\n"+
		"To: <sip:%[1]s@biloxi.example.com>\r\n"+
		"Call-ID: %[2]d@192.0.2.201\r\n"+
		"CSeq: 1 MESSAGE\r\n"+
		"Content-Type: text/plain\r\n"+
		"Content-Length: 18\r\n\r\nWatson, come here.", user, n)
}

// answerTo is a phone's 200 to a request without a body of its own.
func answerTo(request []byte) []byte {
	_, rest, _ := bytes.Cut(request, []byte("\r\n"))
	head, _, _ := bytes.Cut(rest, []byte("Content-Type:"))
	return append(append([]byte("SIP/2.0 200 OK\r\n"), head...), "Content-Length: 0\r\n\r\n"...)
}
