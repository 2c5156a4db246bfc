package admin

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"biloxi/config"
	"biloxi/defence"
)

// Watch is a running server's defence against guessing.
type Watch interface {
	List(limit int) []defence.Entry
	Rules() []defence.Rule
	Rule(defence.Rule) error
	Forget(netip.Prefix) (rules, records int, err error)
	ForgetUser(user string) int
	ForgetAll() int
}

// ListDefence implements Admin.
func (d *Direct) ListDefence(_ context.Context, limit int) (Defence, error) {
	if d.Watch == nil {
		return Defence{}, errNoServer
	}
	limit = pageSize(limit)
	list := d.Watch.List(limit + 1)
	out := Defence{Sources: []DefenceEntry{}, Rules: []DefenceRule{}, More: len(list) > limit}
	for _, e := range list[:min(limit, len(list))] {
		out.Sources = append(out.Sources, describeEntry(&e))
	}
	for _, r := range d.Watch.Rules() {
		out.Rules = append(out.Rules, describeRule(r))
	}
	return out, nil
}

func describeEntry(e *defence.Entry) DefenceEntry {
	out := DefenceEntry{Standing: e.Standing.String(), User: e.User, Passwords: e.Guesses, Names: e.Unknown, Passed: e.Delayed,
		Since: e.Since.UTC(), Last: e.Last.UTC()}
	if e.Source.IsValid() {
		out.Source = shortPrefix(e.Source)
	}
	if e.Kind == defence.User && e.Standing != defence.Open {
		out.Standing = "attacked"
	}
	if !e.Until.IsZero() {
		until := e.Until.UTC()
		out.Until = &until
	}
	return out
}

func describeRule(r defence.Rule) DefenceRule {
	out := DefenceRule{Action: string(r.Action), Source: shortPrefix(r.Source)}
	if !r.Until.IsZero() {
		until := r.Until.UTC()
		out.Until = &until
	}
	return out
}

// SetDefenceRule implements Admin.
func (d *Direct) SetDefenceRule(_ context.Context, action, source string, lasts time.Duration) (DefenceRule, error) {
	if d.Watch == nil {
		return DefenceRule{}, errNoServer
	}
	network, err := parseSource(source)
	if err != nil {
		return DefenceRule{}, err
	}
	rule := defence.Rule{Action: defence.Action(action), Source: network}
	switch {
	case rule.Action != defence.Allow && rule.Action != defence.Deny:
		return DefenceRule{}, errorf(http.StatusBadRequest, "%q is no action; it is allow or deny", action)
	case network.Bits() == 0:
		return DefenceRule{}, errorf(http.StatusBadRequest, "%s is everybody; name a network or an address", source)
	case lasts < 0:
		return DefenceRule{}, errorf(http.StatusBadRequest, "a rule lasts for a time that is not negative")
	case lasts > 0:
		rule.Until = d.Now().Add(lasts).UTC().Truncate(time.Second)
	}
	err = d.Watch.Rule(rule)
	if errors.Is(err, defence.ErrRules) {
		return DefenceRule{}, errorf(http.StatusConflict, "there are %d rules already, and more are for a firewall; forget some", defence.MaxRules)
	}
	return describeRule(rule), err
}

// ForgetDefence implements Admin.
func (d *Direct) ForgetDefence(_ context.Context, what string) (f Forgotten, err error) {
	switch {
	case d.Watch == nil:
		return f, errNoServer
	case what == "":
		f.Records = d.Watch.ForgetAll()
		return f, nil
	case strings.Contains(what, "@"):
		user, domain, err := d.address(what)
		if err != nil {
			return f, err
		}
		f.Records = d.Watch.ForgetUser(user + "@" + domain.Name)
	default:
		network, err := parseSource(what)
		if err != nil {
			return f, err
		}
		if f.Rules, f.Records, err = d.Watch.Forget(network); err != nil {
			return f, err
		}
	}
	if f == (Forgotten{}) {
		return f, errorf(http.StatusNotFound, "nothing is known of %s", what)
	}
	return f, nil
}

func parseSource(text string) (netip.Prefix, error) {
	var p config.Prefix
	if err := p.UnmarshalText([]byte(text)); err != nil {
		return netip.Prefix{}, &Error{http.StatusBadRequest, err.Error()}
	}
	return netip.Prefix(p), nil
}
