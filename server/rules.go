package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"biloxi/defence"
)

// keptRule is a rule as the data folder has it.
type keptRule struct {
	Action string     `json:"action"`
	Source string     `json:"source"`
	Until  *time.Time `json:"until,omitempty"`
}

// openGuard makes a guard with the rules of a file, which need not be there.
func openGuard(now time.Time, log *slog.Logger, file string) (*guard, error) {
	g := &guard{Table: defence.New(now), log: log, file: file, wake: make(chan struct{}, 1)}
	rules, err := readRules(file)
	if err == nil {
		err = g.put(rules)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; put it right, or remove it to begin without rules", file, err)
	}
	return g, nil
}

func readRules(file string) ([]defence.Rule, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && info.Size() > maxRulesFile {
		err = fmt.Errorf("larger than %d bytes", maxRulesFile)
	}
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var kept []keptRule
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&kept); err != nil {
		return nil, err
	}
	var list []defence.Rule
	for i, k := range kept {
		source, err := netip.ParsePrefix(k.Source)
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		one := defence.Rule{Action: defence.Action(k.Action), Source: source}
		if k.Until != nil {
			one.Until = *k.Until
		}
		list = append(list, one)
	}
	return list, nil
}

// put puts rules in force.
func (g *guard) put(list []defence.Rule) error {
	rules, err := defence.NewRules(list)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		rules = nil // requests ask for no more than that
	}
	g.rules.Store(rules)
	return nil
}

// change puts other rules in force, when they are in the file. What change returns is theirs.
func (g *guard) change(now time.Time, change func(list []defence.Rule) []defence.Rule) error {
	g.edit.Lock()
	defer g.edit.Unlock()
	list := change(g.rules.Load().List(now))
	if _, err := defence.NewRules(list); err != nil {
		return err
	}
	if err := writeRules(g.file, list); err != nil {
		return err
	}
	return g.put(list)
}

// writeRules writes the file whole, or leaves it as it was.
func writeRules(file string, list []defence.Rule) error {
	kept := make([]keptRule, len(list))
	for i, one := range list {
		kept[i] = keptRule{Action: string(one.Action), Source: one.Source.String()}
		if !one.Until.IsZero() {
			until := one.Until.UTC()
			kept[i].Until = &until
		}
	}
	b, err := json.MarshalIndent(kept, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Defence is what is known of those who guess, for who administers it.
type Defence struct{ s *Server }

// Defence is the server's.
func (s *Server) Defence() Defence { return Defence{s} }

// List returns up to so many sources and users, the worst first.
func (d Defence) List(limit int) []defence.Entry {
	return d.s.guard.List(d.s.now(), &d.s.state.Load().watchfulness.Policy, limit)
}

// Rules are those in force.
func (d Defence) Rules() []defence.Rule { return d.s.guard.rules.Load().List(d.s.now()) }

// Rule makes a rule, or replaces the one for its source. It is in force and on disk when the call returns. What was
// counted of a source that is allowed is forgotten.
func (d Defence) Rule(rule defence.Rule) error {
	err := d.s.guard.change(d.s.now(), func(list []defence.Rule) []defence.Rule { return append(list, rule) })
	if err == nil && rule.Action == defence.Allow {
		d.s.guard.Forget(rule.Source)
	}
	return err
}

// Forget removes the rules for a network and all that is within it, and what was counted of those sources. It returns
// how many rules and records that were.
func (d Defence) Forget(network netip.Prefix) (rules, records int, err error) {
	within := func(r defence.Rule) bool {
		return network.Bits() <= r.Source.Bits() && network.Contains(r.Source.Addr())
	}
	before := d.Rules()
	if slices.ContainsFunc(before, within) {
		err = d.s.guard.change(d.s.now(), func(list []defence.Rule) []defence.Rule {
			kept := slices.DeleteFunc(list, within)
			rules = len(before) - len(kept)
			return kept
		})
	}
	if err != nil {
		return 0, 0, err
	}
	return rules, d.s.guard.Forget(network), nil
}

// ForgetUser removes what was counted of a user, who is written as an AOR without its scheme.
func (d Defence) ForgetUser(user string) int { return d.s.guard.ForgetUser([]byte(user)) }

// ForgetAll removes all that was counted. The rules stay.
func (d Defence) ForgetAll() int { return d.s.guard.ForgetAll() }
