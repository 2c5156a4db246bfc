package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"biloxi/admin"
)

// subscriberCmd is biloxi subscriber.
type subscriberCmd struct {
	Add    subscriberAddCmd    `cmd:"" help:"Add a subscriber."`
	Passwd subscriberPasswdCmd `cmd:"" help:"Give a subscriber another password."`
	Remove subscriberRemoveCmd `cmd:"" help:"Remove a subscriber, and all that is registered for it."`
	List   subscriberListCmd   `cmd:"" help:"List all subscribers."`
	Show   subscriberShowCmd   `cmd:"" help:"Show one subscriber."`
	Import subscriberImportCmd `cmd:"" help:"Add or replace the subscribers of a CSV file."`
}

func (*subscriberCmd) Help() string {
	return `A running server takes changes at once. Where none runs, the data folder is changed itself.

Examples:
  biloxi subscriber add bob@biloxi.example.com --password-file bob.password
  biloxi subscriber list --json
  biloxi subscriber import everybody.csv`
}

// passwordFlag is where a password comes from: never the command line, which everybody can see.
type passwordFlag struct {
	PasswordFile string `required:"" placeholder:"FILE" help:"File whose first line is the password; - reads it from standard input."`
}

func (f *passwordFlag) read(c *console) (string, error) {
	b, err := (&reachFlags{PasswordFile: f.PasswordFile}).password(c.In)
	return string(b), err
}

// subscriberAddCmd is biloxi subscriber add.
type subscriberAddCmd struct {
	AOR string `arg:"" name:"aor" help:"Address of record: bob@biloxi.example.com, with or without sip:."`
	passwordFlag
	dataFlags
}

func (*subscriberAddCmd) Help() string {
	return `Of the password, only digests are stored: for the digest user name bob, and for bob@biloxi.example.com.

Examples:
  biloxi subscriber add bob@biloxi.example.com --password-file bob.password
  pwgen 20 1 | tee bob.password | biloxi subscriber add sip:bob@biloxi.example.com --password-file -`
}

func (cmd *subscriberAddCmd) Run(c *console) error {
	password, err := cmd.read(c)
	if err != nil {
		return err
	}
	return cmd.administer(c, true, func(ctx context.Context, a admin.Admin) error {
		s, err := a.AddSubscriber(ctx, cmd.AOR, password)
		return cmd.report(c, "added", s, err)
	})
}

// report says what became of a subscriber.
func (f *dataFlags) report(c *console, done string, s admin.Subscriber, err error) error {
	switch {
	case err != nil:
		return err
	case f.JSON:
		return c.printJSON(s)
	}
	c.printf("%s %s, realm %s\n", done, printable(s.AOR), printable(s.Realm))
	return nil
}

// subscriberPasswdCmd is biloxi subscriber passwd.
type subscriberPasswdCmd struct {
	AOR string `arg:"" name:"aor" help:"Address of record."`
	passwordFlag
	dataFlags
}

func (*subscriberPasswdCmd) Help() string {
	return `What is registered stays until it expires; location remove removes it.

Examples:
  biloxi subscriber passwd bob@biloxi.example.com --password-file bob.password
  biloxi subscriber passwd bob@biloxi.example.com --password-file - < bob.password`
}

func (cmd *subscriberPasswdCmd) Run(c *console) error {
	password, err := cmd.read(c)
	if err != nil {
		return err
	}
	return cmd.administer(c, false, func(ctx context.Context, a admin.Admin) error {
		s, err := a.SetPassword(ctx, cmd.AOR, password)
		return cmd.report(c, "changed the password of", s, err)
	})
}

// subscriberRemoveCmd is biloxi subscriber remove.
type subscriberRemoveCmd struct {
	AOR string `arg:"" name:"aor" help:"Address of record."`
	dataFlags
}

func (*subscriberRemoveCmd) Help() string {
	return `Examples:
  biloxi subscriber remove bob@biloxi.example.com`
}

func (cmd *subscriberRemoveCmd) Run(c *console) error {
	return cmd.administer(c, false, func(ctx context.Context, a admin.Admin) error {
		s, err := a.FindSubscriber(ctx, cmd.AOR)
		if err == nil {
			err = a.RemoveSubscriber(ctx, cmd.AOR)
		}
		return cmd.report(c, "removed", s, err)
	})
}

// subscriberShowCmd is biloxi subscriber show.
type subscriberShowCmd struct {
	AOR string `arg:"" name:"aor" help:"Address of record."`
	dataFlags
}

func (*subscriberShowCmd) Help() string {
	return `Examples:
  biloxi subscriber show bob@biloxi.example.com
  biloxi subscriber show bob@biloxi.example.com --json`
}

