package journal

import "time"

// watch looks, now and then, whether what is written still goes where the next start reads it.
func (s *syncer) watch() error {
	now := time.Now()
	if now.Sub(s.watched) < watchEvery {
		return nil
	}
	s.watched = now
	if err := s.folder.check(s.generation); err != nil {
		return err
	}
	if !s.held.Same() {
		return errFile
	}
	return s.watchClock()
}

// watchClock notes on disk by how much the wall clock was set, so that the next start, which begins by that clock,
// reads the times of the records right.
func (s *syncer) watchClock() error {
	ahead := s.cfg.Wall().Sub(s.cfg.Now().Round(0)).Milliseconds()
	if by := ahead - s.ahead; -clockSlack < by && by < clockSlack {
		return nil
	}
	s.ahead = ahead
	return s.writeLatest()
}

func (s *syncer) writeLatest() error {
	l := latest{generation: s.generation, next: s.durable + 1, salt: s.salt, ahead: s.ahead}
	return l.write(s.cfg.FS, s.cfg.Dir)
}
