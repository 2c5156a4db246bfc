package server

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/transaction"
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
	w := startRelayed(b)
	b.ReportAllocs()
	b.ResetTimer()
	b.StopTimer()
	for left, n := b.N, 0; left > 0; left -= relayPhones {
		var batch [][]byte
		for _, p := range w.phones[:min(left, relayPhones)] {
			n++
			batch = append(batch, requestTo(p.user, "MESSAGE", n, ""))
		}
		w.timed(b, batch, 1)
		w.timed(b, w.answers("MESSAGE", "200 OK"), 1)
	}
}

// BenchmarkRelayCall is a whole call: INVITE, 100, 180, 200, ACK, BYE, 200.
func BenchmarkRelayCall(b *testing.B) {
	w := startRelayed(b)
	b.ReportAllocs()
	b.ResetTimer()
	b.StopTimer()
	for left, n := b.N, 0; left > 0; left -= relayPhones {
		var batch, acks, byes [][]byte
		phones := w.phones[:min(left, relayPhones)]
		for _, p := range phones {
			n++
			batch = append(batch, requestTo(p.user, "INVITE", n, "Contact: <sip:carol@192.0.2.201:5060>\r\n"))
		}
		w.timed(b, batch, 2)
		ringing, answers := w.answers("INVITE", "180 Ringing"), w.answers("INVITE", "200 OK")
		w.timed(b, ringing, 1)
		w.timed(b, answers, 1)
		for i, a := range w.all {
			route := "Route: " + valueOf(a, "Record-Route") + "\r\n"
			acks = append(acks, within(phones[i].user, "ACK", n-i, route, a))
			byes = append(byes, within(phones[i].user, "BYE", n-i, route, a))
		}
		w.timed(b, acks, 1)
		w.timed(b, byes, 1)
		w.timed(b, w.answers("BYE", "200 OK"), 1)
	}
}

// relayPhones are so few that their transactions are no crowd.
const relayPhones = 512

// startRelayed is a server whose phones have registered, and which keeps what it sends.
func startRelayed(b testing.TB) *wired {
	c := testConfig(b)
	c.Location.Durability = config.DurabilityNone
	// Nothing is sent again while the clock stands.
	w := startWiredWith(b, c, Options{Timers: transaction.Timers{T1: time.Hour, T2: time.Hour, T4: time.Hour}}, relayPhones)
	w.run(b, w.each((*wiredPhone).bind), "200")
	w.keep = true
	return w
}

// timed runs a batch, for each message of which the server sends so many, while the clock goes.
func (w *wired) timed(b *testing.B, batch [][]byte, sent int) {
	b.StartTimer()
	w.runTo(b, batch, sent*len(batch), "")
	b.StopTimer()
}

// answers are the phones' responses to the requests of a method among what the server has sent.
func (w *wired) answers(method, status string) (list [][]byte) {
	for _, request := range w.all {
		if bytes.HasPrefix(request, []byte(method+" ")) {
			list = append(list, answerTo(request, status))
		}
	}
	return list
}

// requestTo is the nth request of a stranger to a user.
func requestTo(user, method string, n int, more string) []byte {
	return fmt.Appendf(nil, "%s sip:%s@biloxi.example.com SIP/2.0\r\n"+
		"Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bKm%d;rport\r\n"+
		"Max-Forwards: 70\r\n"+
		"From: <sip:carol@chicago.example.com>;tag=ja743ks76zlflH\r\n"+
		"To: <sip:%[2]s@biloxi.example.com>\r\n"+
		"Call-ID: %[3]d@192.0.2.201\r\n"+
		"CSeq: 1 %[1]s\r\n%[4]s"+
		"Content-Type: text/plain\r\n"+
		"Content-Length: 18\r\n\r\nWatson, come here.", method, user, n, more)
}

// within is a request of the caller in the dialog that a 200 has made.
func within(user, method string, n int, route string, ok []byte) []byte {
	return fmt.Appendf(nil, "%s sip:%s@192.0.2.201:5060 SIP/2.0\r\n"+
		"Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bK%[1]s%[3]d;rport\r\n"+
		"%sMax-Forwards: 70\r\n"+
		"From: %s\r\nTo: %s\r\nCall-ID: %s\r\n"+
		"CSeq: 2 %[1]s\r\nContent-Length: 0\r\n\r\n", method, user, n, route, valueOf(ok, "From"), valueOf(ok, "To"), valueOf(ok, "Call-ID"))
}

// valueOf is the value of a header field of a message.
func valueOf(message []byte, name string) string {
	_, rest, _ := bytes.Cut(message, []byte("\r\n"+name+": "))
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(value)
}

// answerTo is a phone's response to a request, without a body of its own.
func answerTo(request []byte, status string) []byte {
	_, rest, _ := bytes.Cut(request, []byte("\r\n"))
	head, _, found := bytes.Cut(rest, []byte("Content-Type:"))
	if !found {
		head, _, _ = bytes.Cut(rest, []byte("Content-Length:"))
	}
	head = bytes.Replace(head, []byte("biloxi.example.com>\r\n"), []byte("biloxi.example.com>;tag=a6c85cf\r\n"), 1)
	return append(append([]byte("SIP/2.0 "+status+"\r\n"), head...), "Content-Length: 0\r\n\r\n"...)
}
