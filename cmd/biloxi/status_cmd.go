package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"biloxi/admin"
)

// statusCmd is biloxi status.
type statusCmd struct{ dataFlags }

func (*statusCmd) Help() string {
	return `Exit code 1 if no server runs on the data folder.

Examples:
  biloxi status
  biloxi status --config /etc/biloxi/biloxi.toml --json`
}

func (cmd *statusCmd) Run(c *console) error {
	return cmd.ask(c, func(ctx context.Context, a admin.Admin) error {
		s, err := a.Status(ctx)
		switch {
		case err != nil:
			return err
		case cmd.JSON:
			return c.printJSON(s)
		}
		t := newTable(c.Out)
		t.row("version", s.Version)
		t.row("process", strconv.Itoa(s.PID))
		t.row("started", showTime(s.Started)+", "+time.Since(s.Started).Round(time.Second).String()+" ago")
		t.row("data folder", s.Data)
		t.row("domains", strings.Join(s.Domains, ", "))
		t.row("listens on", strings.Join(s.Listeners, ", "))
		t.row("subscribers", strconv.Itoa(s.Subscribers))
		t.row("registered", count(s.Bindings, "contact")+" of "+count(s.AORs, "address")+", "+strconv.Itoa(s.Reachable)+" reachable")
		t.row("connections", connectionsOf(s))
		t.row("transactions", fmt.Sprintf("%d of requests that came, %d of requests sent", s.Transactions.Servers, s.Transactions.Clients))
		if s.Lookups > 0 || s.Resting > 0 {
			t.row("dns", fmt.Sprintf("%s wait, %s passed over for a while", count(s.Lookups, "look-up"), count(s.Resting, "next hop")))
		}
		for _, n := range s.Counters {
			if n.Value > 0 {
				t.row(counterName(n), strconv.FormatUint(n.Value, 10))
			}
		}
		t.flush()
		return nil
	})
}

// connectionsOf tells how many connections of each transport are open.
func connectionsOf(s admin.Status) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(s.Connections)) {
		list = append(list, fmt.Sprintf("%d %s", s.Connections[name], name))
	}
	return strings.Join(list, ", ")
}

func counterName(n admin.Counter) string {
	name := n.Name
	if n.Transport != "" {
		name += " " + n.Transport
	}
	if n.Reason != "" {
		name += ": " + n.Reason
	}
	return name
}

// reloadCmd is biloxi reload.
type reloadCmd struct{ dataFlags }

func (*reloadCmd) Help() string {
	return `The same as SIGHUP, but it says whether it was done: all of it or, with the error, nothing.

Examples:
  biloxi reload
  biloxi reload --config /etc/biloxi/biloxi.toml`
}

func (cmd *reloadCmd) Run(c *console) error {
	return cmd.ask(c, func(ctx context.Context, a admin.Admin) error {
		if err := a.Reload(ctx); err != nil {
			return err
		}
		if cmd.JSON {
			return c.printJSON(struct {
				Reloaded bool `json:"reloaded"`
			}{true})
		}
		c.printf("reloaded\n")
		return nil
	})
}
