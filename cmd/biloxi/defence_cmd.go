package main

import (
	"context"
	"strconv"
	"time"

	"biloxi/admin"
)

// defenceCmd is biloxi defence.
type defenceCmd struct {
	List   defenceListCmd   `cmd:"" help:"List sources that guessed passwords or names, users who are attacked, and rules."`
	Allow  defenceAllowCmd  `cmd:"" help:"Count nothing for a source, and refuse nothing of it."`
	Deny   defenceDenyCmd   `cmd:"" help:"Refuse every request of a source."`
	Forget defenceForgetCmd `cmd:"" help:"Let a source in, or a user: forget what was counted, and the rules for it."`
}

func (*defenceCmd) Help() string {
	return `Who guesses passwords or asks for one name after the other is throttled, then refused for a while, and let in
again; [defence] in the configuration says how. What is counted is in memory, and a restart forgets it. Rules are
in the data folder, and outlive it. All of this is of a running server.

Examples:
  biloxi defence list
  biloxi defence allow 203.0.113.5
  biloxi defence deny 198.51.100.0/24 --for 24h
  biloxi defence forget 198.51.100.7`
}

// defenceListCmd is biloxi defence list.
type defenceListCmd struct {
	Limit int `placeholder:"N" default:"100" help:"Show so many sources, the worst first; at most 1000 (default 100)."`
	dataFlags
}

func (*defenceListCmd) Help() string {
	return `STANDING is open, throttled (one attempt in a while is looked at), refused, or, of a user whom many sources try,
attacked. A source with a user is that user as the source tries it: behind a NAT, one phone with an old password.
PASSED OVER are attempts that were not looked at.

Examples:
  biloxi defence list
  biloxi defence list --limit 10
  biloxi defence list --json | jq -r '.sources[] | select(.standing == "refused") | .source'`
}

func (cmd *defenceListCmd) Run(c *console) error {
	if cmd.Limit < 1 || cmd.Limit > admin.MaxPage {
		return usagef("--limit is from 1 to %d", admin.MaxPage)
	}
	return cmd.ask(c, func(ctx context.Context, a admin.Admin) error {
		d, err := a.ListDefence(ctx, cmd.Limit)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return c.printJSON(d)
		}
		showDefence(c, &d)
		return nil
	})
}

func showDefence(c *console, d *admin.Defence) {
	if len(d.Sources)+len(d.Rules) == 0 {
		c.printf("Nobody guesses, and there are no rules.\n")
		return
	}
	if len(d.Sources) > 0 {
		t := newTable(c.Out)
		t.row("SOURCE", "USER", "STANDING", "UNTIL", "PASSWORDS", "NAMES", "PASSED OVER", "LAST")
		for _, e := range d.Sources {
			t.row(e.Source, e.User, e.Standing, showUntil(e.Until, ""), strconv.Itoa(e.Passwords), strconv.Itoa(e.Names), strconv.Itoa(e.Passed), showTime(e.Last))
		}
		t.flush()
		if d.More {
			c.printf("There are more: --limit shows up to %d.\n", admin.MaxPage)
		}
	}
	if len(d.Rules) > 0 {
		if len(d.Sources) > 0 {
			c.printf("\n")
		}
		t := newTable(c.Out)
		t.row("RULE", "SOURCE", "UNTIL")
		for _, r := range d.Rules {
			t.row(r.Action, r.Source, showUntil(r.Until, "for good"))
		}
		t.flush()
	}
}

func showUntil(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return showTime(*t)
}

// ruleFlags are what a rule is for.
type ruleFlags struct {
	Source string   `arg:"" name:"source" help:"IP address or network: 192.0.2.1, 10.0.0.0/8, 2001:db8::/32."`
	For    *seconds `name:"for" placeholder:"D" help:"How long: 90s, 24h, or a number of seconds. Default: for good."`
	dataFlags
}

func (f *ruleFlags) set(c *console, action, done string) error {
	var lasts time.Duration
	if f.For != nil {
		if lasts = time.Duration(*f.For); lasts < time.Second {
			return usagef("--for is at least 1s; leave it out for a rule that holds for good")
		}
	}
	return f.ask(c, func(ctx context.Context, a admin.Admin) error {
		rule, err := a.SetDefenceRule(ctx, action, f.Source, lasts)
		switch {
		case err != nil:
			return err
		case f.JSON:
			return c.printJSON(rule)
		case rule.Until != nil:
			c.printf("%s %s until %s\n", done, rule.Source, showTime(*rule.Until))
		default:
			c.printf("%s %s\n", done, rule.Source)
		}
		return nil
	})
}

// defenceAllowCmd is biloxi defence allow.
type defenceAllowCmd struct{ ruleFlags }

func (*defenceAllowCmd) Help() string {
	return `The rule replaces one for the same source; of two that hold for an address, the narrower counts. What was counted
is forgotten. For good, exempt in [defence] of the configuration does the same.

Examples:
  biloxi defence allow 203.0.113.5
  biloxi defence allow 10.0.0.0/8 --for 1h`
}

func (cmd *defenceAllowCmd) Run(c *console) error { return cmd.set(c, "allow", "allowed") }

// defenceDenyCmd is biloxi defence deny.
type defenceDenyCmd struct{ ruleFlags }

func (*defenceDenyCmd) Help() string {
	return `Every request of the source gets 403, or silence, as answer in [defence] says. Phones that are registered from
there stay registered until they expire. The rule replaces one for the same source; of two that hold for an address,
the narrower counts. It stands above exempt and trusted of the configuration.

Examples:
  biloxi defence deny 198.51.100.7
  biloxi defence deny 2001:db8:bad::/48 --for 24h`
}

func (cmd *defenceDenyCmd) Run(c *console) error { return cmd.set(c, "deny", "denied") }

// defenceForgetCmd is biloxi defence forget.
type defenceForgetCmd struct {
	What string `arg:"" optional:"" name:"source" help:"IP address or network, or an address of record."`
	All  bool   `help:"Forget all that was counted. Rules stay."`
	dataFlags
}

func (*defenceForgetCmd) Help() string {
	return `Of a network it forgets all sources in it, and all rules for it and for its parts. It ends a refusal at once.

Examples:
  biloxi defence forget 203.0.113.5
  biloxi defence forget bob@biloxi.example.com
  biloxi defence forget --all`
}

func (cmd *defenceForgetCmd) Run(c *console) error {
	if (cmd.What == "") != cmd.All {
		return usagef("name a source or an address of record, or --all, and not both")
	}
	return cmd.ask(c, func(ctx context.Context, a admin.Admin) error {
		f, err := a.ForgetDefence(ctx, cmd.What)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return c.printJSON(f)
		}
		c.printf("forgot %s and %s\n", count(f.Rules, "rule"), count(f.Records, "record"))
		return nil
	})
}
