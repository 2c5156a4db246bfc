package transport

import "biloxi/sip"

// Stat is one count, or a level where Level is set.
type Stat struct {
	Name      string        // as received, refused, closed
	Transport sip.Transport // NoTransport if it is of all
	Reason    string        // why, where there is a choice; else empty
	Level     bool          // it can go down
	Value     uint64
}

// Stats is a list of counts.
type Stats []Stat

// Value returns the count of that name, transport and reason; NoTransport and the empty reason add up all.
func (s Stats) Value(name string, tr sip.Transport, reason string) (n uint64) {
	for _, v := range s {
		if v.Name == name && (tr == sip.NoTransport || tr == v.Transport) && (reason == "" || reason == v.Reason) {
			n += v.Value
		}
	}
	return n
}
