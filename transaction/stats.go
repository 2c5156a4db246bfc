package transaction

// Stats are a layer's counts since it was made, but for the first ones, which are those of the moment.
type Stats struct {
	Clients     int   // client transactions held
	Servers     int   // server transactions held
	Bytes       int64 // of messages that they keep, and of records
	Logged      int   // how many of both are records, for they are finished and only absorb what comes again
	LoggedBytes int64 // of the records

	Created         uint64 // transactions made
	Refused         uint64 // transactions that were not, for [ErrFull]
	Absorbed        uint64 // requests from the network that had come before, and ACKs that ended something
	Strays          uint64 // responses that no client transaction waited for: dropped
	RequestsAgain   uint64 // requests sent again by Timers A and E
	ResponsesAgain  uint64 // responses sent again, by Timer G or for a request that came again
	Timeouts        uint64 // Timers B, F and H
	TransportErrors uint64
	GivenUp         uint64 // records let go before their time, for Config.MaxFinished
}

func (s *Stats) add(o *Stats) {
	s.Clients += o.Clients
	s.Servers += o.Servers
	s.Bytes += o.Bytes
	s.Created += o.Created
	s.Refused += o.Refused
	s.Absorbed += o.Absorbed
	s.Strays += o.Strays
	s.RequestsAgain += o.RequestsAgain
	s.ResponsesAgain += o.ResponsesAgain
	s.Timeouts += o.Timeouts
	s.TransportErrors += o.TransportErrors
	s.GivenUp += o.GivenUp
}

// Stats returns the layer's counts.
func (l *Layer) Stats() Stats {
	var sum Stats
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		sum.add(&s.stats)
		for j := range s.logs {
			sum.Logged += s.logs[j].index.count
			sum.LoggedBytes += int64(s.logs[j].bytes)
			sum.Bytes += int64(s.logs[j].bytes)
		}
		s.mu.Unlock()
	}
	return sum
}
