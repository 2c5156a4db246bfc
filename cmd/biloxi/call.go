package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"biloxi/client"
	"biloxi/sip"
)

// callCmd is biloxi call.
type callCmd struct {
	URI         string  `arg:"" name:"uri" help:"Whom to call: sip:bob@biloxi.example.com."`
	From        string  `aliases:"aor" placeholder:"AOR" help:"Address of record of the one who calls. Default: nobody."`
	Duration    seconds `default:"3s" placeholder:"D" help:"How long to talk (default 3s); 0: until the other side hangs up, or Ctrl-C."`
	CancelAfter seconds `placeholder:"D" help:"Cancel if there is no final answer after so long. Default: never."`
	RingTime    seconds `default:"3m" placeholder:"D" help:"How long it may ring (default 3m)."`
	Follow      bool    `help:"Follow a 3xx to its contacts."`
	agentFlags
}

func (*callCmd) Help() string {
	return `Makes a call and says what comes of it: each answer with the milliseconds since the INVITE, who hung up, and the way that the call went. No media is sent: the offer is audio, inactive. Exit code 0: the call was answered, and ended as it should; 1: it was not.

Examples:
  biloxi call sip:bob@biloxi.example.com --from sip:alice@atlanta.example.com \
    --server sip:127.0.0.1:5060 --password-file alice.password
  biloxi call sip:bob@127.0.0.1:5070 --duration 0 --trace
  biloxi call sip:bob@biloxi.example.com --server sip:127.0.0.1:5060 --cancel-after 2s --json
  biloxi call sip:bob@biloxi.example.com --from sip:alice@atlanta.example.com \
    --route "<sip:ss1.atlanta.example.com;lr>" --resolve ss1.atlanta.example.com=127.0.0.1 \
    --password-for atlanta.example.com=a.password --password-for biloxi.example.com=b.password`
}

func (cmd *callCmd) Run(c *console) error {
	uri, from := withScheme(cmd.URI), ""
	if _, err := sip.ParseURI([]byte(uri)); err != nil {
		return usagef("%q is no URI: write sip:%s", cmd.URI, cmd.URI)
	}
	if cmd.From != "" {
		from = withScheme(cmd.From)
	}
	cfg, err := cmd.config(c, from)
	if err != nil {
		return err
	}
	user := userOf(from)
	trace := newAgentTrace(lifeline(user))
	if cmd.Trace {
		cfg.Trace = trace.add
	}
	progress := callProgress{console: c, quiet: cmd.JSON}
	cfg.Notify = progress.tell
	agent, err := client.NewAgent(cfg)
	if err != nil {
		return usageError{err.Error()}
	}
	ctx, stop := c.untilSignal()
	defer stop()
	story, err := agent.Call(ctx, client.Invitation{Target: uri, Duration: time.Duration(cmd.Duration),
		CancelAfter: time.Duration(cmd.CancelAfter), Ringing: time.Duration(cmd.RingTime), Follow: cmd.Follow})
	if story == nil {
		return usageError{err.Error()}
	}
	if cmd.Trace {
		trace.draw(c, cmd.JSON)
	}
	err = cmd.judge(c, story, err, user)
	if cmd.JSON {
		again, _, ignored := agent.Counts()
		c.printJSON(storyJSONOf(story, err, again, ignored))
	} else if story.Status != 0 {
		showStory(c, story)
	}
	return err
}

// judge is the error to end with: nil for a call that was answered and ended well.
func (cmd *callCmd) judge(c *console, s *client.Story, err error, user string) error {
	switch {
	case err == nil && s.Cancelled && s.EndedBy != "":
		return errors.New("the answer crossed the CANCEL: the call was hung up at once")
	case err == nil && s.Cancelled && s.Status != 487 && s.Status != 0:
		return fmt.Errorf("cancelled, but the answer was %d %s", s.Status, printable(s.Reason))
	case err == nil && s.Cancelled && len(s.Replies) == 0:
		return errors.New("cancelled, and nobody had answered: are address, port and transport right?")
	case err == nil && s.Cancelled:
		return errors.New("cancelled before it was answered")
	case err == nil:
		err = s.Err()
	}
	if err == nil {
		return nil
	}
	if s.Cancelled && !errors.Is(err, client.ErrNoAnswer) {
		return err
	}
	return explainCall(cmd.explain(c, err, user, cmd.URI), err, s)
}

