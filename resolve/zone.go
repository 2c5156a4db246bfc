package resolve

import (
	"strings"
	"time"
)

// zoneOf is what is taken for the zone of a name: what is behind its first label, the labels of services apart, and the
// name itself if that is of two labels. Where zones are cut only their servers know; those that are told apart in vain
// have turns of their own.
func zoneOf(name string) string {
	for strings.HasPrefix(name, "_") {
		_, name, _ = strings.Cut(name, ".")
	}
	if behind := parent(name); strings.Contains(behind, ".") {
		return behind
	}
	return name
}

// parent is a name without its first label, empty if it has one alone.
func parent(name string) string {
	_, behind, _ := strings.Cut(name, ".")
	return behind
}

// silence is a zone whose name servers do not answer.
type silence struct {
	failures int       // questions without an answer, since the last answer
	until    time.Time // nothing is asked until then; zero: they do not count as silent yet
	rest     time.Duration
	tried    bool // somebody asks all the same, to see
}

// silences are the zones that did not answer lately (RFC 2308 §7): what is below them is not asked for a while, then by
// one who tries. Of zones above these too, for strangers: who makes names without end can put labels into them. It is
// guarded by the resolver's lock.
type silences map[string]*silence

// above calls fn for a zone and those above it that have two labels at least, until it returns false.
func above(zone string, fn func(zone string, height int) bool) {
	for height := 0; height <= maxAbove && strings.Contains(zone, "."); height++ {
		if !fn(zone, height) {
			return
		}
		zone = parent(zone)
	}
}

// silent reports whether a zone is not to be asked now in the name of an asker.
func (s silences) silent(zone string, a Asker, now time.Time) (is bool) {
	if len(s) == 0 {
		return false
	}
	above(zone, func(zone string, _ int) bool {
		one := s[zone]
		is = one != nil && now.Before(one.until)
		return !is && a.Stranger
	})
	return is
}

// try reports whether a look-up in a zone that is not silent is the first behind its rest: it goes on to its end, and
// others wait until it has had time for one question.
func (s silences) try(zone string, now time.Time) (is bool) {
	if len(s) == 0 {
		return false
	}
	above(zone, func(zone string, _ int) bool {
		if one := s[zone]; one != nil && !one.until.IsZero() {
			one.until, one.tried, is = now.Add(questionTime), true, true
		}
		return true
	})
	return is
}

// answered forgets the silence of a zone, and of those above it.
func (s silences) answered(zone string) {
	if len(s) == 0 {
		return
	}
	above(zone, func(zone string, _ int) bool {
		delete(s, zone)
		return true
	})
}

// unclear is an answer that says nothing of the zone: if somebody tried it, so may the next.
func (s silences) unclear(zone string, now time.Time) {
	if len(s) == 0 {
		return
	}
	above(zone, func(zone string, _ int) bool {
		if one := s[zone]; one != nil && one.tried {
			one.until, one.tried = now, false
		}
		return true
	})
}

// unanswered notes a question of a zone that got no answer, and reports whether that makes a zone silent.
func (s silences) unanswered(zone string, now time.Time) (more bool) {
	above(zone, func(zone string, height int) bool {
		one := s[zone]
		if one == nil {
			s.makeRoom()
			one = &silence{}
			s[zone] = one
		}
		one.failures++
		most := silentAfter
		if height > 0 {
			most = silentAbove
		}
		if one.failures < most || now.Before(one.until) && !one.tried {
			return true
		}
		one.rest = min(max(2*one.rest, failureTTL), maxSilence)
		one.until, one.tried, more = now.Add(one.rest), false, true
		return true
	})
	return more
}

// makeRoom lets one zone go where there are too many: of some that the map happens to begin with, the one that has
// failed least.
func (s silences) makeRoom() {
	if len(s) < maxSilent {
		return
	}
	least, seen := "", 0
	for zone, one := range s {
		if seen == 0 || one.failures < s[least].failures {
			least = zone
		}
		if seen++; seen == evictionSample {
			break
		}
	}
	delete(s, least)
}
