package flows

import (
	"fmt"
	"strings"

	"biloxi/client"
	"biloxi/sip"
)

const introduction = "# The call flows of RFC 3665, section 2\n\n" +
	"Written by `go test ./test/flows -update`; do not edit. These are the messages that went over the wire between Bob's\n" +
	"phone at 192.0.2.201 and a whole server at 192.0.2.222, on a simulated network and its clock, which begins in 2000. Nonces,\n" +
	"digests and To-tags differ in each run; `go test ./test/flows` sees to it that nothing else does. Each flow has a server of\n" +
	"its own, on which the flows that its precondition names have run.\n\n" +
	"What differs from the RFC: digests are real; branches are new for each request; the 200 has a Date; in 2.4 the CSeq\n" +
	"is higher than that of the bindings that are removed, since what is printed there must be refused (RFC 3261 §10.3 step 6).\n"

// render makes docs/flows.md: the ladders over TLS with their messages, then those over UDP and TCP.
func render(ladders map[string]*client.Ladder) []byte {
	var b strings.Builder
	b.WriteString(introduction)
	for _, f := range all {
		l := ladders[sip.TLS.String()+"/"+f.number]
		fmt.Fprintf(&b, "\n## %s %s\n\n%s\n\n```\n%s```\n", f.number, f.title, f.words, l.AppendDrawing(nil))
		fmt.Fprintf(&b, "\n```\n%s```\n", strings.TrimLeft(string(l.AppendMessages(nil)), "\n"))
	}
	b.WriteString("\n## The same over UDP and TCP\n\nWith `sip` URIs. Bob's phone answers with qop and nonce counts, since without them a nonce serves once where\n" +
		"nothing else protects it from replay.\n")
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP} {
		for _, f := range all {
			fmt.Fprintf(&b, "\n### %s over %s\n\n```\n%s```\n", f.number, transport, ladders[transport.String()+"/"+f.number].AppendDrawing(nil))
		}
	}
	return []byte(b.String())
}
