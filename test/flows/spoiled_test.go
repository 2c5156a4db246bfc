package flows

import (
	"slices"
	"strings"
	"testing"

	. "biloxi/siptest"
)

// TestRules spoils the messages of flow 3.3 one by one, as a faulty proxy would, and wants the rule that was
// broken to say so.
func TestRules(t *testing.T) {
	c := calls[1]
	heard := enact(t, c.cast, func(w *world) {
		c.before(w)
		w.begin()
		c.play(w)
	})
	list := c.cast.script(c.messages)
	if faults := c.cast.match(list, heard); len(faults) > 0 {
		t.Fatal(faults)
	}
	for _, spoiled := range []struct{ rule, message, old, new string }{
		{"C1", "F6", ";received=192.0.2.101", ""},
		{"C1", "F2", ";received=192.0.2.101", ";received=192.0.2.66"},
		{"C2", "F6", "Via: SIP/2.0/UDP ss1.atlanta.example.com", "Via: SIP/2.0/UDP 192.0.2.111"},
		{"C2", "F6", "Via: SIP/2.0/UDP ss1", "Via: SIP/2.0/TCP ss1"},
		{"C2", "F13", "", ""},
		{"C3", "F6", "Max-Forwards: 69", "Max-Forwards: 70"},
		{"C4", "F6", "Max-Forwards: 69", "Route: <sip:ss1.atlanta.example.com;lr>\r\nMax-Forwards: 69"},
		{"C4", "F20", "Route: ", "X-Route: "},
		{"C5", "F6", "INVITE sip:bob@biloxi.example.com", "INVITE sip:bob@192.0.2.222"},
		{"C6", "F15", "Record-Route: <sip:ss2.biloxi", "Record-Route: <sip:ss3.biloxi"},
		{"C6", "F17", "Record-Route: <sip:ss2.biloxi", "Record-Route: <sip:ss3.biloxi"},
		{"C7", "F13", "Proxy-Authorization: ", "X-Gone: "},
		{"C7", "F15", "From: ", "Proxy-Authorization: Digest realm=\"biloxi.example.com\"\r\nFrom: "},
		{"C8", "F5", "To: <sip:bob@biloxi.example.com>", "To: <sip:bob@biloxi.example.com>;tag=x"},
		{"C9", "F8", "ACK sip:bob@biloxi.example.com", "ACK sip:alice@biloxi.example.com"},
		{"C9", "F8", ";tag=", ";tag=x"},
		{"C9", "F8", "Via: SIP/2.0/UDP ss1", "Via: SIP/2.0/UDP client"},
		{"C11", "F15", "a=rtpmap", "a=rtpmop"},
		{"C11", "F17", "Contact: <sip:bob@", "Contact: <sip:rob@"},
		{"C12", "F17", ";tag=", ";tag=x"},
		{"C12", "F6", "From: Alice", "From: Mallory"},
		{"made", "F7", "CSeq: 2", "CSeq: 3"},
	} {
		t.Run(spoiled.rule+" "+spoiled.message+" "+spoiled.new, func(t *testing.T) {
			i := slices.IndexFunc(list, func(e *expected) bool { return e.number == spoiled.message })
			index := list[i].index
			raw := strings.ReplaceAll(list[i].heard.Raw, spoiled.old, spoiled.new)
			if spoiled.old == "" { // a branch that was used before: that of F6
				earlier := slices.IndexFunc(list, func(e *expected) bool { return e.number == "F6" })
				raw = strings.Replace(raw, branchOf(list[i].heard.List("Via")[0]), branchOf(list[earlier].heard.List("Via")[0]), 1)
			}
			if raw == list[i].heard.Raw {
				t.Fatal("nothing is spoiled")
			}
			m := &Tapped{At: list[i].heard.At, Transport: list[i].heard.Transport, From: list[i].heard.From, To: list[i].heard.To, Raw: raw}
			if err := m.Parse([]byte(raw)); err != nil {
				t.Fatal(err)
			}
			faulty := slices.Clone(heard)
			faulty[index] = m
			faults := c.cast.common(faulty, index)
			if !slices.ContainsFunc(faults, func(f fault) bool { return f.check == spoiled.rule }) {
				t.Errorf("%s does not see it: %v\n%s", spoiled.rule, faults, raw)
			}
		})
	}
	if faults := c.cast.match(c.cast.script(c.messages), heard[:len(heard)-1]); len(faults) == 0 {
		t.Error("a message that is missing is not missed")
	}
	if faults := c.cast.match(c.cast.script(c.messages)[1:], heard); len(faults) == 0 {
		t.Error("a message too much is not seen")
	}
	if faults := c.cast.match(c.cast.script(c.messages), append([]*Tapped{heard[1], heard[0]}, heard[2:]...)); len(faults) == 0 {
		t.Error("an answer before its question is not seen")
	}
}
