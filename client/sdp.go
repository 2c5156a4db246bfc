package client

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// sdpType is the one type of body that is read and sent.
const sdpType = "application/sdp"

var (
	errSDP   = errors.New("the session description cannot be read")
	errMedia = errors.New("no kind of media in the offer can be answered")
)

// media is one m= line of a session description (RFC 8866 §5.14) with what below it counts here. It refers to
// the bytes that it was read from.
type media struct {
	kind, port, proto []byte
	formats           [][]byte
	rtpmap            []byte // of the first format, "PCMU/8000"; nil if there is none
	direction         string // of its own, or of the session: "sendrecv" if neither says
	address           []byte // of its c= line, or of the session's
}

// description is an SDP session description as far as it is needed here.
type description struct {
	media []media
}

// parseSDP reads a session description. It takes any order of lines, since only few of them are looked at.
func parseSDP(b []byte) (description, error) {
	var d description
	var address []byte
	direction := "sendrecv" // RFC 8866 §6.7
	if !bytes.HasPrefix(b, []byte("v=0")) {
		return d, errSDP
	}
	for line := range bytes.Lines(b) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		value := line[2:]
		var last *media
		if n := len(d.media); n > 0 {
			last = &d.media[n-1]
		}
		switch line[0] {
		case 'm':
			m, ok := parseMedia(value)
			if !ok || len(d.media) >= maxMedia {
				return d, errSDP
			}
			m.direction, m.address = direction, address
			d.media = append(d.media, m)
		case 'c':
			fields := bytes.Fields(value)
			if len(fields) != 3 {
				return d, errSDP
			}
			if last == nil {
				address = fields[2]
			} else {
				last.address = fields[2]
			}
		case 'a':
			switch name := string(value); {
			case name == "sendrecv" || name == "sendonly" || name == "recvonly" || name == "inactive":
				if last == nil {
					direction = name
				} else {
					last.direction = name
				}
			case last != nil:
				last.readMap(value)
			}
		}
	}
	return d, nil
}

// parseMedia reads <media> <port>[/<count>] <proto> <fmt> …
func parseMedia(value []byte) (media, bool) {
	fields := bytes.Fields(value)
	if len(fields) < 4 || len(fields) > maxFormats {
		return media{}, false
	}
	m := media{kind: fields[0], port: fields[1], proto: fields[2], formats: fields[3:]}
	port, _, _ := bytes.Cut(m.port, []byte{'/'})
	_, err := strconv.ParseUint(string(port), 10, 16)
	return m, err == nil
}

// readMap reads rtpmap:<format> <encoding>, if it is that of the first format.
func (m *media) readMap(value []byte) {
	format, encoding, ok := bytes.Cut(value, []byte{' '})
	if id, is := bytes.CutPrefix(format, []byte("rtpmap:")); ok && is && bytes.Equal(id, m.formats[0]) && m.rtpmap == nil {
		m.rtpmap = bytes.TrimSpace(encoding)
	}
}

// staticFormats are those of the fixed payload types (RFC 3551 §6) that stand without an rtpmap mostly.
var staticFormats = map[string]string{"0": "PCMU/8000", "3": "GSM/8000", "8": "PCMA/8000", "9": "G722/8000", "18": "G729/8000"}

// String is the line as people read it: audio 192.0.2.4:49170 PCMU/8000, inactive.
func (m *media) String() string {
	encoding := string(m.rtpmap)
	if encoding == "" {
		encoding = staticFormats[string(m.formats[0])]
	}
	if encoding == "" {
		encoding = string(m.proto)
	}
	if string(m.port) == "0" {
		return string(m.kind) + " refused"
	}
	s := string(m.kind) + " " + string(m.address) + ":" + string(m.port) + " " + encoding
	if m.direction != "sendrecv" {
		s += ", " + m.direction
	}
	return s
}

// summarySDP is a session description in one line, empty if there is none.
func summarySDP(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	d, err := parseSDP(b)
	if err != nil {
		return err.Error()
	}
	if len(d.media) == 0 {
		return "no media"
	}
	parts := make([]string, len(d.media))
	for i := range d.media {
		parts[i] = d.media[i].String()
	}
	return printable(strings.Join(parts, "; "))
}

// appendSession writes the lines of a description up to its media. Each description that one side sends in a
// dialog has the same id, and a version that rises when it changes (RFC 3264 §8): ours never changes.
func appendSession(dst []byte, id uint64, at netip.Addr) []byte {
	family := "IP4 "
	if at.Is6() {
		family = "IP6 "
	}
	number := strconv.FormatUint(id, 10)
	dst = append(dst, "v=0\r\no=- "+number+" "+number+" IN "+family...)
	dst = at.AppendTo(dst)
	dst = append(dst, "\r\ns=-\r\nc=IN "+family...)
	dst = at.AppendTo(dst)
	return append(dst, "\r\nt=0 0\r\n"...)
}

// discard is the port that stands for one where nothing is sent or taken: a port of 0 would refuse the media
// (RFC 3264 §5.1), and nothing is bound to this one.
const discard = "9"

// offerSDP is an offer of audio that neither side sends (RFC 3264 §5.1).
func offerSDP(id uint64, at netip.Addr) []byte {
	return append(appendSession(nil, id, at),
		"m=audio "+discard+" RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=inactive\r\n"...)
}

// answerSDP answers an offer (RFC 3264 §6): the first audio in it is taken, and not sent; all else is refused.
func answerSDP(offer []byte, id uint64, at netip.Addr) ([]byte, error) {
	d, err := parseSDP(offer)
	if err != nil {
		return nil, err
	}
	dst, taken := appendSession(nil, id, at), false
	for i := range d.media {
		m := &d.media[i]
		plain := string(m.proto) == "RTP/AVP" || string(m.proto) == "RTP/AVPF"
		take := !taken && string(m.kind) == "audio" && plain && string(m.port) != "0"
		taken = taken || take
		dst = append(dst, "m="...)
		dst = append(append(dst, m.kind...), ' ')
		if take {
			dst = append(dst, discard...)
		} else {
			dst = append(dst, '0')
		}
		dst = append(append(dst, ' '), m.proto...)
		dst = append(append(dst, ' '), m.formats[0]...)
		dst = append(dst, "\r\n"...)
		if take {
			if m.rtpmap != nil {
				dst = append(append(dst, "a=rtpmap:"...), m.formats[0]...)
				dst = append(append(dst, ' '), m.rtpmap...)
				dst = append(dst, "\r\n"...)
			}
			// RFC 3264 §6.1: inactive answers every direction.
			dst = append(dst, "a=inactive\r\n"...)
		}
	}
	if !taken {
		return nil, errMedia
	}
	return dst, nil
}
