package main

import (
	"context"
	"strconv"
	"time"

	"biloxi/admin"
)

// locationCmd is biloxi location.
type locationCmd struct {
	List   locationListCmd   `cmd:"" help:"List what is registered: of all, or of one address of record."`
	Show   locationShowCmd   `cmd:"" help:"Show all that is known of what is registered for an address of record."`
	Remove locationRemoveCmd `cmd:"" help:"Remove what is registered for an address of record: one contact, or all."`
}

func (*locationCmd) Help() string {
	return `Examples:
  biloxi location list
  biloxi location show bob@biloxi.example.com
  biloxi location remove bob@biloxi.example.com sips:bob@client.biloxi.example.com`
}

// locationListCmd is biloxi location list.
type locationListCmd struct {
	AOR string `arg:"" optional:"" name:"aor" help:"Address of record. Default: all."`
	dataFlags
}

func (*locationListCmd) Help() string {
	return `location show has more of each contact, as has --json. A phone that is not reachable came over a connection
that has closed, as all have when the server has been started anew, and has not come back yet.

Examples:
  biloxi location list
  biloxi location list bob@biloxi.example.com
  biloxi location list --json | jq -r '.[] | .aor + " " + .bindings[].contact'`
}

func (cmd *locationListCmd) Run(c *console) error {
	return cmd.administer(c, false, func(ctx context.Context, a admin.Admin) error {
		if cmd.AOR != "" {
			one, err := a.FindLocation(ctx, cmd.AOR)
			if err != nil {
				return err
			}
			if cmd.JSON {
				return c.printJSON([]admin.Location{one})
			}
			showLocations(c, []admin.Location{one}, true)
			return nil
		}
		return cmd.all(ctx, c, a)
	})
}

func (cmd *locationListCmd) all(ctx context.Context, c *console, a admin.Admin) error {
	array := newJSONArray(c.Out)
	any := false
	for cursor, more := "", true; more; more = cursor != "" {
		page, err := a.ListLocations(ctx, cursor, 0)
		if err != nil {
			return err
		}
		cursor = page.Next
		if !cmd.JSON {
			showLocations(c, page.Locations, !any)
			any = any || len(page.Locations) > 0
			continue
		}
		for _, one := range page.Locations {
			if err := array.add(one); err != nil {
				return err
			}
		}
	}
	if cmd.JSON {
		return array.end()
	}
	if !any {
		c.printf("Nothing is registered.\n")
	}
	return nil
}

// showLocations writes a page, with the heads above the first.
func showLocations(c *console, list []admin.Location, first bool) {
	if len(list) == 0 {
		return
	}
	t := newTable(c.Out)
	if first {
		t.row("ADDRESS OF RECORD", "CONTACT", "FROM", "EXPIRES IN", "REACHABLE")
	}
	for _, one := range list {
		for _, b := range one.Bindings {
			left, _ := showExpiry(b)
			t.row(one.AOR, b.Contact, b.Transport+" "+b.Remote, left, showReachable(b))
		}
	}
	t.flush()
}

// showExpiry says how long a binding has, and until when.
func showExpiry(b admin.Binding) (left, until string) {
	if b.Expires == nil {
		return "never", ""
	}
	return (time.Duration(*b.ExpiresIn) * time.Second).String(), showTime(*b.Expires)
}

// showReachable says whether something can be sent to a phone.
func showReachable(b admin.Binding) string {
	if b.Reachable {
		return "yes"
	}
	return "no"
}

func showQ(q float64) string { return strconv.FormatFloat(q, 'g', -1, 64) }

// locationShowCmd is biloxi location show.
type locationShowCmd struct {
	AOR string `arg:"" name:"aor" help:"Address of record."`
	dataFlags
}

func (*locationShowCmd) Help() string {
	return `Examples:
  biloxi location show bob@biloxi.example.com
  biloxi location show bob@biloxi.example.com --json`
}

func (cmd *locationShowCmd) Run(c *console) error {
	return cmd.administer(c, false, func(ctx context.Context, a admin.Admin) error {
		one, err := a.FindLocation(ctx, cmd.AOR)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return c.printJSON(one)
		}
		c.printf("%s\n", printable(one.AOR))
		for _, b := range one.Bindings {
			c.printf("\n")
			showBinding(c, b)
		}
		return nil
	})
}

func showBinding(c *console, b admin.Binding) {
	left, until := showExpiry(b)
	t := newTable(c.Out)
	t.row("  contact", b.Contact)
	if until != "" {
		left = "in " + left + ", at " + until
	}
	t.row("  expires", left)
	t.row("  q", showQ(b.Q))
	if b.Params != "" {
		t.row("  parameters", b.Params)
	}
	t.row("  from", b.Transport+" "+b.Remote)
	t.row("  to", b.Local)
	reachable := showReachable(b)
	if !b.Reachable {
		reachable += ": its connection has closed"
	}
	t.row("  reachable", reachable)
	if b.Path != "" {
		t.row("  path", b.Path)
	}
	if b.Instance != "" {
		t.row("  instance", b.Instance)
		t.row("  reg-id", strconv.FormatUint(uint64(b.RegID), 10))
	}
	t.row("  Call-ID", b.CallID)
	t.row("  CSeq", strconv.FormatUint(uint64(b.CSeq), 10))
	t.row("  user agent", b.UserAgent)
	t.row("  since", showTime(b.Created))
	t.row("  refreshed", showTime(b.Updated))
	t.flush()
}

// locationRemoveCmd is biloxi location remove.
type locationRemoveCmd struct {
	AOR     string `arg:"" name:"aor" help:"Address of record."`
	Contact string `arg:"" optional:"" name:"contact" help:"Contact, as the list shows it. Default: all."`
	dataFlags
}

func (*locationRemoveCmd) Help() string {
	return `A phone that registers again is there again; subscriber remove ends that.

Examples:
  biloxi location remove bob@biloxi.example.com
  biloxi location remove bob@biloxi.example.com sips:bob@client.biloxi.example.com`
}

func (cmd *locationRemoveCmd) Run(c *console) error {
	return cmd.administer(c, false, func(ctx context.Context, a admin.Admin) error {
		n, err := a.RemoveLocation(ctx, cmd.AOR, cmd.Contact)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return c.printJSON(struct {
				Removed int `json:"removed"`
			}{n})
		}
		c.printf("removed %s of %s\n", count(n, "contact"), printable(cmd.AOR))
		return nil
	})
}
