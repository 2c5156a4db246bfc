package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"biloxi/client"
	"biloxi/sip"
)

// answerCmd is biloxi answer.
type answerCmd struct {
	AOR         string  `arg:"" name:"aor" help:"Address of record: sip:bob@biloxi.example.com."`
	NoRegister  bool    `help:"Do not register: calls come to --listen."`
	Expires     seconds `default:"1h" placeholder:"D" help:"How long to register for, again and again (default 1h)."`
	Ring        seconds `default:"1s" placeholder:"D" help:"How long to ring (default 1s); 0: not at all."`
	Busy        bool    `xor:"final" help:"Answer 486 Busy Here."`
	Unavailable bool    `xor:"final" help:"Answer 480 Temporarily Unavailable."`
	Decline     bool    `xor:"final" help:"Answer 603 Decline."`
	Silent      bool    `xor:"final" help:"Never answer a call, not even with 100."`
	Status      int     `xor:"final" placeholder:"N" help:"Answer with this status, 300 to 699."`
	Duration    seconds `placeholder:"D" help:"Hang up after so long. Default: the other side hangs up."`
	Calls       int     `placeholder:"N" help:"Leave after so many calls. Default: at Ctrl-C."`
	agentFlags
}

func (*answerCmd) Help() string {
	return `Registers and answers calls, until Ctrl-C or as many as --calls says; then it removes its registration. Over TCP and TLS, calls come over the connection that it registered on. No media is sent: the answer takes one audio, inactive. With --json each event is a line of JSON.

Examples:
  biloxi answer sip:bob@biloxi.example.com --server sip:127.0.0.1:5060 --password-file bob.password
  biloxi answer sip:bob@biloxi.example.com --server sips:127.0.0.1:5061 --ca ca.pem \
    --password-file bob.password --ring 5s --busy
  biloxi answer sip:bob@biloxi.example.com --no-register --listen 127.0.0.1:5070 --calls 1 --json`
}

func (cmd *answerCmd) Run(c *console) error {
	aor := withScheme(cmd.AOR)
	if cmd.Calls < 0 {
		return usagef("--calls %d: it must be at least 1", cmd.Calls)
	}
	if cmd.Status != 0 && (cmd.Status < 300 || cmd.Status > 699) {
		return usagef("--status %d: it must be 300 to 699", cmd.Status)
	}
	if cmd.Expires == 0 {
		return usagef("--expires 0 registers nothing: --no-register does that")
	}
	if cmd.NoRegister && cmd.Listen == "" {
		return usagef("--no-register needs --listen ADDRESS, so that callers know where")
	}
	cfg, err := cmd.config(c, aor)
	if err != nil {
		return err
	}
	user := userOf(aor)
	trace := newAgentTrace(lifeline(user))
	if cmd.Trace {
		cfg.Trace = trace.add
	}
	report := answerReport{console: c, json: cmd.JSON}
	cfg.Notify = report.tell
	agent, err := client.NewAgent(cfg)
	if err != nil {
		return usageError{err.Error()}
	}
	if err := agent.Listen(); err != nil {
		return err
	}
	report.listening(agent.Addrs())
	ctx, stop := c.untilSignal()
	defer stop()
	err = agent.Answer(ctx, client.Answering{Ring: time.Duration(cmd.Ring), Status: cmd.status(), Silent: cmd.Silent,
		Duration: time.Duration(cmd.Duration), Calls: cmd.Calls, Register: !cmd.NoRegister, Expires: time.Duration(cmd.Expires)})
	if cmd.Trace {
		trace.draw(c, cmd.JSON)
	}
	if err != nil {
		return cmd.explain(c, err, user, aor)
	}
	return nil
}

// status is the final answer, 0 for 200.
func (cmd *answerCmd) status() int {
	switch {
	case cmd.Busy:
		return 486
	case cmd.Unavailable:
		return 480
	case cmd.Decline:
		return 603
	}
	return cmd.Status
}

// answerReport tells what happens on standard output: what comes there is the result.
type answerReport struct {
	console *console
	json    bool
}

// listening tells where calls can come.
func (r *answerReport) listening(addrs []sip.Flow) {
	for _, f := range addrs {
		transport := strings.ToLower(f.Transport.String())
		if r.json {
			r.console.writeLine(listeningJSON{Time: time.Now().UTC(), Event: "listening", Transport: transport, Address: f.Local.String()})
		} else {
			fmt.Fprintf(r.console.Err, "listening on %s %s\n", transport, f.Local)
		}
	}
}

