package main

import (
	"bytes"
	"fmt"

	"biloxi/client"
)

// trace keeps a message for the ladder.
func (k *call) trace(m client.Traced) {
	if len(k.ladder.Arrows) >= maxTraced {
		k.dropped++
		return
	}
	a := client.Arrow{From: k.self, To: serverName, Label: client.LabelOf(m.Bytes), Transport: m.Transport.String(),
		Message: bytes.Clone(m.Bytes)}
	if !m.Sent {
		a.From, a.To = a.To, a.From
	}
	number := len(k.ladder.Arrows) + 1
	switch {
	case m.Again:
		// RFC 3665 §3.10: a message that goes again is named by its first time.
		a.Note, a.Message = fmt.Sprintf("F%d again", k.first[string(m.Bytes)]), nil
	case m.Ignored:
		a.Note = "ignored"
	case m.Sent:
		k.first[string(m.Bytes)] = number
	}
	k.ladder.AddArrow(a)
}

// draw shows the ladder: to people on standard output, beside JSON on standard error.
func (k *call) draw() {
	out := k.console.Out
	if k.flags.JSON {
		out = k.console.Err
	}
	out.Write(append(k.ladder.Append(nil), '\n'))
	if k.dropped > 0 {
		fmt.Fprintf(out, "(%d more messages are not shown)\n\n", k.dropped)
	}
}
