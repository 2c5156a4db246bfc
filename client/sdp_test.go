package client

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

var sdpHost = netip.MustParseAddr("192.0.2.201")

func lines(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestSummaryOfSDP(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"v=0\n", "no media"},
		{"v=1\n", errSDP.Error()},
		{"v=0\nm=audio x RTP/AVP 0\n", errSDP.Error()},
		{"v=0\nc=IN IP4\n", errSDP.Error()},
		{"v=0\nc=IN IP4 192.0.2.1\nm=audio 49172 RTP/AVP 0 8\n", "audio 192.0.2.1:49172 PCMU/8000"},
		{"v=0\nc=IN IP4 192.0.2.1\na=sendonly\nm=audio 49172/2 RTP/AVP 96\na=rtpmap:96 opus/48000/2\na=rtpmap:97 x\nm=video 0 RTP/AVP 31\n",
			"audio 192.0.2.1:49172/2 opus/48000/2, sendonly; video refused"},
		{"v=0\nm=audio 1 RTP/AVP 0\nc=IN IP6 2001:db8::1\na=inactive\n", "audio 2001:db8::1:1 PCMU/8000, inactive"},
		{"v=0\nm=image 4 udptl t38\x1b[2J\n", "image :4 udptl"},
	} {
		if got := summarySDP(lines(test.in)); got != test.want {
			t.Errorf("%q: %q, not %q", test.in, got, test.want)
		}
	}
}

// RFC 3264 §6: an answer has a line for each of the offer's, in their order.
func TestAnswerSDP(t *testing.T) {
	offer := lines("v=0\no=a 1 1 IN IP4 192.0.2.101\ns=-\nc=IN IP4 192.0.2.101\nt=0 0\nm=video 5000 RTP/AVP 31\nm=audio 49172 RTP/AVP 96 0\na=rtpmap:96 opus/48000/2\nm=audio 49174 RTP/AVP 8\n")
	got, err := answerSDP(offer, 7, sdpHost)
	want := lines("v=0\no=- 7 7 IN IP4 192.0.2.201\ns=-\nc=IN IP4 192.0.2.201\nt=0 0\nm=video 0 RTP/AVP 31\nm=audio 9 RTP/AVP 96\na=rtpmap:96 opus/48000/2\na=inactive\nm=audio 0 RTP/AVP 8\n")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n%s", err, got)
	}
	if got, err := answerSDP(lines("v=0\nm=audio 0 RTP/AVP 0\n"), 7, sdpHost); err != errMedia {
		t.Errorf("%v\n%s", err, got)
	}
}

// Whatever is offered, an answer to it can be read, and has its media lines.
func FuzzSDP(f *testing.F) {
	f.Add(offerSDP(1, sdpHost))
	f.Add(lines("v=0\nc=IN IP4 192.0.2.1\nm=audio 1/2 RTP/AVP 0 8\na=rtpmap:0 PCMU/8000\na=sendonly\nm=video 0 RTP/AVP 31\nc=IN IP6 ::1\n"))
	f.Add(lines("v=0\nm=audio 1 RTP/AVP\nm=\n=\na=rtpmap: \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := summarySDP(b); strings.ContainsAny(s, "\r\n\x1b") {
			t.Errorf("summary %q", s)
		}
		offered, err := parseSDP(b)
		answer, no := answerSDP(b, 1, sdpHost)
		if no != nil {
			return
		}
		answered, e := parseSDP(answer)
		if err != nil || e != nil || len(answered.media) != len(offered.media) {
			t.Fatalf("%v, %v: %q answers %q", err, e, answer, b)
		}
		taken := 0
		for i, m := range answered.media {
			if !bytes.Equal(m.kind, offered.media[i].kind) || !bytes.Equal(m.proto, offered.media[i].proto) {
				t.Errorf("media %d: %q answers %q", i, answer, b)
			}
			if string(m.port) != "0" {
				taken++
			}
		}
		if taken != 1 {
			t.Errorf("%d taken: %q answers %q", taken, answer, b)
		}
	})
}
