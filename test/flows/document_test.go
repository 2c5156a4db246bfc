package flows

import (
	"fmt"
	"strings"

	"biloxi/client"
	"biloxi/sip"
)

const introduction = "# The call flows of RFC 3665\n\n" +
	"Written by `go test ./test/flows -update`; do not edit. These are the messages that went over the wire between phones and\n" +
	"whole servers, at the addresses of the RFC, on a simulated network and its clock, which begins in 2000. What the servers\n" +
	"make of chance differs in each run; `go test ./test/flows` sees to it that nothing else does.\n\n" +
	"## Section 2: registration\n\nBetween Bob's phone at 192.0.2.201 and a server at 192.0.2.222. Each flow has a server of its own, on which the flows that\n" +
	"its precondition names have run.\n\n" +
	"What differs from the RFC: digests are real; branches are new for each request; the 200 has a Date; in 2.4 the CSeq\n" +
	"is higher than that of the bindings that are removed, since what is printed there must be refused (RFC 3261 §10.3 step 6).\n"

const callsIntroduction = "\n## Section 3: calls\n\n" +
	"The servers have the configuration files of [examples/rfc3665](../examples/rfc3665). Bob has registered, with a `sip` contact. 3.1 has\n" +
	"no server; the ALG of 3.5 also relays media, which Biloxi does not.\n\n" +
	"What differs from the RFC: each new request has a new branch, that of an ACK to a 2xx or a BYE too; a challenged INVITE keeps its\n" +
	"Route; the ACK to a 3xx-6xx has the Route of its INVITE; the Via in the ACK of Proxy 1 in 3.3 is its own, as is that in 3.8,\n" +
	"where the CANCEL is for Bob; a 200 to CANCEL has a To-tag; an ACK gets no Contact on its way. Over TCP Record-Routes say\n" +
	"`transport=tcp`. Where what comes back is to go down a connection that a phone has opened, a proxy writes two: the\n" +
	"user part names the connection. The parameter `d` proves that a dialog was made through the proxy. Max-Breadth is RFC 5393's.\n" +
	"The messages are those of 3.2; of the other flows the ladders are shown.\n"

// render makes docs/flows.md: the ladders of section 2 over TLS with their messages, then those over UDP and TCP,
// and the calls.
func render(ladders map[string]*client.Ladder) []byte {
	var b strings.Builder
	b.WriteString(introduction)
	for _, f := range all {
		l := ladders[sip.TLS.String()+"/"+f.number]
		fmt.Fprintf(&b, "\n### %s %s\n\n%s\n\n```\n%s```\n", f.number, f.title, f.words, l.AppendDrawing(nil))
		fmt.Fprintf(&b, "\n```\n%s```\n", strings.TrimLeft(string(l.AppendMessages(nil)), "\n"))
	}
	b.WriteString("\n### The same over UDP and TCP\n\nWith `sip` URIs. Bob's phone answers with qop and nonce counts, since without them a nonce serves once where\n" +
		"nothing else protects it from replay.\n")
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP} {
		for _, f := range all {
			fmt.Fprintf(&b, "\n#### %s over %s\n\n```\n%s```\n", f.number, transport, ladders[transport.String()+"/"+f.number].AppendDrawing(nil))
		}
	}
	b.WriteString(callsIntroduction)
	for _, c := range calls {
		fmt.Fprintf(&b, "\n### %s %s\n\n", c.number, c.title)
		if c.words != "" {
			b.WriteString(c.words + "\n\n")
		}
		l := ladders[c.number]
		fmt.Fprintf(&b, "```\n%s```\n", l.AppendDrawing(nil))
		if c.number == "3.2" {
			fmt.Fprintf(&b, "\n```\n%s```\n", strings.TrimLeft(string(l.AppendMessages(nil)), "\n"))
		}
	}
	return []byte(b.String())
}
