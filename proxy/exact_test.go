package proxy

import (
	"strconv"
	"strings"
	"testing"

	"biloxi/sip"
	"pgregory.net/rapid"
)

// What may be odd in a message and is nobody's to mend: white space, folds, names in any case and form, bytes of any kind.
var (
	gaps   = rapid.SampledFrom([]string{" ", "", "  ", "\t", " \r\n ", "\r\n\t  "})
	before = rapid.SampledFrom([]string{"", "", " ", "\t", "  "})
	words  = rapid.StringMatching(`[!-~]([ -~]{0,12}[!-~])?`)
	octets = rapid.SliceOfN(rapid.Byte(), 0, 60)
	utf    = rapid.SampledFrom([]string{"Jürgen", "电话", "\xff\xfe", "<>", "a,b", "\"", "\\"})
)

// named is a name as somebody may write it.
func named(t *rapid.T, long, compact string) string {
	forms := []string{long, strings.ToLower(long), strings.ToUpper(long)}
	if compact != "" {
		forms = append(forms, compact, strings.ToUpper(compact))
	}
	return rapid.SampledFrom(forms).Draw(t, "name")
}

// field is a header field with white space of all kinds around its value.
func field(t *rapid.T, long, compact, value string) string {
	return named(t, long, compact) + before.Draw(t, "before") + ":" + gaps.Draw(t, "gap") + value + rapid.SampledFrom([]string{"", " ", "\t "}).Draw(t, "after") + "\r\n"
}

// oddFields are header fields that a proxy need not read.
func oddFields(t *rapid.T) (list []string) {
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		value := words.Draw(t, "value") + gaps.Draw(t, "fold") + utf.Draw(t, "text")
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			list = append(list, field(t, "X-Odd", "", value))
		case 1:
			list = append(list, field(t, "Subject", "s", value))
		case 2:
			list = append(list, field(t, "Server", "", value))
		case 3:
			list = append(list, field(t, "Content-Type", "c", "a/b;"+value))
		case 4:
			list = append(list, field(t, "Supported", "k", ""))
		case 5:
			list = append(list, field(t, "Date", "", value))
		}
	}
	return list
}

// TestExactRequest: what is forwarded differs from what came in what RFC 3261 §16.6 names, and not in one byte more.
func TestExactRequest(t *testing.T) {
	p := New(Config{})
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"INVITE", "MESSAGE", "ACK", "odd~1"}).Draw(t, "method")
		body := octets.Draw(t, "body")
		via := "SIP/2.0/UDP" + rapid.SampledFrom([]string{" ", "  ", "\t"}).Draw(t, "white") + "192.0.2.111" +
			rapid.SampledFrom([]string{";branch=z9hG4bK1", " ; branch = z9hG4bK1;x", ";X=\"a;b\";branch=z9hG4bK1"}).Draw(t, "params")
		more := rapid.SampledFrom([]string{"", ", SIP/2.0/TCP far ;branch=z9hG4bK0", " ,\r\n SIP/2.0/UDP x"}).Draw(t, "more")
		fields := []string{
			field(t, "From", "f", "\"A \\\" B\"  <sip:a@a>;tag=1"), field(t, "To", "t", "sip:b@b"),
			field(t, "Call-ID", "i", "c@h"), field(t, "CSeq", "", "1"+rapid.SampledFrom([]string{" ", "\t", "  "}).Draw(t, "cseq")+method),
			field(t, "Via", "v", via+more), field(t, "Max-Forwards", "", "70"),
		}
		fields = rapid.Permutation(append(fields, oddFields(t)...)).Draw(t, "order")
		if rapid.Bool().Draw(t, "length") {
			fields = append(fields, field(t, "Content-Length", "l", strconv.Itoa(len(body))))
		}
		line := method + " sip:bob@192.0.2.5;X=%41"
		raw := line + " " + rapid.SampledFrom([]string{"SIP/2.0", "sip/2.0"}).Draw(t, "version") + "\r\n" + strings.Join(fields, "") + "\r\n" + string(body)

		var m sip.Message
		var req sip.Request
		if m.Parse([]byte(raw)) != nil || req.Decode(&m) != nil {
			t.Skip()
		}
		var in Received
		if r := in.Preprocess(&req, flowFrom("UDP 192.0.2.111:5060"), ours); r != nil {
			t.Fatalf("refused: %d", r.Status)
		}
		c := Copy{Transport: sip.UDP, SentBy: []byte("me"), Branch: p.AppendBranch(nil, &in, 0)}
		want := line + " SIP/2.0\r\n"
		for i := range m.Len() {
			h, _, value := m.Field(i)
			text := string(m.Line(i))
			switch h {
			case sip.HeaderVia:
				want += "Via: SIP/2.0/UDP me;branch=" + string(c.Branch) + "\r\n"
			case sip.HeaderMaxForwards:
				text = strings.Replace(text, string(value), "69", 1)
			}
			want += text
		}
		want += "\r\n" + string(body)
		if got := in.Append(nil, &c); string(got) != want {
			t.Fatalf("got\n%q\nwanted\n%q", got, want)
		}
	})
}

// TestExactResponse: a response goes back without its topmost Via, and else byte for byte as it came (§16.7 steps 3 and 9).
func TestExactResponse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := octets.Draw(t, "body")
		mine, theirs := "SIP/2.0/UDP me;branch=z9hG4bKmine", rapid.SampledFrom([]string{
			"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "SIP / 2.0 / TCP  h : 5060 ; branch = Z9HG4BK1 ;x", "sip/2.0/udp h;branch=z9hG4bK1"}).Draw(t, "via")
		rest := []string{
			field(t, "From", "f", words.Draw(t, "from")), field(t, "To", "t", utf.Draw(t, "to")+";tag=1"),
			field(t, "Call-ID", "i", words.Draw(t, "id")), field(t, "CSeq", "", "1 INVITE"),
		}
		rest = rapid.Permutation(append(rest, oddFields(t)...)).Draw(t, "order")
		at := rapid.IntRange(0, len(rest)).Draw(t, "at")
		top, below := field(t, "Via", "v", mine), field(t, "Via", "v", theirs)
		if rapid.Bool().Draw(t, "one line") {
			name := named(t, "Via", "v") + ": "
			top, below = name+mine+" ,"+gaps.Draw(t, "comma")+theirs+"\r\n", name+theirs+"\r\n"
		} else {
			top += below
		}
		end := field(t, "Content-Length", "l", strconv.Itoa(len(body)))
		added := ""
		if rapid.Bool().Draw(t, "no length") {
			end, added = "", "Content-Length: "+strconv.Itoa(len(body))+"\r\n"
		}
		status := rapid.SampledFrom([]string{" 180 Ringing", " 200 ", " 486", " 603 \xff ü  x "}).Draw(t, "status") + "\r\n"
		whole := func(version, vias, last string) string {
			return version + status + strings.Join(rest[:at], "") + vias + strings.Join(rest[at:], "") + last + "\r\n" + string(body)
		}
		var m sip.Message
		_ = m.Parse([]byte(whole(rapid.SampledFrom([]string{"SIP/2.0", "sip/2.0", "Sip/2.0"}).Draw(t, "version"), top, end)))
		if damage := Damage(&m, []byte("z9hG4bK1")); damage != "" {
			t.Fatalf("%s: %q", damage, m.Bytes())
		}
		want := whole("SIP/2.0", below, end+added)
		if got, ok := AppendPopped(nil, &m); !ok || string(got) != want {
			t.Fatalf("got\n%q\nwanted\n%q", got, want)
		}
	})
}
