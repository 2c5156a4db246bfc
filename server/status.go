package server

import (
	"strings"
	"time"

	"biloxi/config"
	"biloxi/defence"
	"biloxi/location"
	"biloxi/resolve"
	"biloxi/subscriber"
	"biloxi/transaction"
	"biloxi/transport"
)

// Status is what a running server is and has done.
type Status struct {
	Started     time.Time
	Config      config.Config // in force
	Listeners   []string      // "udp 127.0.0.1:5060"
	Subscribers int
	Location    location.Stats
	Counters    Counters
	Transport   transport.Stats

	Transactions transaction.Stats
	Resolver     resolve.Stats
	Defence      defence.Counts
}

// Status takes stock. The counts are not of one instant.
func (s *Server) Status() Status {
	st := Status{Started: s.started, Config: s.state.Load().config, Subscribers: s.subscribers.Len(),
		Location: s.location.Stats(), Counters: s.ledger.counters(), Transport: s.transport.Stats(),
		Transactions: s.transactions.Stats(), Resolver: s.resolver.Stats(), Defence: s.guard.Counts()}
	for _, flow := range s.Addrs() {
		st.Listeners = append(st.Listeners, strings.ToLower(flow.Transport.String())+" "+flow.Local.String())
	}
	return st
}

// Domains are those of the configuration in force.
func (s *Server) Domains() []config.Domain { return s.state.Load().config.Domains }

// Subscribers is the store of subscribers. What is changed in it is in force when the call returns. Its
// Close is the server's.
func (s *Server) Subscribers() subscriber.Store { return s.live }

// Now is the server's clock, by which bindings end. It goes on evenly when the time of day is set.
func (s *Server) Now() time.Time { return s.now() }

// Location is the location service. Its Close is the server's.
func (s *Server) Location() location.Store { return s.location }
