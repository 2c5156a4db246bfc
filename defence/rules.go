package defence

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Action is what a rule does with a source.
type Action string

// The actions.
const (
	Allow Action = "allow" // nothing is counted for it, and nothing refused
	Deny  Action = "deny"  // each of its requests is refused
)

// Rule is an administrator's word on a source. It stands above what is counted, and above Policy.Exempt.
type Rule struct {
	Action Action
	Source netip.Prefix
	Until  time.Time // zero: for good
}

// Rules are some rules, of which the most specific one for an address counts. They are never changed; the zero value
// and nil have none.
type Rules struct {
	list    []Rule
	lengths [2][]int // of the prefixes of IPv4 and of IPv6, the longest first
	byNet   map[netip.Prefix]Rule
}

// ErrRules says that there are [MaxRules] already.
var ErrRules = errors.New("defence: there are too many rules")

// NewRules makes rules of a list, of which a later one for the same source replaces an earlier one.
func NewRules(list []Rule) (*Rules, error) {
	r := &Rules{byNet: map[netip.Prefix]Rule{}}
	for _, one := range list {
		if one.Action != Allow && one.Action != Deny {
			return nil, fmt.Errorf("%q is no action; it is %q or %q", one.Action, Allow, Deny)
		}
		if !one.Source.IsValid() || one.Source != one.Source.Masked() {
			return nil, fmt.Errorf("%q is no network", one.Source)
		}
		r.byNet[one.Source] = one
	}
	if len(r.byNet) > MaxRules {
		return nil, ErrRules
	}
	for net, one := range r.byNet {
		r.list = append(r.list, one)
		of := &r.lengths[family(net.Addr())]
		if !slices.Contains(*of, net.Bits()) {
			*of = append(*of, net.Bits())
		}
	}
	for i := range r.lengths {
		slices.SortFunc(r.lengths[i], func(a, b int) int { return cmp.Compare(b, a) })
	}
	slices.SortFunc(r.list, func(a, b Rule) int {
		return cmp.Or(a.Source.Addr().Compare(b.Source.Addr()), cmp.Compare(a.Source.Bits(), b.Source.Bits()))
	})
	return r, nil
}

// family is 0 for IPv4 and 1 for IPv6.
func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// Find is the rule for an address at now; false if there is none.
func (r *Rules) Find(now time.Time, a netip.Addr) (Rule, bool) {
	if r == nil || len(r.list) == 0 {
		return Rule{}, false
	}
	a = a.Unmap().WithZone("")
	for _, bits := range r.lengths[family(a)] {
		net, _ := a.Prefix(bits)
		if one, ok := r.byNet[net]; ok && (one.Until.IsZero() || now.Before(one.Until)) {
			return one, true
		}
	}
	return Rule{}, false
}

// List returns the rules that hold at now, in the order of their sources. It is the caller's.
func (r *Rules) List(now time.Time) (list []Rule) {
	if r == nil {
		return nil
	}
	for _, one := range r.list {
		if one.Until.IsZero() || now.Before(one.Until) {
			list = append(list, one)
		}
	}
	return list
}
