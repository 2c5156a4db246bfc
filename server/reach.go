package server

import "biloxi/location"

// Flows are the connections that are open.
func (s *Server) Flows() location.Flows { return s.transport }

// Reachable counts the bindings but for those whose connection has closed, after a restart say. It looks at all of
// them, each time that it is asked.
func (s *Server) Reachable() (n int) {
	now := s.now()
	for cursor, more := "", true; more; more = cursor != "" {
		var err error
		cursor, err = s.location.List(now, cursor, 0, func(_ []byte, r *location.Record) {
			for i := range r.Bindings {
				if !r.Bindings[i].Gone(s.transport) {
					n++
				}
			}
		})
		if err != nil {
			return n // the store is closing
		}
	}
	return n
}
