package defence

// debt is how much was wrong, as the time at which all of it is forgotten: each wrong answer puts it further away by
// one cost, and time does the rest.
type debt int64

// add counts one more, up to so many.
func (d *debt) add(now, cost int64, most int) {
	*d = debt(min(max(int64(*d), now)+cost, now+int64(most)*cost))
}

// level is how many are not forgotten yet.
func (d debt) level(now, cost int64) int {
	left := int64(d) - now
	if left <= 0 {
		return 0
	}
	return int((left + cost - 1) / cost)
}