func (cmd *subscriberShowCmd) Run(c *console) error {
	return cmd.administer(c, false, func(ctx context.Context, a admin.Admin) error {
		s, err := a.FindSubscriber(ctx, cmd.AOR)
		if err != nil || cmd.JSON {
			return cmd.report(c, "", s, err)
		}
		t := newTable(c.Out)
		t.row("address of record", s.AOR)
		t.row("realm", s.Realm)
		names := strings.Join(s.Usernames, ", ")
		if len(s.Usernames) == 1 {
			names += " (for user@domain, give the password again with subscriber passwd)"
		}
		t.row("digest user names", names)
		t.row("algorithms", strings.Join(s.Algorithms, ", "))
		t.row("created", showTime(s.Created))
		t.row("changed", showTime(s.Changed))
		t.flush()
		return nil
	})
}

// subscriberListCmd is biloxi subscriber list.
type subscriberListCmd struct{ dataFlags }

func (*subscriberListCmd) Help() string {
	return `Examples:
  biloxi subscriber list
  biloxi subscriber list --json | jq -r '.[].aor'`
}

func (cmd *subscriberListCmd) Run(c *console) error {
	return cmd.administer(c, false, func(ctx context.Context, a admin.Admin) error {
		array := newJSONArray(c.Out)
		for after, first := "", true; first || after != ""; first = false {
			page, err := a.ListSubscribers(ctx, after, 0)
			if err != nil {
				return err
			}
			after = page.Next
			if !cmd.JSON {
				showSubscribers(c, page.Subscribers, first)
				continue
			}
			for _, s := range page.Subscribers {
				if err := array.add(s); err != nil {
					return err
				}
			}
		}
		if cmd.JSON {
			return array.end()
		}
		return nil
	})
}

func showSubscribers(c *console, list []admin.Subscriber, first bool) {
	if len(list) == 0 {
		if first {
			c.printf("There are no subscribers.\n")
		}
		return
	}
	t := newTable(c.Out)
	if first {
		t.row("SUBSCRIBER", "REALM", "ALGORITHMS")
	}
	for _, s := range list {
		t.row(s.AOR, s.Realm, strings.Join(s.Algorithms, " "))
	}
	t.flush()
}

// subscriberImportCmd is biloxi subscriber import.
type subscriberImportCmd struct {
	File string `arg:"" help:"CSV file; - reads standard input."`
	dataFlags
}

func (*subscriberImportCmd) Help() string {
	return `Each line is AOR,password or AOR,HA1-MD5,HA1-SHA-256[,HA1-SHA-512-256], the HA1s in hexadecimal
digits, and empty where there is none. A subscriber cannot answer a challenge whose HA1 is missing. HA1s are of the
user alone: clients whose digest user name is user@domain need a line with the password. A password
with a comma stands in quotes. A first line that begins with AOR is a heading; below AOR,HA1-MD5 a line may
have that one HA1. A subscriber that is there already is replaced. Bad lines are named by their number and
passed over; the exit code is then 1.

Examples:
  biloxi subscriber import everybody.csv
  zcat everybody.csv.gz | biloxi subscriber import -`
}

func (cmd *subscriberImportCmd) Run(c *console) error {
	in := c.In
	if cmd.File != "-" {
		f, err := os.Open(cmd.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	return cmd.administer(c, true, func(ctx context.Context, a admin.Admin) error {
		show := importProgress{out: c.Err, terminal: isTerminal(c.Err), began: time.Now()}
		result, err := a.Import(ctx, in, show.update)
		show.clear()
		if err != nil {
			return fmt.Errorf("%s: %w", cmd.File, err)
		}
		if cmd.JSON {
			err = c.printJSON(result)
		} else {
			c.printf("imported %s in %s", count(result.Imported, "subscriber"), time.Since(show.began).Round(10*time.Millisecond))
			if result.Bad > 0 {
				c.printf(", passed over %s", count(result.Bad, "bad line"))
			}
			c.printf("\n")
		}
		if err == nil && result.Bad > 0 {
			err = errReported
		}
		return err
	})
}

// importProgress shows how far an import is: bad lines as lines of their own and, on a terminal, a count
// that is written over.
type importProgress struct {
	out      io.Writer
	terminal bool
	began    time.Time
	shown    bool
	last     time.Time
}

func (p *importProgress) update(now admin.Progress) {
	if now.Problem != "" {
		p.clear()
		fmt.Fprintln(p.out, printable(now.Problem))
		return
	}
	if !p.terminal || time.Since(p.last) < progressEvery {
		return
	}
	p.last = time.Now()
	p.shown = true
	rate := float64(now.Imported) / time.Since(p.began).Seconds()
	fmt.Fprintf(p.out, "\r\x1b[K%d subscribers, %.0f a second, %s", now.Imported, rate, count(now.Bad, "bad line"))
}

// clear takes the count away.
func (p *importProgress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}