// writeLine writes JSON in one line.
func (c *console) writeLine(v any) {
	if b, err := json.Marshal(v); err == nil {
		c.printf("%s\n", b)
	}
}

// listeningJSON is the first lines of answer --json: where it listens.
type listeningJSON struct {
	Time      time.Time `json:"time"`
	Event     string    `json:"event"`
	Transport string    `json:"transport"`
	Address   string    `json:"address"`
}

// eventJSON is a line of answer --json. A field that does not belong to the event is left out.
type eventJSON struct {
	Time    time.Time `json:"time"`
	Event   string    `json:"event"`
	CallID  string    `json:"call_id,omitempty"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	Peer    string    `json:"peer,omitempty"`
	Status  int       `json:"status,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Ms      *int64    `json:"ms,omitempty"`      // since the INVITE; of ended: since the 200
	Expires int64     `json:"expires,omitempty"` // seconds
	Contact string    `json:"contact,omitempty"`
	Media   string    `json:"media,omitempty"`
	Error   string    `json:"error,omitempty"`
}

func (r *answerReport) tell(e client.Event) {
	if r.json {
		r.tellJSON(e)
		return
	}
	who := printable(e.From)
	ms := e.After.Milliseconds()
	switch e.Kind {
	case client.Registered:
		fmt.Fprintf(r.console.Err, "registered %s as %s at %s for %v\n", printable(e.To), printable(e.Contact), e.Peer, e.Expires)
	case client.Unregistered:
		fmt.Fprintf(r.console.Err, "unregistered %s\n", printable(e.To))
	case client.RegisterFailed:
		fmt.Fprintf(r.console.Err, "not registered: %s; it is tried again\n", printable(e.Err.Error()))
	case client.Invited:
		r.console.printf("%s  call from %s for %s, by %s\n", short(e.CallID), who, printable(e.To), e.Peer)
	case client.Ignored:
		r.console.printf("%s  call from %s for %s, by %s: no answer is given\n", short(e.CallID), who, printable(e.To), e.Peer)
	case client.Progress, client.Answered, client.Refused:
		r.console.printf("%s  %6d ms  %d %s\n", short(e.CallID), ms, e.Status, e.Reason)
	case client.Acknowledged:
		r.console.printf("%s  %6d ms  ACK\n", short(e.CallID), ms)
	case client.Unacknowledged:
		r.console.printf("%s  %6d ms  no ACK for the 200: hanging up\n", short(e.CallID), ms)
	case client.Cancelled:
		r.console.printf("%s  %6d ms  they cancelled: %d %s\n", short(e.CallID), ms, e.Status, e.Reason)
	case client.Reinvited:
		r.console.printf("%s  %6d ms  they change the session: %s\n", short(e.CallID), ms, orNothing(e.Detail))
	case client.HangingUp:
		r.console.printf("%s  %6d ms  hanging up\n", short(e.CallID), ms)
	case client.HungUp:
		r.console.printf("%s  %6d ms  they hung up\n", short(e.CallID), ms)
	case client.Failed:
		r.console.printf("%s  %6d ms  %s\n", short(e.CallID), ms, printable(e.Err.Error()))
	case client.Ended:
		r.console.printf("%s  over\n", short(e.CallID))
	}
}

func (r *answerReport) tellJSON(e client.Event) {
	out := eventJSON{Time: e.Time.UTC(), Event: string(e.Kind), CallID: e.CallID, From: e.From, To: e.To, Status: e.Status,
		Reason: e.Reason, Expires: int64(e.Expires / time.Second), Contact: e.Contact, Media: e.Detail}
	if e.Peer.IsValid() {
		out.Peer = e.Peer.String()
	}
	if e.CallID != "" && e.Kind != client.Invited && e.Kind != client.Ignored {
		ms := e.After.Milliseconds()
		out.Ms = &ms
	}
	if e.Err != nil {
		out.Error = e.Err.Error()
	}
	r.console.writeLine(out)
}

// short is the beginning of a Call-ID, which tells the calls of one screen apart.
func short(callID string) string {
	const enough = 8
	return printable(callID[:min(len(callID), enough)])
}
