package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"biloxi/defence"
)

// watch is a Watch of two sources and a user.
type watch struct {
	rules []defence.Rule
	full  bool
}

func (w *watch) List(limit int) []defence.Entry {
	list := []defence.Entry{
		{Kind: defence.Source, Standing: defence.Refused, Source: netip.MustParsePrefix("198.51.100.7/32"), Since: epoch, Last: epoch, Until: epoch.Add(time.Minute), Guesses: 20, Unknown: 3, Delayed: 80},
		{Kind: defence.User, Standing: defence.Throttled, User: "bob@biloxi.example.com", Since: epoch, Last: epoch, Guesses: 100},
		{Kind: defence.UserAtSource, Source: netip.MustParsePrefix("2001:db8::/64"), User: "bob@biloxi.example.com", Since: epoch, Last: epoch, Guesses: 1},
	}
	return list[:min(limit, len(list))]
}

func (w *watch) Rules() []defence.Rule { return w.rules }

func (w *watch) Rule(r defence.Rule) error {
	if w.full {
		return fmt.Errorf("watch: %w", defence.ErrRules)
	}
	w.rules = append(w.rules, r)
	return nil
}

func (w *watch) Forget(network netip.Prefix) (rules, records int, err error) {
	before := len(w.rules)
	w.rules = slices.DeleteFunc(w.rules, func(r defence.Rule) bool { return r.Source == network })
	if network.Contains(netip.MustParseAddr("198.51.100.7")) {
		records = 1
	}
	return before - len(w.rules), records, nil
}

func (w *watch) ForgetUser(user string) int {
	if user != "bob@biloxi.example.com" {
		return 0
	}
	return 2
}

func (w *watch) ForgetAll() int { return 3 }

func testDefence(t *testing.T, ctx context.Context, d *Direct, a Admin) {
	later := epoch.Add(time.Minute)
	want := []DefenceEntry{
		{Standing: "refused", Source: "198.51.100.7", Passwords: 20, Names: 3, Passed: 80, Since: epoch, Last: epoch, Until: &later},
		{Standing: "attacked", User: "bob@biloxi.example.com", Passwords: 100, Since: epoch, Last: epoch},
		{Standing: "open", Source: "2001:db8::/64", User: "bob@biloxi.example.com", Passwords: 1, Since: epoch, Last: epoch},
	}
	for limit, n := range map[int]int{0: 3, 2: 2, 3: 3} {
		got, err := a.ListDefence(ctx, limit)
		if err != nil || !reflect.DeepEqual(got.Sources, want[:n]) || got.More != (n < 3) || len(got.Rules) != 0 {
			t.Errorf("%d: %+v, %v", limit, got, err)
		}
	}
	r, err := a.SetDefenceRule(ctx, "deny", "198.51.100.0/24", time.Minute)
	if err != nil || !reflect.DeepEqual(r, DefenceRule{"deny", "198.51.100.0/24", &later}) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = a.SetDefenceRule(ctx, "allow", "2001:DB8::7", 0); err != nil || !reflect.DeepEqual(r, DefenceRule{"allow", "2001:db8::7", nil}) {
		t.Errorf("%+v, %v", r, err)
	}
	if got, err := a.ListDefence(ctx, 0); err != nil || len(got.Rules) != 2 || got.Rules[0].Action != "deny" {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = a.SetDefenceRule(ctx, "deny", "0.0.0.0/0", 0)
	wantError(t, err, http.StatusBadRequest, "0.0.0.0/0 is everybody; name a network or an address")
	_, err = a.SetDefenceRule(ctx, "deny", "10.1.2.3/8", 0)
	wantError(t, err, http.StatusBadRequest, `"10.1.2.3/8" has bits behind its prefix; write "10.0.0.0/8" for the whole network, or "10.1.2.3" for that address alone`)
	_, err = a.SetDefenceRule(ctx, "ban", "10.0.0.0/8", 0)
	wantError(t, err, http.StatusBadRequest, `"ban" is no action; it is allow or deny`)
	d.Watch.(*watch).full = true
	_, err = a.SetDefenceRule(ctx, "deny", "10.0.0.0/8", 0)
	wantError(t, err, http.StatusConflict, "there are 1000 rules already, and more are for a firewall; forget some")
	for what, want := range map[string]Forgotten{"": {0, 3}, "198.51.100.0/24": {1, 1}, "sip:bob@ss2.biloxi.example.com": {0, 2}} {
		if f, err := a.ForgetDefence(ctx, what); err != nil || f != want {
			t.Errorf("%q: %+v, %v", what, f, err)
		}
	}
	_, err = a.ForgetDefence(ctx, "192.0.2.1")
	wantError(t, err, http.StatusNotFound, "nothing is known of 192.0.2.1")
	_, err = a.ForgetDefence(ctx, "bob@elsewhere.example")
	wantError(t, err, http.StatusBadRequest, "elsewhere.example is no domain of this configuration, which has biloxi.example.com, example.org")
	_, err = a.ForgetDefence(ctx, "nonsense")
	wantError(t, err, http.StatusBadRequest, `"nonsense" is no IP address and no network; write "192.0.2.1", "10.0.0.0/8" or "2001:db8::/32"`)
}