// explainCall says what the answer to a call means, where that is another thing than for other requests.
func explainCall(explained, err error, s *client.Story) error {
	var refused *client.RefusedError
	if !errors.As(err, &refused) {
		return explained
	}
	if errors.Is(err, client.ErrNoPassword) {
		return fmt.Errorf("%w: give it with --password-file FILE, or --password-for REALM=FILE", refused.Cause)
	}
	if refused.Cause != nil {
		return explained
	}
	answer := fmt.Sprintf("the answer was %d %s", refused.Status, printable(refused.Reason))
	if hint := hintFor(s); hint != "" {
		return fmt.Errorf("%s: %s", answer, hint)
	}
	return errors.New(answer)
}

// hintFor says what to do about a call that was refused; nothing if the answer says it all.
func hintFor(s *client.Story) string {
	rang := slices.ContainsFunc(s.Replies, func(r client.Reply) bool { return r.Status > 100 && r.Status < 200 })
	switch {
	case s.Status >= 300 && s.Status < 400 && len(s.Contacts) > 0:
		return "it says to call " + printable(s.Contacts[0].URI) + "; --follow does that"
	case s.Status == 403:
		return "is --from the user that the password is of, and may it call there?"
	case s.Status == 404:
		return "nobody has this address there"
	case (s.Status == 408 || s.Status == 480) && !rang:
		return "is a phone registered? (biloxi contacts)"
	}
	return ""
}

func userOf(aor string) string {
	u, err := sip.ParseURI([]byte(aor))
	if err != nil {
		return ""
	}
	return string(sip.AppendUnescaped(nil, u.User))
}

// callProgress tells on standard error how a call goes.
type callProgress struct {
	console *console
	quiet   bool
}

func (p *callProgress) tell(e client.Event) {
	if p.quiet {
		return
	}
	say := func(format string, args ...any) { fmt.Fprintf(p.console.Err, format+"\n", args...) }
	ms := e.After.Milliseconds()
	switch e.Kind {
	case client.Invited:
		say("calling %s", printable(e.To))
	case client.Progress, client.Answered, client.Refused, client.Challenged, client.Redirected, client.Forked:
		say("%6d ms  %d %s%s", ms, e.Status, printable(e.Reason), answerNote(e))
	case client.Cancelled:
		say("%6d ms  cancelling", ms)
	case client.Reinvited:
		say("           they change the session: %s", orNothing(e.Detail))
	case client.HangingUp:
		say("           hanging up")
	case client.HungUp:
		say("           they hung up after %v", e.After.Round(time.Millisecond))
	case client.Failed:
		say("           %s", printable(e.Err.Error()))
	}
}

// answerNote is what stands behind a status.
func answerNote(e client.Event) string {
	switch {
	case e.Kind == client.Challenged:
		return ": with credentials now"
	case e.Kind == client.Redirected:
		return ": to " + printable(e.Detail)
	case e.Kind == client.Forked:
		return ": one more phone, which is hung up"
	case e.Detail != "":
		return ": " + printable(e.Detail)
	}
	return ""
}

func orNothing(s string) string {
	if s == "" {
		return "nothing is said of it"
	}
	return printable(s)
}

// showStory writes what became of a call.
func showStory(c *console, s *client.Story) {
	if s.Answered {
		c.printf("answered after %d ms, %s hung up after %v\n", s.Setup.Milliseconds(), who(s.EndedBy), s.Talked.Round(time.Millisecond))
	} else {
		c.printf("not answered: %d %s after %d ms\n", s.Status, printable(s.Reason), s.Setup.Milliseconds())
	}
	forked := ""
	if s.Forked > 0 {
		forked = fmt.Sprint(s.Forked)
	}
	for _, line := range []struct{ name, value string }{
		{"Call-ID", s.CallID},
		{"Over", strings.ToLower(s.Transport.String()) + " " + s.Local.String() + " to " + s.To.String()},
		{"Contact", s.Remote},
		{"Routes", strings.Join(s.Routes, ", ")},
		{"Media", s.Media},
		{"Other 200s", forked},
	} {
		if line.value != "" {
			c.printf("  %-11s %s\n", line.name+":", printable(line.value))
		}
	}
}

func who(by string) string {
	if by == client.EndedByThem {
		return "they"
	}
	return "we"
}
